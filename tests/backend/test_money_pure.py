"""Amounts, quotes and the sharing-out of money: sums that must come out whatever the numbers are."""

import csv
import io
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from parkshare_backend.bookings.lifecycle import Cause, State
from parkshare_backend.bookings.terms import Terms
from parkshare_backend.money.amounts import (
    EXPONENTS,
    Amount,
    AmountError,
    read_amount,
    share,
    write_amount,
    write_minor,
)
from parkshare_backend.money.checkout import CheckoutError, from_provider, to_provider
from parkshare_backend.money.quote import Quote, Tariff, What, quote, shared_out
from parkshare_backend.money.report import COLUMNS, Listing, Sale, report
from parkshare_backend.money.shares import NOTHING, Deal, Held, due, movements
from parkshare_backend.money.signature import TOLERANCE_S, SignatureError, check, sign
from parkshare_backend.spaces.periods import Period

HOUR = 3600
PRICES = st.integers(0, 10_000_000)
LENGTHS = st.integers(1, 14 * 24 * HOUR)
TARIFFS = st.builds(Tariff, fee_bp=st.integers(0, 5000), minimum_minor=st.integers(0, 1_000_000))


def quoted(price: int, seconds: int, tariff: Tariff) -> Quote:
    return quote(Amount(price, "EUR"), Period(0, seconds), tariff)


@given(PRICES, LENGTHS, TARIFFS)
def test_the_lines_of_a_quote_are_never_negative_and_sum_to_its_total(price: int, seconds: int, tariff: Tariff) -> None:
    made = quoted(price, seconds, tariff)
    assert sum(line.amount_minor for line in made.lines) == made.total_minor
    assert all(line.amount_minor >= 0 for line in made.lines)


@given(PRICES, LENGTHS, LENGTHS, TARIFFS)
def test_a_longer_stay_never_costs_less(price: int, one: int, other: int, tariff: Tariff) -> None:
    shorter, longer = sorted((one, other))
    assert quoted(price, shorter, tariff).total_minor <= quoted(price, longer, tariff).total_minor


@given(st.integers(0, 10**12), PRICES, LENGTHS, TARIFFS)
def test_sharing_out_a_charge_loses_no_unit_and_takes_from_nobody(
    charge: int, price: int, seconds: int, tariff: Tariff
) -> None:
    parts = shared_out(charge, quoted(price, seconds, tariff))
    assert parts.owner_minor + parts.fee_minor == charge
    assert parts.owner_minor >= 0 <= parts.fee_minor


@given(st.integers(0, 10**12), st.integers(0, 10_000), st.integers(1, 10_000))
def test_a_share_is_off_by_half_a_unit_at_most(minor: int, part: int, whole: int) -> None:
    assert abs(2 * share(minor, part, whole) * whole - 2 * minor * part) <= whole


def test_started_quarter_hours_count_and_the_minimum_and_the_fee_come_on_top() -> None:
    assert quoted(250, 1, Tariff()).total_minor == 63  # a quarter of 2.50, half up
    assert quoted(250, 900, Tariff()).total_minor == 63
    assert quoted(250, 901, Tariff()).total_minor == 125
    made = quoted(250, 2 * HOUR, Tariff(fee_bp=1000, minimum_minor=600))
    assert [(line.what, line.amount_minor) for line in made.lines] == [
        (What.PARKING, 500), (What.MINIMUM, 100), (What.PLATFORM_FEE, 60)
    ]  # fmt: skip


def test_a_space_without_a_price_costs_nothing_whatever_the_operator_asks() -> None:
    assert quoted(0, 14 * 24 * HOUR, Tariff(fee_bp=5000, minimum_minor=500)).total_minor == 0


@given(st.integers(-(10**14), 10**14), st.sampled_from(sorted(EXPONENTS)))
def test_what_is_written_reads_back(minor: int, currency: str) -> None:
    if abs(minor) < 10 ** (15 - EXPONENTS[currency]):
        assert read_amount(write_minor(minor, currency), currency) == Amount(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [("1,50", "EUR"), ("1.505", "EUR"), ("", "EUR"), ("1e3", "EUR"), ("1.5", "JPY"), ("٣", "EUR"), ("1", "ABC"),
     ("9" * 16, "EUR"), ("NaN", "EUR"), (" 1", "EUR"), ("1.", "EUR")],
)  # fmt: skip
def test_what_is_no_amount_is_refused_with_an_example(text: str, currency: str) -> None:
    with pytest.raises(AmountError, match=r"(EUR|JPY)"):
        read_amount(text, currency)


def test_amounts_are_written_with_the_places_of_their_currency() -> None:
    assert write_amount(Amount(-5, "EUR")) == "EUR -0.05"
    assert write_amount(Amount(1250, "JPY")) == "JPY 1250"
    assert write_amount(Amount(1250, "KWD")) == "KWD 1.250"


TERMS = st.builds(
    Terms,
    cancel_until_minutes=st.integers(0, 2000),
    cancel_percent=st.integers(0, 100),
    noshow_percent=st.integers(0, 100),
    overstay_percent=st.integers(0, 500),
    take_back_percent=st.integers(0, 100),
    late_stop_time=st.integers(0, 60),
)
OUTCOMES = st.sampled_from([
    (State.PENDING, Cause.APPROVED), (State.RESERVED, Cause.EXTENDED), (State.ACTIVE, Cause.ARRIVED),
    (State.FULFILLED, Cause.LEFT), (State.REJECTED, Cause.DECLINED), (State.NO_SHOW, Cause.NO_SHOW),
    (State.CANCELED, Cause.CANCELED), (State.CANCELED, Cause.TAKEN_BACK),
])  # fmt: skip
HELD = st.builds(
    Held,
    escrow_minor=st.integers(-1000, 10**9),
    owner_minor=st.integers(-(10**9), 10**9),
    fee_minor=st.integers(-1000, 10**9),
)


@given(TERMS, OUTCOMES, PRICES, LENGTHS, TARIFFS, st.integers(-(10**6), 10**7), st.booleans())
def test_only_a_booking_that_holds_its_space_has_anything_set_aside(
    terms: Terms, outcome: tuple[State, Cause], price: int, seconds: int, tariff: Tariff, at: int, agreed: bool
) -> None:
    deal = Deal(quoted=quoted(price, seconds, tariff), price_minor=price, terms=terms, period=Period(0, seconds))
    wanted = due(deal, *outcome, at=at, agreed=agreed)
    live = outcome[0] in {State.PENDING, State.RESERVED, State.ACTIVE}
    assert wanted.escrow_minor == (deal.quoted.total_minor if live else 0)
    assert wanted.renter_pays >= 0 or outcome[1] is Cause.TAKEN_BACK
    if outcome[0] is not State.FULFILLED:
        assert wanted.renter_pays <= deal.quoted.total_minor
    if wanted.renter_pays == 0 and outcome[1] is not Cause.TAKEN_BACK:
        assert wanted == NOTHING


@given(HELD, HELD)
def test_movements_bring_about_what_is_wanted_and_move_nothing_twice(have: Held, wanted: Held) -> None:
    sums = {"renter": -have.renter_pays, "owner": have.owner_minor, "escrow": have.escrow_minor, "fees": have.fee_minor}
    for move in movements(have, wanted, renter="renter", owner="owner", escrow="escrow", fees="fees"):
        assert move.amount_minor > 0
        sums[move.debit] -= move.amount_minor
        sums[move.credit] += move.amount_minor
    assert sums == {
        "renter": -wanted.renter_pays, "owner": wanted.owner_minor,
        "escrow": wanted.escrow_minor, "fees": wanted.fee_minor,
    }  # fmt: skip
    assert not movements(wanted, wanted, renter="renter", owner="owner", escrow="escrow", fees="fees")


def test_a_renter_goes_free_until_house_and_owner_have_agreed() -> None:
    terms = Terms(cancel_until_minutes=24 * 60, cancel_percent=50)
    deal = Deal(
        quoted=quoted(250, 2 * HOUR, Tariff()), price_minor=250, terms=terms, period=Period(10 * HOUR, 12 * HOUR)
    )
    assert due(deal, State.CANCELED, Cause.CANCELED, at=0, agreed=False) == NOTHING
    assert due(deal, State.CANCELED, Cause.CANCELED, at=0, agreed=True) == Held(owner_minor=250)


BODY = b'{"id": "evt_1"}'


def test_a_signature_of_now_is_taken_and_any_of_several() -> None:
    check(sign(BODY, "secret", 1000), BODY, "secret", now=1000 + TOLERANCE_S)
    check(sign(BODY, "secret", 1000).replace("v1=", f"v1={'0' * 64},v1="), BODY, "secret", now=1000)


@pytest.mark.parametrize(
    "header",
    ["", "t=1000", "v1=ab", "t=1000,v1=", "t=x,v1=ab", f"t=1000,v1={'0' * 64}", "t=٣,v1=ab", "t=" + "9" * 30 + ",v1=ab",
     sign(BODY, "other", 1000), sign(BODY + b" ", "secret", 1000), sign(BODY, "secret", 1000).replace("v1", "v0"),
     sign(BODY, "secret", 1000).replace("t=1000", "t=1001"), sign(BODY, "secret", 1000 - TOLERANCE_S - 1),
     sign(BODY, "secret", 1000 + TOLERANCE_S + 1), "t=1000,v1=é"],
)  # fmt: skip
def test_what_the_provider_did_not_sign_just_now_is_refused(header: str) -> None:
    with pytest.raises(SignatureError):
        check(header, BODY, "secret", now=1000)


def test_amounts_go_to_the_checkout_in_its_units_or_not_at_all() -> None:
    assert to_provider(1250, "EUR") == 1250
    assert to_provider(500, "ISK") == 50_000
    assert from_provider(50_000, "ISK") == 500
    assert to_provider(1250, "KWD") == 1250
    for minor, currency in ((1255, "KWD"), (150, "MGA")):
        with pytest.raises(CheckoutError):
            to_provider(minor, currency)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def sale(at: float, consideration: int, booking: str = "b", **more: object) -> Sale:
    values = {
        "booking": booking, "space": "s", "currency": "EUR", "at": at, "period": Period(int(at) - HOUR, int(at)),
        "consideration_minor": consideration, "fee_minor": 10,
    } | more  # fmt: skip
    return Sale(**values)  # type: ignore[arg-type]


JULY = 1_783_339_200.0  # 2026-07-06T12:00:00Z


def test_the_report_counts_each_quarter_and_leaves_out_other_years() -> None:
    sales = [sale(JULY, 500), sale(JULY + 10, 250, "c"), sale(JULY, -250, "c"), sale(JULY - 365 * 86_400, 9999)]
    (row,) = rows_of(report(2026, sales, {"name": "Olga"}, {"s": Listing(name="Court", address="Lindenweg 4")}))
    assert row["seller_name"] == "Olga"
    assert (row["q3_consideration"], row["q3_fees"], row["q3_bookings"]) == ("5.00", "0.30", "2")
    assert (row["q3_days_let"], row["q3_hours_let"], row["q1_consideration"]) == ("1", "2.00", "0.00")
    assert set(row) == set(COLUMNS)


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-2", "@SUM(A1)", '"; DROP', "a,b", 'say "hi"', "line\nbreak", "\tx"])
def test_no_name_becomes_a_formula_or_breaks_a_line_of_the_report(name: str) -> None:
    (row,) = rows_of(report(2026, [sale(JULY, 1)], {"name": name}, {"s": Listing(name=name, address=name)}))
    for column in ("seller_name", "space_name", "space_address"):
        assert row[column].removeprefix("'") == name
        assert row[column][0] not in "=+-@\t\r\n"


@given(st.lists(LENGTHS, min_size=2, max_size=5, unique=True))
def test_parts_of_a_stay_never_cost_less_than_the_whole(ends: list[int]) -> None:
    cuts = [0, *sorted(ends)]
    parts = sum(quote(Amount(251, "EUR"), Period(*part)).total_minor for part in pairwise(cuts))
    assert parts >= quoted(251, cuts[-1], Tariff()).total_minor - len(cuts)


FOUR = 1_795_356_000  # 2026-11-22T14:00:00Z


def worked_example() -> list[str]:
    """Give the lines of the tables in docs/money.md: 2.50 an hour, 14:00 to 16:10, a tenth for the operator."""
    period = Period(FOUR, FOUR + 130 * 60)
    made = quote(Amount(250, "EUR"), period, Tariff(fee_bp=1000))
    terms = Terms(cancel_until_minutes=60)
    deal = Deal(quoted=made, price_minor=250, terms=terms, period=period)
    outcomes = {
        "holds the space": (State.RESERVED, Cause.GRANT_STORED, FOUR),
        "leaves at 16:05": (State.FULFILLED, Cause.LEFT, FOUR + 125 * 60),
        "leaves at 16:31": (State.FULFILLED, Cause.LEFT, FOUR + 151 * 60),
        "cancels at 12:59": (State.CANCELED, Cause.CANCELED, FOUR - 61 * 60),
        "cancels at 13:30": (State.CANCELED, Cause.CANCELED, FOUR - 30 * 60),
        "does not come": (State.NO_SHOW, Cause.NO_SHOW, FOUR + 130 * 60),
        "is refused by the house": (State.REJECTED, Cause.GRANT_REFUSED, FOUR - 60),
        "loses the space to its owner": (State.CANCELED, Cause.TAKEN_BACK, FOUR - 7200),
    }
    lines = [f"| `{line.what}` | {write_minor(line.amount_minor, 'EUR')} |" for line in made.lines]
    lines.append(f"| total | {write_minor(made.total_minor, 'EUR')} |")
    for said, (state, cause, at) in outcomes.items():
        held = due(deal, state, cause, at=at, agreed=True)
        parts = (held.renter_pays, held.escrow_minor, held.owner_minor, held.fee_minor)
        lines.append(f"| {said} | {' | '.join(write_minor(part, 'EUR') for part in parts)} |")
    return lines


def test_the_worked_example_of_the_documentation_is_what_the_code_does() -> None:
    text = (Path(__file__).parents[2] / "docs/money.md").read_text()
    assert [line for line in worked_example() if line not in text] == []
