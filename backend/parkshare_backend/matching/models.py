"""How searches and offers look on the wire."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints

from parkshare_backend.bookings.terms_wire import TermsAnswer
from parkshare_backend.http.models import Answer, Place, Request, SizedBytes, Whole
from parkshare_backend.matching.policy import Because, Factor
from parkshare_backend.money.models import QuoteAnswer
from parkshare_backend.spaces.models import (
    SEAL_KEY_BYTES,
    Connector,
    PeriodAnswer,
    PeriodBody,
    PlugAnswer,
    PointAnswer,
    PowerKw,
    PriceAnswer,
    SizeAnswer,
    VehicleBody,
)
from parkshare_backend.spaces.plugs import Plug

RADIUS_M = 1500.0
FARTHEST_M = 10_000.0


class PlugWish(Request):
    """A plug for an electric car; what is not said may be any. needed false: a space without it is welcome too."""

    kind: Connector | None = None
    power_kw: PowerKw | None = None
    needed: bool = True

    def plug(self) -> Plug:
        """Give the plug."""
        return Plug(self.kind, self.power_kw)


class PriceLimit(Request):
    """The most that an hour may cost, in the smallest unit of an ISO 4217 currency; other currencies are left out."""

    amount_minor: Annotated[Whole, Field(ge=0, le=10_000_000)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class SearchRequest(Request):
    """A place, a period, and if known the car. flexible: give partial answers too where few spaces suit."""

    place: Place
    period: PeriodBody
    vehicle: VehicleBody | None = None
    plug: PlugWish | None = None
    max_price: PriceLimit | None = None
    radius_m: Annotated[float, Field(ge=50, le=FARTHEST_M)] = RADIUS_M
    limit: Annotated[Whole, Field(ge=1, le=50)] = 10
    flexible: bool = True


class OfferedSpace(Answer):
    """A space that nobody has booked yet: its area is rounded to about 100 m."""

    id: str
    name: str
    area: PointAnswer


class BecauseAnswer(Answer):
    """One thing that moved the offer on the list, by so many metres of walking (towards the end if above zero)."""

    factor: Factor
    metres: int
    text: str

    @classmethod
    def of(cls, because: Because) -> Self:
        """Write it."""
        return cls(factor=because.factor, metres=because.metres, text=because.text)


class Offer(Answer):
    """One space that is free for `period`; distances are measured to its area.

    partial: the period is only a part of the one that was asked for, or the space lies `farther_m` beyond the radius.
    price is that of an hour, quote what the period costs.
    """

    space: OfferedSpace
    period: PeriodAnswer
    partial: bool = False
    distance_m: int
    farther_m: int = 0
    walk_s: int
    size: SizeAnswer
    plug: PlugAnswer | None = None
    price: PriceAnswer
    quote: QuoteAnswer
    terms: TermsAnswer
    seal_key: Annotated[bytes, SizedBytes(SEAL_KEY_BYTES)]
    reason: str
    because: list[BecauseAnswer]


class SearchResult(Answer):
    """Offers for what was asked, best first; partial ones apart, and only where there are few of the others."""

    offers: list[Offer]
    partial: list[Offer]
