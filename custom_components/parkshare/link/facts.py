"""What the backend tells, as types. The house believes nothing of it yet: deciding is elsewhere.

Times are UTC epoch seconds, lengths metres. Whatever does not fit raises BadFactError, which names the field.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Self

LIVE_STATES: Final = frozenset({"pending", "reserved", "active"})
# No booking is elsewhere, and calendars are expanded over what is asked for.
EARLIEST: Final = 2020
LATEST: Final = 2100
LONGEST_ALIAS: Final = 40  # characters
LONGEST_CODE: Final = 32  # characters as typed, with what people put between groups


class BadFactError(ValueError):
    """A fact lacks a field, or a field cannot be."""


def parse_time(text: object) -> float:
    """Read RFC 3339 with an offset or Z. Raises BadFactError."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadFactError("a time is RFC 3339 with Z")
    if not EARLIEST <= moment.year <= LATEST:
        raise BadFactError(f"a time is in the years {EARLIEST} to {LATEST}")
    return moment.timestamp()


def format_time(at: float) -> str:
    """Write UTC with Z: whole seconds without a fraction, others with milliseconds."""
    precision = "seconds" if at == int(at) else "milliseconds"
    return datetime.fromtimestamp(at, UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _text(d: Mapping[str, Any], field: str, *, default: str | None = None) -> str:
    value = d.get(field, default)
    if not isinstance(value, str) or (default is None and not value):
        raise BadFactError(f"{field} is missing or no text")
    try:
        value.encode()
    except UnicodeEncodeError as err:
        # Half a surrogate pair can be written in JSON and nowhere else, so it could not be kept on disk.
        raise BadFactError(f"{field} is no text") from err
    return value


def _number(d: Mapping[str, Any], field: str) -> float:
    value = d.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadFactError(f"{field} is missing or no number")
    return float(value)


def _object(d: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = d.get(field)
    if not isinstance(value, Mapping):
        raise BadFactError(f"{field} is missing or no object")
    return value


def _alias(renter: Mapping[str, Any]) -> str:
    """Read what a renter is called. It stands in notices and on phones, where a link or a line more would be obeyed."""
    plain = "".join(each if each.isalnum() or each in "-'" else " " for each in _text(renter, "alias", default=""))
    return " ".join(plain.split())[:LONGEST_ALIAS]


def _period(d: Mapping[str, Any]) -> tuple[float, float]:
    period = _object(d, "period")
    start, end = parse_time(period.get("start")), parse_time(period.get("end"))
    if end <= start:
        raise BadFactError("period ends before it starts")
    return start, end


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A booking as the backend sees it. sealed_plate is for this house only."""

    booking: str
    space: str
    revision: int
    state: str
    start: float
    end: float
    sealed_plate: str
    alias: str

    @classmethod
    def parse(cls, d: Mapping[str, Any]) -> Self:
        """Read booking.proposed, booking.changed, or one item of a snapshot of bookings."""
        start, end = _period(d)
        renter = d.get("renter")
        return cls(
            booking=_text(d, "booking"),
            space=_text(d, "space"),
            revision=int(_number(d, "revision")),
            state=_text(d, "state"),
            start=start,
            end=end,
            sealed_plate=_text(d, "sealed_plate"),
            alias=_alias(renter) if isinstance(renter, Mapping) else "",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """A booking that is no more."""

    booking: str
    space: str
    revision: int

    @classmethod
    def parse(cls, d: Mapping[str, Any]) -> Self:
        """Read booking.canceled."""
        return cls(booking=_text(d, "booking"), space=_text(d, "space"), revision=int(_number(d, "revision")))


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingAsked:
    """A booking that its owner must agree to, until `until`. The plate comes only when they have."""

    booking: str
    space: str
    start: float
    end: float
    alias: str
    until: float

    @classmethod
    def parse(cls, d: Mapping[str, Any]) -> Self:
        """Read booking.asked."""
        start, end = _period(d)
        renter = d.get("renter")
        return cls(
            booking=_text(d, "booking"),
            space=_text(d, "space"),
            start=start,
            end=end,
            alias=_alias(renter) if isinstance(renter, Mapping) else "",
            until=parse_time(d.get("until")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RenterSeen:
    """The renter came near, or went away. source is "position" or "here", empty for away."""

    booking: str
    space: str
    at: float
    source: str

    @classmethod
    def parse(cls, d: Mapping[str, Any]) -> Self:
        """Read renter.near or renter.away."""
        return cls(
            booking=_text(d, "booking"),
            space=_text(d, "space"),
            at=parse_time(d.get("at")),
            source=_text(d, "source", default=""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RenterCode:
    """What the renter typed in the web app; at is when. Nobody has looked at it yet."""

    booking: str
    space: str
    code: str = field(repr=False)
    at: float

    @classmethod
    def parse(cls, d: Mapping[str, Any]) -> Self:
        """Read renter.code."""
        code = _text(d, "code")
        if len(code) > LONGEST_CODE:
            raise BadFactError("code is too long for a code")
        return cls(booking=_text(d, "booking"), space=_text(d, "space"), code=code, at=parse_time(d.get("at")))


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyOffer:
    """A space nearby for an owner whose own is taken. booking is the renter's."""

    standby: str
    booking: str
    home_space: str
    space: str
    name: str
    address: str
    latitude: float
    longitude: float
    seal_key: str
    start: float
    end: float
    distance_m: float
    walk_s: float
    expires_at: float

    @classmethod
    def parse(cls, d: Mapping[str, Any]) -> Self:
        """Read standby.offered."""
        space = _object(d, "space")
        position = _object(space, "position")
        start, end = _period(d)
        return cls(
            standby=_text(d, "standby"),
            booking=_text(d, "booking"),
            home_space=_text(d, "home_space"),
            space=_text(space, "id"),
            name=_text(space, "name", default=""),
            address=_text(space, "address", default=""),
            latitude=_number(position, "lat"),
            longitude=_number(position, "lon"),
            seal_key=_text(space, "seal_key"),
            start=start,
            end=end,
            distance_m=_number(d, "distance_m"),
            walk_s=_number(d, "walk_s"),
            expires_at=parse_time(d.get("expires_at")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyNone:
    """Nothing was found for an owner whose space is taken."""

    booking: str
    home_space: str
    reason: str

    @classmethod
    def parse(cls, d: Mapping[str, Any]) -> Self:
        """Read standby.none."""
        return cls(
            booking=_text(d, "booking"), home_space=_text(d, "home_space"), reason=_text(d, "reason", default="")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyEnded:
    """What became of a standby."""

    standby: str
    home_space: str
    state: str

    @classmethod
    def parse(cls, d: Mapping[str, Any]) -> Self:
        """Read standby.ended."""
        return cls(standby=_text(d, "standby"), home_space=_text(d, "home_space"), state=_text(d, "state"))
