"""The worker process: reads the pictures that come in, one at a time, until its input ends.

A process of its own because the networks are native code fed with pictures from outside: a crash, an illegal
instruction or a memory blow-up ends this process and not Home Assistant. Started as `python __main__.py worker`, so
that it imports neither Home Assistant nor the packages above this one.
"""

import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO, Final

from .frames import PREFIX, lengths, pack, pack_readings, parse_header
from .types import BadPicture

NICENESS: Final = 5  # behind Home Assistant itself, before background jobs
# Address space: the networks, their threads and the largest PNG together take about 0.7 GiB of it.
MEMORY_LIMIT: Final = 1 << 30  # bytes
# The reader ends a worker that takes too long; this is for one whose reader is gone.
SELF_DESTRUCT_S: Final = 120


def main(models: Path, threads: int) -> int:
    """Load, say so, and serve; returns the exit code."""
    answers = _own_stdout()
    _bound()
    try:
        # Here and not above: where a package is missing or built for another processor, the reader gets to know it.
        from .pipeline import ModelsError, Pipeline  # noqa: PLC0415
    except (ImportError, OSError) as error:
        _send(answers, pack({"error": "packages", "message": str(error)}))
        return 1
    try:
        pipeline = Pipeline(models, threads=threads)
    except (ModelsError, OSError) as error:
        _send(answers, pack({"error": "models", "message": str(error)}))
        return 1
    _send(answers, pack({"ready": True}))
    while (request := _receive(sys.stdin.buffer)) is not None:
        signal.alarm(SELF_DESTRUCT_S)
        _send(answers, _answer(pipeline, request[1]))
        signal.alarm(0)
    return 0


def _answer(pipeline: Any, content: bytes) -> bytes:
    from .pictures import open_picture  # noqa: PLC0415

    try:
        return pack_readings(pipeline.read(open_picture(content)))
    except BadPicture as error:
        return pack({"error": "picture", "message": str(error)})
    except MemoryError:
        return pack({"error": "memory", "message": "The picture needs more memory than the reader may use."})


def _own_stdout() -> BinaryIO:
    """Keep the pipe for our frames: native code that prints must not end up in the middle of one."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _bound() -> None:
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold pictures
    # Interrupting the terminal is for the process that started us; it then closes our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _receive(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    prefix = stream.read(PREFIX.size)
    if len(prefix) < PREFIX.size:
        return None
    header_size, body_size = lengths(prefix)
    header, body = stream.read(header_size), stream.read(body_size)
    return (parse_header(header), body) if len(body) == body_size else None


def _send(stream: BinaryIO, frame: bytes) -> None:
    try:
        stream.write(frame)
        stream.flush()
    except BrokenPipeError:
        # The reader is gone, and nobody is left to tell.
        os._exit(0)
