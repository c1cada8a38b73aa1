"""Typed routes: a handler gets a checked body and returns a model; the document is made from the same table.

    routes = Routes()

    @routes.post("/api/v1/searches", scope=Scope.SEARCH, request=SearchRequest, response=SearchResult)
    async def search(ctx: Context, body: SearchRequest) -> SearchResult:
        '''Find free spaces for a period near a place, best first.'''
        return await ctx.app[keys.MATCHING].search(...)

Without `request` the handler is called with the context alone. Path parameters are read with
`ctx.path["booking"]`; their types are given by `path={"booking": Id}` (a value that cannot be one is a
404). A query is `query=ListQuery` and `ctx.query(ListQuery)`. A handler that answers with another status
than the declared one returns `Reply(model, status=200)` and declares it with `also=(200,)`.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import hdrs, web
from pydantic import BaseModel, TypeAdapter

from parkshare_backend import keys
from parkshare_backend.http.auth import Principal, Scope
from parkshare_backend.http.bodies import read_body, read_path, read_query
from parkshare_backend.http.limits import Rate
from parkshare_backend.http.problems import FORBIDDEN, UNAUTHENTICATED, Kind, Problem

ADDRESS: web.RequestKey[str] = web.RequestKey("address", str)
NO_CONTENT = 204


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status or headers of its own."""

    body: BaseModel | None
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
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
        return self.principal.account

    def query[Model: BaseModel](self, model: type[Model]) -> Model:
        """The checked query of the route that declared this model."""
        if not isinstance(self._query, model):
            raise TypeError(f"the route does not declare query={model.__name__}")
        return self._query


type Handler = Callable[..., Awaitable[BaseModel | Reply | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation, as the router and the OpenAPI document need it."""

    method: str
    path: str
    handler: Handler
    scope: Scope | None
    request: type[BaseModel] | None
    response: type[BaseModel] | None
    query: type[BaseModel] | None
    path_types: Mapping[str, Any]
    status: int
    also: tuple[int, ...]
    problems: tuple[Kind, ...]
    rate: Rate

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

    def delete(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        """Define a DELETE; the options are those of `route`."""
        return self.route(hdrs.METH_DELETE, path, **options)

    def route(
        self,
        method: str,
        path: str,
        *,
        scope: Scope | None,
        request: type[BaseModel] | None = None,
        response: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        path_types: Mapping[str, Any] | None = None,
        status: int = 200,
        also: tuple[int, ...] = (),
        problems: tuple[Kind, ...] = (),
        rate: Rate = Rate.NORMAL,
    ) -> Callable[[Handler], Handler]:
        """Define an operation; scope None is open to everybody, problems are the kinds that it may raise."""

        def define(handler: Handler) -> Handler:
            self._routes.append(
                Route(
                    method=method,
                    path=path,
                    handler=handler,
                    scope=scope,
                    request=request,
                    response=response,
                    query=query,
                    path_types=path_types or {},
                    status=status,
                    also=also,
                    problems=problems,
                    rate=rate,
                )
            )
            return handler

        return define

    def setup(self, app: web.Application) -> None:
        """Add the routes to the application."""
        for route in self._routes:
            app.router.add_route(route.method, route.path, _handler(route), name=None)


def _handler(route: Route) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make the aiohttp handler: who calls, how often, what they sent; then the feature's own function."""
    path_types: dict[str, TypeAdapter[str]] = {name: TypeAdapter(kind) for name, kind in route.path_types.items()}

    async def handle(request: web.Request) -> web.Response:
        app, address = request.app, request[ADDRESS]
        principal = await _principal(request, route.scope) if route.scope else None
        app[keys.LIMITER].hit(f"account:{principal.account}" if principal else f"address:{address}", route.rate)
        path = read_path(request, path_types)
        query = read_query(request, route.query) if route.query else None
        context = Context(app, request, path, address, principal, query)
        if route.request is None:
            answer = await route.handler(context)
        else:
            answer = await route.handler(context, await read_body(request, route.request))
        return render(answer, route.status)

    return handle


def render(answer: BaseModel | Reply | None, status: int) -> web.Response:
    """Write a handler's answer as JSON."""
    reply = answer if isinstance(answer, Reply) else Reply(answer, status)
    if reply.body is None:
        return web.Response(status=NO_CONTENT if reply.status == status else reply.status, headers=reply.headers)
    body = orjson.dumps(reply.body.model_dump(mode="json"))
    return web.Response(status=reply.status, headers=reply.headers, body=body, content_type="application/json")


async def _principal(request: web.Request, scope: Scope) -> Principal:
    kind, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    challenge: dict[str, str] = {hdrs.WWW_AUTHENTICATE: "Bearer"}
    if kind.lower() != "bearer" or not token:
        raise Problem(UNAUTHENTICATED, headers=challenge)
    principal = await request.app[keys.AUTHENTICATOR].authenticate(token.strip())
    if scope not in principal.scopes:
        challenge[hdrs.WWW_AUTHENTICATE] = f'Bearer error="insufficient_scope", scope="{scope}"'
        raise Problem(FORBIDDEN, f"The token lacks the scope `{scope}`. Make one with it.", headers=challenge)
    return principal
