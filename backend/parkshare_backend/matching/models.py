"""How searches and offers look on the wire."""

from functools import lru_cache
from math import floor
from typing import Annotated, NamedTuple, Self

import msgspec
from msgspec import Meta
from pydantic import Field, StringConstraints

from parkshare_backend.bookings.terms_wire import TermsAnswer
from parkshare_backend.clock import from_rfc3339
from parkshare_backend.http.models import Answer, Place, Request, SizedBytes, Whole
from parkshare_backend.matching.policy import Because, Factor
from parkshare_backend.money.models import QuoteAnswer
from parkshare_backend.spaces.geometry import Point
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
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.plugs import Plug
from parkshare_backend.spaces.sizes import Size

RADIUS_M = 1500.0
FARTHEST_M = 10_000.0
DEAREST_MINOR = 10_000_000


class Sought(NamedTuple):
    """What somebody searches for, whichever way it was read; None is not said."""

    centre: Point
    period: Period
    car: Size | None
    radius_m: float
    limit: int
    flexible: bool
    plug: Plug | None = None
    plug_needed: bool = False
    most_minor: int | None = None
    currency: str = ""  # of most_minor; "" is any


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

    amount_minor: Annotated[Whole, Field(ge=0, le=DEAREST_MINOR)]
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

    def sought(self) -> Sought:
        """Give what is searched for."""
        plug, most = self.plug, self.max_price
        return Sought(
            centre=Point(self.place.lat, self.place.lon),
            period=self.period.period(),
            car=self.vehicle.size() if self.vehicle else None,
            plug=plug.plug() if plug else None,
            plug_needed=plug is not None and plug.needed,
            most_minor=most.amount_minor if most else None,
            currency=most.currency if most else "",
            radius_m=self.radius_m,
            limit=self.limit,
            flexible=self.flexible,
        )

    @classmethod
    def read_usual(cls, raw: bytes) -> Sought | None:
        """Read a body as nearly every client sends it; None for any other, good or bad: the model reads that.

        2 µs instead of 5. Held against it in tests/backend/test_search_read.py.
        """
        try:
            sent = _SEARCH.decode(raw)
            period = Period(_second(sent.period.start), _second(sent.period.end))
        except ValueError, OverflowError:
            return None
        place, vehicle = sent.place, sent.vehicle
        car = Size(vehicle.length_m, vehicle.width_m, vehicle.height_m) if vehicle else None
        # In the order of the fields: to name them takes longer.
        return Sought(Point(place.lat, place.lon), period, car, sent.radius_m, sent.limit, sent.flexible)


@lru_cache(maxsize=1024)  # at any time most people search for the same few quarters of an hour
def _second(text: str) -> int:
    return floor(from_rfc3339(text))


type _Metres = Annotated[float, Meta(gt=0, le=50)] | None


class _Place(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A Place for the short way."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]


class _Period(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A PeriodBody for the short way."""

    start: str
    end: str


class _Vehicle(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A VehicleBody for the short way."""

    length_m: _Metres = None
    width_m: _Metres = None
    height_m: _Metres = None


class _Search(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A SearchRequest for the short way: without the wishes for a plug and a price, which are rare."""

    place: _Place
    period: _Period
    vehicle: _Vehicle | None = None
    radius_m: Annotated[float, Meta(ge=50, le=FARTHEST_M)] = RADIUS_M
    limit: Annotated[int, Meta(ge=1, le=50)] = 10
    flexible: bool = True


_SEARCH = msgspec.json.Decoder(_Search)


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
