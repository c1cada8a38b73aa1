"""The owner's own coming and going. Reported only within a booked period: else it is nobody's business."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from .bay import fix_of
from .const import CONF_LATITUDE, CONF_LONGITUDE, CONF_OWNER, CONF_RANGE_M
from .gate.nearness import Change, NearnessPolicy, observe

DEFAULT_RANGE_M: Final = 500.0


class OwnerWatch:
    """Watches the owner's person or tracker. report gets owner.near or owner.away and its time, never a position."""

    def __init__(
        self,
        hass: HomeAssistant,
        settings: Mapping[str, Any],
        *,
        booked: Callable[[float], bool],
        report: Callable[[str, float], None],
        changed: Callable[[], None],
    ) -> None:
        self.inside: bool | None = None
        self._near_told = False
        self._hass = hass
        self._entity_id: str | None = settings.get(CONF_OWNER)
        self._place = (float(settings[CONF_LATITUDE]), float(settings[CONF_LONGITUDE]))
        self._policy = NearnessPolicy(range_m=float(settings.get(CONF_RANGE_M) or DEFAULT_RANGE_M))
        self._booked = booked
        self._report = report
        self._changed = changed

    def document(self) -> dict[str, Any]:
        """What to keep: else each restart at home would look like coming home."""
        return {"inside": self.inside, "near_told": self._near_told}

    def load(self, document: dict[str, Any]) -> None:
        """Take up what was kept."""
        self.inside, self._near_told = document["inside"], document["near_told"]

    @callback
    def start(self) -> CALLBACK_TYPE:
        """Begin; returns what ends it."""
        if self._entity_id is None:
            return lambda: None
        self._observe()
        return async_track_state_change_event(self._hass, self._entity_id, self._moved)

    @callback
    def _moved(self, _event: Event[EventStateChangedData]) -> None:
        self._observe()

    @callback
    def _observe(self) -> None:
        fix = fix_of(self._hass, self._hass.states.get(self._entity_id) if self._entity_id else None)
        if fix is None:
            return
        now, before = dt_util.utcnow().timestamp(), self.inside
        self.inside, change = observe(fix, inside=before, place=self._place, now=now, policy=self._policy)
        if change is Change.NEAR and self._booked(now):
            self._near_told = True
            self._report("owner.near", fix.at)
        elif change is Change.AWAY and self._near_told:
            self._near_told = False
            self._report("owner.away", fix.at)
        elif self.inside is not before:
            self._changed()
