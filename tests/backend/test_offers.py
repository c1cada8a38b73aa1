"""Offers are written without their models; what comes out is what the models would have written."""

from random import Random

import orjson
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from parkshare_backend.bookings.terms import Approval, Terms
from parkshare_backend.bookings.terms_wire import TermsAnswer
from parkshare_backend.matching.index import Found
from parkshare_backend.matching.models import BecauseAnswer, Offer, OfferedSpace, SearchResult
from parkshare_backend.matching.offers import Offered, result
from parkshare_backend.matching.policy import Lack, rank
from parkshare_backend.money.amounts import Amount
from parkshare_backend.money.models import QuoteAnswer
from parkshare_backend.money.quote import Tariff, quote
from parkshare_backend.spaces.geometry import Point, area_of
from parkshare_backend.spaces.models import PeriodAnswer, PlugAnswer, PointAnswer, SizeAnswer
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.plugs import Plug
from parkshare_backend.spaces.sizes import Size

HERE = Point(48.137, 11.575)
ASKED = Period(1_800_000_000, 1_800_007_200)
FIRST, LAST = Period(ASKED.start, ASKED.start + 3600), Period(ASKED.end - 3600, ASKED.end)

metres = st.one_of(st.none(), st.floats(4.5, 50))
# What many spaces share is one object, as it is for rows of the index.
SIZES = st.sampled_from([Size(5.0, 2.4, 2.0), Size(6.0, 2.5)])
PLUGS = st.sampled_from([None, Plug("IEC_62196_T2", 11.0)])
TERMS = st.sampled_from([Terms(), Terms(notice_minutes=60)])
found_ones = st.builds(
    Found,
    space=st.uuids().map(str),
    name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
    lat=st.just(HERE.lat),
    lon=st.just(HERE.lon),
    distance_m=st.floats(0, 5000),
    size=SIZES | st.builds(Size, metres, metres, metres),
    price_minor=st.integers(0, 10_000_000),
    currency=st.sampled_from(["EUR", "JPY"]),
    plug=PLUGS
    | st.one_of(st.none(), st.builds(Plug, st.just("IEC_62196_T2"), st.one_of(st.none(), st.floats(1, 1000)))),
    seal_key=st.binary(min_size=32, max_size=32),
    terms=TERMS
    | st.builds(
        Terms,
        approval=st.sampled_from(Approval),
        noshow_timeout=st.one_of(st.none(), st.integers(5, 60)),
        overstay_daily_cap=st.one_of(st.none(), st.integers(0, 1000)),
    ),
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(found_ones, st.sampled_from([ASKED, FIRST, LAST]), st.sampled_from([0.0, 10.6])), max_size=5),
    st.sampled_from([Size(), Size(4.3, 1.8, 1.5)]),
    st.sampled_from([None, Plug("IEC_62196_T2", 11.0)]),
    st.sampled_from([Tariff(), Tariff(fee_bp=700, minimum_minor=150)]),
    st.integers(0, 1000),
)
def test_an_offer_is_written_as_its_model_writes_it(
    spaces: list[tuple[Found, Period, float]], car: Size, wish: Plug | None, tariff: Tariff, least_short: int
) -> None:
    asked = [
        replace(found, lack=None if free == ASKED and far == 0 else Lack(free, ASKED, far))
        for found, free, far in spaces
    ]
    offers = []
    ranked = rank(asked, car=None if car == Size() else car, chance=Random(1), wish=wish)
    for short_by_minor, choice in enumerate(ranked, least_short):
        found = choice.candidate
        period = found.lack.free if found.lack else ASKED
        quoted = quote(Amount(found.price_minor, found.currency), period, tariff)
        offers.append(Offered(choice, period, quoted, short_by_minor))
    written = orjson.dumps(result(offers, offers))
    read = SearchResult.model_validate_json(written)
    assert read.model_dump_json().encode() == written
    for offered, offer in zip([*offers, *offers], [*read.offers, *read.partial], strict=True):
        assert_says(offer, offered)


def assert_says(offer: Offer, offered: Offered) -> None:
    """Each offer says what is of its own space, and not of the one before it."""
    ranked, found = offered.ranked, offered.ranked.candidate
    assert offer.space == OfferedSpace(id=found.space, name=found.name, area=PointAnswer.of(area_of(found.place)))
    assert (offer.period, offer.partial) == (PeriodAnswer.of(offered.period), offered.partial)
    assert (offer.size, offer.plug) == (SizeAnswer.of(found.size), PlugAnswer.of(found.plug))
    assert (offer.price.amount_minor, offer.price.currency) == (found.price_minor, found.currency)
    assert offer.quote == QuoteAnswer.of(offered.quote, short_by_minor=offered.short_by_minor)
    assert offer.quote.currency == found.currency
    assert offer.farther_m == (round(found.lack.farther_m) if found.lack else 0)
    assert (offer.terms, offer.seal_key) == (TermsAnswer.of(found.terms), found.seal_key)
    assert (offer.distance_m, offer.walk_s, offer.reason) == (round(found.distance_m), ranked.walk_s, ranked.reason)
    assert offer.because == [BecauseAnswer.of(one) for one in ranked.because]
