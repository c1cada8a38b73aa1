"""A camera in the network that sends something else than a picture: an HTTP server that a Home Assistant camera asks.

By hand: python -m tests.simulators.bad_camera --port 8099 --sends bomb
"""

import argparse
import asyncio
import contextlib
import itertools
import struct
import zlib
from collections.abc import AsyncIterator
from enum import StrEnum

from aiohttp import web

from . import picture
from .car import STOPS_AT, Car
from .process import free_port

CHUNK = bytes(16_384)
CHUNK_EVERY_S = 0.01
SIDE = 10_000  # px: ten thousand squared is a hundred megapixels
BOMB_SIDE = 20_000  # px: 1.2 GB unpacked to colours


class Sends(StrEnum):
    """What the camera answers with."""

    GOOD = "good"
    ENDLESS = "endless"  # never stops sending
    MEGAPIXELS = "megapixels"  # a real picture of a hundred megapixels
    TRUNCATED = "truncated"
    BOMB = "bomb"  # a small PNG that unpacks to more than a gigabyte
    HTML = "html"
    EMPTY = "empty"


class BadCamera:
    """The camera. sends and car may change while it runs."""

    def __init__(self) -> None:
        self.port = free_port()
        self.sends = Sends.GOOD
        self.car: Car | None = None
        self.asked = 0
        self._numbers = itertools.count()
        self._large = {Sends.MEGAPIXELS: _png(SIDE, SIDE), Sends.BOMB: _png(BOMB_SIDE, BOMB_SIDE)}

    @property
    def url(self) -> str:
        """Where the picture is."""
        return f"http://127.0.0.1:{self.port}/still"

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer while the block runs."""
        app = web.Application()
        app.router.add_get("/still", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        try:
            yield
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if self.sends is Sends.ENDLESS:
            return await _endless(request)
        kind = "image/png" if self.sends in self._large else "image/jpeg"
        return web.Response(body=await asyncio.to_thread(self._content, next(self._numbers)), content_type=kind)

    def _content(self, number: int) -> bytes:
        # Each answer ends with other bytes: a camera that repeats itself is another trouble.
        match self.sends:
            case Sends.MEGAPIXELS | Sends.BOMB:
                return self._large[self.sends] + str(number).encode()
            case Sends.HTML:
                return f"<!DOCTYPE html><html><body><h1>503</h1>{number}</body></html>".encode()
            case Sends.EMPTY:
                return b""
        good = self._picture(number)
        return good[: len(good) // 3] if self.sends is Sends.TRUNCATED else good

    def _picture(self, number: int) -> bytes:
        if self.car is None:
            return picture.take(picture.draw_yard(), picture.Conditions(), seed=number)
        return self.car.picture(STOPS_AT, seed=number)


async def _endless(request: web.Request) -> web.StreamResponse:
    """Send something that begins as a picture and goes on until the other side has enough."""
    response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        await response.write(b"\xff\xd8\xff\xe0")
        while True:
            await response.write(CHUNK)
            await asyncio.sleep(CHUNK_EVERY_S)
    return response


def _png(width: int, height: int) -> bytes:
    """Return a grey PNG of this size; black rows compress two hundred times."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(1)
    row = bytes(width + 1)
    rows = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulators.bad_camera",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--sends", choices=list(Sends), type=Sends, default=Sends.GOOD)
    parser.add_argument("--plate", help="a car with this plate stands before the camera")
    arguments = parser.parse_args()
    camera = BadCamera()
    camera.port, camera.sends = arguments.port, arguments.sends
    camera.car = Car(arguments.plate) if arguments.plate else None
    async with camera.running():
        print(f"{camera.url} sends: {camera.sends}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
