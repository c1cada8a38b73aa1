"""Problems (RFC 9457): what went wrong, for whom it matters and what to do, in one table.

A feature defines its own kinds beside the rule that raises them:

    SPACE_TAKEN = define("space-taken", 409, "The space is taken", "Somebody else ... Search again.")
    raise Problem(SPACE_TAKEN, "14:00-16:00 is no longer free.", pointer="/period")

`GET /problems/<code>` is served from the table, so a type that reaches a client always has a page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem; `code` is the stable end of its `type`, never renamed, never reused."""

    code: str
    status: int
    title: str
    meaning: str  # what it means and what the caller can do; the text of its page

    @property
    def type(self) -> str:
        """The `type` member: a URI relative to the server."""
        return f"/problems/{self.code}"


KINDS: dict[str, Kind] = {}


def define(code: str, status: int, title: str, meaning: str) -> Kind:
    """Add a kind to the table; the same code twice is a mistake in the program."""
    kind = Kind(code, status, title, meaning)
    if KINDS.setdefault(code, kind) != kind:
        raise ValueError(f"the problem {code} is defined twice, differently")
    return kind


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field that is wrong: a JSON pointer (RFC 6901) into the request and a remedy."""

    pointer: str
    detail: str


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem, and so do we
    """An answer that tells what is wrong; routes and link requests both carry it.

    pointer is a shorthand for one field whose remedy is the detail. extra members are added to the
    document as they are (RFC 9457 section 3.2).
    """

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        *,
        pointer: str | None = None,
        errors: tuple[FieldProblem, ...] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(kind.code, detail)
        self.kind = kind
        self.detail = detail or kind.meaning
        self.errors = errors or ((FieldProblem(pointer, self.detail),) if pointer is not None else ())
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    @property
    def code(self) -> str:
        """The stable code of the kind."""
        return self.kind.code

    @property
    def status(self) -> int:
        """The HTTP status of the kind."""
        return self.kind.status

    def document(self) -> dict[str, Any]:
        """Render RFC 9457; `errors` names each field by a JSON pointer."""
        return {
            **self.extra,
            "type": self.kind.type,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "errors": [{"pointer": error.pointer, "detail": error.detail} for error in self.errors],
        }


INVALID_REQUEST = define(
    "invalid-request",
    422,
    "The request is not valid",
    "Some fields are missing, unknown or have values that cannot be used. `errors` names each one with a remedy.",
)
MALFORMED_JSON = define(
    "malformed-json",
    400,
    "The body is not JSON",
    "The body could not be read as JSON (RFC 8259). Send one UTF-8 JSON object, nested at most 32 deep.",
)
UNSUPPORTED_MEDIA_TYPE = define(
    "unsupported-media-type",
    415,
    "The content type is not supported",
    "Send the body as `application/json`.",
)
TOO_LARGE = define(
    "too-large",
    413,
    "The body is too large",
    "Bodies over 256 KiB are refused. Split the request.",
)
UNAUTHENTICATED = define(
    "unauthenticated",
    401,
    "A valid token is needed",
    "The token is missing, unknown, expired or revoked. Make a new one with `POST /api/v1/tokens` and send it as "
    "`Authorization: Bearer pks_...`.",
)
FORBIDDEN = define(
    "insufficient-scope",
    403,
    "The token may not do this",
    "The token lacks the scope that this call needs. Make one with that scope.",
)
NOT_FOUND = define(
    "not-found",
    404,
    "Not found",
    "Nothing is here for you: it does not exist, or it belongs to somebody else. Check the address and the id.",
)
METHOD_NOT_ALLOWED = define(
    "method-not-allowed",
    405,
    "The method is not allowed here",
    "The header `Allow` names the methods that this address knows.",
)
BAD_REQUEST = define(
    "bad-request",
    400,
    "The request cannot be understood",
    "The request breaks HTTP or an expectation of this address. Check its headers and its address.",
)
RATE_LIMITED = define(
    "rate-limited",
    429,
    "Too many requests",
    "Wait as many seconds as `Retry-After` says, then try again.",
)
INTERNAL = define(
    "internal-error",
    500,
    "The server failed",
    "This is a defect of the server, not of the request. The server's log has it under the request id of this answer.",
)
UNAVAILABLE = define(
    "unavailable",
    503,
    "The server cannot do this now",
    "The server is starting, stopping or cannot write. Try again after `Retry-After` seconds.",
)
