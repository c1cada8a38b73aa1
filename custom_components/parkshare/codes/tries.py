"""How often a wrong code may be given for a booking: six digits are few, so guessing has to be slow.

Pure: standard library only. With 5 tries in 15 minutes and two right codes of a million, somebody who guesses through
a booking of a whole day gets in with a chance of one in a thousand; who books anew for each few guesses, of two.
"""

from collections.abc import Mapping
from typing import Final

MOST: Final = 5  # for a booking
MOST_AT_SPACE: Final = 10  # for all bookings of a space: a new booking costs somebody who guesses nothing
WITHIN: Final = 900.0  # s

# When a wrong code was given (UTC epoch seconds), by booking.
type Tries = Mapping[str, tuple[float, ...]]


def tries_left(tries: Tries, booking: str, now: float) -> int:
    """Return how many more codes are looked at."""
    at_space = sum(len(_recent(times, now)) for times in tries.values())
    return max(0, min(MOST - len(_recent(tries.get(booking, ()), now)), MOST_AT_SPACE - at_space))


def with_wrong(tries: Tries, booking: str, now: float) -> dict[str, tuple[float, ...]]:
    """Count a wrong code, and forget those that no longer count."""
    counted = {**tries, booking: (*tries.get(booking, ()), now)}
    recent = {each: _recent(times, now) for each, times in counted.items()}
    return {each: times for each, times in recent.items() if times}


def _recent(times: tuple[float, ...], now: float) -> tuple[float, ...]:
    # Both ways: where the clock was set back, what seems to come later would lock the renter out until then.
    return tuple(at for at in times if abs(now - at) < WITHIN)
