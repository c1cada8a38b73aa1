"""Whether a message speaks of now. Pure; all times are UTC epoch seconds, durations seconds."""

from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from math import isfinite
from typing import Any, Final

# Two clocks that are set by the network differ by less; the measure of the difference is not finer either.
CLOCKS_AGREE: Final = 3.0
# Above, an epoch is in milliseconds: as seconds it would be the year 5138.
_MILLISECONDS: Final = 1e11
_EARLIEST: Final = 946_684_800.0  # the year 2000: a smaller number counts something else


class Stale(StrEnum):
    """Why a message does not count."""

    BEFORE = "before"  # it was read before anybody looked for a car
    OLD = "old"  # it took too long, or somebody replays it
    FUTURE = "future"  # its clock is ahead of ours


def taken_at(
    said_at: float | None, *, heard_at: float, armed_at: float, max_age: float, ahead: float = 0.0
) -> float | Stale:
    """Return when a plate was read by our clock, or why it does not count.

    said_at is the message's own time (None: it has none, then it counts as read when heard), ahead how far the clock
    that it was taken from is ahead of ours.
    """
    if said_at is None:
        return heard_at
    at = said_at - (ahead if abs(ahead) >= CLOCKS_AGREE else 0.0)
    if at > heard_at + CLOCKS_AGREE:
        return Stale.FUTURE
    if at < armed_at:
        return Stale.BEFORE
    if heard_at - at > max_age:
        return Stale.OLD
    return min(at, heard_at)


class Pace:
    """Tells those that only look old, by a clock that is slow, from those that are: live ones keep step with time."""

    SHORTEST: Final = 3.0  # s
    STEP: Final = 2.0  # s, how far two live messages' ways may differ

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None

    def is_live(self, said_at: float, heard_at: float) -> bool:
        """Take the times of a message that was too old; tells whether it is of now, by a clock that is slow."""
        if self._first is None:
            self._first = said_at, heard_at
            return False
        said, heard = said_at - self._first[0], heard_at - self._first[1]
        if abs(said - heard) > self.STEP:
            self._first = said_at, heard_at
            return False
        return heard >= self.SHORTEST


def parse_time(value: Any, zone: tzinfo) -> float | None:
    """Read a time as programs write it: epoch in seconds or milliseconds, or ISO 8601 (without a zone: in this one)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, datetime):
        return _of_datetime(value, zone)
    try:
        if isinstance(value, str):
            text = value.strip()
            if not text.replace(".", "", 1).isdecimal():
                return _of_datetime(datetime.fromisoformat(text), zone)
            value = float(text)
        if not isinstance(value, (int, float)):
            return None
        number = float(value)
    except ValueError, OverflowError:
        return None
    if number > _MILLISECONDS:
        number /= 1000
    return number if isfinite(number) and _EARLIEST <= number < _MILLISECONDS else None


def _of_datetime(value: datetime, zone: tzinfo) -> float | None:
    try:
        at = (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC).timestamp()
    except ValueError, OverflowError:
        return None
    return at if at >= _EARLIEST else None
