"""The life of a booking, exhaustively: every state, every cause, and every short story made of them."""

from itertools import product

import pytest
from hypothesis import given, settings, strategies as st

from parkshare_backend.bookings.lifecycle import (
    HOLDING,
    TRANSITIONS,
    Cause,
    Standing,
    State,
    TransitionRefused,
    advance,
)

END = 10_000.0
OVER = frozenset({State.FULFILLED, State.CANCELED})
STORIES = st.lists(st.tuples(st.sampled_from(Cause), st.floats(0, 20_000)), max_size=12)


def tell(story: list[tuple[Cause, float]], standing: Standing | None = None) -> Standing:
    """Let a story happen; causes that are refused change nothing."""
    standing = standing or Standing()
    for cause, at in story:
        try:
            standing = advance(standing, cause, at=at, end=END)
        except TransitionRefused:
            continue
    return standing


@pytest.mark.parametrize(("state", "cause"), list(product(State, Cause)))
def test_a_cause_either_follows_the_table_or_is_refused_with_its_state(state: State, cause: Cause) -> None:
    if (state, cause) in TRANSITIONS:
        assert advance(Standing(state), cause, at=1, end=END).state is TRANSITIONS[state, cause]
        return
    with pytest.raises(TransitionRefused) as refused:
        advance(Standing(state), cause, at=1, end=END)
    assert (refused.value.state, refused.value.cause) == (state, cause)


@pytest.mark.parametrize(("state", "cause"), list(product(OVER, Cause)))
def test_nothing_revives_a_booking_that_is_over(state: State, cause: Cause) -> None:
    assert tell([(cause, 1)], Standing(state)).state is state


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("state", [State.REJECTED, State.NO_SHOW])
def test_only_a_fact_of_the_stay_outweighs_what_was_concluded_from_silence(state: State, cause: Cause) -> None:
    told = {Cause.ARRIVED: State.ACTIVE, Cause.OVERSTAYED: State.ACTIVE, Cause.LEFT: State.FULFILLED}
    assert tell([(cause, 1)], Standing(state)).state is told.get(cause, state)


@pytest.mark.parametrize("cause", Cause)
def test_a_car_that_stands_there_keeps_the_space_until_it_left(cause: Cause) -> None:
    after = tell([(cause, END + 1)], Standing(State.ACTIVE))
    assert after.holds_space == (cause is not Cause.LEFT)


@pytest.mark.parametrize("state", State)
def test_the_end_of_the_period_settles_every_state_but_a_car_that_stands_there(state: State) -> None:
    after = advance(Standing(state), Cause.ENDED, at=END, end=END)
    assert after.holds_space == (state is State.ACTIVE)
    assert after.overstay == (state is State.ACTIVE)


def test_only_pending_reserved_and_active_hold_the_space() -> None:
    assert {State.PENDING, State.RESERVED, State.ACTIVE} == HOLDING


def test_the_ordinary_story_ends_fulfilled_without_overstay() -> None:
    story = [(Cause.GRANT_STORED, 1.0), (Cause.ARRIVED, 100.0), (Cause.LEFT, 9_999.0)]
    assert tell(story) == Standing(State.FULFILLED)


def test_leaving_after_the_end_is_an_overstay_even_if_nobody_looked_in_between() -> None:
    story = [(Cause.GRANT_STORED, 1.0), (Cause.ARRIVED, 100.0), (Cause.LEFT, END + 60)]
    assert tell(story) == Standing(State.FULFILLED, overstay=True)


def test_an_arrival_that_is_told_late_corrects_a_no_show() -> None:
    story = [(Cause.GRANT_STORED, 1.0), (Cause.ENDED, END), (Cause.ARRIVED, 100.0), (Cause.LEFT, 200.0)]
    assert tell(story) == Standing(State.FULFILLED)


@settings(max_examples=200)
@given(STORIES)
def test_telling_every_fact_twice_changes_nothing(story: list[tuple[Cause, float]]) -> None:
    assert tell([fact for fact in story for _ in range(2)]) == tell(story)


@settings(max_examples=200)
@given(STORIES, STORIES)
def test_an_overstay_is_only_taken_back_by_a_car_that_left_in_time(
    before: list[tuple[Cause, float]], after: list[tuple[Cause, float]]
) -> None:
    standing = tell(before)
    left_in_time = any(cause is Cause.LEFT and at <= END for cause, at in after)
    assert tell(after, standing).overstay or not standing.overstay or left_in_time
