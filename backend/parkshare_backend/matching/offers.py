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
from parkshare_backend.spaces.periods import Period


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
        found, walk_s, reason, _ = self.ranked
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
    return {"offers": [written(one) for one in offers], "partial": [written(one) for one in partial]}


def written(offered: Offered) -> Fragment:
    """Write an offer: of where the space is, nothing but its area."""
    (found, walk_s, reason, because), period, quote, short_by_minor = offered
    area, size, plug, lack = found.area, found.size, found.plug, found.lack
    return Fragment(
        f'{{"space":{{"id":"{found.space}","name":{_text(found.name)},"area":{{"lat":{area.lat},"lon":{area.lon}}}}},'
        f'"period":{_written_period(period.start, period.end)},'
        f'"partial":{"true" if lack else "false"},"distance_m":{round(found.distance_m)},'
        f'"farther_m":{round(lack.farther_m) if lack else 0},"walk_s":{walk_s},'
        f'"size":{_written_size(size.length_m, size.width_m, size.height_m)},'
        f'"plug":{_written_plug(plug.kind, plug.power_kw) if plug else "null"},'
        f'"price":{{"amount_minor":{found.price_minor},"currency":"{found.currency}"}},'
        f'"quote":{_written_quote(quote, short_by_minor)},"terms":{written_terms(found.terms)},'
        f'"seal_key":"{to_base64url(found.seal_key)}",'
        f'"reason":"{reason}","because":[{_on_foot(because[0])}{_moved_by(because[1:])}]}}'
    )


# The words of reasons are ours: in them there is nothing to escape.
def _on_foot(one: Because) -> str:
    return f'{{"factor":"distance","metres":{one.metres},"text":"{one.text}"}}'


def _text(value: object) -> str:
    return orjson.dumps(value).decode()


# Only what is said of many offers is kept: to find one of thousands takes longer than to write it again.
@lru_cache(maxsize=1024)
def _moved_by(because: Sequence[Because]) -> str:
    said = [{"factor": str(one.factor), "metres": one.metres, "text": one.text} for one in because]
    return "".join([f",{_text(one)}" for one in said])


@lru_cache(maxsize=1024)
def _written_period(start: int, end: int) -> str:
    return _text({"start": to_rfc3339(start), "end": to_rfc3339(end)})


@lru_cache(maxsize=1024)
def _written_size(length_m: float | None, width_m: float | None, height_m: float | None) -> str:
    return _text({"length_m": length_m, "width_m": width_m, "height_m": height_m})


@lru_cache(maxsize=1024)
def _written_plug(kind: str | None, power_kw: float | None) -> str:
    return _text({"kind": kind or "", "power_kw": power_kw})


@lru_cache(maxsize=1024)
def _written_quote(quote: Quote, short_by_minor: int) -> str:
    return _text(written_quote(quote, short_by_minor=short_by_minor))
