"""What happens at the barrier of a space, for people and automations. No plate is in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from homeassistant.core import CALLBACK_TYPE, callback

from .gate.words import BayFree, BayTaken, Decision, Overstayed, StayEnding
from .seeing.oddities import OddityKind

DECIDED: Final = {Decision.ADMIT: "admitted", Decision.REFUSE: "refused", Decision.UNSURE: "unsure"}
LOWERED: Final = "lowered"
HELP: Final = "help"
# What the gate tells of a stay and of the bay.
TOLD: Final = {
    StayEnding: "ends_soon",
    Overstayed: "overstay",
    BayTaken: "bay_taken",
    BayFree: "bay_free",
}
EVENT_TYPES: Final = (*DECIDED.values(), LOWERED, HELP, *TOLD.values(), *(kind.value for kind in OddityKind))


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateEvent:
    """Something that happened. by is what decided it, empty where nothing was decided.

    picture: the image entity of the space shows, in a moment, what the camera saw. rung: which help was taken.
    """

    type: str
    by: str = ""
    alias: str = ""
    picture: bool = False
    milliseconds: dict[str, int] = field(default_factory=dict)
    rung: str = ""


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
