"""How long until a phone reaches the fence, and when that is worth telling.

Pure: standard library only.
"""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Approach:
    """The track of a phone towards one space: (time, distance) of the last fixes, and what was concluded."""

    track: tuple[tuple[float, float], ...] = ()
    announced: bool = False
    votes: int = 0
    doubted_since: float | None = None


def eta_s(track: tuple[tuple[float, float], ...], *, range_m: float) -> float | None:
    """Give the seconds until the range is reached, or None while the track shows no clear approach."""
    if len(track) < TRACK_MIN_FIXES or track[-1][0] - track[0][0] < TRACK_MIN_S:
        return None
    (oldest_at, oldest_m), (newest_at, newest_m) = track[0], track[-1]
    speed = (oldest_m - newest_m) / (newest_at - oldest_at)
    if speed < SLOWEST_MS:
        return None
    return max(0.0, DETOUR * newest_m - range_m) / min(speed, FASTEST_MS)


def follow(approach: Approach, *, at: float, distance_m: float, range_m: float, horizon_s: float) -> Approach:
    """Take one accepted fix into account: announced turns true at the second near ETA, false after 120 s of doubt."""
    track = _lately(approach.track, at) + ((at, distance_m),)  # noqa: RUF005 - one copy, not two
    eta = eta_s(track, range_m=range_m)
    if approach.announced:
        if eta is not None and eta <= LOST_FACTOR * horizon_s:
            return Approach(track, announced=True, votes=approach.votes)
        since = at if approach.doubted_since is None else approach.doubted_since
        if at - since >= LOST_AFTER_S:
            return Approach(track=track)
        return Approach(track, announced=True, votes=approach.votes, doubted_since=since)
    votes = approach.votes + 1 if eta is not None and eta <= horizon_s else 0
    return Approach(track=track, votes=votes, announced=votes >= CONSECUTIVE)


def _lately(track: tuple[tuple[float, float], ...], at: float) -> tuple[tuple[float, float], ...]:
    """Give the fixes that still count; the track is in the order of its times, and its last may be one too many."""
    old, end = 0, len(track)
    if end >= TRACK_MIN_FIXES and track[-1][0] - track[-2][0] < TRACK_STEP_S:
        end -= 1
    while old < end and at - track[old][0] > TRACK_S:
        old += 1
    return track[old:end]
