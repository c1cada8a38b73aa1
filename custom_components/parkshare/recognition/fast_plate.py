"""The reader fast-plate-ocr with its own plate detector, seen from the event loop: a worker process of its own.

Needs packages that exist for glibc only (onnxruntime, OpenCV), so it is never imported here: fast_plate_worker.py is.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from .child import Child, ChildError, ChildSlow
from .embedded import environment
from .frames import FrameError
from .service_wire import WireError, understand
from .strikes import STRIKES, WINDOW_S, Strikes
from .types import BadPicture, Look, Picture, ReaderTimeout, ReaderUnavailable

SOURCE: Final = "fast_plate_ocr"
# What the hubs of the two packages offer, best first. Their names are checked against the packages by a test.
MODELS: Final = (
    "cct-s-v2-global-model",
    "cct-xs-v2-global-model",
    "cct-s-v1-global-model",
    "cct-xs-v1-global-model",
    "european-plates-mobile-vit-v2-model",
    "global-plates-mobile-vit-v2-model",
    "argentinian-plates-cnn-model",
)
DETECTORS: Final = (
    "yolo-v9-t-640-license-plate-end2end",
    "yolo-v9-s-608-license-plate-end2end",
    "yolo-v9-t-512-license-plate-end2end",
    "yolo-v9-t-416-license-plate-end2end",
    "yolo-v9-t-384-license-plate-end2end",
    "yolo-v9-t-256-license-plate-end2end",
)
DEFAULT_MODEL: Final = MODELS[0]
DEFAULT_DETECTOR: Final = DETECTORS[0]
# Beside what the embedded reader's worker gets: the models are downloaded through the proxy that the machine uses.
_PROXIES: Final = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class FastPlateModels:
    """Which models: names of the packages' hubs, or paths of ONNX files.

    ocr_config is the configuration (YAML) that belongs to an ONNX file of the recogniser. Without a detector the
    picture's region is taken for the plate. folder is where downloaded models are kept; empty for the hubs' own place.
    """

    ocr: str = DEFAULT_MODEL
    ocr_config: str = ""
    detector: str = DEFAULT_DETECTOR
    folder: str = ""


class FastPlateReader:
    """Reads plates in a worker process, as EmbeddedReader does: one picture at a time, time limits, strikes.

    prepare is awaited before a worker starts, to install what it needs; it may raise ReaderUnavailable. start_timeout
    (s) covers the download of the models.
    """

    name = SOURCE

    def __init__(
        self,
        models: FastPlateModels,
        *,
        prepare: Callable[[], Awaitable[None]] | None = None,
        read_timeout: float = 10.0,
        start_timeout: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
        command: Sequence[str] | None = None,
    ) -> None:
        self._prepare = prepare
        self._read_timeout = read_timeout
        self._start_timeout = start_timeout
        self._clock = clock
        self._command = tuple(command) if command is not None else worker_command(models)
        self._one_at_a_time = asyncio.Lock()
        self._child: Child | None = None
        self._strikes = Strikes()

    @property
    def pid(self) -> int | None:
        """The worker's process id while there is one."""
        return self._child.pid if self._child is not None else None

    async def start(self) -> None:
        """Install, download and load what is not there yet."""
        async with self._one_at_a_time:
            await self._running()

    async def read(self, picture: Picture) -> Look:
        """Read one picture, after those that came before it."""
        async with self._one_at_a_time:
            child = await self._running()
            region = picture.region
            header = {"op": "read", "region": [region.left, region.top, region.right, region.bottom]}
            try:
                answer, _ = await child.ask(header, picture.content, limit=self._read_timeout)
                return _look(answer, picture)
            except BadPicture:
                raise
            except ChildSlow as error:
                raise await self._failed(child, f"did not answer within {self._read_timeout:g} s") from error
            except (ChildError, FrameError, WireError) as error:
                raise await self._failed(child, str(error)) from error
            except BaseException:
                # Cancelled: what the worker would still say belongs to no picture.
                await self._end(child)
                raise

    async def read_best(self, pictures: Sequence[Picture]) -> Look:
        """Read the newest of some pictures of one moment."""
        return await self.read(pictures[-1])

    async def stop(self) -> None:
        """End the worker; a picture that is being read is given up."""
        child, self._child = self._child, None
        if child is not None:
            await child.end(at_once=self._one_at_a_time.locked())

    async def _running(self) -> Child:
        """Return a worker that is ready; raises ReaderUnavailable."""
        if self._child is not None and self._child.alive:
            return self._child
        if self._child is not None:
            await self._end(self._child)
            self._strikes.strike(self._clock())
        if self._strikes.out(self._clock()):
            raise ReaderUnavailable(
                f"fast-plate-ocr failed {STRIKES} times within {WINDOW_S / 60:.0f} minutes and rests for a while.",
                "Check the machine's memory, or choose another reader in ParkShare's options.",
            )
        if self._prepare is not None:
            await self._prepare()
        try:
            child = self._child = await Child.start(self._command, _environment())
        except OSError as error:
            raise ReaderUnavailable(
                f"fast-plate-ocr cannot be started ({error.strerror}).", "Check the machine's memory and restart it."
            ) from error
        try:
            header, _ = await child.answer(limit=self._start_timeout)
            _check_ready(header)
        except BaseException as error:
            await self._end(child)
            if not isinstance(error, (ChildError, ChildSlow, FrameError)):
                raise
            slow = isinstance(error, ChildSlow)
            self._strikes.strike(self._clock())
            what = f"was not ready within {self._start_timeout:g} s" if slow else str(error)
            raise ReaderUnavailable(
                f"fast-plate-ocr cannot be started: it {what}.",
                "Check the machine's load and memory, or choose another reader in ParkShare's options.",
            ) from error
        return child

    async def _failed(self, child: Child, what: str) -> ReaderTimeout:
        """End a worker that failed and count it; a worker that stop() ended did not fail."""
        stopped = self._child is not child
        await self._end(child)
        if stopped:
            return ReaderTimeout("fast-plate-ocr was stopped.")
        self._strikes.strike(self._clock())
        return ReaderTimeout(f"fast-plate-ocr {what}. The next picture is read by a new one.")

    async def _end(self, child: Child) -> None:
        if self._child is child:
            self._child = None
        await child.end(at_once=True)


def worker_command(models: FastPlateModels) -> tuple[str, ...]:
    """Return the command that starts the worker."""
    script = Path(__file__).with_name("__main__.py")
    return (sys.executable, "-P", str(script), "fast-plate-worker", json.dumps(asdict(models)))


def is_file(model: str) -> bool:
    """Tell whether a model is meant as a path: names of the hubs have neither slash nor ending."""
    return "/" in model or model.endswith(".onnx")


def _environment() -> dict[str, str]:
    return environment() | {name: os.environ[name] for name in _PROXIES if name in os.environ}


def _look(answer: dict[str, Any], picture: Picture) -> Look:
    match answer:
        case {"look": dict() as look}:
            return understand(look, [picture.taken_at], source=SOURCE)
        case {"error": "picture" | "memory", "message": message}:
            raise BadPicture(str(message))
    raise FrameError("answered something else than readings")


def _check_ready(header: dict[str, Any]) -> None:
    """Raise ReaderUnavailable with what to do, unless the worker is ready."""
    match header:
        case {"ready": True}:
            return
        case {"error": "packages", "message": message}:
            raise ReaderUnavailable(
                f"The packages of fast-plate-ocr cannot be loaded: {message}.",
                "They need a system with glibc (not Home Assistant OS or Container). Run the reader service on another "
                "machine or as an app, or choose the built-in reader.",
            )
        case {"error": "download", "message": message}:
            raise ReaderUnavailable(
                f"A model of fast-plate-ocr cannot be downloaded: {message}.",
                "Check the internet connection, or put the model's files on this machine and enter their paths.",
            )
        case {"error": "models", "message": message}:
            raise ReaderUnavailable(
                f"A model of fast-plate-ocr cannot be used: {message}.",
                "Check the names and paths in ParkShare's options.",
            )
    raise FrameError("began with something else than being ready")
