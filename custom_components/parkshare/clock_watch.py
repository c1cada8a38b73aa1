"""Whether the clock of this house is right: the backend tells its time in each greeting.

Bookings begin and end by the clock, here and there. A minute is what facts from the backend may be ahead of us before
the gate takes them for nonsense.
"""

import time
from datetime import timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from . import issues

MOST: Final = 60.0  # s
# A clock may go wrong, or be put right, long after the greeting.
CHECK_EVERY: Final = timedelta(minutes=5)


class ClockWatch:
    """Compares the two clocks, and keeps the repair issue that follows."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        self._hass = hass
        self._entry = entry
        # The backend's time less that of our monotonic clock, which nobody sets.
        self._ahead: float | None = None

    @callback
    def start(self) -> CALLBACK_TYPE:
        """Begin to look at the clock now and then."""
        return async_track_time_interval(self._hass, self._check, CHECK_EVERY)

    @callback
    def heard(self, at: float) -> None:
        """The backend's clock says so now; at is UTC epoch seconds."""
        self._ahead = at - time.monotonic()
        self._check()

    @callback
    def _check(self, _now: object = None) -> None:
        if self._ahead is None:
            return
        off = abs(time.time() - (time.monotonic() + self._ahead))
        if off > MOST:
            issues.async_raise_clock_wrong(self._hass, self._entry, minutes=round(off / 60))
        else:
            issues.async_clear(self._hass, self._entry, issues.CLOCK_WRONG)
