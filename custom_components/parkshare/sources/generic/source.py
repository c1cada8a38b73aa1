"""What all sources share that are described by a recipe: from a message to looks, and from a problem to the owner."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from custom_components.parkshare.recognition.types import Look
from custom_components.parkshare.sources.evidence import look_of
from custom_components.parkshare.sources.freshness import Pace, Stale, taken_at
from custom_components.parkshare.sources.trouble import Troubles

from .recipe import Found, Problem, Recipe, extract


class GenericSource(ABC):
    """A source between its start and its stop. A kind of source says only how messages come."""

    always_on = True  # it has no camera of its own to be turned on

    def __init__(self, hass: HomeAssistant, name: str, recipe: Recipe) -> None:
        self.name = name
        self._hass = hass
        self._recipe = recipe
        self._troubles = Troubles(hass, name)
        self._heard: Callable[[Look], None] | None = None
        self._armed_at = 0.0
        self._pace = Pace()
        self._ends: list[CALLBACK_TYPE] = []

    async def async_start(self, heard: Callable[[Look], None], trouble: Callable[[str], None]) -> None:
        """Tell plates that are read from now on."""
        await self.async_stop()
        await self._troubles.async_load(trouble)
        self._pace = Pace()
        self._armed_at = dt_util.utcnow().timestamp()
        self._heard = heard
        await self._async_listen()

    async def async_stop(self) -> None:
        """Tell nothing more."""
        self._heard = None
        while self._ends:
            self._ends.pop()()

    @abstractmethod
    async def _async_listen(self) -> None:
        """Begin to take messages, with what ends that in _ends; tell the owner if that is not possible."""

    @callback
    def _take(self, message: Any, said_at: float | None = None) -> None:
        """Take a message that was heard just now. said_at is when it was made, if it was not just now."""
        if self._heard is None:
            return
        extracted = extract(message, self._recipe, zone=dt_util.get_default_time_zone())
        for found in extracted.found:
            self._look(found, said_at)
        for problem in sorted(extracted.problems):
            self._tell(problem)

    def _look(self, found: Found, said_at: float | None) -> None:
        now = dt_util.utcnow().timestamp()
        said_at = said_at if found.said_at is None else found.said_at
        at = taken_at(said_at, heard_at=now, armed_at=self._armed_at, max_age=self._recipe.max_age)
        if isinstance(at, Stale):
            if at is Stale.FUTURE or (said_at is not None and self._pace.is_live(said_at, now)):
                self._troubles.tell("clock")
        elif self._heard:
            self._heard(look_of(found.plate, found.confidence, source=self.name, taken_at=at))

    def _tell(self, problem: Problem) -> None:
        path = {Problem.PLATE: self._recipe.plate, Problem.SCORE: self._recipe.score, Problem.TIME: self._recipe.time}
        used = path[problem]
        # A plate whose score could not be understood counts, but less than it should.
        self._troubles.tell(f"path_{problem}", again=problem is Problem.SCORE, path=used.text if used else "")
