"""What happens around every request: its id, the caller's address, limits, problems, headers, one log line."""

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from time import perf_counter

import orjson
import structlog
from aiohttp import web
from structlog.contextvars import bind_contextvars

from parkshare_backend import keys
from parkshare_backend.http.answers import dress
from parkshare_backend.http.context import ADDRESS, HOT, LIMIT
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
from parkshare_backend.store.engine import UNABLE

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
type Network = IPv4Network | IPv6Network

log = structlog.get_logger()

_QUIET = {"/healthz", "/readyz"}
_STATUS_KINDS = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED, 413: TOO_LARGE}
_SERVER_ERROR = 500


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Attend a request that came through the application."""
    route = request.match_info.route.resource
    return await attend(request.app, request, handler, route.canonical if route else "(unknown)")


async def attend(app: web.Application, request: web.Request, handler: Handler, path: str) -> web.StreamResponse:
    """Name the request, log it, and turn whatever goes wrong into a problem; path is the canonical one."""
    started, request_id = perf_counter(), next_request_id()
    # Not taken back: the task belongs to the connection, and the next request on it binds its own.
    bind_contextvars(request=request_id)
    response = await _answer(app, request, handler)
    took_s = perf_counter() - started
    app[keys.METRICS].requests.observe(path, request.method, response.status, took_s)
    if path not in _QUIET:
        app[keys.ACCESS].answered(request.method, path, response.status, took_s, hot=HOT in request)
    if not response.prepared:
        dress(response, request_id, request.get(LIMIT))
    return response


async def _answer(app: web.Application, request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        address = request[ADDRESS] = line_of(caller_address(request, app[keys.SETTINGS].trusted_proxies))
        app[keys.LIMITER].hit(f"address:{address}", None)
        return await handler(request)
    except Problem as problem:
        return problem_response(problem)
    except web.HTTPException as error:
        return _named(error)
    except web.RequestPayloadError:
        return problem_response(Problem(BAD_REQUEST, "The body ends early or is not encoded as its headers say."))
    except UNABLE:
        log.exception("http.unavailable", method=request.method)
        return problem_response(Problem(UNAVAILABLE, headers={"Retry-After": "5"}))
    except ConnectionError, TimeoutError:
        raise
    except Exception:
        log.exception("http.failed", method=request.method)
        return problem_response(Problem(INTERNAL))


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
