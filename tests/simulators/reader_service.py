"""The reader service as a process of its own, on 127.0.0.1, announced in the local network.

By hand: python -m custom_components.parkshare.recognition serve
"""

import asyncio
import contextlib
import sys
from pathlib import Path

import aiohttp

from .process import REPOSITORY, Child, free_port

START_TIMEOUT = 30.0  # s; about 2 on an idle machine
SCRIPT = REPOSITORY / "custom_components/parkshare/recognition/__main__.py"


class ReaderService:
    """One reader service with the real models. Its token is in a file, as people find it."""

    def __init__(self, folder: Path, *, log: Path) -> None:
        """Choose the port; nothing runs before start()."""
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._token_file = folder / "token"
        command = [sys.executable, "-P", SCRIPT, "serve", "--host", "127.0.0.1", "--port", str(self.port)]
        # Not in the repository: by path it needs nothing but its own folder.
        self.process = Child("the reader service", [*command, "--token-file", self._token_file], log=log, cwd=folder)

    @property
    def token(self) -> str:
        """What Home Assistant will ask for."""
        return self._token_file.read_text().strip()

    async def start(self) -> None:
        """Start it and wait until it answers."""
        self.process.start()
        async with asyncio.timeout(START_TIMEOUT):
            while await self.reads() is None:
                self.process.require_running()
                await asyncio.sleep(0.1)

    async def reads(self) -> int | None:
        """How many pictures it has read; None where it does not answer."""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, FileNotFoundError):
            timeout = aiohttp.ClientTimeout(total=2)
            headers = {"Authorization": f"Bearer {self.token}"}
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
                session.get(f"{self.url}/v1/about") as answer,
            ):
                return int((await answer.json())["reads"])
        return None

    def kill(self) -> None:
        """End it as a power cut does."""
        self.process.kill()

    def stop(self) -> None:
        """End it in order."""
        self.process.stop()
