"""How searches and offers look on the wire."""

from typing import Annotated

from pydantic import Field

from parkshare_backend.http.models import Answer, Place, Request, SizedBytes, Whole
from parkshare_backend.spaces.models import (
    SEAL_KEY_BYTES,
    PeriodAnswer,
    PeriodBody,
    PointAnswer,
    PriceAnswer,
    SizeAnswer,
    VehicleBody,
)

RADIUS_M = 1500.0


class SearchRequest(Request):
    """A place, a period, and if known the car."""

    place: Place
    period: PeriodBody
    vehicle: VehicleBody | None = None
    radius_m: Annotated[float, Field(ge=50, le=10_000)] = RADIUS_M
    limit: Annotated[Whole, Field(ge=1, le=50)] = 10


class OfferedSpace(Answer):
    """A space that nobody has booked yet: its area is rounded to about 100 m."""

    id: str
    name: str
    area: PointAnswer


class Offer(Answer):
    """One space that is free for the whole period; distances are measured to its area."""

    space: OfferedSpace
    period: PeriodAnswer
    distance_m: int
    walk_s: int
    size: SizeAnswer
    price: PriceAnswer
    seal_key: Annotated[bytes, SizedBytes(SEAL_KEY_BYTES)]
    reason: str


class SearchResult(Answer):
    """Offers, best first."""

    offers: list[Offer]
