"""One connection of one house (docs/protocol/link.md).

Four tasks for each connection: the reader (frames in order; an event is on disk before it counts as
heard), the sender (the outbox, from where the house left off, at most WINDOW under way), the acknowledger
and the pruner. The first that ends ends the others; `_end` holds the close code.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import structlog
from aiohttp import WSMsgType, web

from parkshare_backend.accounts.installs import Install
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.link.proof import Challenge, Refused, prove
from parkshare_backend.link.protocol import (
    ACK_AFTER,
    ACK_EVERY,
    ANSWER_WITHIN,
    AUTH_WITHIN,
    BEAT,
    MAX_FRAME,
    VERSION,
    WINDOW,
    Ack,
    Auth,
    BadFrame,
    Bye,
    Close,
    Ev,
    Flow,
    Req,
    decode,
    encode,
)
from parkshare_backend.link.service import LinkService
from parkshare_backend.link.snapshots import parts_of
from parkshare_backend.store.outbox import install_audience

log = structlog.get_logger()

SEND_WITHIN = 20.0  # seconds that one frame may wait for a house that does not read
HINT_WITHIN = 5.0  # seconds; somebody waits at a gate
PRUNE_EVERY = 1.0  # seconds
UNACKED_WITHIN = 120.0  # seconds that a full window may stand still before the house counts as too slow
INTERNAL_ERROR = 1011  # RFC 6455: our own defect; the house comes back


class Session:
    """One house on one WebSocket, from hello to close."""

    def __init__(self, *, service: LinkService, socket: web.WebSocketResponse, challenge: Challenge) -> None:
        self._service = service
        self._socket = socket
        self._challenge = challenge
        self._ending: tuple[int, str] | None = None
        self._ended = asyncio.Event()
        self._wake = asyncio.Event()  # for the sender: a new fact, an ack, or flow
        self._ack_due = asyncio.Event()
        self._prune_due = asyncio.Event()
        self._send_lock = asyncio.Lock()
        self._paused = False
        self._ready = False
        self._sent = self._acked = 0  # of the server's log
        self._heard = self._told = 0  # of the house's log: stored, and acknowledged
        self._install: Install | None = None

    @property
    def install(self) -> Install:
        """The house, once it has proved itself."""
        if self._install is None:
            raise RuntimeError("the house has not proved itself")
        return self._install

    def take_over(self) -> None:
        """End: a newer connection of the same house took over."""
        self._end(Close.TAKEN_OVER, "a newer connection took over")

    def revoke(self) -> None:
        """End: the house is revoked."""
        self._end(Close.REVOKED, "revoked")

    async def restart(self, retry_after: float) -> None:
        """Say bye and end: the server goes down."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(1):
                await self._send("bye", why="restarting", retry_after=retry_after)
        self._end(Close.RESTARTING, "restarting")

    async def hint(self, t: str, d: dict[str, Any]) -> bool:
        """Say something once, on no disk on the way; tell whether it went out."""
        if not self._ready or self._ended.is_set():
            return False
        try:
            async with asyncio.timeout(HINT_WITHIN):
                await self._send("eph", t=t, d=d)
        except ConnectionError, TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Serve the house until one side leaves."""
        try:
            auth = await self._prove()
            if auth is not None:
                await self._serve(auth)
        except BadFrame as error:
            self._end(Close.BAD_FRAME, str(error))
        except ConnectionError:
            pass
        code, why = self._ending or (1000, "")
        with contextlib.suppress(ConnectionError, TimeoutError):
            await self._socket.close(code=code, message=why.encode()[:100])

    def _end(self, code: int, why: str) -> None:
        self._ending = self._ending or (code, why)
        self._ended.set()

    async def _send(self, k: str, **members: Any) -> None:
        async with self._send_lock:
            if self._socket.closed:
                raise ConnectionResetError("the house is gone")
            await self._socket.send_str(encode(k, **members))

    async def _prove(self) -> Auth | None:
        """Say hello and check the answer; None when the house does not get in (the close code is set)."""
        service = self._service
        await self._send(
            "hello",
            v=[VERSION, VERSION],
            server=service.server,
            epoch=service.epoch,
            nonce=self._challenge.nonce,
            time=self._challenge.time,
            beat=BEAT,
            window=WINDOW,
        )
        try:
            async with asyncio.timeout(AUTH_WITHIN):
                frame = await anext(aiter(self._frames()), None)
        except TimeoutError:
            self._end(Close.NO_AUTH, "no auth in time")
            return None
        if frame is None:
            return None
        if not isinstance(frame, Auth):
            raise BadFrame("auth is expected first")
        try:
            self._install = await prove(frame, self._challenge, service)
        except Refused as refused:
            log.info("link.refused", problem=refused.kind.code)
            await self._send("refused", type=refused.kind.type)
            self._end(refused.close, refused.kind.title)
            return None
        return frame

    async def _serve(self, auth: Auth) -> None:
        service, install = self._service, self.install
        stop_listening = service.outbox.listen(install_audience(install.id), self._wake.set)
        tasks: list[asyncio.Task[None]] = []
        name = ""
        try:
            name = await service.enter(install.id, self)
            log.info("link.connected", install=install.id)
            tasks.append(asyncio.create_task(self._ended_by_others(), name="link-ended"))
            if await self._resume(auth):
                parts = (self._read(), self._send_events(), self._acknowledge(), self._prune())
                tasks += [asyncio.create_task(part, name="link-part") for part in parts]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop_listening()
            await self._gather(tasks)
            await service.leave(install.id, self, name)
            log.info("link.disconnected", install=install.id, code=self._ending and self._ending[0])

    async def _gather(self, tasks: list[asyncio.Task[None]]) -> None:
        """Stop what still runs; a defect of ours ends the connection, and the house comes back."""
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            match outcome:
                case BadFrame():
                    self._end(Close.BAD_FRAME, str(outcome))
                case None | asyncio.CancelledError() | ConnectionError():
                    pass
                case _:
                    log.error("link.failed", install=self.install.id, exc_info=outcome)
                    self._end(INTERNAL_ERROR, "internal error")

    async def _ended_by_others(self) -> None:
        await self._ended.wait()

    async def _resume(self, auth: Auth) -> bool:
        """Say ready and, when the house cannot go on from where it was, send it whole collections."""
        service, install = self._service, self.install
        plan = await service.resume(install, epoch=auth.epoch, got=auth.got)
        if plan is None:
            self._end(Close.RESTARTING, "the log starts over")
            return False
        self._heard = self._told = plan.received
        self._sent = self._acked = plan.start
        if plan.resumed:
            self._prune_due.set()
        await self._send("ready", resumed=plan.resumed, head=plan.head, got=plan.received)
        self._ready = True
        for of, rows in plan.snapshots.items():
            parts = parts_of(rows)
            for number, part in enumerate(parts, 1):
                await self._patiently("snap", of=of, q=plan.start, part=number, parts=len(parts), d=part)
        return not self._ended.is_set()

    async def _patiently(self, k: str, **members: Any) -> None:
        try:
            async with asyncio.timeout(SEND_WITHIN):
                await self._send(k, **members)
        except TimeoutError:
            self._end(Close.TOO_SLOW, "does not read")
            raise ConnectionResetError("the house does not read") from None

    async def _frames(self) -> AsyncIterator[Any]:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                raise BadFrame("only text frames are spoken here")
            yield decode(message.data)

    async def _read(self) -> None:
        async for frame in self._frames():
            match frame:
                case Ev():
                    await self._service.accept(self.install, frame)
                    self._heard = max(self._heard, frame.q)
                    self._ack_due.set()
                    if self._heard - self._told >= ACK_EVERY or frame.q <= self._told:
                        await self._tell(again=True)
                case Ack():
                    self._house_has(frame.q)
                case Req():
                    await self._answer(frame)
                case Flow():
                    self._paused = frame.paused
                    self._wake.set()
                case Bye():
                    return
                case Auth():
                    raise BadFrame("auth comes once")
                case _:
                    pass  # a droppable word, or a kind of frame that a newer house knows

    async def _answer(self, request: Req) -> None:
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                answer = await self._service.answer(self.install, request)
        except TimeoutError:
            answer = self._service.too_late()
        await self._patiently("res", id=request.id, **answer)

    def _house_has(self, q: int) -> None:
        if q > self._sent:
            raise BadFrame("ack of an event that was not sent")
        if q >= self._acked:  # the same again prunes what a snapshot made needless
            self._acked = q
            self._wake.set()
            self._prune_due.set()

    async def _tell(self, *, again: bool = False) -> None:
        if again or self._heard > self._told:
            self._told = self._heard
            await self._patiently("ack", q=self._told)

    async def _acknowledge(self) -> None:
        """Acknowledge soon after the first event that was not; several share one ack."""
        while True:
            await self._ack_due.wait()
            await asyncio.sleep(ACK_AFTER)
            self._ack_due.clear()
            await self._tell()

    async def _prune(self) -> None:
        """Forget what the house has, once in a while: an ack alone is not worth a transaction.

        What a crash leaves behind is forgotten when the house comes back and says how far it got.
        """
        while True:
            await self._prune_due.wait()
            self._prune_due.clear()
            await self._service.acknowledged(install_audience(self.install.id), self._acked)
            await asyncio.sleep(PRUNE_EVERY)

    async def _send_events(self) -> None:
        audience = install_audience(self.install.id)
        while True:
            self._wake.clear()
            room = WINDOW - (self._sent - self._acked)
            if room > 0 and not self._paused:
                async with self._service.store.read() as tx:
                    events = await self._service.outbox.after(tx, audience, self._sent, limit=room)
                for event in events:
                    self._sent = event.q
                    await self._patiently("ev", q=event.q, id=event.id, t=event.t, at=to_rfc3339(event.at), d=event.d)
            try:
                async with asyncio.timeout(None if room > 0 else UNACKED_WITHIN):
                    await self._wake.wait()
            except TimeoutError:
                self._end(Close.TOO_SLOW, "does not acknowledge")
                return


async def serve_link(request: web.Request, *, service: LinkService, challenge: Challenge) -> web.WebSocketResponse:
    """Serve one house on a WebSocket."""
    socket = web.WebSocketResponse(heartbeat=BEAT, max_msg_size=MAX_FRAME, compress=False)
    await socket.prepare(request)
    await Session(service=service, socket=socket, challenge=challenge).run()
    return socket
