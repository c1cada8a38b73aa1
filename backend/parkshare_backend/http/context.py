"""What a handler gets and what it may answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import BaseModel

from parkshare_backend.http.auth import Principal
from parkshare_backend.http.conditional import Precondition, Revision
from parkshare_backend.http.limits import Left


@dataclass(slots=True)
class Caller:
    """Who is at the door: the address as it is counted, when, and what is left of the allowance once that is known."""

    address: str
    at: float
    left: Left | None = None


# Of a request that came through the application.
CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)


# What a model would write, as a dict that its feature wrote: for hot answers of many parts.
type Written = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status or headers of its own, or the revision of what it shows, from which its ETag is made.

    status None is that of the route.
    """

    body: BaseModel | Written | None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    revision: Revision | None = None


@dataclass(slots=True)  # not frozen, though nobody changes one: to make a frozen one takes three times as long
class Context:
    """What a handler may know about its request, all of it checked."""

    app: web.Application
    request: web.Request
    path: Mapping[str, str]
    address: str  # IP address of the caller
    _principal: Principal | None
    _query: BaseModel | None

    @property
    def principal(self) -> Principal:
        """The caller of a route with a scope."""
        if self._principal is None:
            raise RuntimeError("the route has no scope, so it has no principal")
        return self._principal

    @property
    def account(self) -> str:
        """The id of the calling account."""
        return self._principal.account if self._principal is not None else self.principal.account

    @property
    def precondition(self) -> Precondition:
        """What the caller says they saw: `.check(revision)` in the transaction of the change."""
        return Precondition.of(self.request)

    def query[Model: BaseModel](self, model: type[Model]) -> Model:
        """The checked query of the route that declared this model."""
        if not isinstance(self._query, model):
            raise TypeError(f"the route does not declare query={model.__name__}")
        return self._query
