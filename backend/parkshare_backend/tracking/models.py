"""How positions look on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypedDict

import msgspec
from msgspec import Meta
from pydantic import Field

from parkshare_backend.clock import from_rfc3339
from parkshare_backend.http.models import Answer, Request, UtcTime
from parkshare_backend.spaces.models import Lat, Lon
from parkshare_backend.tracking.fix import NOT_YET, Fix

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

    def as_fix(self) -> Fix:
        """Give the report as the fence machine takes it."""
        return Fix(self.lat, self.lon, self.at, NOT_YET, self.accuracy_m, None, self.mock)


@dataclass(slots=True)  # as Fix
class UsualPositions:
    """A PositionsRequest that was read the short way."""

    fixes: Sequence[Fix]


class _Fix(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A FixBody for the short way."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    at: str
    accuracy_m: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    speed_ms: Annotated[float, Meta(ge=0, le=1000)] | None = None
    course: Annotated[float, Meta(ge=0, le=360)] | None = None
    mock: bool = False


class _Positions(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A PositionsRequest for the short way."""

    fixes: Annotated[list[_Fix], Meta(min_length=1, max_length=MAX_FIXES)]


_POSITIONS = msgspec.json.Decoder(_Positions)


class PositionsRequest(Request):
    """Position reports in the order in which they were taken."""

    fixes: Annotated[list[FixBody], Field(min_length=1, max_length=MAX_FIXES)]

    @classmethod
    def read_usual(cls, raw: bytes) -> UsualPositions | None:
        """Read a body as nearly every phone sends it; None for any other, good or bad: the model reads that.

        2 µs instead of 5. Held against it in tests/backend/test_positions_read.py.
        """
        try:
            sent = _POSITIONS.decode(raw).fixes
            # In the order of the fields: to name them takes longer.
            fixes = [
                Fix(one.lat, one.lon, from_rfc3339(one.at), NOT_YET, one.accuracy_m, None, one.mock) for one in sent
            ]
        except ValueError:
            return None
        return UsualPositions(fixes)


class IgnoredFix(Answer):
    """A report that moved nothing, and why."""

    index: int
    reason: str


class PositionsAnswer(Answer):
    """What became of the reports, and the bookings whose space the caller is near."""

    accepted: int
    ignored: list[IgnoredFix]
    near: list[str]


class WrittenFix(TypedDict):
    """What IgnoredFix writes."""

    index: int
    reason: str


class WrittenPositions(TypedDict):
    """What PositionsAnswer writes, written without it: this is the answer that the server gives most."""

    accepted: int
    ignored: list[WrittenFix]
    near: list[str]
