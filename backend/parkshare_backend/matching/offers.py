"""From what the index found to what people are shown: offers.

Offers are written as text, field for field what the model `Offer` writes (tests/backend/test_offers.py): to make and
check a hundred models for an answer of ten offers takes ten times as long.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict

import orjson
from orjson import Fragment

from parkshare_backend.bookings.terms_wire import written_terms
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.http.models import to_base64url
from parkshare_backend.matching.index import Found
from parkshare_backend.matching.policy import Because, Ranked
from parkshare_backend.money.models import written_quote
from parkshare_backend.money.quote import Quote
from parkshare_backend.spaces.geometry import area_at
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.plugs import Plug
from parkshare_backend.spaces.sizes import Size


class Offered(NamedTuple):
    """A space that somebody may choose, the period for which it is free, and what it costs.

    short_by_minor: how much the caller's credits lack for it.
    """

    ranked: Ranked[Found]
    period: Period
    quote: Quote
    short_by_minor: int

    @property
    def partial(self) -> bool:
        """Tell whether something is missing to what was asked for."""
        return self.ranked.candidate.lack is not None

    def in_short(self) -> dict[str, Any]:
        """Give the least that tells one offer from another."""
        found, walk_s, reason, *_ = self.ranked
        return {
            "space": found.space,
            "distance_m": round(found.distance_m),
            "walk_s": walk_s,
            "price": {"amount_minor": found.price_minor, "currency": found.currency},
            "period": {"start": to_rfc3339(self.period.start), "end": to_rfc3339(self.period.end)},
            "partial": self.partial,
            "reason": reason,
        }


class WrittenResult(TypedDict):
    """A `SearchResult` as it goes to JSON."""

    offers: list[Fragment]
    partial: list[Fragment]


def result(offers: Iterable[Offered], partial: Iterable[Offered]) -> WrittenResult:
    """Write the answer of a search."""
    return {"offers": written(offers), "partial": written(partial)}


def written(offers: Iterable[Offered]) -> list[Fragment]:
    """Write offers: of where each space is, nothing but its area.

    Neighbours on the list mostly have the same period, size and terms, and rows that say the same share one object: so
    what is as it was in the offer before is not looked up again, which saves a fifth of the time.
    """
    texts = []
    last_period = last_size = last_plug = last_terms = None
    period_text = make_text = terms_text = ""
    for (found, walk_s, reason, on_foot, moved), period, quote, short_by_minor in offers:
        size, plug, terms, lack = found.size, found.plug, found.terms, found.lack
        if period is not last_period:
            last_period, period_text = period, _written_period(period.start, period.end)
        if size is not last_size or plug is not last_plug:
            last_size, last_plug, make_text = size, plug, _written_make(size, plug)
        if terms is not last_terms:
            last_terms, terms_text = terms, written_terms(terms)
        (lat, lon), metres = area_at(found.lat, found.lon), round(found.distance_m)
        shown = orjson.dumps({"id": found.space, "name": found.name, "area": {"lat": lat, "lon": lon}}).decode()
        # The words of reasons are ours: in them there is nothing to escape.
        text = (
            f'{{"space":{shown},"period":{period_text},'
            f'{_NOT_PARTIAL if lack is None else _PARTIAL},"distance_m":{metres},'
            f'"farther_m":{round(lack.farther_m) if lack else 0},"walk_s":{walk_s},'
            f'{make_text},{_written_price(found.price_minor, quote, short_by_minor)},"terms":{terms_text},'
            f'"seal_key":"{to_base64url(found.seal_key)}","reason":"{reason}",'
            f'"because":[{{"factor":"distance","metres":{metres},"text":"{on_foot}"}}{_moved_by(moved)}]}}'
        )
        texts.append(Fragment(text))
    return texts


_NOT_PARTIAL, _PARTIAL = '"partial":false', '"partial":true'


def _text(value: object) -> str:
    return orjson.dumps(value).decode()


# Only what is said of many offers is kept: to find one of thousands takes longer than to write it again.
@lru_cache(maxsize=1024)
def _moved_by(moved: Sequence[Because]) -> str:
    said = [{"factor": str(one.factor), "metres": one.metres, "text": one.text} for one in moved]
    return "".join([f",{_text(one)}" for one in said])


@lru_cache(maxsize=1024)
def _written_make(size: Size, plug: Plug | None) -> str:
    sized = _text({"length_m": size.length_m, "width_m": size.width_m, "height_m": size.height_m})
    plugged = _text(plug and {"kind": plug.kind or "", "power_kw": plug.power_kw})
    return f'"size":{sized},"plug":{plugged}'


@lru_cache(maxsize=1024)
def _written_price(price_minor: int, quote: Quote, short_by_minor: int) -> str:
    price = _text({"amount_minor": price_minor, "currency": quote.currency})
    return f'"price":{price},"quote":{_text(written_quote(quote, short_by_minor=short_by_minor))}'


@lru_cache(maxsize=1024)
def _written_period(start: int, end: int) -> str:
    return _text({"start": to_rfc3339(start), "end": to_rfc3339(end)})
