"""The embedded reader, seen from the event loop: a worker process with the networks that ParkShare brings along."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, override

from .frames import LARGEST_BODY, PROTOCOL, FrameError, draw_request, fitting, look_of, read_request
from .types import BadPicture, Look, Mark, Picture, ReaderUnavailable
from .working import IDLE_S, Habits, WorkerReader, environment

MODELS: Final = Path(__file__).parent / "models"
OWN_WEIGHTS: Final = Path(__file__).parent / "own_weights"
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


class EmbeddedReader(WorkerReader):
    """Reads plates with the networks that ParkShare brings along.

    start_timeout (s) is generous: a Raspberry Pi that has just booted loads from a cold memory card.
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
        habits = Habits(
            read_timeout=read_timeout,
            start_timeout=start_timeout,
            idle=idle,
            clock=clock,
            title="The plate reader",
            resting="Check the machine's memory and the camera's pictures, or choose another reader. "
            "Until then let cars in by hand.",
            starting="Check the machine's load and memory. It is tried again with the next picture.",
            processor=_OTHER_PROCESSOR,
        )
        super().__init__(command or worker_command(models or MODELS, own or OWN_WEIGHTS), habits)

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

    @override
    async def _ask[Answer](
        self, request: dict[str, Any], content: bytes, understand: Callable[[dict[str, Any], bytes], Answer]
    ) -> Answer:
        if len(content) > LARGEST_BODY:
            raise BadPicture(f"The picture has more than {LARGEST_BODY >> 20} MB. Choose a smaller picture size.")
        return await super()._ask(request, content, understand)

    @override
    def _environment(self) -> dict[str, str]:
        return environment(TUNING)

    @override
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
