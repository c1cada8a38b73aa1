"""What happens around every request: its id, the caller's address, limits, problems, headers, one log line."""

import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import orjson
import structlog
from aiohttp import web
from structlog.contextvars import bind_contextvars

from parkshare_backend import keys
from parkshare_backend.clock import new_id
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
from parkshare_backend.store.engine import UNABLE

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger()

# Nothing of ours runs scripts or is framed; pages add the stylesheet that they need.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
}
_QUIET = {"/healthz", "/readyz"}
_STATUS_KINDS = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED, 413: TOO_LARGE}
_SERVER_ERROR = 500


# Set on every answer that does not have one of them itself.
_HEADERS = SECURITY_HEADERS | {"Cache-Control": "no-store"}
_PAGES_SET = ("Content-Security-Policy", "Cache-Control", "Cross-Origin-Resource-Policy")


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Name the request, log it, and turn whatever goes wrong into a problem."""
    started, request_id = time.perf_counter(), new_id()
    # Not taken back: the task belongs to the connection, and the next request on it binds its own.
    bind_contextvars(request=request_id)
    response = await _answer(request, handler)
    app = request.app
    route = request.match_info.route.resource
    path = route.canonical if route else "(unknown)"
    took_s = time.perf_counter() - started
    app[keys.METRICS].requests.observe(path, request.method, response.status, took_s)
    if path not in _QUIET:
        app[keys.ACCESS].answered(request.method, path, response.status, took_s, hot=HOT in request)
    if not response.prepared:
        _dress(request, response, request_id)
    return response


def _dress(request: web.Request, response: web.StreamResponse, request_id: str) -> None:
    """Add what every answer carries; what the handler said stands."""
    headers = response.headers
    headers["X-Request-Id"] = request_id
    if any(name in headers for name in _PAGES_SET):
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
    else:
        headers.extend(_HEADERS)
    if (left := request.get(LIMIT)) is not None and "RateLimit" not in headers:
        headers["RateLimit-Policy"], headers["RateLimit"] = left


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        request[ADDRESS] = line_of(caller_address(request))
        request.app[keys.LIMITER].hit(f"address:{request[ADDRESS]}", None)
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


def caller_address(request: web.Request) -> str:
    """Give the caller's IP address; a proxy's word counts only when the operator trusts its network.

    The last untrusted address of X-Forwarded-For is the caller: what stands left of it the caller wrote.
    """
    address = request.remote or "unknown"
    trusted = request.app[keys.SETTINGS].trusted_proxies
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    while hops and trusted:
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
