"""How long until a phone reaches the fence, and when that is worth telling.

Pure: standard library only.
"""

import math
from dataclasses import dataclass, replace
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

_FIX = Struct("dd")  # our time, distance in metres
_LEAST = (TRACK_MIN_FIXES - 1) * _FIX.size


# Not frozen, though nobody changes one: to make a frozen one takes three times as long.
@dataclass(slots=True, unsafe_hash=True)
class Track:
    """The last fixes but the very last.

    Numbers in one line are copied at once; in a tuple of a hundred tuples each of them would be counted up and down,
    and with many phones at once it has to come from far away in memory for that. Those that every new fix is compared
    with stand beside the line.
    """

    line: bytes = b""  # of _FIX
    oldest_at: float = math.inf
    oldest_m: float = 0.0
    newest_at: float = -math.inf


@dataclass(slots=True, unsafe_hash=True)  # as Track
class Approach:
    """The track of a phone towards one space: time and distance of the last fixes, and what was concluded.

    The last fix stands apart: it may be one too many, and until it is known to stay the others need not be copied.
    """

    track: Track = Track()  # noqa: RUF009 - nobody changes it
    at: float = -math.inf  # of the last fix
    away_m: float = 0.0
    announced: bool = False
    votes: int = 0
    doubted_since: float | None = None

    @property
    def fixes(self) -> list[tuple[float, ...]]:
        """Time and distance of the fixes of the track, and the last."""
        return [*_FIX.iter_unpack(self.track.line), *([(self.at, self.away_m)] if self.at > -math.inf else [])]


def follow(approach: Approach, *, at: float, distance_m: float, range_m: float, horizon_s: float) -> Approach:
    """Take one accepted fix into account: announced turns true at the second near ETA, false after 120 s of doubt."""
    track = _lately(approach, at)
    eta_s = None  # until the range is reached; None while the ends of the track show no clear approach
    if (took_s := at - track.oldest_at) >= TRACK_MIN_S and len(track.line) >= _LEAST:
        speed = (track.oldest_m - distance_m) / took_s
        if speed >= SLOWEST_MS:
            eta_s = max(0.0, DETOUR * distance_m - range_m) / min(speed, FASTEST_MS)
    if approach.announced:
        near = eta_s is not None and eta_s <= LOST_FACTOR * horizon_s
        return _still(approach, Approach(track, at, distance_m), near=near)
    votes = approach.votes + 1 if eta_s is not None and eta_s <= horizon_s else 0
    return Approach(track, at, distance_m, votes >= CONSECUTIVE, votes)


def _still(announced: Approach, now: Approach, *, near: bool) -> Approach:
    """Keep to an approach that was announced, unless it is in doubt for too long."""
    if near:
        return replace(now, announced=True, votes=announced.votes)
    since = now.at if announced.doubted_since is None else announced.doubted_since
    if now.at - since >= LOST_AFTER_S:
        return now
    return replace(now, announced=True, votes=announced.votes, doubted_since=since)


def _lately(approach: Approach, at: float) -> Track:
    """Give the fixes before the one at `at` that still count; all are in the order of their times."""
    track, last_at = approach.track, approach.at
    if at - last_at > TRACK_S:
        return Track()
    line = track.line
    quick = last_at - track.newest_at < TRACK_STEP_S and len(line) >= _LEAST
    if quick and at - track.oldest_at <= TRACK_S:
        return track
    if not quick:
        line += _FIX.pack(last_at, approach.away_m)
    old, end = 0, len(line)
    while old < end and at - _FIX.unpack_from(line, old)[0] > TRACK_S:
        old += _FIX.size
    if old == end:
        return Track()
    oldest_at, oldest_m = _FIX.unpack_from(line, old)
    return Track(line[old:], oldest_at, oldest_m, track.newest_at if quick else last_at)
