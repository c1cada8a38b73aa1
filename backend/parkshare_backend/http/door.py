"""A door in front of the application, for the operations whose address is a fixed text.

aiohttp finds a route in steps that suit every address, and passes the request through a chain that it makes for each
application. For an address without a name in it one look-up is enough: 10 µs less for each request. What happens then
is the same, line by line: `Reception.attend` and the route's own handler. Everything else goes on to the application.
"""

from collections.abc import Awaitable, Callable
from typing import cast

from aiohttp import hdrs, web

from parkshare_backend import keys
from parkshare_backend.http.answers import JsonAnswer
from parkshare_backend.http.api import Route
from parkshare_backend.http.handling import Handle, handler_of

type Attend = Callable[[web.Request, Handle, str], Awaitable[web.StreamResponse | JsonAnswer]]
type Behind = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def hang(runner: web.AppRunner) -> None:
    """Put the door before the application of a runner that is set up and has no connection yet."""
    server = runner.server
    if server is None:
        raise RuntimeError("the runner is not set up")
    server.request_handler = Door(runner.app, server.request_handler)


class Door:
    """Answers what it knows, and passes on the rest."""

    def __init__(self, app: web.Application, behind: Behind) -> None:
        self._behind = behind
        self._known = _by_address(app, app[keys.API])

    def __call__(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        """Answer a request."""
        found = self._known.get((request.method, request.raw_path))
        if found is None or hdrs.EXPECT in request.headers:
            return self._behind(request)
        attend, handle, path = found
        # A JsonAnswer has all that the server asks of an answer.
        return cast("Awaitable[web.StreamResponse]", attend(cast("web.Request", request), handle, path))


def _by_address(app: web.Application, routes: tuple[Route, ...]) -> dict[tuple[str, str], tuple[Attend, Handle, str]]:
    return {
        (route.method, route.path): (app[keys.RECEPTION].attend, handler_of(route, app), route.path)
        for route in routes
        if "{" not in route.path
    }
