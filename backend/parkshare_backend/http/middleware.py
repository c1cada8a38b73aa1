"""What happens around every request: its id, the caller's address, limits, problems, headers, one log line."""

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from time import perf_counter
from typing import cast

import orjson
import structlog
from aiohttp import web

from parkshare_backend import keys
from parkshare_backend.http.answers import JsonAnswer, dress
from parkshare_backend.http.context import CALLER, Caller
from parkshare_backend.http.limits import line_of
from parkshare_backend.http.problems import (
    BAD_REQUEST,
    CONTENT_TYPE,
    INTERNAL,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    TOO_LARGE,
    UNAVAILABLE,
    Kind,
    Problem,
)
from parkshare_backend.http.request_ids import next_request_id
from parkshare_backend.logs import REQUEST
from parkshare_backend.store.engine import UNABLE

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
type Attended = Callable[[web.Request, Caller], Awaitable[web.StreamResponse | JsonAnswer]]
type Network = IPv4Network | IPv6Network

log = structlog.get_logger()

_QUIET = {"/healthz", "/readyz"}
_STATUS_KINDS = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED, 413: TOO_LARGE}
_SERVER_ERROR = 500


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Attend a request that came through the application."""
    route = request.match_info.route.resource
    path = route.canonical if route else "(unknown)"

    async def attended(request: web.Request, caller: Caller) -> web.StreamResponse:
        request[CALLER] = caller
        return await handler(request)

    return cast("web.StreamResponse", await request.app[keys.RECEPTION].attend(request, attended, path))


class Reception:
    """Attends every request of an application, whichever way it came in."""

    def __init__(self, app: web.Application) -> None:
        # Looked up once, not for each request.
        self._clock = app[keys.CLOCK]
        self._trusted = app[keys.SETTINGS].trusted_proxies
        self._limiter = app[keys.LIMITER]
        self._times = app[keys.METRICS].requests
        self._access = app[keys.ACCESS]
        self._hot = {(route.method, route.path) for route in app[keys.API] if route.hot}

    async def attend(self, request: web.Request, handler: Attended, path: str) -> web.StreamResponse | JsonAnswer:
        """Name the request, log it, and turn whatever goes wrong into a problem; path is the canonical one."""
        started, request_id = perf_counter(), next_request_id()
        # Not taken back: the task belongs to the connection, and the next request on it sets its own.
        REQUEST.set(request_id)
        caller = Caller(line_of(caller_address(request, self._trusted)), self._clock.now())
        try:
            self._limiter.hit(f"address:{caller.address}", None, now=caller.at)
            response = await handler(request, caller)
        except Problem as problem:
            response = problem_response(problem)
        except web.HTTPException as error:
            response = _named(error)
        except web.RequestPayloadError:
            detail = "The body ends early or is not encoded as its headers say."
            response = problem_response(Problem(BAD_REQUEST, detail))
        except UNABLE:
            log.exception("http.unavailable", method=request.method)
            response = problem_response(Problem(UNAVAILABLE, headers={"Retry-After": "5"}))
        except ConnectionError, TimeoutError:
            raise
        except Exception:
            log.exception("http.failed", method=request.method)
            response = problem_response(Problem(INTERNAL))
        method, status, took_s = request.method, response.status, perf_counter() - started
        self._times.observe(path, method, status, took_s)
        if path not in _QUIET:
            self._access.answered(method, path, status, took_s, hot=(method, path) in self._hot)
        if type(response) is JsonAnswer or not response.prepared:
            dress(response, request_id, caller.left)
        return response


def _named(error: web.HTTPException) -> web.StreamResponse:
    """Turn what aiohttp itself refuses into a problem."""
    if error.status < 400:  # noqa: PLR2004 - a redirect
        return error
    allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
    return problem_response(Problem(_kind(error.status), headers=allow), status=error.status)


def problem_response(problem: Problem, *, status: int | None = None) -> web.Response:
    """Render a problem (RFC 9457)."""
    document = problem.document() | ({"status": status} if status else {})
    return web.Response(
        status=status or problem.status, body=orjson.dumps(document), content_type=CONTENT_TYPE, headers=problem.headers
    )


def caller_address(request: web.Request, trusted: Sequence[Network]) -> str:
    """Give the caller's IP address; a proxy's word counts only when the operator trusts its network.

    The last untrusted address of X-Forwarded-For is the caller: what stands left of it the caller wrote.
    """
    address = request.remote or "unknown"
    if not trusted:
        return address[:64]
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    while hops:
        try:
            known = ip_address(address)
        except ValueError:
            break
        if not any(known in network for network in trusted):
            break
        address = hops.pop()
    return address[:64]


def _kind(status: int) -> Kind:
    if status >= _SERVER_ERROR:
        return INTERNAL
    return _STATUS_KINDS.get(status, BAD_REQUEST)
