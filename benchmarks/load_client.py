"""A load generator that is not the limit: keep-alive connections over raw sockets, one request after the other on each.

Not a browser: it knows exactly the answers that our servers give (a Content-Length, no chunks).
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import uvloop

LATE_S = 30.0  # an answer that takes longer ends the measurement
_HEAD_END = b"\r\n\r\n"
_SUCCESS = range(200, 300)
_LENGTH = b"\r\ncontent-length:"

type NextRequest = Callable[[], bytes]


@dataclass
class Tally:
    """What came back: seconds that each answer took, and how many of each status."""

    took: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    odd: bytes = b""  # the last answer that was not a success

    def percentile_ms(self, share: float) -> float:
        """Give the milliseconds within which that share of the answers came."""
        ordered = sorted(self.took)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class _Connection(asyncio.Protocol):
    """One connection that has always one request out."""

    def __init__(self, following: NextRequest, tally: Tally, until: float, at_least: int) -> None:
        self._following, self._tally, self._until = following, tally, until
        self._at_least = at_least
        self._received = b""
        self._needed = 0
        self._sent_at = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own does not derive from it
        self._send()

    def _send(self) -> None:
        now = time.perf_counter()
        if now >= self._until and len(self._tally.took) >= self._at_least:
            self._transport.close()
            return
        self._sent_at = now
        self._transport.write(self._following())

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data if self._received else data
        if not self._needed:
            head = received.find(_HEAD_END)
            if head < 0:
                return
            at = received.lower().find(_LENGTH, 0, head)
            length = int(received[at + len(_LENGTH) : received.find(b"\r", at + 2)]) if at > 0 else 0
            self._needed = head + len(_HEAD_END) + length
        if len(received) < self._needed:
            return
        status = int(received[9:12])
        self._tally.took.append(time.perf_counter() - self._sent_at)
        self._tally.statuses[status] += 1
        if status not in _SUCCESS:
            self._tally.odd = received
        self._received, self._needed = b"", 0
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None) if exc is None else self.ended.set_exception(exc)


def request(method: str, path: str, *, token: str = "", body: bytes | None = None) -> bytes:
    """Write one request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body is not None else []
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def load(port: int, following: NextRequest, *, seconds: float, connections: int, at_least: int = 0) -> Tally:
    """Send requests to 127.0.0.1 for so long and until so many are answered, one at a time on each connection."""
    tally = Tally()

    async def run() -> None:
        loop, until = asyncio.get_running_loop(), time.perf_counter() + seconds
        made = [
            await loop.create_connection(lambda: _Connection(following, tally, until, at_least), "127.0.0.1", port)
            for _ in range(connections)
        ]
        async with asyncio.timeout(seconds + LATE_S + (at_least and 10 * LATE_S)):
            await asyncio.gather(*(protocol.ended for _, protocol in made))

    uvloop.run(run())
    return tally
