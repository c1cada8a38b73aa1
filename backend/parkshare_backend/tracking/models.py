"""How positions look on the wire."""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple, Protocol, TypedDict

import orjson
from pydantic import Field

from parkshare_backend.clock import from_rfc3339
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


class Reported(Protocol):
    """What is used of a report, whichever way it was read."""

    @property
    def lat(self) -> float:
        """Degrees north."""

    @property
    def lon(self) -> float:
        """Degrees east."""

    @property
    def at(self) -> float:
        """The phone's time."""

    @property
    def accuracy_m(self) -> float | None:
        """The 68 % radius."""

    @property
    def mock(self) -> bool:
        """Whether the phone says that the place is made up."""


class UsualFix(NamedTuple):
    """A FixBody that was read the short way."""

    lat: float
    lon: float
    at: float
    accuracy_m: float | None
    mock: bool


class UsualPositions(NamedTuple):
    """A PositionsRequest that was read the short way."""

    fixes: Sequence[UsualFix]


class PositionsRequest(Request):
    """Position reports in the order in which they were taken."""

    fixes: Annotated[list[FixBody], Field(min_length=1, max_length=MAX_FIXES)]

    @classmethod
    def read_usual(cls, raw: bytes) -> UsualPositions | None:
        """Read a body as nearly every phone sends it; None for any other, good or bad: the model reads that.

        3 µs instead of 5. Held against it in tests/backend/test_positions_read.py.
        """
        try:
            document = orjson.loads(raw)
            sent = document["fixes"] if type(document) is dict and len(document) == 1 else None
            if type(sent) is not list or not 1 <= len(sent) <= MAX_FIXES:
                return None
            fixes = [_usual_fix(one) for one in sent]
        except ValueError, KeyError, OverflowError:
            return None
        # Each name has a colon, and each time two. One more is a name that stands there twice, or an offset.
        colons = 1 + sum(map(len, sent)) + 2 * len(sent)
        return UsualPositions(fixes) if raw.count(b":") == colons else None


_NAMES = FixBody.model_fields.keys()


def _usual_fix(one: Any) -> UsualFix:
    """Read one report; raise ValueError when it is not a usual one, KeyError when something is missing."""
    if type(one) is not dict or not one.keys() <= _NAMES:
        raise ValueError("not a usual fix")
    lat, lon, at, accuracy_m, mock = one["lat"], one["lon"], one["at"], one.get("accuracy_m"), one.get("mock", False)
    if (
        type(lat) is not float
        or type(lon) is not float
        or not -90 <= lat <= 90  # noqa: PLR2004 - degrees
        or not -180 <= lon <= 180  # noqa: PLR2004 - degrees
        or type(at) is not str
        or type(mock) is not bool
        or not _is_up_to(1_000_000, accuracy_m)
        or not _is_up_to(1000, one.get("speed_ms"))
        or not _is_up_to(360, one.get("course"))
    ):
        raise ValueError("not a usual fix")
    return UsualFix(lat, lon, from_rfc3339(at), accuracy_m, mock)


def _is_up_to(most: float, value: Any) -> bool:
    return value is None or (type(value) in (float, int) and 0 <= value <= most)


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
