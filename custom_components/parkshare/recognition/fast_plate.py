"""The reader fast-plate-ocr with its own plate detector, seen from the event loop: a worker process of its own.

Needs packages that exist for glibc only (onnxruntime, OpenCV), so it is never imported here: fast_plate_worker.py is.
"""

import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, override

from .frames import FrameError
from .service_wire import understand
from .types import BadPicture, Look, Picture, ReaderUnavailable
from .working import IDLE_S, Habits, WorkerReader, environment

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


class FastPlateReader(WorkerReader):
    """Reads plates in a worker process of its own.

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
        idle: float = IDLE_S,
        clock: Callable[[], float] = time.monotonic,
        command: Sequence[str] | None = None,
    ) -> None:
        remedy = "Check the machine's load and memory, or choose another reader in ParkShare's options."
        habits = Habits(
            read_timeout=read_timeout,
            start_timeout=start_timeout,
            idle=idle,
            clock=clock,
            title="fast-plate-ocr",
            resting="Check the machine's memory, or choose another reader in ParkShare's options.",
            starting=remedy,
            processor=remedy,
        )
        super().__init__(command or worker_command(models), habits)
        self._prepares = prepare

    async def read(self, picture: Picture) -> Look:
        """Read one picture, after those that came before it."""
        region = picture.region
        corners = [region.left, region.top, region.right, region.bottom]
        request = {"op": "read", "region": corners, "effort": picture.effort.value}
        return await self._ask(request, picture.content, lambda answer, _: _look(answer, picture))

    async def read_best(self, pictures: Sequence[Picture]) -> Look:
        """Read the newest of some pictures of one moment."""
        return await self.read(pictures[-1])

    @override
    async def _prepare(self) -> None:
        if self._prepares is not None:
            await self._prepares()

    @override
    def _environment(self) -> dict[str, str]:
        return environment({name: os.environ[name] for name in _PROXIES if name in os.environ})

    @override
    def _check_ready(self, header: dict[str, Any]) -> None:
        _check_ready(header)


def worker_command(models: FastPlateModels) -> tuple[str, ...]:
    """Return the command that starts the worker."""
    script = Path(__file__).with_name("__main__.py")
    return (sys.executable, "-P", str(script), "fast-plate-worker", json.dumps(asdict(models)))


def is_file(model: str) -> bool:
    """Tell whether a model is meant as a path: names of the hubs have neither slash nor ending."""
    return "/" in model or model.endswith(".onnx")


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
