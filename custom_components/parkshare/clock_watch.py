"""Whether the clock of this house is right: the backend tells its time in each greeting.

Bookings begin and end by the clock, here and there. A minute is what facts from the backend may be ahead of us before
the gate takes them for nonsense.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval

from . import issues

MOST: Final = 60.0  # s
# A clock may go wrong, or be put right, long after the greeting.
CHECK_EVERY: Final = timedelta(seconds=10)
# A machine that slept seems to have a wrong clock too, until the backend has greeted it anew.
BELIEVED_AFTER: Final = 2  # looks in a row
# What a clock is moved by at once. One that is put right slowly moves by less between two looks.
STEP: Final = 2.0  # s


class ClockSteps:
    """Notices when the clock of this house was set: it goes apart from the one that nobody sets."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._loop = hass.loop
        self._apart = self._now_apart()

    @callback
    def since_last(self) -> float:
        """Return by how many seconds it was set since the last time that this was asked; 0 for not at all."""
        apart = self._now_apart()
        by, self._apart = apart - self._apart, apart
        return by if abs(by) >= STEP else 0.0

    def _now_apart(self) -> float:
        return time.time() - self._loop.time()


class ClockWatch:
    """Compares the two clocks, keeps the repair issue that follows, and says when ours was set."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, *, was_set: Callable[[], None]) -> None:
        self._hass = hass
        self._entry = entry
        self._was_set = was_set
        self._steps = ClockSteps(hass)
        # The backend's time less that of our monotonic clock, which nobody sets.
        self._ahead: float | None = None
        self._looked_wrong = 0

    @callback
    def start(self) -> CALLBACK_TYPE:
        """Begin to look at the clock now and then."""
        return async_track_time_interval(self._hass, self._look, CHECK_EVERY)

    @callback
    def heard(self, at: float) -> None:
        """The backend's clock says so now; at is UTC epoch seconds."""
        self._ahead = at - time.monotonic()
        self._check(believed_after=1)

    @callback
    def here(self, at: float) -> float:
        """Return what our clock shows for a time of the backend's: the same, unless they are too far apart.

        How old a fact is does not depend on whose clock is wrong. at is when a fact became true there; one of this
        minute by our clock, or of a time to come by what we thought of theirs, shows that theirs was set like ours.
        """
        off, now = self._off(), time.time()
        if abs(off) > MOST and (abs(now - at) <= MOST or at > now - off + MOST):
            self.heard(at)
            off = self._off()
        return at + off if abs(off) > MOST else at

    @callback
    def _look(self, _now: object) -> None:
        if self._steps.since_last():
            self._was_set()
        self._check(believed_after=BELIEVED_AFTER)

    @callback
    def _check(self, *, believed_after: int) -> None:
        off = abs(self._off())
        self._looked_wrong = self._looked_wrong + 1 if off > MOST else 0
        if not self._looked_wrong:
            issues.async_clear(self._hass, self._entry, issues.CLOCK_WRONG)
        elif self._looked_wrong >= believed_after:
            issues.async_raise_clock_wrong(self._hass, self._entry, minutes=round(off / 60))

    def _off(self) -> float:
        """Return by how many seconds our clock is fast; 0 as long as nobody told us the time."""
        return 0.0 if self._ahead is None else time.time() - (time.monotonic() + self._ahead)
