"""What reaches the gate of one space by itself: its barrier's word, its bay's sensors, and the time."""

from collections.abc import Callable
from datetime import UTC, datetime

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

from .barrier import Barrier
from .bay import says, seen_at
from .gate import words as w


class Senses:
    """Barrier, sensors and timer of one space. told hears them in the words of the gate, ticked that it is time."""

    def __init__(
        self,
        hass: HomeAssistant,
        barrier: Barrier,
        sources: tuple[str, ...],
        *,
        told: Callable[[w.Input], None],
        ticked: Callable[[], None],
    ) -> None:
        self.sources = sources
        self._hass = hass
        self._barrier = barrier
        self._told = told
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
            async_track_state_change_event(self._hass, self._barrier.entity_id, self._barrier_changed),
            async_track_state_change_event(self._hass, self.sources, self._source_changed),
            async_track_state_report_event(self._hass, self.sources, self._source_reported),
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
        self._told(w.BarrierSeen(self._barrier.position_of(event.data["new_state"])))

    @callback
    def _source_changed(self, event: Event[EventStateChangedData]) -> None:
        state = event.data["new_state"]
        self._told(w.SourceSeen(event.data["entity_id"], says(state), seen_at(state)))

    @callback
    def _source_reported(self, event: Event[EventStateReportedData]) -> None:
        """The sensor said the same again: its word is fresh."""
        seen = event.data["last_reported"].timestamp()
        self._told(w.SourceSeen(event.data["entity_id"], says(event.data["new_state"]), seen))
