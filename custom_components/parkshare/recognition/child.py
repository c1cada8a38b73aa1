"""A child process that answers frames, one question at a time, and leaves nothing behind when it ends."""

import asyncio
import contextlib
import signal
from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from .frames import PREFIX, lengths, pack, parse_header

GRACE_S: Final = 2.0  # for a child whose input was closed to end by itself


class ChildError(Exception):
    """The child ended instead of answering; the message goes on after "it"."""


class ChildSlow(Exception):  # noqa: N818 - slow is not wrong
    """The child did not answer in time. It must be ended: its answer may still come."""


class Child:
    """One started process; made by start."""

    def __init__(
        self, process: asyncio.subprocess.Process, stdin: asyncio.StreamWriter, stdout: asyncio.StreamReader
    ) -> None:
        self._process = process
        self._stdin = stdin
        self._stdout = stdout

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[str, str]) -> Self:
        """Start the process in the root folder and a session of its own; raises OSError."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment,
            cwd="/",
            # A signal to the terminal's group is not for the child.
            start_new_session=True,
        )
        if process.stdin is None or process.stdout is None:
            raise OSError("no pipes")
        return cls(process, process.stdin, process.stdout)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process has not ended, as far as the event loop knows."""
        return self._process.returncode is None

    async def ask(self, header: dict[str, Any], body: bytes, *, limit: float) -> tuple[dict[str, Any], bytes]:
        """Send a frame and wait for the answer; limit (s) covers both. Raises ChildError, ChildSlow, FrameError."""
        try:
            async with asyncio.timeout(limit):
                with contextlib.suppress(ConnectionError):  # it ended; reading will say how
                    self._stdin.write(pack(header, body))
                    await self._stdin.drain()
                return await self._receive()
        except TimeoutError as error:
            raise ChildSlow from error

    async def answer(self, *, limit: float) -> tuple[dict[str, Any], bytes]:
        """Wait for a frame that nobody asked for: the first one."""
        try:
            async with asyncio.timeout(limit):
                return await self._receive()
        except TimeoutError as error:
            raise ChildSlow from error

    async def end(self, *, at_once: bool = False) -> None:
        """End the process and wait until it and its pipes are gone; may be called more than once."""
        self._stdin.close()
        if at_once:
            self._kill()
        try:
            async with asyncio.timeout(GRACE_S):
                await self._process.wait()
        except TimeoutError:
            self._kill()
        except asyncio.CancelledError:
            self._kill()
            raise
        await self._process.wait()
        with contextlib.suppress(ConnectionError):
            await self._stdin.wait_closed()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _receive(self) -> tuple[dict[str, Any], bytes]:
        try:
            header_size, body_size = lengths(await self._stdout.readexactly(PREFIX.size))
            header = parse_header(await self._stdout.readexactly(header_size))
            return header, await self._stdout.readexactly(body_size)
        except asyncio.IncompleteReadError as error:
            raise ChildError(_how_it_ended(await self._process.wait())) from error


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"
