"""How long until a phone reaches the fence, and when that is worth telling.

Pure: standard library only.
"""

from dataclasses import dataclass
from struct import Struct

TRACK_S = 120.0  # speed is taken over the fixes of this long
TRACK_MIN_FIXES = 3
TRACK_MIN_S = 20.0
TRACK_STEP_S = 1.0  # of fixes that come quicker the track keeps one: it has some 120 at most, whatever a phone sends
SLOWEST_MS = 1.5  # slower than this towards the space is not an approach
FASTEST_MS = 40.0
DETOUR = 1.3  # a road is about 1.3 times the straight line
CONSECUTIVE = 2
LOST_FACTOR = 1.5
LOST_AFTER_S = 120.0

# A track is copied for each fix. Numbers in one line are copied at once; in a tuple of a hundred tuples each of them
# would be counted up and down, and with many phones at once it has to come from far away in memory for that.
_FIX = Struct("dd")  # our time, distance in metres
_LAST_TWO = Struct("dddd")


# Not frozen, though nobody changes one: to make a frozen one takes three times as long.
@dataclass(slots=True, unsafe_hash=True)
class Approach:
    """The track of a phone towards one space: time and distance of the last fixes, and what was concluded."""

    track: bytes = b""  # of _FIX
    announced: bool = False
    votes: int = 0
    doubted_since: float | None = None

    @property
    def fixes(self) -> list[tuple[float, ...]]:
        """Time and distance of the fixes of the track."""
        return list(_FIX.iter_unpack(self.track))


def eta_s(oldest: tuple[float, ...], newest: tuple[float, ...], *, range_m: float) -> float | None:
    """Give the seconds until the range is reached, or None while the ends of a track show no clear approach."""
    (oldest_at, oldest_m), (newest_at, newest_m) = oldest, newest
    if newest_at - oldest_at < TRACK_MIN_S:
        return None
    speed = (oldest_m - newest_m) / (newest_at - oldest_at)
    if speed < SLOWEST_MS:
        return None
    left_s: float = max(0.0, DETOUR * newest_m - range_m) / min(speed, FASTEST_MS)
    return left_s


def follow(approach: Approach, *, at: float, distance_m: float, range_m: float, horizon_s: float) -> Approach:
    """Take one accepted fix into account: announced turns true at the second near ETA, false after 120 s of doubt."""
    track = _lately(approach.track, at) + _FIX.pack(at, distance_m)
    long_enough = len(track) >= TRACK_MIN_FIXES * _FIX.size
    eta = eta_s(_FIX.unpack_from(track), (at, distance_m), range_m=range_m) if long_enough else None
    if approach.announced:
        if eta is not None and eta <= LOST_FACTOR * horizon_s:
            return Approach(track, announced=True, votes=approach.votes)
        since = at if approach.doubted_since is None else approach.doubted_since
        if at - since >= LOST_AFTER_S:
            return Approach(track)
        return Approach(track, announced=True, votes=approach.votes, doubted_since=since)
    votes = approach.votes + 1 if eta is not None and eta <= horizon_s else 0
    return Approach(track, votes=votes, announced=votes >= CONSECUTIVE)


def _lately(track: bytes, at: float) -> bytes:
    """Give the fixes that still count; the track is in the order of its times, and its last may be one too many."""
    old, end, size = 0, len(track), _FIX.size
    if end >= TRACK_MIN_FIXES * size:
        before_at, _, last_at, _ = _LAST_TWO.unpack_from(track, end - _LAST_TWO.size)
        if last_at - before_at < TRACK_STEP_S:
            end -= size
    while old < end and at - _FIX.unpack_from(track, old)[0] > TRACK_S:
        old += size
    return track[old:end]
