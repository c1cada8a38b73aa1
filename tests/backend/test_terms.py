"""The terms of a space: what they allow, what they cost, and that older and newer houses are understood."""

from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from hypothesis import given, strategies as st

from parkshare_backend.bookings.terms import (
    PATIENCE_S,
    Approval,
    Terms,
    approval_until,
    cancel_fee,
    faults,
    noshow_at,
    noshow_fee,
    overstay_fee,
    take_back_cost,
)
from parkshare_backend.bookings.terms_wire import TermsHeard
from parkshare_backend.spaces.periods import Period
from tests.backend.market import HOUR, Link, Renting, booking_request, publish, space_document
from tests.backend.support import NOON, House, Person

T = int(NOON)
PERIOD = Period(T, T + 7200)
MINUTES = st.integers(0, 40_000)
TERMS = st.builds(
    Terms,
    approval=st.sampled_from(Approval),
    min_booking_duration=MINUTES,
    max_booking_duration=MINUTES,
    notice_minutes=MINUTES,
    noshow_timeout=st.none() | MINUTES,
    cancel_until_minutes=MINUTES,
    cancel_percent=st.integers(0, 100),
    overstay_percent=st.integers(0, 1000),
    overstay_daily_cap=st.none() | st.integers(0, 10_000),
)


def test_terms_that_nobody_said_allow_every_ordinary_period() -> None:
    assert faults(Terms(), PERIOD, NOON) == []


@pytest.mark.parametrize(
    ("said", "pointer", "remedy"),
    [
        ({"min_booking_duration": 180}, "/period/end", "3 hours at least"),
        ({"max_booking_duration": 60}, "/period/end", "1 hour at most"),
        ({"max_booking_duration": 90}, "/period/end", "90 minutes at most"),
        ({"notice_minutes": 1440}, "/period/start", "1 day ahead"),
    ],
)
def test_a_period_against_the_terms_is_refused_with_its_field_and_the_remedy(
    said: dict[str, Any], pointer: str, remedy: str
) -> None:
    (fault,) = faults(Terms(**said), PERIOD, NOON)
    assert fault.pointer == pointer
    assert remedy in fault.detail


@given(TERMS, st.integers(300, 100_000), st.integers(0, 100_000), st.floats(0, PATIENCE_S - 1))
def test_what_a_search_offers_can_still_be_booked_ten_minutes_later(
    terms: Terms, length: int, ahead: int, later: float
) -> None:
    period = Period(T + ahead, T + ahead + length)
    if not faults(terms, period, NOON):
        assert not faults(terms, period, NOON + later, patience_s=PATIENCE_S)


@given(TERMS)
def test_terms_are_stored_and_read_back(terms: Terms) -> None:
    assert Terms.from_json(terms.to_json()) == terms


def test_stored_words_of_another_version_are_passed_over() -> None:
    assert Terms.from_json('{"notice_minutes": 30, "reverse_only": true}') == Terms(notice_minutes=30)


@given(TERMS, st.floats(NOON - 100_000, NOON + 7200), st.integers(0, 100_000))
def test_canceling_never_costs_more_than_the_total_and_nothing_in_time(terms: Terms, at: float, total: int) -> None:
    fee = cancel_fee(terms, PERIOD, at=at, total_minor=total)
    assert 0 <= fee <= total
    if at <= T - terms.cancel_until_minutes * 60:
        assert fee == 0


@pytest.mark.parametrize(
    ("seconds", "fee"),
    [(0, 0), (600, 0), (601, 75), (900, 75), (901, 150), (3600, 300), (86_400, 4800), (2 * 86_400 + 901, 9750)],
)
def test_an_overstay_costs_by_started_quarter_hour_up_to_the_daily_cap(seconds: int, fee: int) -> None:
    assert overstay_fee(Terms(), hour_minor=200, seconds=seconds) == fee


@given(TERMS, st.integers(0, 10_000), st.floats(0, 400_000), st.floats(0, 400_000))
def test_a_longer_overstay_never_costs_less(terms: Terms, hour: int, one: float, other: float) -> None:
    shorter, longer = sorted((one, other))
    assert overstay_fee(terms, hour_minor=hour, seconds=shorter) <= overstay_fee(terms, hour_minor=hour, seconds=longer)


def test_shares_of_the_total_are_rounded_half_up() -> None:
    assert noshow_fee(Terms(noshow_percent=50), total_minor=333) == 167
    assert take_back_cost(Terms(take_back_percent=10), total_minor=14) == 1


@given(TERMS)
def test_a_car_counts_as_one_that_does_not_come_at_the_latest_at_the_end(terms: Terms) -> None:
    assert PERIOD.start <= noshow_at(terms, PERIOD) <= PERIOD.end


def test_a_request_lapses_at_the_latest_at_the_start_and_a_late_one_gets_a_quarter_hour() -> None:
    day = Terms(approval_minutes=24 * 60)
    assert approval_until(day, PERIOD, asked_at=NOON - 3 * 86_400) == NOON - 2 * 86_400
    assert approval_until(day, PERIOD, asked_at=NOON - 3600) == NOON
    assert approval_until(day, PERIOD, asked_at=NOON) == NOON + 900
    assert approval_until(day, Period(T, T + 300), asked_at=NOON) == NOON + 300


def test_a_newer_word_for_approval_is_taken_for_the_careful_one() -> None:
    assert TermsHeard.model_validate({"approval": "by-neighbours", "unheard_of": 1}).terms().by_owner


def test_the_longest_duration_is_never_below_the_shortest() -> None:
    terms = TermsHeard.model_validate({"min_booking_duration": 600, "max_booking_duration": 60}).terms()
    assert (terms.min_booking_duration, terms.max_booking_duration) == (600, 600)


async def test_a_house_publishes_terms_and_one_of_the_first_release_none(
    client: TestClient, house: House, renter: Person
) -> None:
    rene = Renting(client, renter)
    async with Link(client, house) as link:
        plain = await publish(link)
        strict = await publish(link, north_m=100, terms={"max_booking_duration": 60, "notice_minutes": None})
        assert (await rene.book(plain.id))["terms"]["max_booking_duration"] == 14 * 24 * 60
        refused = await rene.post("bookings", booking_request(strict.id), status=409)
        assert refused["type"] == "/problems/not-on-these-terms"
        assert [error["pointer"] for error in refused["errors"]] == ["/period/end"]
        booked = await rene.book(strict.id, NOON, NOON + HOUR)
        assert booked["terms"]["max_booking_duration"] == 60


async def test_terms_that_cannot_be_are_refused_with_their_field(client: TestClient, house: House) -> None:
    async with Link(client, house) as link:
        document = space_document("018f0000-0000-7000-8000-000000000001", terms={"cancel_percent": 101})
        answer = await link.request("space.publish", document)
        assert [error["pointer"] for error in answer["problem"]["errors"]] == ["/d/terms/cancel_percent"]


async def test_a_booking_keeps_the_terms_under_which_it_was_made(
    client: TestClient, house: House, renter: Person
) -> None:
    rene = Renting(client, renter)
    async with Link(client, house) as link:
        space = await publish(link, terms={"cancel_until_minutes": 30})
        booked = await rene.book(space.id)
        changed = space_document(space.id, terms={"cancel_until_minutes": 600})
        assert (await link.request("space.publish", changed))["ok"]
        seen = await rene.get(f"bookings/{booked['id']}")
        assert seen["terms"]["cancel_until_minutes"] == 30
