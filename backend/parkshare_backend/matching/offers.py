"""From what the index found to what people are shown: candidates for the policy, and offers.

Offers are written as plain dicts, field for field what the model `Offer` writes (tests/backend/test_offers.py): to make
and check a hundred models for an answer of ten offers takes eight times as long.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict

import orjson

from parkshare_backend.bookings.terms_wire import written_terms
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.http.models import to_base64url
from parkshare_backend.matching.index import Found, Wanted
from parkshare_backend.matching.policy import Because, Candidate, Chance, Part, Ranked, rank
from parkshare_backend.money.models import WrittenQuote
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.plugs import Plug
from parkshare_backend.spaces.sizes import Size


class Choice(NamedTuple):
    """A space that somebody may choose, the period for which it is free, and why it stands where it stands."""

    found: Found
    period: Period
    ranked: Ranked


class WrittenOffer(TypedDict):
    """An `Offer` as it goes to JSON."""

    space: dict[str, Any]
    period: dict[str, str]
    partial: bool
    distance_m: int
    farther_m: int
    walk_s: int
    size: orjson.Fragment
    plug: dict[str, Any] | None
    price: dict[str, Any]
    quote: WrittenQuote
    terms: orjson.Fragment
    seal_key: str
    reason: str
    because: list[orjson.Fragment]


class WrittenResult(TypedDict):
    """A `SearchResult` as it goes to JSON."""

    offers: list[WrittenOffer]
    partial: list[WrittenOffer]


def ranked(
    free: Iterable[tuple[Found, Period]], wanted: Wanted, *, chance: Chance, welcome: Plug | None, most: int
) -> list[Choice]:
    """Put free spaces in order, best first, and give up to `most`."""
    by_space = {found.space: (found, period) for found, period in free}
    candidates = [_candidate(found, period, wanted) for found, period in by_space.values()]
    car = wanted.car if wanted.car != Size() else None
    placed = rank(candidates, car=car, chance=chance, wish=welcome or wanted.plug, most=most)
    return [Choice(*by_space[one.candidate.space], one) for one in placed]


def offer(choice: Choice, quote: WrittenQuote) -> WrittenOffer:
    """Write an offer: of where the space is, nothing but its area."""
    found, candidate, ranked = choice.found, choice.ranked.candidate, choice.ranked
    area, size, plug = found.area, found.size, found.plug
    return {
        "space": {"id": found.space, "name": found.name, "area": {"lat": area.lat, "lon": area.lon}},
        "period": {"start": to_rfc3339(choice.period.start), "end": to_rfc3339(choice.period.end)},
        "partial": not candidate.whole,
        "distance_m": round(found.distance_m),
        "farther_m": round(candidate.farther_m),
        "walk_s": ranked.walk_s,
        "size": _written_size(size.length_m, size.width_m, size.height_m),
        "plug": {"kind": plug.kind or "", "power_kw": plug.power_kw} if plug else None,
        "price": {"amount_minor": found.price_minor, "currency": found.currency},
        "quote": quote,
        "terms": written_terms(found.terms),
        "seal_key": to_base64url(found.seal_key),
        "reason": ranked.reason,
        "because": [_written_because(one) for one in ranked.because],
    }


@lru_cache(maxsize=4096)  # the same few things are said of most offers
def _written_because(one: Because) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps({"factor": str(one.factor), "metres": one.metres, "text": one.text}))


@lru_cache(maxsize=1024)  # many spaces have the same size
def _written_size(length_m: float | None, width_m: float | None, height_m: float | None) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps({"length_m": length_m, "width_m": width_m, "height_m": height_m}))


def _candidate(found: Found, period: Period, wanted: Wanted) -> Candidate:
    asked = wanted.period
    part = Part.WHOLE if period == asked else Part.FIRST if period.start == asked.start else Part.LAST
    farther_m = max(0.0, found.distance_m - wanted.radius_m)
    # In the order of the fields: to name them takes half as long again.
    return Candidate(
        found.space, found.distance_m, found.size, found.price_minor, found.currency, found.plug,
        farther_m, part, period.end - period.start, asked.end - asked.start,
    )  # fmt: skip
