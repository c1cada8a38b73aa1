"""Pages of lists: `?limit=&cursor=` answers `{items, next}`.

A cursor says where the next page begins. To clients it is a text without meaning; to us it is the sort key of the last
item, checked when it comes back. It is not signed: it opens nothing that the caller may not see anyway.

    class ThingsQuery(PageQuery): ...

    after = read_cursor(query.cursor, float, str)       # None on the first page
    next = cursor(thing.at, thing.id)
"""

import binascii
import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any

import orjson
from pydantic import Field, StringConstraints

from parkshare_backend.http.models import Request, Whole
from parkshare_backend.http.problems import INVALID_REQUEST, FieldProblem, Problem

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_NUMBER = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)
LARGEST = 2**53
LONGEST_TEXT = 200  # characters of one part

Cursor = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,500}$"),
    Field(description="`next` of the page before, as it came"),
]
Limit = Annotated[Whole, Field(ge=1, le=100, description="how many items at most")]


class PageQuery(Request):
    """Which page of a list."""

    limit: Limit = 20
    cursor: Cursor | None = None


def cursor(*key: str | float) -> str:
    """Write the sort key of the last item on a page."""
    return urlsafe_b64encode(orjson.dumps(key)).rstrip(b"=").decode()


def read_cursor(text: str | None, *kinds: type[str | float]) -> tuple[Any, ...] | None:
    """Give the parts of a cursor, None when there is none. Raises Problem when it is not one of ours for this list."""
    if text is None:
        return None
    try:
        parts = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except binascii.Error, ValueError:
        parts = None
    fits = isinstance(parts, list) and len(parts) == len(kinds) and all(map(_is, parts, kinds, strict=True))
    if not fits:
        detail = "This is no cursor of this list. Take `next` of the page before as it came, or begin without one."
        raise Problem(INVALID_REQUEST, errors=(FieldProblem("/query/cursor", detail),))
    return tuple(kind(part) for part, kind in zip(parts, kinds, strict=True))


def read_id_cursor(text: str | None) -> str | None:
    """Give the id that a cursor holds; the first release gave the id itself, and somebody may be between two pages."""
    if text is None or _ID.fullmatch(text):
        return text
    parts = read_cursor(text, str)
    return str(parts[0]) if parts else None


def read_number_cursor(text: str | None) -> int | None:
    """Give the number that a cursor holds; an older release gave the number itself."""
    if text is not None and _NUMBER.fullmatch(text):
        return int(text)
    parts = read_cursor(text, int)
    return int(parts[0]) if parts else None


def _is(part: object, kind: type[str | float]) -> bool:
    if kind is str:
        return isinstance(part, str) and len(part) <= LONGEST_TEXT and "\0" not in part
    if isinstance(part, bool) or not isinstance(part, int if kind is int else (int, float)):
        return False
    return math.isfinite(part) and abs(part) <= LARGEST
