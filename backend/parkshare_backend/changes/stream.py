"""One client that follows its account's changes on a WebSocket (docs/protocol/http.md, "What changed since").

There is no queue in memory: the log on disk is the queue. At most PAGE changes are under way, the socket's own
buffer holds back whoever reads slowly, and one who does not read for SEND_WITHIN is sent away; it comes back with
`after` and has missed nothing.

The token is looked at before every page and every beat, so nothing is told to one that was revoked or has expired.
"""

import asyncio
import contextlib
from enum import IntEnum
from urllib.parse import urlsplit

import structlog
from aiohttp import WSMsgType, hdrs, web
from pydantic import BaseModel, ValidationError

from parkshare_backend import keys
from parkshare_backend.changes.models import (
    AuthFrame,
    BeatFrame,
    Change,
    ChangesFrame,
    ProblemFrame,
    ReadyFrame,
    StreamQuery,
)
from parkshare_backend.changes.service import CHANGES_GONE, TOO_MANY_STREAMS, ChangeLog
from parkshare_backend.clock import Clock
from parkshare_backend.http.api import CALLER
from parkshare_backend.http.auth import Authenticator, Principal, Scope
from parkshare_backend.http.bodies import read_query
from parkshare_backend.http.limits import Rate
from parkshare_backend.http.problems import BAD_REQUEST, FORBIDDEN, UNAUTHENTICATED, Problem, define

log = structlog.get_logger()

PATH = "/api/v1/changes/stream"
PAGE = 100  # changes of one frame
AUTH_WITHIN = 10.0  # seconds
SEND_WITHIN = 20.0  # seconds that one frame may wait for a client that does not read
BEAT = 30.0  # seconds; most proxies end a connection on which nothing moves for a minute
PING_EVERY = 30.0  # seconds; a client that does not answer a ping within half of it is gone
MAX_FRAME = 4096  # bytes of what a client says

FOREIGN_ORIGIN = define(
    "foreign-origin",
    403,
    "The page belongs to somebody else",
    "A browser may open this WebSocket only from a page of this server. The operator can set PARKSHARE_PUBLIC_URL.",
)


class Close(IntEnum):
    """Why a stream ends, and so what the client does next; the numbers are those of the link where they agree."""

    BAD_FRAME = 4400
    UNAUTHENTICATED = 4401  # sign in again
    FORBIDDEN = 4403  # the token lacks the scope
    NO_AUTH = 4408
    GONE = 4410  # load everything anew, then follow from `head`
    TOO_SLOW = 4413  # come back with `after`
    TOO_MANY = 4429
    RESTARTING = 4503  # come back in a moment with `after`


_CLOSES = {CHANGES_GONE: Close.GONE, FORBIDDEN: Close.FORBIDDEN, TOO_MANY_STREAMS: Close.TOO_MANY}


class Stream:
    """One connection, from the token to the close."""

    def __init__(
        self,
        *,
        changes: ChangeLog,
        authenticator: Authenticator,
        clock: Clock,
        socket: web.WebSocketResponse,
        after: int,
    ) -> None:
        self._changes = changes
        self._authenticator = authenticator
        self._clock = clock
        self._socket = socket
        self._after = after
        self._token = ""
        self._wake = asyncio.Event()
        self._ending: tuple[int, str] | None = None

    def end_for_restart(self) -> None:
        """End: the server goes down."""
        self._end(Close.RESTARTING, "restarting")

    def look(self) -> None:
        """Look at the token again: it may be revoked."""
        self._wake.set()

    async def run(self, token: str | None) -> None:
        """Serve until one side leaves; token is that of the header, if there was one."""
        try:
            if token is None:
                token = await self._first_frame()
            if token is not None:
                self._token = token
                await self._follow()
        except Problem as problem:
            await self._refuse(problem)
        except ConnectionError:
            pass
        code, why = self._ending or (1000, "")
        with contextlib.suppress(ConnectionError, TimeoutError):
            await self._socket.close(code=code, message=why.encode()[:100])

    def _end(self, code: int, why: str) -> None:
        self._ending = self._ending or (code, why)
        self._wake.set()

    async def _first_frame(self) -> str | None:
        try:
            async with asyncio.timeout(AUTH_WITHIN):
                message = await self._socket.receive()
        except TimeoutError:
            self._end(Close.NO_AUTH, "no auth in time")
            return None
        if message.type is not WSMsgType.TEXT:
            if message.type is WSMsgType.BINARY:
                self._end(Close.BAD_FRAME, "auth is expected first, as text")
            return None
        try:
            return AuthFrame.model_validate_json(message.data).token.get_secret_value()
        except ValidationError:
            self._end(Close.BAD_FRAME, "auth is expected first")
            return None

    async def _follow(self) -> None:
        account = (await allowed(self._authenticator, self._token)).account
        self._changes.enter(account, self)
        stop_listening = self._changes.listen(account, self._wake.set)
        reading = asyncio.create_task(self._read(), name="changes-read")
        try:
            # Who is too far behind is told before it is told that it is ready.
            await self._changes.after(account, self._after, limit=1)
            await self._send(ReadyFrame(after=self._after, head=await self._changes.head(account), beat=BEAT))
            while self._ending is None and not reading.done():
                await self._turn(account)
        finally:
            stop_listening()
            self._changes.leave(account, self)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _turn(self, account: str) -> None:
        """Send what there is, or wait for it; a beat when there was nothing for a while."""
        self._wake.clear()
        await allowed(self._authenticator, self._token)
        events = await self._changes.after(account, self._after, limit=PAGE)
        if events:
            self._after = events[-1].q
            await self._send(ChangesFrame(items=[Change.of(event) for event in events], next=self._after))
            return
        try:
            async with asyncio.timeout(BEAT):
                await self._wake.wait()
        except TimeoutError:
            await self._send(BeatFrame(time=self._clock.now()))

    async def _read(self) -> None:
        """Read until the client leaves; it has nothing to say, and a newer one may say something."""
        async for _ in self._socket:
            pass
        self._wake.set()

    async def _send(self, frame: BaseModel) -> None:
        try:
            async with asyncio.timeout(SEND_WITHIN):
                await self._socket.send_str(frame.model_dump_json())
        except TimeoutError:
            self._end(Close.TOO_SLOW, "does not read")
            raise ConnectionResetError("the client does not read") from None

    async def _refuse(self, problem: Problem) -> None:
        with contextlib.suppress(ConnectionError):
            await self._send(ProblemFrame(problem=problem.document()))
        self._end(_CLOSES.get(problem.kind, Close.UNAUTHENTICATED), problem.kind.title)


async def allowed(authenticator: Authenticator, token: str) -> Principal:
    """Give the principal of a token that may read changes."""
    principal = await authenticator.authenticate(token)
    if Scope.BOOKINGS not in principal.scopes:
        raise Problem(FORBIDDEN, f"The token lacks the scope `{Scope.BOOKINGS}`. Make one with it.")
    return principal


def ours(origin: str, public_url: str) -> bool:
    """Tell whether a page of this origin (RFC 6454) is one of the public address."""
    public = urlsplit(public_url)
    return origin.lower() == f"{public.scheme}://{public.netloc}".lower()


async def stream(request: web.Request) -> web.WebSocketResponse:
    """Follow the changes of an account."""
    app = request.app
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and not ours(origin, app[keys.SETTINGS].public_url):
        raise Problem(FOREIGN_ORIGIN)
    query = read_query(request, StreamQuery)
    app[keys.LIMITER].hit(f"address:{request[CALLER].address}", Rate.NORMAL)
    token = bearer(request)
    if token is not None:
        # As everywhere: a wrong token is refused before anything is opened.
        await allowed(app[keys.AUTHENTICATOR], token)
    socket = web.WebSocketResponse(heartbeat=PING_EVERY, max_msg_size=MAX_FRAME, compress=False)
    if not socket.can_prepare(request):
        raise Problem(BAD_REQUEST, "This address speaks WebSocket. Open it with a WebSocket client, or ask `/changes`.")
    await socket.prepare(request)
    following = Stream(
        changes=app[keys.CHANGES],
        authenticator=app[keys.AUTHENTICATOR],
        clock=app[keys.CLOCK],
        socket=socket,
        after=query.after,
    )
    await following.run(token)
    return socket


def bearer(request: web.Request) -> str | None:
    """Give the token of the header; None when there is no header."""
    if hdrs.AUTHORIZATION not in request.headers:
        return None
    kind, _, token = request.headers[hdrs.AUTHORIZATION].partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Problem(UNAUTHENTICATED, headers={hdrs.WWW_AUTHENTICATE: "Bearer"})
    return token.strip()


def setup(app: web.Application) -> None:
    """Add the one address; a WebSocket is no operation of the OpenAPI document (docs/asyncapi.json has it)."""
    app.router.add_get(PATH, stream, allow_head=False)
    app.on_shutdown.append(_end_streams)


async def _end_streams(app: web.Application) -> None:
    app[keys.CHANGES].restart()
