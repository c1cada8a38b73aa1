"""The track of a phone towards a space: which fixes it holds, and when they show an approach."""

import math
from collections.abc import Iterable, Iterator
from itertools import accumulate

from hypothesis import given, settings, strategies as st

from parkshare_backend.tracking.approach import (
    CONSECUTIVE,
    DETOUR,
    FASTEST_MS,
    LOST_AFTER_S,
    LOST_FACTOR,
    SLOWEST_MS,
    TRACK_MIN_FIXES,
    TRACK_MIN_S,
    TRACK_S,
    TRACK_STEP_S,
    Approach,
    follow,
)

RANGE_M, HORIZON_S = 80.0, 60.0

type Told = tuple[float, ...]  # our time of a fix, and how far away it was

# Many come quick, and many are about two minutes younger than some other.
gaps = st.builds(
    lambda seconds, sixteenths: seconds + sixteenths / 16, st.sampled_from([0, 0, 0, 29, 59, 119]), st.integers(1, 16)
)
drives = st.lists(st.tuples(gaps, st.floats(0, 1_000) | st.floats(0, 30_000)), min_size=10, max_size=40)


def followed(approach: Approach, fix: Told) -> Approach:
    at, away_m = fix
    return follow(approach, at=at, distance_m=away_m, range_m=RANGE_M, horizon_s=HORIZON_S)


def plainly(told: Iterable[Told], *, announced: bool) -> Iterator[tuple[list[Told], bool]]:
    """Give the track after each fix, and whether it shows an approach, as if all this were lists."""
    track: list[Told] = []
    signs: list[float] = []
    doubts: list[float] = []
    for at, away_m in told:
        if len(track) >= TRACK_MIN_FIXES and track[-1][0] - track[-2][0] < TRACK_STEP_S:
            track = track[:-1]
        track = [*(fix for fix in track if at - fix[0] <= TRACK_S), (at, away_m)]
        eta_s = plain_eta_s(track)
        if announced:
            signs, doubts = [], [] if eta_s <= LOST_FACTOR * HORIZON_S else [*doubts, at]
            announced = not doubts or at - doubts[0] < LOST_AFTER_S
        else:
            signs, doubts = [*signs, at] if eta_s <= HORIZON_S else [], []
            announced = len(signs) >= CONSECUTIVE
        yield track, announced


def plain_eta_s(track: list[Told]) -> float:
    (first_at, first_m), (last_at, last_m) = track[0], track[-1]
    if len(track) < TRACK_MIN_FIXES or last_at - first_at < TRACK_MIN_S:
        return math.inf
    speed_ms = (first_m - last_m) / (last_at - first_at)
    way_m = max(0.0, DETOUR * last_m - RANGE_M)
    return way_m / min(speed_ms, FASTEST_MS) if speed_ms >= SLOWEST_MS else math.inf


@settings(max_examples=400, deadline=None)
@given(drives, st.booleans())
def test_a_drive_is_followed_as_if_its_track_were_a_list(drive: list[tuple[float, float]], announced: bool) -> None:
    times = accumulate(gap_s for gap_s, _ in drive)
    told = [(at, away_m) for at, (_, away_m) in zip(times, drive, strict=True)]
    approach = Approach(announced=announced)
    for fix, expected in zip(told, plainly(told, announced=announced), strict=True):
        approach = followed(approach, fix)
        assert (approach.fixes, approach.announced) == expected


def track_of(*times: float) -> list[float]:
    approach = Approach()
    for at in times:
        approach = followed(approach, (at, 500.0))
    return [at for at, _ in approach.fixes]


def test_of_fixes_that_come_quick_a_track_keeps_one_for_each_second_and_the_last() -> None:
    assert track_of(0, 60, 60.5, 60.75) == [0, 60, 60.75]
    assert track_of(0, 60, 60.5, 60.75, 61, 61.5) == [0, 60, 61, 61.5]


def test_a_track_of_less_than_three_fixes_keeps_each_however_quick_it_came() -> None:
    assert track_of(0, 0.25, 0.5) == [0, 0.25, 0.5]


def test_a_fix_of_more_than_two_minutes_ago_leaves_though_the_last_ones_came_quick() -> None:
    assert track_of(0, 60, 90, 90.5, 120) == [0, 60, 90, 120]
    assert track_of(0, 60, 90, 90.5, 120.25) == [60, 90, 120.25]


def test_seconds_are_counted_from_the_last_fix_that_stayed_also_when_the_first_one_leaves() -> None:
    before = [0, 60, 119, 119.75, 120.5]
    assert track_of(*before) == [60, 119, 120.5]
    assert track_of(*before, 121) == [60, 119, 120.5, 121]


@given(st.lists(st.tuples(st.floats(1.0, 60).map(lambda gap: round(gap * 8) / 8), st.floats(0, 5_000)), max_size=120))
def test_a_track_holds_the_fixes_of_the_last_two_minutes(fixes: list[tuple[float, float]]) -> None:
    approach, at, told = Approach(), 0.0, []
    for gap_s, away_m in fixes:
        at += gap_s
        told.append((at, away_m))
        approach = followed(approach, (at, away_m))
        assert approach.fixes == [fix for fix in told if at - fix[0] <= TRACK_S]


@given(st.lists(st.tuples(st.integers(1, 16), st.floats(0, 5_000)), max_size=300))
def test_a_track_stays_short_however_often_a_phone_reports(fixes: list[tuple[int, float]]) -> None:
    approach, at, told = Approach(), 0.0, []
    for sixteenths, away_m in fixes:
        at += sixteenths / 16
        told.append((at, away_m))
        approach = followed(approach, (at, away_m))
        track = approach.fixes
        assert track[-1] == told[-1]
        assert set(track) <= {fix for fix in told if at - fix[0] <= TRACK_S}
        assert len(track) <= TRACK_S + TRACK_MIN_FIXES
        assert len(track) >= min(TRACK_MIN_FIXES, len(told))
        oldest = next(fix for fix in told if at - fix[0] <= TRACK_S)
        assert track[0][0] - oldest[0] < TRACK_STEP_S * 2
