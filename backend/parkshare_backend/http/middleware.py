"""What happens around every request: its id, the caller's address, limits, problems, headers, one log line."""

import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_address

import orjson
import structlog
from aiohttp import web
from structlog.contextvars import bound_contextvars

from parkshare_backend import keys
from parkshare_backend.clock import new_id
from parkshare_backend.http.api import ADDRESS
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


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Name the request, log it, and turn whatever goes wrong into a problem."""
    started, request_id = time.perf_counter(), new_id()
    with bound_contextvars(request=request_id):
        response = await _answer(request, handler)
        route = request.match_info.route.resource
        path = route.canonical if route else "(unknown)"
        if path not in _QUIET:
            took_ms = round((time.perf_counter() - started) * 1000, 1)
            log.info("http", method=request.method, path=path, status=response.status, took_ms=took_ms)
    if not response.prepared:
        response.headers["X-Request-Id"] = request_id
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
    return response


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
