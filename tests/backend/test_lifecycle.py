"""The life of a booking, exhaustively: every state, every cause, and every short story made of them."""

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from parkshare_backend.bookings.lifecycle import (
    HOLDING,
    OWNERS_ANSWER,
    TRANSITIONS,
    WHO,
    By,
    Cause,
    Standing,
    State,
    TransitionRefused,
    advance,
)
from parkshare_backend.bookings.page import markdown

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
    standing = Standing(state, waits_for_owner=state is State.PENDING and cause in OWNERS_ANSWER)
    if (state, cause) in TRANSITIONS:
        assert advance(standing, cause, at=1, end=END).state is TRANSITIONS[state, cause]
        return
    with pytest.raises(TransitionRefused) as refused:
        advance(Standing(state), cause, at=1, end=END)
    assert (refused.value.state, refused.value.cause) == (state, cause)


@pytest.mark.parametrize(("state", "cause"), list(product(sorted(OVER), Cause)))
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
    assert after.holds_space == (cause not in {Cause.LEFT, Cause.UNHEARD})


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
def test_an_overstay_is_only_taken_back_by_a_car_that_left_in_time_or_a_later_end(
    before: list[tuple[Cause, float]], after: list[tuple[Cause, float]]
) -> None:
    standing = tell(before)
    left_in_time = any(cause is Cause.LEFT and at <= END for cause, at in after)
    extended = any(cause is Cause.EXTENDED and at < END for cause, at in after)
    assert tell(after, standing).overstay or not standing.overstay or left_in_time or extended


@pytest.mark.parametrize(("cause", "by"), list(product(Cause, By)))
def test_only_who_may_cause_something_can(cause: Cause, by: By) -> None:
    for state in State:
        standing = Standing(state, waits_for_owner=state is State.PENDING and cause in OWNERS_ANSWER)
        if (state, cause) in TRANSITIONS and by in WHO[cause]:
            advance(standing, cause, by=by, at=1, end=END)
        else:
            with pytest.raises(TransitionRefused):
                advance(standing, cause, by=by, at=1, end=END)


@pytest.mark.parametrize("cause", Cause)
def test_nothing_that_a_house_tells_is_about_a_booking_that_waits_for_its_owner(cause: Cause) -> None:
    asked = Standing(waits_for_owner=True)
    heard = {
        Cause.APPROVED: Standing(),
        Cause.TAKEN_BACK: Standing(State.CANCELED),
        Cause.CANCELED: Standing(State.CANCELED),
    }
    rejected = dict.fromkeys((Cause.DECLINED, Cause.LAPSED, Cause.ENDED), Standing(State.REJECTED))
    assert tell([(cause, 1)], asked) == (heard | rejected).get(cause, asked)


def test_an_owner_who_has_agreed_cannot_decline_any_more() -> None:
    assert tell([(Cause.APPROVED, 1.0), (Cause.DECLINED, 2.0)], Standing(waits_for_owner=True)) == Standing()


def test_a_later_end_ends_an_overstay_that_it_covers() -> None:
    late = Standing(State.ACTIVE, overstay=True)
    assert advance(late, Cause.EXTENDED, at=END + 10, end=END + 3600) == Standing(State.ACTIVE)
    assert advance(late, Cause.EXTENDED, at=END + 7200, end=END + 3600) == late


class Life(RuleBasedStateMachine):
    """The machine beside what a person would remember of the booking: a few facts, and no table."""

    def __init__(self) -> None:
        super().__init__()
        self.standing = Standing()
        self.agreed = True  # the owner, where they are asked
        self.stored = self.here = self.gone = self.missed = False
        self.given_up = ""  # "canceled" or "rejected"

    @initialize(asks=st.booleans())
    def begin(self, asks: bool) -> None:
        self.standing, self.agreed = Standing(waits_for_owner=asks), not asks

    @property
    def waits(self) -> bool:
        return not (self.here or self.gone or self.missed or self.given_up)

    def happens(self, cause: Cause, *, by: By | None = None) -> bool:
        before = self.standing
        try:
            self.standing = advance(before, cause, by=by, at=1, end=END)
        except TransitionRefused:
            return False
        return self.standing != before

    @rule()
    def owner_agrees(self) -> None:
        assert self.happens(Cause.APPROVED) == (self.waits and not self.agreed)
        self.agreed = self.agreed or self.waits

    @rule(cause=st.sampled_from([Cause.DECLINED, Cause.LAPSED]))
    def owner_does_not_agree(self, cause: Cause) -> None:
        could = self.waits and not self.agreed
        assert self.happens(cause) == could
        self.given_up = "rejected" if could else self.given_up

    @rule()
    def house_stores(self) -> None:
        could = self.waits and self.agreed
        assert self.happens(Cause.GRANT_STORED) == (could and not self.stored)
        self.stored = self.stored or could

    @rule()
    def house_refuses(self) -> None:
        could = self.waits and self.agreed
        assert self.happens(Cause.GRANT_REFUSED) == could
        self.given_up = "rejected" if could else self.given_up

    @rule(cause=st.sampled_from([Cause.CANCELED, Cause.TAKEN_BACK]), by=st.sampled_from(By))
    def somebody_gives_it_up(self, cause: Cause, by: By) -> None:
        could = self.waits and by in WHO[cause]
        assert self.happens(cause, by=by) == could
        self.given_up = "canceled" if could else self.given_up

    @rule()
    def car_does_not_come(self) -> None:
        could = self.waits and self.stored
        assert self.happens(Cause.NO_SHOW) == could
        self.missed = self.missed or could

    @rule()
    def car_comes(self) -> None:
        could = self.agreed and not self.gone and self.given_up != "canceled" and not self.here
        # a request that the owner declined was never told to a house, but the machine does not remember that
        if self.given_up == "rejected" and not self.agreed:
            return
        assert self.happens(Cause.ARRIVED) == could
        if could:
            self.here, self.missed, self.given_up = True, False, ""

    @rule()
    def car_leaves(self) -> None:
        if self.here:
            assert self.happens(Cause.LEFT)
            self.here, self.gone = False, True

    @invariant()
    def agrees(self) -> None:
        expected = (
            State.FULFILLED if self.gone else State.ACTIVE if self.here else State(self.given_up) if self.given_up
            else State.NO_SHOW if self.missed else State.RESERVED if self.stored else State.PENDING
        )  # fmt: skip
        assert self.standing.state is expected
        assert self.standing.waits_for_owner == (self.waits and not self.agreed)
        assert self.standing.holds_space == (self.waits or self.here)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)


def test_the_page_about_the_life_of_a_booking_is_current() -> None:
    assert (Path(__file__).parents[2] / "docs" / "bookings.md").read_text("utf-8") == markdown()
