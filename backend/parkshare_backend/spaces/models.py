"""How places, periods, sizes and prices of spaces look on the wire."""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from parkshare_backend.bookings.terms_wire import TermsHeard
from parkshare_backend.http.models import Answer, Id, Name, Request, SizedBytes, UtcTime, Whole
from parkshare_backend.spaces.geometry import Point
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.plugs import Plug
from parkshare_backend.spaces.sizes import Size

MAX_WINDOWS = 1000
SEAL_KEY_BYTES = 32

Lat = Annotated[float, Field(ge=-90, le=90)]
Lon = Annotated[float, Field(ge=-180, le=180)]
# Control characters but the line break stay out of what people read.
Prose = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*$")]
Metres = Annotated[float, Field(gt=0, le=50)]


class Heard(BaseModel):
    """Something that a house says on the link: fields that we do not know are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class PeriodBody(Request):
    """A half-open period in a request. Whether it makes sense is the features' rule, which names the field."""

    start: UtcTime
    end: UtcTime

    def period(self) -> Period:
        """Give the period in whole seconds."""
        return _whole(self.start, self.end)


class PeriodHeard(Heard):
    """A half-open period said by a house."""

    start: UtcTime
    end: UtcTime

    def period(self) -> Period:
        """Give the period in whole seconds."""
        return _whole(self.start, self.end)


class PeriodAnswer(Answer):
    """A half-open period: it holds its start, not its end."""

    start: UtcTime
    end: UtcTime

    @classmethod
    def of(cls, period: Period) -> Self:
        """Write a period."""
        return cls(start=period.start, end=period.end)


class PointHeard(Heard):
    """A place said by a house, WGS 84 degrees."""

    lat: Lat
    lon: Lon


class PointAnswer(Answer):
    """A place, WGS 84 degrees."""

    lat: float
    lon: float

    @classmethod
    def of(cls, point: Point) -> Self:
        """Write a point."""
        return cls(lat=point.lat, lon=point.lon)


class SizeHeard(Heard):
    """The size of a space in metres; a missing or null one is not limited."""

    length_m: Metres | None = None
    width_m: Metres | None = None
    height_m: Metres | None = None


class SizeAnswer(Answer):
    """The size of a space in metres; null is not limited."""

    length_m: float | None
    width_m: float | None
    height_m: float | None

    @classmethod
    def of(cls, size: Size) -> Self:
        """Write a size."""
        return cls(length_m=size.length_m, width_m=size.width_m, height_m=size.height_m)


class VehicleBody(Request):
    """The size of a car in metres; what is not said is not checked."""

    length_m: Metres | None = None
    width_m: Metres | None = None
    height_m: Metres | None = None

    def size(self) -> Size:
        """Give the size."""
        return Size(self.length_m, self.width_m, self.height_m)


class PriceHeard(Heard):
    """A price in the smallest unit of an ISO 4217 currency."""

    amount_minor: Annotated[Whole, Field(ge=0, le=10_000_000)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class PriceAnswer(Answer):
    """A price in the smallest unit of an ISO 4217 currency."""

    amount_minor: int
    currency: str


# Connector words of OCPI 2.3 (CHADEMO, IEC_62196_T2, IEC_62196_T2_COMBO, DOMESTIC_F ...); newer ones may come.
Connector = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9_]{1,39}$")]
PowerKw = Annotated[float, Field(gt=0, le=1000)]


class PlugHeard(Heard):
    """The plug of a space: an OCPI connector word, and its power if it is known."""

    kind: Connector
    power_kw: PowerKw | None = None

    def plug(self) -> Plug:
        """Give the plug."""
        return Plug(self.kind, self.power_kw)


class PlugAnswer(Answer):
    """The plug of a space: an OCPI connector word, and its power if it is known."""

    kind: str
    power_kw: float | None

    @classmethod
    def of(cls, plug: Plug | None) -> Self | None:
        """Write a plug; None is none."""
        return cls(kind=plug.kind or "", power_kw=plug.power_kw) if plug else None


class SpacePublish(Heard):
    """The request `space.publish`."""

    space: Id
    name: Name
    position: PointHeard
    address: Annotated[Prose, StringConstraints(max_length=300)]
    size: SizeHeard
    range_m: Annotated[float, Field(ge=10, le=2000)]
    price: PriceHeard
    seal_key: Annotated[bytes, SizedBytes(SEAL_KEY_BYTES)]
    access_notes: Prose
    sharing: bool
    plug: PlugHeard | None = None  # a house of the first release says none
    terms: TermsHeard | None = None  # a house of the first release says none


class SpaceWithdraw(Heard):
    """The request `space.withdraw`."""

    space: Id


class WindowsPublish(Heard):
    """The request `windows.publish`: replaces all windows of the space."""

    space: Id
    windows: Annotated[list[PeriodHeard], Field(max_length=MAX_WINDOWS)]


class SpaceState(Heard):
    """The event `space.state`. A barrier word of a newer house counts as unknown."""

    space: Id
    barrier: Annotated[str, StringConstraints(max_length=40)]
    sharing: bool
    fault: Annotated[str, StringConstraints(max_length=200)] | None = None

    @property
    def known_barrier(self) -> Literal["up", "down", "moving", "jammed", "unknown"]:
        """The barrier as one of the words of this version."""
        match self.barrier:
            case "up" | "down" | "moving" | "jammed" as word:
                return word
            case _:
                return "unknown"


def _whole(start: float, end: float) -> Period:
    return Period(math.floor(start), math.floor(end))
