"""What the reader and its worker say to each other: frames of a JSON header and a body of bytes, over pipes.

Pure: standard library and numpy. A frame is two big-endian 32-bit lengths, then the header, then the body.

Worker to reader, once: {"ready": true, "protocol": PROTOCOL} or {"error": "models" | "packages", "message"}.

Reader to worker: {"op": "read", "pictures": [{"bytes", "taken_at", "region", "camera", "effort"}]} with the encoded
pictures one after another as body, answered by {"chosen": index, "readings": [{"text", "confidences", "box", "source",
"steps"}], "quality": {...}} with the float32 matrices as body; or {"op": "draw", "region", "marks": [{"box", "label",
"sure"}], "widest"} with a picture as body, answered by {"drawn": true} with a JPEG as body. Either may be answered by
{"error": "picture" | "memory" | "request", "message"}.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from .alphabet import CHARACTERS
from .types import Effort, Look, Mark, Picture, Quality, Reading, Region

PROTOCOL: Final = 3  # counted up with every change, so that parts of two versions do not misunderstand each other
PREFIX: Final = struct.Struct(">II")
LARGEST_HEADER: Final = 1 << 20
LARGEST_BODY: Final = 32 << 20
# More than the worker ever sends: what it says is judged in the event loop.
MOST_READINGS: Final = 200
MOST_STEPS: Final = 512
_COLUMNS: Final = 1 + len(CHARACTERS)


class FrameError(Exception):
    """The other side does not speak this protocol."""


def pack(header: dict[str, Any], body: bytes = b"") -> bytes:
    """Make a frame."""
    text = json.dumps(header, separators=(",", ":")).encode()
    return PREFIX.pack(len(text), len(body)) + text + body


def lengths(prefix: bytes) -> tuple[int, int]:
    """Return the lengths of header and body; raises FrameError where nobody sane would send so much."""
    header, body = PREFIX.unpack(prefix)
    if not 0 < header <= LARGEST_HEADER or body > LARGEST_BODY:
        raise FrameError(f"a frame of {header} + {body} bytes")
    return header, body


def parse_header(text: bytes) -> dict[str, Any]:
    """Parse a header; raises FrameError."""
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError("a header that is not JSON") from error
    if not isinstance(header, dict):
        raise FrameError("a header that is not an object")
    return header


def fitting(pictures: Sequence[Picture]) -> list[Picture]:
    """Keep the newest of some pictures that fit into one frame, newest last; the newest is always kept."""
    kept: list[Picture] = []
    size = 0
    for picture in reversed(pictures):
        size += len(picture.content)
        if kept and size > LARGEST_BODY:
            break
        kept.insert(0, picture)
    return kept


def read_request(pictures: Sequence[Picture]) -> tuple[dict[str, Any], bytes]:
    """Make the header and body that ask for reading the best of some pictures that fit."""
    described = [
        {
            "bytes": len(p.content),
            "taken_at": p.taken_at,
            "region": _corners(p.region),
            "camera": p.camera,
            "effort": p.effort.value,
        }
        for p in pictures
    ]
    return {"op": "read", "pictures": described}, b"".join(picture.content for picture in pictures)


def pictures_of(header: dict[str, Any], body: bytes) -> list[Picture]:
    """Read what read_request made; raises FrameError."""
    pictures = []
    offset = 0
    try:
        for item in header["pictures"]:
            content = body[offset : offset + int(item["bytes"])]
            offset += int(item["bytes"])
            region, effort = Region(*item["region"]), Effort(item["effort"])
            pictures.append(Picture(content, float(item["taken_at"]), region, str(item["camera"]), effort))
    except (KeyError, TypeError, ValueError) as error:
        raise FrameError("pictures that do not fit together") from error
    if not pictures or offset != len(body):
        raise FrameError("pictures that do not fit together")
    return pictures


def draw_request(picture: Picture, marks: Sequence[Mark], *, widest: int) -> tuple[dict[str, Any], bytes]:
    """Make the header and body that ask for drawing."""
    described = [{"box": mark.box, "label": mark.label, "sure": mark.sure} for mark in marks]
    header = {"op": "draw", "region": _corners(picture.region), "marks": described, "widest": widest}
    return header, picture.content


def marks_of(header: dict[str, Any]) -> tuple[Region, list[Mark], int]:
    """Read what draw_request made; raises FrameError."""
    try:
        marks = [Mark(_points(item["box"]), str(item["label"]), bool(item["sure"])) for item in header["marks"]]
        return Region(*header["region"]), marks, int(header["widest"])
    except (KeyError, TypeError, ValueError) as error:
        raise FrameError("marks that do not fit together") from error


def pack_answer(chosen: int, readings: Sequence[Reading], quality: Quality) -> bytes:
    """Make the frame that answers pictures."""
    matrices = [np.asarray(r.matrix, dtype="<f4") for r in readings if r.matrix is not None]
    described = [
        {
            "text": r.text,
            "confidences": r.confidences,
            "box": r.box,
            "source": r.source,
            "steps": 0 if r.matrix is None else len(r.matrix),
        }
        for r in readings
    ]
    header = {"chosen": chosen, "readings": described, "quality": asdict(quality)}
    return pack(header, b"".join(matrix.tobytes() for matrix in matrices))


def look_of(header: dict[str, Any], body: bytes, asked: Sequence[Picture], *, source: str) -> Look:
    """Read the answer to the pictures asked for with read_request; raises FrameError."""
    readings = []
    offset = 0
    try:
        picture = asked[int(header["chosen"])]
        values = np.frombuffer(body, dtype="<f4")
        if len(header["readings"]) > MOST_READINGS or not np.isfinite(values).all():
            raise FrameError("readings that nobody would send")
        for item in header["readings"]:
            steps = int(item["steps"])
            if not 0 <= steps <= MOST_STEPS:
                raise FrameError("a matrix that nobody would send")
            size = steps * _COLUMNS
            matrix = values[offset : offset + size].reshape(steps, _COLUMNS) if steps else None
            offset += size
            confidences = tuple(float(value) for value in item["confidences"])
            box = _points(item["box"])
            made_by = str(item["source"])
            readings.append(Reading(str(item["text"]), confidences, box, matrix, made_by, picture.taken_at))
        quality = Quality(**header["quality"])
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise FrameError("readings that do not fit together") from error
    return Look(tuple(readings), picture.taken_at, source, quality)


def _corners(region: Region) -> tuple[float, float, float, float]:
    return (region.left, region.top, region.right, region.bottom)


def _points(box: Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in box)
