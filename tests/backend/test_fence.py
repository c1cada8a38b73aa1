"""The fence machine: what it must never do, whatever a phone sends, and what it does on an ordinary drive."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from parkshare_backend.spaces.geometry import METRES_PER_DEGREE, Point
from parkshare_backend.tracking.fence import (
    FenceEvent,
    FencePolicy,
    FenceState,
    Ignored,
    Kind,
    Place,
    step,
    tick,
)
from parkshare_backend.tracking.fix import Fix

HOME = Point(48.137, 11.575)
POLICY = FencePolicy(centre=HOME)
T = 1_800_000_000.0


def fix_at(
    distance_m: float, at: float = T, *, accuracy_m: float | None = 10.0, late_s: float = 0.0, **more: Any
) -> Fix:
    return Fix(
        lat=HOME.lat + distance_m / METRES_PER_DEGREE,
        lon=HOME.lon,
        at=at,
        received_at=at + late_s,
        accuracy_m=accuracy_m,
        **more,
    )


def feed(fixes: Iterable[Fix], state: FenceState | None = None) -> tuple[FenceState, list[FenceEvent]]:
    state = state or FenceState()
    events: list[FenceEvent] = []
    for fix in fixes:
        result = step(state, fix, POLICY)
        state = result.state
        events += result.events
    return state, events


def kinds(events: Iterable[FenceEvent]) -> list[Kind]:
    return [event.kind for event in events]


INSIDE = feed([fix_at(10)])[0]

distances = st.floats(0, 30_000)
accuracies = st.one_of(st.none(), st.floats(-5, 5_000))
odd_fixes = st.builds(
    fix_at,
    distances,
    st.floats(T - 4_000, T + 4_000),
    accuracy_m=accuracies,
    late_s=st.floats(-200, 4_000),
    mock=st.booleans(),
    entered=st.booleans(),
)
tracks = st.lists(odd_fixes, max_size=25).map(lambda fixes: sorted(fixes, key=lambda fix: fix.received_at))
any_state = tracks.map(lambda track: feed(track)[0])


def test_one_sure_fix_enters() -> None:
    state, events = feed([fix_at(10)])
    assert kinds(events) == [Kind.ENTERED]
    assert state.place is Place.INSIDE


def test_one_likely_fix_does_not_enter_and_a_second_does() -> None:
    state, events = feed([fix_at(60, accuracy_m=40)])
    assert not events
    _, events = feed([fix_at(60, T + 20, accuracy_m=40)], state)
    assert kinds(events) == [Kind.ENTERED]


def test_two_likely_fixes_too_far_apart_do_not_enter() -> None:
    _, events = feed([fix_at(60, accuracy_m=40), fix_at(60, T + 181, accuracy_m=40)])
    assert not events


def test_an_unlikely_fix_between_takes_the_vote_back() -> None:
    _, events = feed([fix_at(60, accuracy_m=40), fix_at(200, T + 20), fix_at(60, T + 40, accuracy_m=40)])
    assert not events


def test_the_phones_own_fence_never_enters_alone_however_often_it_says_so() -> None:
    _, events = feed([fix_at(120, T + i * 20, accuracy_m=30, entered=True) for i in range(10)])
    assert not events


def test_the_phones_own_fence_and_one_likely_fix_enter() -> None:
    _, events = feed([fix_at(120, accuracy_m=30, entered=True), fix_at(60, T + 20, accuracy_m=40)])
    assert kinds(events) == [Kind.ENTERED]


def test_leaving_takes_two_fixes_over_a_minute() -> None:
    state, events = feed([fix_at(200, T + 30)], INSIDE)
    assert state.place is Place.LEAVING
    assert not events
    state, events = feed([fix_at(210, T + 60)], state)
    assert not events
    state, events = feed([fix_at(210, T + 91)], state)
    assert kinds(events) == [Kind.LEFT]
    assert state.place is Place.OUTSIDE


def test_coming_back_cancels_leaving() -> None:
    state, events = feed([fix_at(200, T + 30), fix_at(60, T + 60), fix_at(200, T + 100)], INSIDE)
    assert not events
    assert state.place is Place.LEAVING


def test_one_fix_far_away_leaves() -> None:
    _, events = feed([fix_at(900, T + 60)], INSIDE)
    assert kinds(events) == [Kind.LEFT]


def test_silence_inside_is_stale_and_not_an_exit() -> None:
    assert tick(INSIDE, now=T + 899, policy=POLICY).state == INSIDE
    result = tick(INSIDE, now=T + 900, policy=POLICY)
    assert kinds(result.events) == [Kind.STALE]
    assert result.state.inside
    state, events = feed([fix_at(20, T + 1000)], result.state)
    assert state.place is Place.INSIDE
    assert not events


def test_a_fix_a_little_in_the_future_counts_as_now_and_a_later_one_is_refused() -> None:
    result = step(FenceState(), fix_at(10, late_s=-59), POLICY)
    assert result.state.anchor is not None
    assert result.state.anchor.at == T - 59
    assert step(FenceState(), fix_at(10, late_s=-61), POLICY).ignored is Ignored.FUTURE


@pytest.mark.parametrize("behind", [-3600.0, 3600.0, 200.0])
def test_a_wrong_clock_is_corrected_after_three_live_sends(behind: float) -> None:
    state = FenceState()
    for i in range(3):
        phone = T + i * 20 - behind
        sent = replace(fix_at(500, phone), received_at=T + i * 20, sent_at=phone)
        state = step(state, sent, POLICY).state
    result = step(state, replace(fix_at(10, T + 100 - behind), received_at=T + 100), POLICY)
    assert kinds(result.events) == [Kind.ENTERED]
    assert result.events[0].at == pytest.approx(T + 100)


def test_a_flushed_queue_does_not_pass_for_a_wrong_clock() -> None:
    queue = [replace(fix_at(10, T + i * 30), received_at=T + 3600 + i * 0.1, sent_at=T + i * 30) for i in range(20)]
    _, events = feed(queue)
    assert not events


def test_a_drive_towards_the_space_is_an_approach_before_it_is_an_entry() -> None:
    _, events = feed([fix_at(max(0, 2000 - 12 * i), T + i) for i in range(0, 190, 10)])
    assert kinds(events) == [Kind.APPROACHING, Kind.ENTERED]
    assert 20 < events[1].at - events[0].at < 90


def test_two_fixes_show_no_approach_however_far_apart_they_are() -> None:
    state, events = feed([fix_at(800), fix_at(500, T + 30), fix_at(200, T + 60)])
    assert not events
    _, events = feed([fix_at(190, T + 65)], state)
    assert kinds(events) == [Kind.APPROACHING]


def test_an_approach_that_turns_round_is_lost_after_two_minutes() -> None:
    towards = [fix_at(1200 - 12 * i, T + i) for i in range(0, 70, 10)]
    away = [fix_at(480 + 12 * i, T + 60 + i) for i in range(10, 260, 10)]
    _, events = feed([*towards, *away])
    assert kinds(events) == [Kind.APPROACHING, Kind.APPROACH_LOST]


def test_somebody_who_walks_by_slowly_is_no_approach() -> None:
    _, events = feed([fix_at(300 - i, T + i) for i in range(0, 150, 10)])
    assert not events


@settings(max_examples=150)
@given(any_state, distances, st.floats(121, 100_000))
def test_a_stale_fix_never_enters_nor_leaves(state: FenceState, distance: float, age: float) -> None:
    old = replace(fix_at(distance, T + 5_000), received_at=T + 5_000 + age)
    result = step(state, old, POLICY)
    assert not result.events
    assert result.state.place is state.place


@settings(max_examples=150)
@given(any_state, distances, st.floats(POLICY.max_accuracy_m, 1e6, exclude_min=True), st.floats(0, 10_000))
def test_a_fix_above_the_accuracy_limit_never_makes_a_transition(
    state: FenceState, distance: float, accuracy: float, later: float
) -> None:
    result = step(state, fix_at(distance, T + later, accuracy_m=accuracy), POLICY)
    assert not result.events
    assert result.state.place is state.place
    assert result.state.approach == state.approach


@settings(max_examples=150)
@given(any_state, distances, st.floats(0, 10_000))
def test_a_mocked_fix_changes_nothing(state: FenceState, distance: float, later: float) -> None:
    assert step(state, fix_at(distance, T + later, mock=True), POLICY).state == state


@settings(max_examples=150)
@given(
    st.floats(3_000, 30_000),
    st.lists(st.tuples(st.floats(1, 25), st.floats(0, 60), st.booleans()), min_size=1, max_size=30),
)
def test_a_single_teleporting_fix_between_believable_ones_never_enters(
    away: float, plan: list[tuple[float, float, bool]]
) -> None:
    """Far from the space, any number of single cached fixes at the space, each followed by a real one."""
    at, fixes = T, [fix_at(away)]
    for seconds, accuracy, teleports in plan:
        at += seconds
        if teleports:
            fixes.append(fix_at(5, at, accuracy_m=accuracy))
            at += 1
        fixes.append(fix_at(away, at, accuracy_m=accuracy))
    _, events = feed(fixes)
    assert Kind.ENTERED not in kinds(events)


def test_a_second_fix_that_agrees_shows_that_the_phone_is_really_there() -> None:
    _, events = feed([fix_at(20_000), fix_at(5, T + 10), fix_at(6, T + 20)])
    assert Kind.ENTERED in kinds(events)


ordered_tracks = st.lists(st.tuples(st.floats(1, 200), st.floats(0, 2_000), st.floats(1, 100)), min_size=1, max_size=20)


@settings(max_examples=150)
@given(ordered_tracks, st.data())
def test_the_order_of_duplicates_is_irrelevant(plan: list[tuple[float, float, float]], data: st.DataObject) -> None:
    at, fixes = T, []
    for seconds, distance, accuracy in plan:
        at += seconds
        fixes.append(fix_at(distance, at, accuracy_m=accuracy, sent_at=at))
    noisy = []
    for i, fix in enumerate(fixes):
        noisy.append(fix)
        again = data.draw(st.lists(st.sampled_from(fixes[: i + 1]), max_size=3))
        noisy += [replace(old, received_at=fix.received_at + 0.5) for old in again]
    assert feed(noisy) == feed(fixes)


@settings(max_examples=150)
@given(tracks)
def test_entries_and_exits_alternate_and_each_has_the_next_number(track: list[Fix]) -> None:
    _, events = feed(track)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    crossings = [event.kind for event in events if event.kind in (Kind.ENTERED, Kind.LEFT)]
    assert crossings == [Kind.ENTERED, Kind.LEFT] * (len(crossings) // 2) + [Kind.ENTERED] * (len(crossings) % 2)


@settings(max_examples=150)
@given(any_state, odd_fixes)
def test_nothing_that_a_phone_sends_breaks_the_machine(state: FenceState, fix: Fix) -> None:
    result = step(state, fix, POLICY)
    assert math.isfinite(result.state.seq)
    assert (result.ignored is None) or not result.events


@settings(max_examples=100)
@given(any_state, st.floats(0, 100_000))
def test_time_alone_never_enters_or_leaves(state: FenceState, later: float) -> None:
    result = tick(state, now=T + later, policy=POLICY)
    assert result.state.inside == state.inside
    assert not {Kind.ENTERED, Kind.LEFT} & set(kinds(result.events))
