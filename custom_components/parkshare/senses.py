"""What reaches the gate of one space by itself: its barrier's word, its sensors, and the time."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNKNOWN
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    EventStateReportedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers.event import (
    async_track_point_in_utc_time,
    async_track_state_change_event,
    async_track_state_report_event,
)

from .attribution import Attribution, Hand
from .barrier import Barrier
from .bay import says, seen_at
from .const import CONF_OCCUPANCY, CONF_VEHICLE
from .gate import words as w


class Senses:
    """Barrier, sensors and timer of one space.

    told hears them in the words of the gate, moved what the barrier did and whose hand that was, ticked that it is
    time. sources are the sensors of the bay, vehicles those that see a car on its way there.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        barrier: Barrier,
        settings: Mapping[str, Any],
        *,
        told: Callable[[w.Input], None],
        moved: Callable[[w.BarrierSeen, Hand], None],
        ticked: Callable[[], None],
    ) -> None:
        self.sources: tuple[str, ...] = tuple(settings.get(CONF_OCCUPANCY) or ())
        self._vehicles: tuple[str, ...] = tuple(settings.get(CONF_VEHICLE) or ())
        self._hass = hass
        self._barrier = barrier
        self._told = told
        self._moved = moved
        self._attribution = Attribution(hass, barrier.entity_id)
        self._ticked = ticked
        self._timer: CALLBACK_TYPE | None = None
        self._ends: list[CALLBACK_TYPE] = []

    def tell_all(self) -> None:
        """Tell how all of it stands now."""
        self._told(w.BarrierSeen(self._barrier.position))
        for source in self.sources:
            state = self._hass.states.get(source)
            self._told(w.SourceSeen(source, says(state), seen_at(state)))

    def start(self) -> None:
        """Tell each change from now on."""
        self._ends += [
            self._attribution.start(),
            async_track_state_change_event(self._hass, self._barrier.entity_id, self._barrier_changed),
            async_track_state_change_event(self._hass, self.sources, self._source_changed),
            async_track_state_report_event(self._hass, self.sources, self._source_reported),
            async_track_state_change_event(self._hass, self._vehicles, self._vehicle_changed),
        ]

    def stop(self) -> None:
        """Tell nothing more."""
        while self._ends:
            self._ends.pop()()
        self.wake_at(None)

    def wake_at(self, due: float | None) -> None:
        """Say when it is so late (UTC epoch seconds), in place of what was asked for before."""
        if self._timer:
            self._timer()
            self._timer = None
        if due is not None:
            at = datetime.fromtimestamp(due, UTC)
            self._timer = async_track_point_in_utc_time(self._hass, self._time_came, at)

    @callback
    def _time_came(self, _now: datetime) -> None:
        self._timer = None
        self._ticked()

    @callback
    def _barrier_changed(self, event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        hand = self._attribution.who(state) if state else Hand("device")
        self._moved(w.BarrierSeen(self._barrier.position_of(state)), hand)

    @callback
    def _source_changed(self, event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        self._told(w.SourceSeen(event.data["entity_id"], says(state), seen_at(state)))

    @callback
    def _source_reported(self, event: Event[EventStateReportedData]) -> None:
        """The sensor said the same again: its word is fresh."""
        seen = event.data["last_reported"].timestamp()
        self._told(w.SourceSeen(event.data["entity_id"], says(event.data["new_state"]), seen))

    @callback
    def _vehicle_changed(self, event: Event[EventStateChangedData]) -> None:
        """A car comes. A sensor that is on when it comes back itself tells nothing of when that car came."""
        before, now = event.data["old_state"], event.data["new_state"]
        if before and now and before.state in (STATE_OFF, STATE_UNKNOWN) and now.state == STATE_ON:
            self._told(w.CarSensed(now.last_changed.timestamp()))
