"""Words that the requests and answers of every feature share.

Inside, times are UTC epoch seconds and keys are bytes; on the wire they are RFC 3339 and base64url.
"""

import base64
import binascii
import math
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import core_schema

from parkshare_backend.clock import from_rfc3339, to_rfc3339


class Request(BaseModel):
    """A body or query: unknown fields are refused, so a misspelt one is never silently lost."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Answer(BaseModel):
    """What a route answers; clients ignore fields that they do not know."""

    model_config = ConfigDict(frozen=True)


def _read_time(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError("must be an RFC 3339 time in UTC, like 2026-11-22T14:00:00Z")  # noqa: TRY004 - pydantic
    if isinstance(value, (int, float)) and math.isfinite(value):
        return float(value)
    return from_rfc3339(str(value))


def _read_wire_time(value: Any) -> float:
    if not isinstance(value, str):
        raise ValueError("must be an RFC 3339 time in UTC, like 2026-11-22T14:00:00Z")  # noqa: TRY004 - pydantic
    try:
        at = from_rfc3339(value)
    except ValueError, OverflowError:
        raise ValueError("must be an RFC 3339 time in UTC, like 2026-11-22T14:00:00Z") from None
    return at


# From Python a time is epoch seconds, from the wire it is text: the mode tells which.
UtcTime = Annotated[
    float,
    GetPydanticSchema(
        lambda _source, _handler: core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_plain_validator_function(_read_wire_time),
            python_schema=core_schema.no_info_plain_validator_function(_read_time),
        )
    ),
    PlainSerializer(to_rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T14:00:00Z"]}),
]


def _integral(value: Any) -> Any:
    # JSON Schema calls 5.0 an integer, so a client may send it.
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_integral)]

_ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
Id = Annotated[str, StringConstraints(pattern=_ID), Field(description="UUIDv7, lower case")]


def _printable(value: str) -> str:
    if any(ord(char) < ord(" ") or ord(char) == 0x7F for char in value):  # noqa: PLR2004 - DEL
        raise ValueError("must not contain control characters")
    if not value.strip():
        raise ValueError("must not be blank")
    return value.strip()


# A name that people read: no control characters, not blank.
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"),
    AfterValidator(_printable),
]


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def from_base64url(text: str) -> bytes:
    """Read base64url without padding; raise ValueError when it is not canonical."""
    try:
        value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error, ValueError:
        raise ValueError("must be base64url without padding") from None
    if to_base64url(value) != text:
        raise ValueError("must be base64url without padding")
    return value


def to_base64url(value: bytes) -> str:
    """Write base64url without padding."""
    # What `base64.urlsafe_b64encode` does, without its two calls: a search writes many keys.
    return binascii.b2a_base64(value, newline=False).rstrip(b"=").translate(_URL_SAFE).decode()


class SizedBytes:
    """The type of a binary value of exactly `length` bytes: `Annotated[bytes, SizedBytes(32)]`.

    On the wire it is base64url without padding.
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self.characters = (length * 8 + 5) // 6

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        """Read bytes from Python and text from the wire."""
        write = core_schema.plain_serializer_function_ser_schema(to_base64url, return_schema=core_schema.str_schema())
        return core_schema.no_info_plain_validator_function(self.read, serialization=write)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        """Describe the text; the last character carries fewer bits, so only some are canonical."""
        last = {0: "A-Za-z0-9_-", 1: "AQgw", 2: "AEIMQUYcgkosw048"}[self.length % 3]
        return {"type": "string", "pattern": f"^[A-Za-z0-9_-]{{{self.characters - 1}}}[{last}]$"}

    def read(self, value: Any) -> bytes:
        """Give the bytes or say what is wrong."""
        if isinstance(value, bytes) and len(value) == self.length:
            return value
        if not isinstance(value, str) or len(value) != self.characters:
            raise ValueError(f"must be {self.length} bytes as base64url without padding ({self.characters} characters)")
        return from_base64url(value)


class Place(Request):
    """A point, WGS 84 degrees."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]


class Period(Request):
    """A half-open period: it holds its start, not its end."""

    start: UtcTime
    end: UtcTime

    @model_validator(mode="after")
    def _ordered(self) -> Period:
        if self.end <= self.start:
            raise ValueError("end must be after start")
        return self


class Page[Item](Answer):
    """One page of a list; `next` is the cursor of the following one or null."""

    items: list[Item]
    next: str | None = None
