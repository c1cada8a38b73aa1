"""What the reader and its worker say to each other: frames of a JSON header and a body of bytes, over pipes.

Pure: standard library and numpy. A frame is two big-endian 32-bit lengths, then the header, then the body.

Reader to worker: {"op": "read"} with the encoded picture as body. Worker to reader: {"ready": true} once, then for
each picture {"readings": [{"text", "confidences", "box", "steps"}]} with the float32 matrices one after another as
body; or {"error": "models" | "packages" | "picture" | "memory", "message"}.
"""

import json
import struct
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from .alphabet import CHARACTERS
from .types import Reading

PREFIX: Final = struct.Struct(">II")
LARGEST_HEADER: Final = 1 << 20
LARGEST_BODY: Final = 32 << 20
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
    except ValueError as error:
        raise FrameError("a header that is not JSON") from error
    if not isinstance(header, dict):
        raise FrameError("a header that is not an object")
    return header


def pack_readings(readings: Sequence[Reading]) -> bytes:
    """Make the frame that answers a picture."""
    matrices = [np.asarray(r.matrix, dtype="<f4") for r in readings if r.matrix is not None]
    described = [
        {"text": r.text, "confidences": r.confidences, "box": r.box, "steps": 0 if r.matrix is None else len(r.matrix)}
        for r in readings
    ]
    return pack({"readings": described}, b"".join(matrix.tobytes() for matrix in matrices))


def unpack_readings(header: dict[str, Any], body: bytes, *, source: str, taken_at: float) -> tuple[Reading, ...]:
    """Read the answer to a picture; raises FrameError."""
    readings = []
    offset = 0
    try:
        values = np.frombuffer(body, dtype="<f4")
        for item in header["readings"]:
            steps = int(item["steps"])
            size = steps * _COLUMNS
            matrix = values[offset : offset + size].reshape(steps, _COLUMNS) if steps else None
            offset += size
            box = tuple((float(x), float(y)) for x, y in item["box"])
            confidences = tuple(float(value) for value in item["confidences"])
            readings.append(Reading(str(item["text"]), confidences, box, matrix, source, taken_at))
    except (KeyError, TypeError, ValueError) as error:
        raise FrameError("readings that do not fit together") from error
    return tuple(readings)
