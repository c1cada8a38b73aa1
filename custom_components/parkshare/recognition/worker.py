"""The worker process: reads the pictures that come in, one at a time, until its input ends.

A process of its own because the networks are native code fed with pictures from outside: a crash, an illegal
instruction or a memory blow-up ends this process and not Home Assistant. Started as `python __main__.py worker`, so
that it imports neither Home Assistant nor the packages above this one.
"""

from functools import partial
from pathlib import Path
from typing import Any, Final

from .frames import PROTOCOL, FrameError, marks_of, pack, pack_answer, pictures_of
from .types import BadPicture
from .weights import ModelsError
from .worker_pipe import bound, own_stdout, send, serve

# Address space: the networks, their threads and the largest PNG together take about 0.7 GiB of it.
MEMORY_LIMIT: Final = 1 << 30  # bytes


def main(models: Path, own: Path, threads: int) -> int:
    """Load, say so, and serve; returns the exit code."""
    answers = own_stdout()
    bound(MEMORY_LIMIT)
    try:
        # Here and not above: where a package is missing or built for another processor, the reader gets to know it.
        from .pipeline import Pipeline  # noqa: PLC0415
        from .watch import Watch  # noqa: PLC0415
    except (ImportError, OSError, RuntimeError) as error:  # numpy raises RuntimeError for an old processor
        send(answers, pack({"error": "packages", "message": str(error).partition("\n")[0]}))
        return 1
    try:
        watch = Watch(Pipeline(models, own, threads=threads))
    except (ModelsError, OSError) as error:
        send(answers, pack({"error": "models", "message": str(error)}))
        return 1
    send(answers, pack({"ready": True, "protocol": PROTOCOL}))
    serve(answers, partial(_answer, watch))
    return 0


def _answer(watch: Any, header: dict[str, Any], body: bytes) -> bytes:
    from .drawing import draw  # noqa: PLC0415

    try:
        match header.get("op"):
            case "read":
                answer = watch.read(pictures_of(header, body))
                return pack_answer(answer.index, answer.readings, answer.quality)
            case "draw":
                region, marks, widest = marks_of(header)
                return pack({"drawn": True}, draw(body, region, marks, widest=widest))
        return pack({"error": "request", "message": f"There is no {header.get('op')!r}."})
    except BadPicture as error:
        return pack({"error": "picture", "message": str(error)})
    except MemoryError:
        return pack({"error": "memory", "message": "The picture needs more memory than the reader may use."})
    except FrameError as error:
        return pack({"error": "request", "message": str(error)})
