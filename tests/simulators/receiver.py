"""An integrator's receiver of webhooks: it keeps what it was sent and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from aiohttp import web


@dataclass(frozen=True)
class Received:
    """One delivery as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def item(self) -> dict[str, Any]:
        return dict(orjson.loads(self.body))

    @property
    def q(self) -> int:
        return int(self.item["q"])


@dataclass
class Receiver:
    """`url` is where it listens; `answer` decides the status of each delivery, `gate` holds all of them back."""

    url: str = ""
    answer: Callable[[Received], int | web.Response] = lambda _: 204
    got: list[Received] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    @classmethod
    @asynccontextmanager
    async def listening(cls) -> AsyncIterator[Self]:
        receiver = cls()
        receiver.gate.set()
        app = web.Application()
        app.router.add_post("/{path:.*}", receiver._take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        try:
            yield receiver
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        received = Received({name.lower(): value for name, value in request.headers.items()}, await request.read())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        async with self._came:
            self.got.append(received)
            self._came.notify_all()
        try:
            await self.gate.wait()
        finally:
            self.at_once -= 1
        answer = self.answer(received)
        return answer if isinstance(answer, web.Response) else web.Response(status=answer)

    async def has(self, count: int) -> list[Received]:
        """Wait until so many deliveries came."""
        async with asyncio.timeout(20), self._came:
            await self._came.wait_for(lambda: len(self.got) >= count)
        return list(self.got)
