"""The embedded reader, seen from the event loop: a worker process, its time limits and its strikes."""

import asyncio
import contextlib
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from .child import Child, ChildError, ChildSlow
from .frames import FrameError, unpack_readings
from .types import BadPicture, Look, Picture, ReaderTimeout, ReaderUnavailable

MODELS: Final = Path(__file__).parent / "models"
STRIKES: Final = 3
STRIKES_WINDOW_S: Final = 600.0
MOST_THREADS: Final = 2  # more gain little on pictures of this size and would starve Home Assistant

_REINSTALL: Final = "Install ParkShare again; in a source tree run scripts/models."


class EmbeddedReader:
    """Reads plates in a worker process: started on demand, one picture at a time, ended when it misbehaves.

    A worker that crashes or does not answer within read_timeout (s) costs its picture and one strike; the next
    picture gets a new worker. After three strikes in ten minutes the reader is unavailable until the oldest is ten
    minutes old. start_timeout (s) is generous: a Raspberry Pi that has just booted loads from a cold memory card.
    """

    name = "embedded"

    def __init__(
        self,
        models: Path | None = None,
        *,
        read_timeout: float = 15.0,
        start_timeout: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        command: Sequence[str] | None = None,
    ) -> None:
        self._read_timeout = read_timeout
        self._start_timeout = start_timeout
        self._clock = clock
        self._command = tuple(command) if command is not None else worker_command(models or MODELS)
        self._one_at_a_time = asyncio.Lock()
        self._child: Child | None = None
        self._strikes: deque[float] = deque(maxlen=STRIKES)

    @property
    def pid(self) -> int | None:
        """The worker's process id while there is one, for diagnostics."""
        return self._child.pid if self._child is not None else None

    async def start(self) -> None:
        """Warm up: start the worker and wait until its networks are loaded. Does nothing when it runs."""
        async with self._one_at_a_time:
            await self._running()

    async def read(self, picture: Picture) -> Look:
        """Read one picture, after those that came before it."""
        async with self._one_at_a_time:
            child = await self._running()
            try:
                header, body = await child.ask({"op": "read"}, picture.content, limit=self._read_timeout)
                return self._look(picture, header, body)
            except ReaderUnavailable, BadPicture:
                raise
            except ChildSlow as error:
                raise await self._failed(child, f"did not answer within {self._read_timeout:g} s") from error
            except (ChildError, FrameError) as error:
                raise await self._failed(child, str(error)) from error
            except BaseException:
                # Cancelled: what the worker would still say belongs to no picture, so it is the last of this worker.
                await self._end(child)
                raise

    async def read_best(self, pictures: Sequence[Picture]) -> Look:
        """Read the newest of some pictures of one moment."""
        return await self.read(pictures[-1])

    async def stop(self) -> None:
        """End the worker; a picture that is being read is given up."""
        child, self._child = self._child, None
        if child is not None:
            # A worker that waits ends by itself when its input does; one that reads must not be waited for.
            await child.end(at_once=self._one_at_a_time.locked())

    def _look(self, picture: Picture, header: dict[str, Any], body: bytes) -> Look:
        match header:
            case {"readings": _}:
                readings = unpack_readings(header, body, source=self.name, taken_at=picture.taken_at)
                return Look(readings, picture.taken_at, self.name)
            case {"error": "picture" | "memory", "message": message}:
                raise BadPicture(str(message))
        raise FrameError("answered something else than readings")

    async def _running(self) -> Child:
        """Return a worker that is ready; raises ReaderUnavailable."""
        if self._child is not None and self._child.alive:
            return self._child
        if self._child is not None:
            # It ended between two pictures.
            await self._end(self._child)
            self._strike()
        self._refuse_after_strikes()
        try:
            child = self._child = await Child.start(self._command, environment())
        except OSError as error:
            raise ReaderUnavailable(
                f"The plate reader cannot be started ({error.strerror}).", "Check the machine's memory and restart it."
            ) from error
        try:
            header, _ = await child.answer(limit=self._start_timeout)
            self._check_ready(header)
        except ReaderUnavailable:
            await self._end(child)
            raise
        except (ChildError, FrameError, ChildSlow) as error:
            slow = isinstance(error, ChildSlow)
            what = f"was not ready within {self._start_timeout:g} s" if slow else str(error)
            await self._end(child)
            self._strike()
            raise ReaderUnavailable(
                f"The plate reader cannot be started: it {what}.",
                "Check the machine's load and memory. It is tried again with the next picture.",
            ) from error
        except BaseException:
            await self._end(child)
            raise
        return child

    def _check_ready(self, header: dict[str, Any]) -> None:
        match header:
            case {"ready": True}:
                return
            case {"error": "models", "message": message}:
                raise ReaderUnavailable(f"The plate reader's models are not usable: {message}.", _REINSTALL)
            case {"error": "packages", "message": message}:
                raise ReaderUnavailable(
                    f"A package that the plate reader needs cannot be loaded: {message}.",
                    "Restart Home Assistant, so that it installs the packages again.",
                )
        raise FrameError("began with something else than being ready")

    async def _failed(self, child: Child, what: str) -> ReaderTimeout:
        """End a worker that failed and count it; a worker that stop() ended did not fail."""
        stopped = self._child is not child
        await self._end(child)
        if stopped:
            return ReaderTimeout("The plate reader was stopped.")
        self._strike()
        return ReaderTimeout(f"The plate reader {what}. The next picture is read by a new one.")

    async def _end(self, child: Child) -> None:
        if self._child is child:
            self._child = None
        await child.end(at_once=True)

    def _strike(self) -> None:
        self._strikes.append(self._clock())

    def _refuse_after_strikes(self) -> None:
        if len(self._strikes) == STRIKES and self._clock() - self._strikes[0] < STRIKES_WINDOW_S:
            minutes = round(STRIKES_WINDOW_S / 60)
            raise ReaderUnavailable(
                f"The plate reader failed {STRIKES} times within {minutes} minutes and rests for a while.",
                "Check the machine's memory and the camera's pictures, or choose another reader. "
                "Until then let cars in by hand.",
            )


def worker_command(models: Path) -> tuple[str, ...]:
    """Return the command that starts the worker; -P keeps the recognition folder off its import path."""
    threads = min(MOST_THREADS, os.process_cpu_count() or 1)
    script = Path(__file__).with_name("__main__.py")
    return (sys.executable, "-P", str(script), "worker", str(models), str(threads))


def environment() -> dict[str, str]:
    """Return the worker's environment: where packages are and how libraries load; no token of the parent's."""
    kept = ("PATH", "LANG", "TZ", "HOME", "LD_PRELOAD", "LD_LIBRARY_PATH", "MALLOC_CONF")
    chosen = {name: os.environ[name] for name in kept if name in os.environ}
    chosen["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    # Threads that wait for the next layer must sleep, not spin: the cores are Home Assistant's.
    chosen["OMP_WAIT_POLICY"] = "PASSIVE"
    with contextlib.suppress(KeyError):
        chosen["PYTHONDONTWRITEBYTECODE"] = os.environ["PYTHONDONTWRITEBYTECODE"]
    return chosen
