"""Who calls and what they may do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Scope(StrEnum):
    """A right that a token carries."""

    # As of any text: that of an Enum is a function in Python, and every request looks some up.
    __hash__ = str.__hash__

    SEARCH = "search"
    BOOKINGS = "bookings"
    POSITIONS = "positions"
    INSTALLS = "installs"
    ACCOUNT = "account"
    INTEGRATIONS = "integrations"


class AnyScope(StrEnum):
    """A route that every live token may use, whatever its scopes."""

    __hash__ = str.__hash__

    ANY = "any"


ANY_SCOPE = AnyScope.ANY

# The table from which the OpenAPI document describes the scopes; a new scope is a new row.
SCOPES: dict[Scope, str] = {
    Scope.SEARCH: "search for free spaces",
    Scope.BOOKINGS: "book spaces, see, change and cancel the account's bookings and standbys",
    Scope.POSITIONS: "send positions, and nothing else: enough for a phone's tracker",
    Scope.INSTALLS: "approve, list and revoke the account's houses",
    Scope.ACCOUNT: "see the account and manage its tokens",
    Scope.INTEGRATIONS: "pass the account's changes on to webhooks and its bookings on to calendars",
}


@dataclass(frozen=True, slots=True)
class Principal:
    """The account behind a request and the token it came with."""

    account: str
    token: str  # the token's id, never the token
    scopes: frozenset[Scope]


class Authenticator(Protocol):
    """Turns a bearer token into a principal."""

    def known(self, token: str, now: float) -> Principal | None:
        """Give the principal of a token that was seen a moment ago."""

    async def authenticate(self, token: str) -> Principal:
        """Raise Problem(UNAUTHENTICATED) for anything but a live token."""
