"""The house's end of the link: dials, comes back, and keeps telling until it is heard."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import (
    ClientConnectorCertificateError,
    ClientError,
    ClientSession,
    ClientWSTimeout,
    WSServerHandshakeError,
)
from yarl import URL

from . import protocol as wire
from .backoff import DAY, SLOW, BackOff
from .journal import Journal
from .keys import HouseKeys
from .session import LinkHandler, LinkState, NotConnectedError, Session, SessionEnd

LOGGER: Final = logging.getLogger(__name__)
HEARTBEAT: Final = 30.0  # s
DIAL_TIMEOUT: Final = 20.0  # s
CLOSE_TIMEOUT: Final = 2.0  # s; a backend that does not say goodbye is not waited for


class LinkClient:
    """A durable link to one backend over a ClientSession that somebody else owns.

    run() goes on until it is cancelled or the backend will never let this install in again. report() works with or
    without a connection; request() needs one.
    """

    def __init__(
        self,
        http: ClientSession,
        *,
        url: str,
        install: str,
        keys: HouseKeys,
        journal: Journal,
        handler: LinkHandler,
        jitter: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._url = url
        self._install = install
        self._keys = keys
        self._journal = journal
        self._handler = handler
        self._back_off = BackOff(jitter)
        self._monotonic = monotonic
        self._session: Session | None = None
        self._redial = asyncio.Event()
        # The wait for the next dial, as long as news may shorten it.
        self._patience: asyncio.Timeout | None = None

    async def run(self) -> None:
        """Keep the link. Returns only when the install has to be paired again."""
        while True:
            hurries = False
            try:
                end = await self._dial()
            except Exception:
                # Whatever it was, a house that never dials again would be worse.
                LOGGER.exception("The link ended unexpectedly")
                end = SessionEnd(consequence=wire.Consequence.RETRY, why="something unexpected happened")
            self._back_off.ended(ready_for=end.ready_for)
            match end.consequence:
                case wire.Consequence.PAIR_AGAIN:
                    self._handler.on_state(LinkState.PAIR_AGAIN, end.why)
                    return
                case wire.Consequence.UPGRADE:
                    self._handler.on_state(LinkState.UPGRADE_NEEDED, end.why)
                    delay = DAY
                case wire.Consequence.RETRY_SLOWLY:
                    self._handler.on_state(LinkState.TAKEN_OVER, end.why)
                    delay = max(SLOW, self._back_off.delay(end.retry_after))
                case wire.Consequence.WRONG_HOST:
                    self._handler.on_state(LinkState.WRONG_HOST, end.why)
                    delay = max(SLOW, self._back_off.delay(end.retry_after))
                case wire.Consequence.UNTRUSTED:
                    self._handler.on_state(LinkState.UNTRUSTED, end.why)
                    delay = self._back_off.delay(end.retry_after)
                case wire.Consequence.RETRY:
                    self._handler.on_state(LinkState.DISCONNECTED, end.why)
                    delay = self._back_off.delay(end.retry_after)
                    hurries = end.retry_after is None
            await self._rest(delay, hurries=hurries)

    async def report(self, t: str, d: dict[str, Any], *, at: str) -> None:
        """Tell the backend something, surely. On return it is on disk."""
        await self._journal.append(t, d, at=at)
        if self._session is not None:
            self._session.wake()
        else:
            self._hurry()

    async def request(self, t: str, d: Mapping[str, Any], *, key: str | None = None) -> dict[str, Any]:
        """Ask the backend. Raises NotConnectedError, RequestTimeoutError, RequestRefusedError."""
        if self._session is None:
            raise NotConnectedError
        return await self._session.request(t, d, key=key)

    def redial(self) -> None:
        """Dial now instead of waiting: the network is back, or the owner asked."""
        self._redial.set()

    async def _dial(self) -> SessionEnd:
        try:
            async with asyncio.timeout(DIAL_TIMEOUT):
                socket = await self._http.ws_connect(
                    f"{self._url}{wire.PATH}",
                    heartbeat=HEARTBEAT,
                    max_msg_size=wire.MAX_FRAME,
                    timeout=ClientWSTimeout(ws_close=CLOSE_TIMEOUT),
                )
        except WSServerHandshakeError as err:
            return SessionEnd(consequence=wire.Consequence.RETRY, why=f"the backend answered {err.status}")
        except ClientConnectorCertificateError:
            return SessionEnd(consequence=wire.Consequence.UNTRUSTED, why="the backend's certificate is not trusted")
        except TimeoutError, ClientError, OSError:
            return SessionEnd(consequence=wire.Consequence.RETRY, why="the backend cannot be reached")
        session = Session(
            socket,
            host=URL(self._url).host_port_subcomponent or "",
            install=self._install,
            keys=self._keys,
            journal=self._journal,
            handler=self._handler,
            monotonic=self._monotonic,
        )
        self._session = session
        try:
            return await session.serve()
        finally:
            self._session = None
            await socket.close()

    async def _rest(self, delay: float, *, hurries: bool) -> None:
        self._redial.clear()
        try:
            async with asyncio.timeout(delay) as patience:
                if hurries:
                    self._patience = patience
                    if self._journal.pending:
                        self._hurry()
                await self._redial.wait()
        except TimeoutError:
            return
        finally:
            self._patience = None

    def _hurry(self) -> None:
        """There is something to tell: wait a shorter time than one would without."""
        if self._patience and not self._patience.expired() and (due := self._patience.when()) is not None:
            soon = asyncio.get_running_loop().time() + self._back_off.hurried()
            self._patience.reschedule(min(due, soon))
