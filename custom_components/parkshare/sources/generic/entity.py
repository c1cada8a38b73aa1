"""An entity as a plate source: its state or an attribute is the plate, or it is an event entity that carries one.

A message of an entity is {"state": ..., "attributes": {...}}; a path without a dot that names no part of that is
looked up among the attributes.
"""

from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.const import ATTR_RESTORED, STATE_UNAVAILABLE, STATE_UNKNOWN, Platform
from homeassistant.core import (
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    State,
    callback,
    split_entity_id,
)
from homeassistant.helpers.event import async_track_state_change_event, async_track_state_report_event
from homeassistant.util import dt as dt_util

from custom_components.parkshare.sources.freshness import parse_time

from .recipe import Recipe
from .source import GenericSource

NO_STATE: Final = frozenset({STATE_UNAVAILABLE, STATE_UNKNOWN})
# What integrations write into a state for "nothing", beside Home Assistant's own words.
NO_PLATE: Final = frozenset({"", "none", "null", "-"}) | NO_STATE


class EntitySource(GenericSource):
    """Takes an entity's changes; and its repetitions, if the owner says that it repeats only what it read again."""

    def __init__(self, hass: HomeAssistant, name: str, recipe: Recipe, entity_id: str, *, repeats: bool) -> None:
        super().__init__(hass, name, recipe)
        self._entity_id = entity_id
        self._is_event = split_entity_id(entity_id)[0] == Platform.EVENT
        self._repeats = repeats

    @override
    async def _async_listen(self) -> None:
        if self._hass.states.get(self._entity_id) is None:
            self._troubles.tell("entity_missing", entity=self._entity_id)
        self._ends += [
            async_track_state_change_event(self._hass, self._entity_id, self._changed),
            async_track_state_report_event(self._hass, self._entity_id, self._reported),
        ]

    @callback
    def _changed(self, event: Event[EventStateChangedData]) -> None:
        """Take a change: of the plate, of its time, or of what else it says about a reading."""
        old, new = event.data["old_state"], event.data["new_state"]
        # A state that comes back, after a start or a gap, is an old one.
        if new is None or old is None or _is_nothing(old) or _is_nothing(new):
            return
        message, before = message_of(new), message_of(old)
        if self._is_event:
            if old.state != new.state:
                self._take(message, self._time_of(new))
        elif self._differs(message, before):
            self._take(message, self._time_of(new))
        elif self._repeats and self._recipe.time is None:
            self._take(message, new.last_reported_timestamp)

    @callback
    def _reported(self, event: Event[EventStateReportedData]) -> None:
        """Take that the entity says the same again. Many do so all the time, though they read nothing again."""
        state = event.data["new_state"]
        # With a time of its own the message would be the same reading; an event entity repeats no event.
        if self._repeats and not self._is_event and self._recipe.time is None and not _is_nothing(state):
            self._take(message_of(state), event.data["last_reported"].timestamp())

    def _differs(self, message: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
        paths = (self._recipe.plate, self._recipe.time)
        return any(path is not None and path.find(message) != path.find(before) for path in paths)

    def _time_of(self, state: State) -> float | None:
        """Return when it was said: the state of an event entity is the time of its event."""
        if self._is_event and (at := parse_time(state.state, dt_util.UTC)) is not None:
            return at
        return state.last_updated_timestamp

    @override
    @callback
    def _take(self, message: Any, said_at: float | None = None) -> None:
        plate = self._recipe.plate.find(message)
        if isinstance(plate, str) and plate.strip().casefold() in NO_PLATE:
            return
        super()._take(message, said_at)


def message_of(state: State) -> dict[str, Any]:
    """Make the message of a state: the attributes by their names, and `state` and `attributes` beside them."""
    return dict(state.attributes) | {"state": state.state, "attributes": dict(state.attributes)}


def _is_nothing(state: State) -> bool:
    return state.state in NO_STATE or bool(state.attributes.get(ATTR_RESTORED))
