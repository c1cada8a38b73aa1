"""The real backend on SQLite: started, killed as by a power cut, started again on the same port and database.

By hand: python -m tests.simulators.server --folder .demo/backend --port 8732
"""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from .process import Child, free_port

START_TIMEOUT = 30.0  # seconds; 1 to 2 s on an idle machine


class Server:
    """One backend on 127.0.0.1; its database is a file in folder."""

    def __init__(
        self, folder: Path, *, log: Path, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        """Choose the port; settings go by the environment, as in a container. Those given here win."""
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = folder / "parkshare.db"
        folder.mkdir(parents=True, exist_ok=True)
        env = {
            "PARKSHARE_DATABASE": str(self.database),
            "PARKSHARE_HOST": "127.0.0.1",
            "PARKSHARE_PORT": str(self.port),
            "PARKSHARE_PUBLIC_URL": self.url,
            "PARKSHARE_LOG_FORMAT": "json",
            **(settings or {}),
        }
        program = Path(sys.executable).parent / "parkshare-backend"
        self.process = Child("the backend", [program, "serve"], log=log, cwd=folder, env=env)

    async def start(self) -> None:
        """Start it and wait until it can write."""
        self.process.start()
        async with asyncio.timeout(START_TIMEOUT), aiohttp.ClientSession() as session:
            while not await self._ready(session):
                self.process.require_running()
                await asyncio.sleep(0.1)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()

    def stop(self) -> None:
        """End it in order."""
        self.process.stop()

    async def _ready(self, session: aiohttp.ClientSession) -> bool:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.get(f"{self.url}/readyz", timeout=aiohttp.ClientTimeout(total=2)) as answer:
                return answer.status == 200
        return False


async def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulators.server", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8732)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    server = Server(folder, log=folder / "backend.log", port=arguments.port)
    await server.start()
    print(f"{server.url} until Ctrl-C; log: {server.process.log}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        server.stop()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
