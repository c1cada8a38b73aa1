"""What does the gate's bidding in one space: the camera that looks, and the barrier that moves. One task each."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .barrier import Barrier, BarrierError
from .const import LOGGER
from .gate.words import BarrierSeen, Command, CommandFailed
from .looking import Looking, Stopwatch
from .pictures import SpaceCamera
from .recognition import Look, Reader, Verdict


class Hands:
    """Camera and barrier of one space. `told` is how the gate hears what came of a command."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        title: str,
        *,
        barrier: Barrier,
        camera: SpaceCamera | None,
        reader: Reader,
        watch: Stopwatch,
        limit: float,
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._title = title
        self._barrier = barrier
        self._camera = camera
        self._reader = reader
        self._watch = watch
        self._limit = limit
        self._looking: Looking | None = None
        self._looking_task: asyncio.Task[None] | None = None
        self._moving_task: asyncio.Task[None] | None = None

    def look_for(
        self,
        plate: str,
        *,
        verdict: Callable[[Verdict, Look], None],
        pace: Callable[[], float],
        trouble: Callable[[str], None],
    ) -> None:
        """Turn the camera on and look for a plate until told otherwise."""
        if self._camera is None:
            return
        before = self._looking_task
        if self._looking:
            self._looking.stop()
        looking = Looking(
            self._camera,
            self._reader,
            plate,
            verdict=verdict,
            pace=pace,
            trouble=trouble,
            watch=self._watch,
            limit=self._limit,
        )

        async def after_the_one_before() -> None:
            if before:
                await asyncio.wait([before])
            await looking.run()

        self._looking = looking
        self._looking_task = self._start(after_the_one_before(), "looks")

    def expect(self, plate: str) -> None:
        """The booking was changed while the camera looks."""
        if self._looking:
            self._looking.expect(plate)

    def look_no_more(self) -> None:
        """Stop looking; the camera goes off."""
        if self._looking and self._looking_task and not self._looking_task.done():
            self._looking.stop()
        elif self._camera:
            # Left on by a run that ended hard.
            self._looking_task = self._start(self._camera.async_off(), "camera off")
        self._looking = None

    def move(self, command: Command, why: str, told: Callable[[CommandFailed | BarrierSeen], None]) -> None:
        """Begin a command; the one before is forgotten."""
        self.halt()
        LOGGER.info("%s: barrier %s, because: %s", self._title, command.target, why)
        self._watch.mark("command")

        async def do() -> None:
            try:
                await self._barrier.async_move(command)
            except BarrierError as err:
                told(CommandFailed(command.number, err.kind))
                return
            # An entity that only assumes its state may have had nothing to report.
            told(BarrierSeen(self._barrier.position))

        self._moving_task = self._start(do(), f"barrier {command.target}")

    def halt(self) -> None:
        """No further try of the command that is under way."""
        if self._moving_task and not self._moving_task.done():
            self._moving_task.cancel()

    async def async_stop(self) -> None:
        """End both tasks; on return the camera is off."""
        tasks = [task for task in (self._moving_task, self._looking_task) if task and not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
        return self._entry.async_create_background_task(self._hass, work, f"parkshare {self._title} {what}")
