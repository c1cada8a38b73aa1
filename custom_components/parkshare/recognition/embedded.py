"""The embedded reader, seen from the event loop: a worker process, its time limits and its strikes."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from .child import Child, ChildError, ChildSlow
from .frames import LARGEST_BODY, PROTOCOL, FrameError, draw_request, fitting, look_of, read_request
from .strikes import STRIKES, WINDOW_S, Strikes
from .types import BadPicture, Look, Mark, Picture, ReaderTimeout, ReaderUnavailable

MODELS: Final = Path(__file__).parent / "models"
OWN_WEIGHTS: Final = Path(__file__).parent / "own_weights"
IDLE_S: Final = 120.0  # so long nobody asked: no camera is armed or tried out any more
MOST_THREADS: Final = 2  # more gain little on pictures of this size and would starve Home Assistant

# Measured on two cores: a picture takes 85 ms instead of 130 (large plate) or 170 instead of 250 (small one).
TUNING: Final = {
    # Threads that wait for the next layer spin for some 20 microseconds, which most layers take, then sleep: the cores
    # are Home Assistant's. Sleeping at once costs more than the layer itself, spinning on takes a whole core.
    "GOMP_SPINCOUNT": "20000",
    # Memory of one layer is used again for the next instead of going back to the system (glibc; musl ignores it).
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}

_REINSTALL: Final = "Install ParkShare again; in a source tree run scripts/models."
_OTHER_PROCESSOR: Final = (
    "This machine's processor lacks something that the installed packages need. Choose another reader in ParkShare's "
    "options, for example a reader service on another machine."
)


class EmbeddedReader:
    """Reads plates in a worker process: started on demand, one picture at a time, ended when it misbehaves or idles.

    A worker that crashes or does not answer within read_timeout (s) costs its picture and one strike; the next
    picture gets a new worker. After three strikes in ten minutes the reader is unavailable until the oldest is ten
    minutes old. start_timeout (s) is generous: a Raspberry Pi that has just booted loads from a cold memory card. A
    worker that nobody has asked for idle (s) ends and gives its memory back.
    """

    name = "embedded"

    def __init__(
        self,
        models: Path | None = None,
        *,
        own: Path | None = None,
        read_timeout: float = 15.0,
        start_timeout: float = 30.0,
        idle: float = IDLE_S,
        clock: Callable[[], float] = time.monotonic,
        command: Sequence[str] | None = None,
    ) -> None:
        self._read_timeout = read_timeout
        self._start_timeout = start_timeout
        self._idle = idle
        self._clock = clock
        self._command = tuple(command or worker_command(models or MODELS, own or OWN_WEIGHTS))
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
        """Warm up: start the worker and wait until its networks are loaded. Does nothing when it runs."""
        async with self._one_at_a_time:
            await self._running()
            self._end_later()

    async def read(self, picture: Picture) -> Look:
        """Read one picture, after those that came before it."""
        return await self.read_best([picture])

    async def read_best(self, pictures: Sequence[Picture]) -> Look:
        """Read the sharpest and best lit of some pictures of one moment; the worker chooses."""
        sent = fitting(pictures)
        return await self._ask(*read_request(sent), lambda header, body: _look(header, body, sent, self.name))

    async def draw(self, picture: Picture, marks: Sequence[Mark], *, widest: int = 1280) -> bytes:
        """Return the picture as a JPEG at most widest (px), with its region and the marks drawn in."""
        return await self._ask(*draw_request(picture, marks, widest=widest), _drawn)

    async def _ask[Answer](
        self, request: dict[str, Any], content: bytes, understand: Callable[[dict[str, Any], bytes], Answer]
    ) -> Answer:
        """Let the worker answer and understand it; raises BadPicture, ReaderTimeout or ReaderUnavailable."""
        if len(content) > LARGEST_BODY:
            raise BadPicture(f"The picture has more than {LARGEST_BODY >> 20} MB. Choose a smaller picture size.")
        async with self._one_at_a_time:
            child = await self._running()
            try:
                return understand(*await child.ask(request, content, limit=self._read_timeout))
            except BadPicture:
                raise
            except ChildSlow as error:
                raise await self._failed(child, f"did not answer within {self._read_timeout:g} s") from error
            except (ChildError, FrameError) as error:
                raise await self._failed(child, str(error)) from error
            except BaseException:
                # Cancelled: what the worker would still say belongs to no picture, so it is the last of this worker.
                await self._end(child)
                raise
            finally:
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

    def _end_later(self) -> None:
        """Begin to count the idle time anew."""
        self._end_never()
        if self._child is not None:
            self._idle_timer = asyncio.get_running_loop().call_later(self._idle, self._end_idle)

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

    async def _running(self) -> Child:
        """Return a worker that is ready; raises ReaderUnavailable."""
        if self._child is not None and self._child.alive:
            return self._child
        if self._child is not None:
            # It ended between two pictures.
            await self._end(self._child)
            self._strike()
        self._refuse_while_resting()
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
            wrong_processor = "SIGILL" in what
            remedy = "Check the machine's load and memory. It is tried again with the next picture."
            raise ReaderUnavailable(
                f"The plate reader cannot be started: it {what}.", _OTHER_PROCESSOR if wrong_processor else remedy
            ) from error
        except BaseException:
            await self._end(child)
            raise
        return child

    def _check_ready(self, header: dict[str, Any]) -> None:
        match header:
            case {"ready": True, "protocol": version} if version == PROTOCOL:
                return
            case {"ready": True}:
                raise ReaderUnavailable(
                    "The plate reader's parts are of different versions.",
                    "Restart Home Assistant. If that does not help, install ParkShare again.",
                )
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
        self._strikes.strike(self._clock())

    def _refuse_while_resting(self) -> None:
        if self._strikes.out(self._clock()):
            minutes = round(WINDOW_S / 60)
            raise ReaderUnavailable(
                f"The plate reader failed {STRIKES} times within {minutes} minutes and rests for a while.",
                "Check the machine's memory and the camera's pictures, or choose another reader. "
                "Until then let cars in by hand.",
            )


def _look(header: dict[str, Any], body: bytes, asked: Sequence[Picture], source: str) -> Look:
    if "readings" not in header:
        raise _refusal(header)
    return look_of(header, body, asked, source=source)


def _drawn(header: dict[str, Any], body: bytes) -> bytes:
    if header.get("drawn") is not True:
        raise _refusal(header)
    return body


def _refusal(header: dict[str, Any]) -> BadPicture | FrameError:
    match header:
        case {"error": "picture" | "memory", "message": message}:
            return BadPicture(str(message))
    return FrameError("answered something else than what it was asked")


def worker_command(models: Path, own: Path) -> tuple[str, ...]:
    """Return the command that starts the worker; -P keeps the recognition folder off its import path."""
    threads = min(MOST_THREADS, os.process_cpu_count() or 1)
    script = Path(__file__).with_name("__main__.py")
    return (sys.executable, "-P", str(script), "worker", str(models), str(own), str(threads))


def environment() -> dict[str, str]:
    """Return the worker's environment: where packages are and how libraries load; no token of the parent's."""
    kept = ("PATH", "LANG", "TZ", "HOME", "LD_PRELOAD", "LD_LIBRARY_PATH", "MALLOC_CONF")
    chosen = {name: os.environ[name] for name in kept if name in os.environ}
    chosen["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    chosen |= TUNING
    with contextlib.suppress(KeyError):
        chosen["PYTHONDONTWRITEBYTECODE"] = os.environ["PYTHONDONTWRITEBYTECODE"]
    return chosen
