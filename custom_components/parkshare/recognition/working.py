"""What readers in a worker process have in common: started on demand, asked one at a time, ended when it fails."""

import asyncio
import contextlib
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .child import Child, ChildError, ChildSlow
from .frames import FrameError
from .service_wire import WireError
from .strikes import STRIKES, WINDOW_S, Strikes
from .types import BadPicture, ReaderTimeout, ReaderUnavailable

IDLE_S: Final = 120.0  # so long nobody asked: no camera is armed or tried out any more
MISBEHAVED: Final = (ChildError, FrameError, WireError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How patient a reader is with its worker (s), how its time passes, and what is said when the worker fails.

    title begins sentences. resting, starting and processor are remedies: when it failed too often, when it can't be
    started, and when that is because the processor lacks something.
    """

    read_timeout: float
    start_timeout: float
    idle: float = IDLE_S
    clock: Callable[[], float] = time.monotonic
    title: str
    resting: str
    starting: str
    processor: str


class WorkerReader(ABC):
    """A reader whose worker is ended after three strikes, an idle time, or with the reader.

    A worker that crashes or does not answer in time costs its picture and one strike; the next picture gets a new
    worker. After three strikes in ten minutes the reader is unavailable until the oldest is ten minutes old.
    """

    def __init__(self, command: Sequence[str], habits: Habits) -> None:
        self._command = tuple(command)
        self._habits = habits
        self._one_at_a_time = asyncio.Lock()
        self._child: Child | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None
        self._strikes = Strikes()

    @property
    def pid(self) -> int | None:
        """The worker's process id while there is one, for diagnostics."""
        return self._child.pid if self._child is not None else None

    async def start(self) -> None:
        """Warm up: start the worker and wait until it is ready. Does nothing when it runs."""
        async with self._one_at_a_time:
            await self._running()
            self._end_later()

    async def stop(self) -> None:
        """End the worker; a picture that is being read is given up."""
        self._end_never()
        child, self._child = self._child, None
        if child is not None:
            # A worker that waits ends by itself when its input does; one that reads must not be waited for.
            await child.end(at_once=self._one_at_a_time.locked())
        if self._ending is not None:
            await self._ending

    # What a kind of reader has of its own

    async def _prepare(self) -> None:
        """Make ready what a worker needs, before one is started; may raise ReaderUnavailable."""
        return

    def _environment(self) -> dict[str, str]:
        """Return the environment of the worker."""
        return environment()

    @abstractmethod
    def _check_ready(self, header: dict[str, Any]) -> None:
        """Raise ReaderUnavailable with what to do, or FrameError, unless the first frame says that it is ready."""

    # One question at a time

    async def _ask[Answer](
        self, request: dict[str, Any], content: bytes, understand: Callable[[dict[str, Any], bytes], Answer]
    ) -> Answer:
        """Let the worker answer and understand it; raises BadPicture, ReaderTimeout or ReaderUnavailable."""
        async with self._one_at_a_time:
            child = await self._running()
            try:
                return understand(*await child.ask(request, content, limit=self._habits.read_timeout))
            except BadPicture:
                raise
            except ChildSlow as error:
                raise await self._failed(child, f"did not answer within {self._habits.read_timeout:g} s") from error
            except MISBEHAVED as error:
                raise await self._failed(child, str(error)) from error
            except BaseException:
                # Cancelled: what the worker would still say belongs to no picture, so it is the last of this worker.
                await self._end(child)
                raise
            finally:
                self._end_later()

    async def _running(self) -> Child:
        """Return a worker that is ready; raises ReaderUnavailable."""
        if self._child is not None and self._child.alive:
            return self._child
        if self._child is not None:
            # It ended between two pictures.
            await self._end(self._child)
            self._strike()
        self._refuse_while_resting()
        await self._prepare()
        title = self._habits.title
        try:
            child = self._child = await Child.start(self._command, self._environment())
        except OSError as error:
            raise ReaderUnavailable(
                f"{title} cannot be started ({error.strerror}).", "Check the machine's memory and restart it."
            ) from error
        try:
            header, _ = await child.answer(limit=self._habits.start_timeout)
            self._check_ready(header)
        except (*MISBEHAVED, ChildSlow) as error:
            raise await self._not_started(child, error) from error
        except BaseException:
            await self._end(child)
            raise
        return child

    async def _not_started(self, child: Child, error: Exception) -> ReaderUnavailable | ReaderTimeout:
        slow = isinstance(error, ChildSlow)
        what = f"was not ready within {self._habits.start_timeout:g} s" if slow else str(error)
        if await self._was_stopped(child):
            return ReaderTimeout(f"{self._habits.title} was stopped.")
        self._strike()
        remedy = self._habits.processor if "SIGILL" in what else self._habits.starting
        return ReaderUnavailable(f"{self._habits.title} cannot be started: it {what}.", remedy)

    async def _failed(self, child: Child, what: str) -> ReaderTimeout:
        """End a worker that failed and count it."""
        if await self._was_stopped(child):
            return ReaderTimeout(f"{self._habits.title} was stopped.")
        self._strike()
        return ReaderTimeout(f"{self._habits.title} {what}. The next picture is read by a new one.")

    async def _was_stopped(self, child: Child) -> bool:
        """End a worker; tells whether stop() had done so before, which is no failure."""
        stopped = self._child is not child
        await self._end(child)
        return stopped

    async def _end(self, child: Child) -> None:
        if self._child is child:
            self._child = None
        await child.end(at_once=True)

    def _strike(self) -> None:
        self._strikes.strike(self._habits.clock())

    def _refuse_while_resting(self) -> None:
        if self._strikes.out(self._habits.clock()):
            minutes = round(WINDOW_S / 60)
            raise ReaderUnavailable(
                f"{self._habits.title} failed {STRIKES} times within {minutes} minutes and rests for a while.",
                self._habits.resting,
            )

    # The end of a worker that nobody asks

    def _end_later(self) -> None:
        """Begin to count the idle time anew."""
        self._end_never()
        if self._child is not None:
            self._idle_timer = asyncio.get_running_loop().call_later(self._habits.idle, self._end_idle)

    def _end_never(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _end_idle(self) -> None:
        self._idle_timer = None

        async def end() -> None:
            async with self._one_at_a_time:
                if self._idle_timer is None and self._child is not None:  # else somebody asked in this moment
                    child, self._child = self._child, None
                    await child.end()

        self._ending = asyncio.get_running_loop().create_task(end())


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a worker's environment: where packages are and how libraries load, and more; no token of the parent's."""
    kept = ("PATH", "LANG", "TZ", "HOME", "LD_PRELOAD", "LD_LIBRARY_PATH", "MALLOC_CONF")
    chosen = {name: os.environ[name] for name in kept if name in os.environ}
    chosen["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    with contextlib.suppress(KeyError):
        chosen["PYTHONDONTWRITEBYTECODE"] = os.environ["PYTHONDONTWRITEBYTECODE"]
    return chosen | dict(more or {})
