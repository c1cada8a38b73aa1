"""How positions look on the wire."""

from typing import Annotated

from pydantic import Field

from parkshare_backend.http.models import Answer, Request, UtcTime
from parkshare_backend.spaces.models import Lat, Lon

MAX_FIXES = 100


class FixBody(Request):
    """One position report of a phone."""

    lat: Lat
    lon: Lon
    accuracy_m: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    at: UtcTime
    speed_ms: Annotated[float, Field(ge=0, le=1000)] | None = None
    course: Annotated[float, Field(ge=0, le=360)] | None = None
    mock: bool = False


class PositionsRequest(Request):
    """Position reports in the order in which they were taken."""

    fixes: Annotated[list[FixBody], Field(min_length=1, max_length=MAX_FIXES)]


class IgnoredFix(Answer):
    """A report that moved nothing, and why."""

    index: int
    reason: str


class PositionsAnswer(Answer):
    """What became of the reports, and the bookings whose space the caller is near."""

    accepted: int
    ignored: list[IgnoredFix]
    near: list[str]
