"""What happens at the barrier of a space, for people and automations. No plate is in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from homeassistant.core import CALLBACK_TYPE, callback

from .gate.words import Decision
from .seeing.oddities import OddityKind

DECIDED: Final = {Decision.ADMIT: "admitted", Decision.REFUSE: "refused", Decision.UNSURE: "unsure"}
LOWERED: Final = "lowered"
EVENT_TYPES: Final = (*DECIDED.values(), LOWERED, *(kind.value for kind in OddityKind))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateEvent:
    """Something that happened. picture: the image entity of the space shows, in a moment, what the camera saw."""

    type: str
    by: str
    alias: str = ""
    picture: bool = False
    milliseconds: dict[str, int] = field(default_factory=dict)


class PlateEvents:
    """Who wants to hear what happens."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[PlateEvent], None]] = []

    @callback
    def async_add_listener(self, heard: Callable[[PlateEvent], None]) -> CALLBACK_TYPE:
        """Call heard when something happened; returns what ends that."""
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard)

    @callback
    def happened(self, event: PlateEvent) -> None:
        """Tell all of them."""
        for listener in tuple(self._listeners):
            listener(event)
