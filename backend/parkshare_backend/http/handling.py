"""From a request to a route's function and back: who calls, how often, what they sent; then what is answered."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import hdrs, web
from pydantic import BaseModel, TypeAdapter

from parkshare_backend import keys
from parkshare_backend.http.answers import JsonAnswer
from parkshare_backend.http.auth import AnyScope, Principal, Scope
from parkshare_backend.http.bodies import is_lenient, read_body, read_path, read_query
from parkshare_backend.http.conditional import PRECONDITION_REQUIRED, etag, unchanged
from parkshare_backend.http.context import ADDRESS, HOT, LIMIT, Context, Reply, Written
from parkshare_backend.http.idempotency import KEY_NEEDED, Asked, key_of
from parkshare_backend.http.problems import FORBIDDEN, UNAUTHENTICATED, Problem
from parkshare_backend.store.engine import ConflictError

if TYPE_CHECKING:
    from parkshare_backend.http.api import Route

NO_CONTENT = 204
NOT_MODIFIED = 304
_SAFE = (hdrs.METH_GET, hdrs.METH_HEAD)

type Handle = Callable[[web.Request], Awaitable[web.Response]]


def handler_of(route: Route, app: web.Application) -> Handle:
    """Make the aiohttp handler of a route."""
    path_types: dict[str, TypeAdapter[str]] = {name: TypeAdapter(kind) for name, kind in route.path_types.items()}
    deprecation = route.deprecated.headers if route.deprecated else {}

    async def handle(request: web.Request) -> web.Response:
        address = request[ADDRESS]
        if route.hot:
            request[HOT] = True
        principal = await _principal(app, request, route.scope) if route.scope else None
        caller = f"account:{principal.account}" if principal else f"address:{address}"
        if (left := app[keys.LIMITER].hit(caller, route.rate)) is not None:
            request[LIMIT] = left
        path = read_path(request, path_types) if path_types else {}
        query = read_query(request, route.query) if route.query else None
        if route.if_match and hdrs.IF_MATCH not in request.headers:
            raise Problem(PRECONDITION_REQUIRED)
        context = Context(app, request, path, address, principal, query)
        body = await read_body(request, route.request) if route.request else None

        async def work() -> web.Response:
            answer = await (route.handler(context) if body is None else route.handler(context, body))
            return render(answer, route.status, request)

        if route.hot:
            response = await _mostly_once(app, work)
        elif route.creates and principal is not None:
            response = await _once(app, request, route, principal.account, work)
        else:
            response = await app[keys.STORE].again(work)
        if deprecation:
            response.headers.update(deprecation)
        if "Prefer" in request.headers and is_lenient(request):
            response.headers["Preference-Applied"] = "handling=lenient"
        return response

    return handle


async def _mostly_once(app: web.Application, work: Callable[[], Awaitable[web.Response]]) -> web.Response:
    """Do work that hardly ever writes, so that what `again` prepares for a conflict would be for nothing."""
    try:
        return await work()
    except ConflictError:
        return await app[keys.STORE].again(work)


async def _once(
    app: web.Application, request: web.Request, route: Route, account: str, work: Callable[[], Awaitable[web.Response]]
) -> web.Response:
    key = key_of(request)
    if key is None:
        if not route.key_optional:
            raise Problem(KEY_NEEDED)
        return await app[keys.STORE].again(work)
    body = await request.read() if route.request else b""
    asked = Asked(account=account, key=key, method=request.method, path=request.path, body=body)
    return await app[keys.IDEMPOTENCY].once(asked, work)


def render(
    answer: BaseModel | Written | Reply | web.Response | None, status: int, request: web.Request
) -> web.Response:
    """Write a handler's answer as JSON, with its tag; one that the caller has already is not sent again."""
    if isinstance(answer, (BaseModel, dict)):
        return JsonAnswer(json_of(answer), status=status)
    if isinstance(answer, web.Response):
        return answer
    reply = answer if isinstance(answer, Reply) else Reply(answer)
    if reply.body is None:
        return web.Response(status=reply.status or NO_CONTENT, headers=reply.headers)
    body = json_of(reply.body)
    response: web.Response = JsonAnswer(body, status=reply.status or status)
    if reply.headers:
        response.headers.update(reply.headers)
    if reply.revision is not None:
        tag = etag(reply.revision, body)
        if request.method in _SAFE and unchanged(request, tag):
            response = web.Response(status=NOT_MODIFIED, headers=reply.headers)
        response.headers[hdrs.ETAG] = tag
    return response


def json_of(answer: BaseModel | Written) -> bytes:
    """Write an answer as JSON."""
    if not isinstance(answer, BaseModel):
        return orjson.dumps(answer)
    serializer: Any = type(answer).__pydantic_serializer__
    written: bytes = serializer.to_json(answer)
    return written


async def _principal(app: web.Application, request: web.Request, scope: Scope | AnyScope) -> Principal:
    kind, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise Problem(UNAUTHENTICATED, headers={hdrs.WWW_AUTHENTICATE: "Bearer"})
    principal = await app[keys.AUTHENTICATOR].authenticate(token.strip())
    if isinstance(scope, Scope) and scope not in principal.scopes:
        challenge: dict[str, str] = {hdrs.WWW_AUTHENTICATE: f'Bearer error="insufficient_scope", scope="{scope}"'}
        raise Problem(FORBIDDEN, f"The token lacks the scope `{scope}`. Make one with it.", headers=challenge)
    return principal
