"""One connection of the link, from hello to close."""

import asyncio
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol
from uuid import uuid7

from aiohttp import ClientError, ClientWebSocketResponse, WSMsgType

from . import protocol as wire
from .facts import BadFactError, parse_time
from .journal import Journal
from .keys import HouseKeys

LOGGER: Final = logging.getLogger(__name__)
QUEUE_LIMIT: Final = 1024  # events; far beyond the backend's own window
FINISH_TIMEOUT: Final = 10.0  # s that an effect in progress may take after the connection is gone


class NotConnectedError(Exception):
    """There is no link now, or it went away before the answer."""


class RequestTimeoutError(Exception):
    """The backend did not answer in time."""


class RequestRefusedError(Exception):
    """The backend answered with a problem document."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or problem.get("type") or "refused"))
        self.problem = problem
        self.type = str(problem.get("type", ""))


class LinkState(StrEnum):
    """What the house knows of its link."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    TAKEN_OVER = "taken_over"  # by another process with our key: most likely a second Home Assistant
    WRONG_HOST = "wrong_host"
    UNTRUSTED = "untrusted"
    UPGRADE_NEEDED = "upgrade_needed"
    PAIR_AGAIN = "pair_again"


class LinkHandler(Protocol):
    """What the house does with what it hears. An effect is on disk when on_event or on_snapshot returns."""

    async def on_event(self, event: wire.Event) -> None:
        """Take a fact. Must stand being told twice."""

    async def on_snapshot(self, of: str, items: Sequence[dict[str, Any]]) -> None:
        """Replace a collection. Only ever called with a complete one."""

    def on_hint(self, t: str, d: Mapping[str, Any]) -> None:
        """Take a word that is told once or not at all, and is on no disk on the way. Must not block."""
        LOGGER.debug("Passed over a hint of %d fields: %s", len(d), t)

    def on_state(self, state: LinkState, why: str) -> None:
        """Note a change of the link."""

    def on_clock(self, at: float) -> None:
        """Hear what time it is at the backend right now; at is UTC epoch seconds."""
        LOGGER.debug("The backend's clock says %.0f", at)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnd:
    """How a connection ended. ready_for is how long it was usable, in seconds."""

    consequence: wire.Consequence
    why: str
    retry_after: float | None = None
    ready_for: float = 0.0


class Session:
    """One socket. serve() runs it to its end; request() and wake() are for the time in between."""

    def __init__(
        self,
        socket: ClientWebSocketResponse,
        *,
        host: str,
        install: str,
        keys: HouseKeys,
        journal: Journal,
        handler: LinkHandler,
        monotonic: Callable[[], float],
    ) -> None:
        self._socket = socket
        self._host = host
        self._install = install
        self._keys = keys
        self._journal = journal
        self._handler = handler
        self._monotonic = monotonic
        self._inbox: asyncio.Queue[wire.Event | wire.Snap | None] = asyncio.Queue()
        self._requests: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._request_ids = itertools.count(1)
        self._wake = asyncio.Event()
        self._paused = False
        self._told = 0
        self._window = 1
        self._epoch = ""
        self._retry_after: float | None = None
        self._ready_at: float | None = None

    async def serve(self) -> SessionEnd:
        """Run until the connection ends. Never raises but for cancellation."""
        try:
            if (refused := await self._enter()) is not None:
                return refused
            return await self._run()
        except wire.BadFrameError as err:
            await self._socket.close(code=wire.CloseCode.BAD_FRAME)
            return self._end(wire.Consequence.RETRY, f"the backend broke the protocol: {err}")
        except TimeoutError:
            return self._end(wire.Consequence.RETRY, "the backend does not answer")
        except _ClosedError, ClientError, OSError:
            return self._closed()
        finally:
            self._fail_requests()

    async def request(self, t: str, d: Mapping[str, Any], *, key: str | None = None) -> dict[str, Any]:
        """Ask the backend. Raises NotConnectedError, RequestTimeoutError, RequestRefusedError."""
        if self._ready_at is None or self._socket.closed:
            raise NotConnectedError
        request_id = f"r{next(self._request_ids)}"
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._requests[request_id] = answer
        try:
            async with asyncio.timeout(wire.REQUEST_TIMEOUT):
                await self._send(wire.request_frame(request_id, t, d, key or str(uuid7())))
                return await answer
        except TimeoutError as err:
            raise RequestTimeoutError(t) from err
        except (ClientError, OSError) as err:
            raise NotConnectedError from err
        finally:
            self._requests.pop(request_id, None)

    def wake(self) -> None:
        """Look again for events to tell."""
        self._wake.set()

    async def _enter(self) -> SessionEnd | None:
        """Prove ourselves; answers how it ended if we were not let in."""
        async with asyncio.timeout(wire.HELLO_TIMEOUT):
            hello = await self._receive()
            if not isinstance(hello, wire.Hello):
                raise wire.BadFrameError("hello expected")
            low, high = hello.versions
            if not low <= wire.VERSION <= high:
                await self._socket.close(code=wire.CloseCode.UPGRADE)
                return self._end(wire.Consequence.UPGRADE, f"the backend speaks versions {low} to {high}")
            self._tell_time(hello.time)
            message = wire.auth_message(host=self._host, install=self._install, nonce=hello.nonce, time=hello.time)
            await self._send(
                wire.auth_frame(
                    install=self._install,
                    sig=self._keys.prove(message),
                    epoch=self._journal.epoch,
                    got=self._journal.got,
                )
            )
            answer = await self._receive()
        if isinstance(answer, wire.Refused):
            self._retry_after = answer.retry_after
            consequence = wire.REFUSALS.get(answer.type, wire.Consequence.RETRY)
            return self._end(consequence, f"the backend refused: {answer.type}")
        if not isinstance(answer, wire.Ready):
            raise wire.BadFrameError("ready expected")
        self._epoch, self._window = hello.epoch, hello.window
        await self._journal.align(answer.got)
        self._ready_at = self._monotonic()
        return None

    def _tell_time(self, text: str) -> None:
        # It is signed as it is; to tell the time from it is beside that.
        with suppress(BadFactError):
            self._handler.on_clock(parse_time(text))

    async def _run(self) -> SessionEnd:
        self._handler.on_state(LinkState.CONNECTED, "")
        effects = asyncio.create_task(self._take_effects())
        telling = asyncio.create_task(self._tell())
        hearing = asyncio.create_task(self._hear())
        try:
            await asyncio.wait({effects, telling, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if not effects.done():
                # An effect in progress is finished, not torn: only what was not begun is left for the next time.
                while not self._inbox.empty():
                    self._inbox.get_nowait()
                self._inbox.put_nowait(None)
                await asyncio.wait({effects}, timeout=FINISH_TIMEOUT)
        finally:
            for task in (effects, telling, hearing):
                task.cancel()
            outcomes = await asyncio.gather(effects, telling, hearing, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, wire.BadFrameError):
                raise outcome
        if isinstance(failure := outcomes[0], Exception) and not isinstance(failure, ClientError | OSError):
            LOGGER.error("A fact could not be taken in; it will come again", exc_info=failure)
            await self._socket.close()
            return self._end(wire.Consequence.RETRY, "a fact could not be taken in")
        return self._closed()

    async def _hear(self) -> None:
        """Read frames until the connection ends. Facts are queued, so an answer never waits behind an effect."""
        while True:
            match await self._receive():
                case wire.Event() | wire.Snap() as frame:
                    if self._inbox.qsize() >= QUEUE_LIMIT:
                        raise wire.BadFrameError("more events than the window allows")
                    self._inbox.put_nowait(frame)
                case wire.Ack(q):
                    self._journal.acknowledged(q)
                    self._wake.set()
                case wire.Response() as response:
                    self._answer(response)
                case wire.Ephemeral(t, d):
                    self._hint(t, d)
                case wire.Flow(paused):
                    self._paused = paused
                    self._wake.set()
                case wire.Bye(_, retry_after):
                    self._retry_after = retry_after
                case frame:
                    LOGGER.debug("Ignored a frame: %s", type(frame).__name__)

    def _hint(self, t: str, d: Mapping[str, Any]) -> None:
        """Pass a hint on beside the facts: later it is worth nothing. A bad one costs no connection."""
        try:
            self._handler.on_hint(t, d)
        except Exception as err:  # noqa: BLE001 - not even the error's text is written down: it may hold a code
            LOGGER.warning("A hint could not be taken in: %s (%s)", t, type(err).__name__)

    async def _take_effects(self) -> None:
        """Take facts in, one after the other, and acknowledge what has had its effect."""
        unacknowledged = 0
        parts: list[wire.Snap] = []
        while (frame := await self._inbox.get()) is not None:
            if isinstance(frame, wire.Snap):
                parts = _gather_parts(parts, frame)
                if frame.part < frame.parts:
                    continue
                await self._handler.on_snapshot(frame.of, [item for part in parts for item in part.d])
                await self._journal.snapped(epoch=self._epoch, q=frame.q)
                parts = []
            elif not self._journal.is_repeat(frame):
                await self._handler.on_event(frame)
                await self._journal.received(frame, epoch=self._epoch)
            elif frame.q > self._journal.got:
                await self._journal.received(frame, epoch=self._epoch)
            unacknowledged += 1
            # Effects take milliseconds: acknowledging when nothing waits keeps well within the second that we have.
            if self._inbox.empty() or unacknowledged >= wire.ACK_AFTER_EVENTS:
                await self._send(wire.ack_frame(self._journal.got))
                unacknowledged = 0

    async def _tell(self) -> None:
        """Send our events, at most a window of them unacknowledged."""
        while True:
            self._wake.clear()
            # Looked up anew each time: while one is sent, the journal may merge those that were not.
            while not self._paused and (event := self._journal.after(self._told, within=self._window)) is not None:
                self._told = event.q
                self._journal.telling(event.q)
                await self._send(wire.event_frame(event))
            await self._wake.wait()

    async def _receive(self) -> wire.Frame:
        message = await self._socket.receive()
        if message.type is WSMsgType.TEXT:
            return wire.decode(message.data)
        if message.type is WSMsgType.BINARY:
            raise wire.BadFrameError("binary")
        raise _ClosedError

    async def _send(self, frame: Mapping[str, Any]) -> None:
        await self._socket.send_str(wire.encode(frame))

    def _answer(self, response: wire.Response) -> None:
        answer = self._requests.get(response.id)
        if answer is None or answer.done():
            return
        if response.ok:
            answer.set_result(response.d)
        else:
            answer.set_exception(RequestRefusedError(response.problem))

    def _fail_requests(self) -> None:
        for answer in self._requests.values():
            if not answer.done():
                answer.set_exception(NotConnectedError())

    def _closed(self) -> SessionEnd:
        code = self._socket.close_code or 0
        consequence = wire.CONSEQUENCES.get(code, wire.Consequence.RETRY)
        with suppress(ValueError):
            return self._end(consequence, f"the backend closed the link: {wire.CloseCode(code).name.lower()}")
        return self._end(consequence, "the link broke")

    def _end(self, consequence: wire.Consequence, why: str) -> SessionEnd:
        ready_for = 0.0 if self._ready_at is None else self._monotonic() - self._ready_at
        return SessionEnd(consequence=consequence, why=why, retry_after=self._retry_after, ready_for=ready_for)


class _ClosedError(Exception):
    """The socket is closed."""


def _gather_parts(parts: list[wire.Snap], snap: wire.Snap) -> list[wire.Snap]:
    """Add a part of a snapshot. Raises BadFrameError when one is missing: half a snapshot must never be believed."""
    gathered = [*(parts if snap.part > 1 else []), snap]
    whole = all(part.of == snap.of and part.q == snap.q and part.parts == snap.parts for part in gathered)
    if not whole or [part.part for part in gathered] != list(range(1, snap.part + 1)):
        raise wire.BadFrameError("a part of a snapshot is missing")
    return gathered
