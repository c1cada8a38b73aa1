"""Typed routes: a handler gets a checked body and returns a model; the document is made from the same table.

    routes = Routes()

    @routes.post("/api/v1/searches", scope=Scope.SEARCH, request=SearchRequest, response=SearchResult)
    async def search(ctx: Context, body: SearchRequest) -> SearchResult:
        '''Find free spaces for a period near a place, best first.'''
        return await ctx.app[keys.MATCHING].search(...)

Without `request` the handler is called with the context alone. Path parameters are read with
`ctx.path["booking"]`; their types are given by `path_types={"booking": Id}` (a value that cannot be one is a
404). A query is `query=ListQuery` and `ctx.query(ListQuery)`. A handler that answers with another status
than the declared one returns `Reply(model, status=200)` and declares it with `also=(200,)`.

More that a route may say of itself:

- `creates=True`: a POST that makes something. It needs an `Idempotency-Key` (`key_optional=True`: may have one), and
  with one all of the handler is one transaction: slow work (hashing, network) has no place in it.
- `Reply(model, revision=thing.revision)` gives the answer an `ETag`, and a GET then answers 304 to `If-None-Match`.
  A change calls `ctx.precondition.check(thing.revision)` in its transaction: 412 when the caller saw another one.
  `tagged=True` puts it in the document, `if_match=True` refuses a change without `If-Match` (428).
- `hot=True`: so many requests come that the log tells of the answered ones together, once a minute.
- `deprecated=Deprecated(since=..., sunset=...)` says so in the headers of each answer.
- `media="text/csv"`: it answers text of this type, and the handler returns the `web.Response` itself.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, cast

from aiohttp import hdrs, web
from pydantic import BaseModel

from parkshare_backend.http.auth import AnyScope, Scope
from parkshare_backend.http.context import CALLER, Context, Reply, Written
from parkshare_backend.http.handling import NO_CONTENT, Handle, handler_of
from parkshare_backend.http.limits import Rate
from parkshare_backend.http.models import Id
from parkshare_backend.http.problems import Kind

__all__ = ["CALLER", "NO_CONTENT", "Context", "Deprecated", "Reply", "Route", "Routes"]

_ANY_ID = "[0-9a-f-]{36}"

type Handler = Callable[..., Awaitable[BaseModel | Written | Reply | web.Response | None]]


@dataclass(frozen=True, slots=True)
class Deprecated:
    """A route that should not be used any more (RFC 9745) and from when on it may be gone (RFC 8594).

    Times are UTC epoch seconds; `instead` is the address of a page that says what to use.
    """

    since: float
    sunset: float | None = None
    instead: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Give the headers of every answer of the route."""
        headers = {"Deprecation": f"@{int(self.since)}"}
        if self.sunset is not None:
            headers["Sunset"] = format_datetime(datetime.fromtimestamp(self.sunset, UTC), usegmt=True)
        if self.instead is not None:
            headers["Link"] = f'<{self.instead}>; rel="deprecation"'
        return headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation, as the router and the OpenAPI document need it."""

    method: str
    path: str
    handler: Handler
    scope: Scope | AnyScope | None
    request: type[BaseModel] | None = None
    response: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    path_types: Mapping[str, Any]
    status: int = 200
    also: tuple[int, ...] = ()
    problems: tuple[Kind, ...] = ()
    rate: Rate = Rate.NORMAL
    creates: bool = False
    key_optional: bool = False
    tagged: bool = False
    if_match: bool = False
    hot: bool = False
    deprecated: Deprecated | None = None
    media: str | None = None

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (self.handler.__doc__ or "").strip().partition("\n")[0]


class Routes:
    """The routes of one feature, in the order of their definition."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def get(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Define a GET; the options are those of `route`."""
        return self.route(hdrs.METH_GET, path, **options)

    def post(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Define a POST; the options are those of `route`."""
        return self.route(hdrs.METH_POST, path, **options)

    def put(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Define a PUT; the options are those of `route`."""
        return self.route(hdrs.METH_PUT, path, **options)

    def patch(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Define a PATCH; the options are those of `route`."""
        return self.route(hdrs.METH_PATCH, path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Define a DELETE; the options are those of `route`."""
        return self.route(hdrs.METH_DELETE, path, **options)

    def route(
        self,
        method: str,
        path: str,
        *,
        scope: Scope | AnyScope | None,
        path_types: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Callable[[Handler], Handler]:
        """Define an operation; scope None is open to everybody, the options are the fields of Route.

        `problems` are the kinds that the handler may raise.
        """

        def define(handler: Handler) -> Handler:
            self._routes.append(
                Route(method=method, path=path, handler=handler, scope=scope, path_types=path_types or {}, **options)
            )
            return handler

        return define

    def setup(self, app: web.Application) -> None:
        """Add the routes to the application."""
        for route in self._routes:
            app.router.add_route(route.method, _pattern(route), _behind(handler_of(route, app)), name=None)


def _behind(handle: Handle) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Give a handler to the router; a JsonAnswer has all that aiohttp asks of an answer."""

    async def handled(request: web.Request) -> web.StreamResponse:
        return cast("web.StreamResponse", await handle(request, request[CALLER]))

    return handled


def _pattern(route: Route) -> str:
    """Give the router's pattern: what cannot be an id never hides a fixed path beside it, so 405 stays 405."""
    ids = {name for name, kind in route.path_types.items() if kind is Id}
    return re.sub(r"\{(\w+)\}", lambda found: f"{{{found[1]}:{_ANY_ID}}}" if found[1] in ids else found[0], route.path)
