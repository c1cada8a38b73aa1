"""What all worker processes do alike: bound themselves, take frames from the reader and answer them."""

import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, Final

from .frames import PREFIX, lengths, parse_header

NICENESS: Final = 5  # behind Home Assistant itself, before background jobs
# The reader ends a worker that takes too long; this is for one whose reader is gone.
SELF_DESTRUCT_S: Final = 120


def own_stdout() -> BinaryIO:
    """Keep the pipe for our frames: native code that prints must not end up in the middle of one."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def bound(memory: int) -> None:
    """Be nice, with so many bytes of address space at most, or fewer where fewer are allowed."""
    os.nice(NICENESS)
    _, allowed = resource.getrlimit(resource.RLIMIT_AS)
    limit = memory if allowed == resource.RLIM_INFINITY else min(memory, allowed)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold pictures
    # Interrupting the terminal is for the process that started us; it then closes our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def serve(answers: BinaryIO, answer: Callable[[dict[str, Any], bytes], bytes]) -> None:
    """Answer one frame after the other until the input ends; answer gets header and body and returns a frame."""
    while (request := _receive(sys.stdin.buffer)) is not None:
        signal.alarm(SELF_DESTRUCT_S)
        send(answers, answer(*request))
        signal.alarm(0)


def send(stream: BinaryIO, frame: bytes) -> None:
    """Send a frame; where nobody is left to hear it, end."""
    try:
        stream.write(frame)
        stream.flush()
    except BrokenPipeError:
        os._exit(0)


def _receive(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    prefix = stream.read(PREFIX.size)
    if len(prefix) < PREFIX.size:
        return None
    header_size, body_size = lengths(prefix)
    header, body = stream.read(header_size), stream.read(body_size)
    return (parse_header(header), body) if len(body) == body_size else None
