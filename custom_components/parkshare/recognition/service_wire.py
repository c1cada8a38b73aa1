"""What a reader in another process or on another machine says of a picture: a look as JSON, and back.

Pure: standard library and numpy. Matrices travel as base64 of little-endian float16 (errors of a log-probability stay
below 0.01). What comes back is believed as far as its form allows and no further: a matrix is made to sum to one, a
text has to consist of our characters, figures have to be in their range.
"""

import base64
import binascii
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Final

import numpy as np

from .alphabet import CHARACTERS
from .types import LogMatrix, Look, Point, Quality, Reading

PROTOCOL: Final = 1
MOST_READINGS: Final = 64
MOST_STEPS: Final = 512
LONGEST_TEXT: Final = 64
LARGEST_COORDINATE: Final = 1e6  # px
UNKNOWN_SOURCE: Final = "service"

_COLUMNS: Final = 1 + len(CHARACTERS)
_SOURCE: Final = re.compile(r"[a-z0-9_]{1,32}")
_LOWEST: Final = -60000.0  # what float16 can still hold


class WireError(ValueError):
    """This is no look."""


def describe(look: Look, *, picture: int = 0) -> dict[str, Any]:
    """Return a look as JSON can hold it; picture says which of the pictures asked about was read."""
    return {
        "picture": picture,
        "alphabet": CHARACTERS,
        "readings": [_reading(reading, look.source) for reading in look.readings[:MOST_READINGS]],
        "quality": None if look.quality is None else asdict(look.quality),
    }


def understand(document: Mapping[str, Any], taken_at: Sequence[float], *, source: str = UNKNOWN_SOURCE) -> Look:
    """Read a look back; raises WireError.

    taken_at has the time of each picture asked about, on our clock. source is what the look is called, and readings
    that name none. A service with another alphabet than ours gives texts only.
    """
    try:
        at = taken_at[_whole(document["picture"], below=len(taken_at))]
        ours = document["alphabet"] == CHARACTERS
        items = document["readings"]
        if not isinstance(items, list) or len(items) > MOST_READINGS:
            raise WireError("too many readings")
        readings = tuple(
            read for item in items if (read := _understood(item, at, source=source, matrices=ours)) is not None
        )
        quality = document.get("quality")
        return Look(readings, at, source, None if quality is None else _quality(quality))
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        raise WireError("an answer that is no look") from error


def _reading(reading: Reading, source: str) -> dict[str, Any]:
    item: dict[str, Any] = {
        "text": reading.text,
        "confidences": [round(float(value), 5) for value in reading.confidences],
        "box": [[float(x), float(y)] for x, y in reading.box],
        "source": reading.source or source,
    }
    if reading.matrix is not None and len(reading.matrix) <= MOST_STEPS:
        halves = np.maximum(reading.matrix, _LOWEST).astype("<f2")
        item["matrix"] = {"steps": len(halves), "f16": base64.b64encode(halves.tobytes()).decode()}
    return item


def _understood(item: Mapping[str, Any], taken_at: float, *, source: str, matrices: bool) -> Reading | None:
    """Read one reading; None for a text with characters that we do not know, which nothing can be compared with."""
    text = str(item["text"])
    if len(text) > LONGEST_TEXT:
        raise WireError("a text without end")
    confidences = tuple(_between(value, 0.0, 1.0) for value in item["confidences"][: LONGEST_TEXT + 1])
    if len(confidences) != len(text):
        raise WireError("confidences that do not fit the text")
    if not text or not set(text) <= set(CHARACTERS):
        return None
    named = str(item.get("source", ""))
    matrix = item.get("matrix") if matrices else None
    return Reading(
        text,
        confidences,
        _box(item["box"]),
        None if matrix is None else _matrix(matrix),
        named if _SOURCE.fullmatch(named) else source,
        taken_at,
    )


def _matrix(described: Mapping[str, Any]) -> LogMatrix:
    """Unpack a matrix and make each step a distribution, so that nobody can claim more than certainty."""
    steps = _whole(described["steps"], below=MOST_STEPS + 1)
    try:
        halves = np.frombuffer(base64.b64decode(described["f16"], validate=True), dtype="<f2")
    except binascii.Error as error:
        raise WireError("a matrix that is not base64") from error
    matrix = halves.reshape(steps, _COLUMNS).astype(np.float32)
    if not steps or not np.isfinite(matrix).all():
        raise WireError("a matrix that is not finite")
    highest = matrix.max(axis=1, keepdims=True)
    logs: LogMatrix = matrix - highest - np.log(np.exp(matrix - highest).sum(axis=1, keepdims=True))
    return logs


def _box(corners: Sequence[Sequence[Any]]) -> tuple[Point, ...]:
    if len(corners) not in {0, 4}:
        raise WireError("a box without four corners")
    return tuple(
        (
            _between(x, -LARGEST_COORDINATE, LARGEST_COORDINATE),
            _between(y, -LARGEST_COORDINATE, LARGEST_COORDINATE),
        )
        for x, y in corners
    )


def _quality(described: Mapping[str, Any]) -> Quality:
    known = {field.name: described.get(field.name) for field in fields(Quality)}
    size = {name: _whole(known.pop(name), below=int(LARGEST_COORDINATE)) for name in ("width", "height")}
    optional = ("plate_width", "plate_height", "plate_tilt")
    rest: dict[str, Any] = {
        name: None
        if value is None and name in optional
        else _between(value, -LARGEST_COORDINATE if name in optional else 0.0, LARGEST_COORDINATE)
        for name, value in known.items()
    }
    return Quality(**size, **rest)


def _between(value: Any, least: float, most: float) -> float:
    number = float(value)
    if not math.isfinite(number) or not least <= number <= most:
        raise WireError("a figure out of its range")
    return number


def _whole(value: Any, *, below: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < below:
        raise WireError("a count out of its range")
    return value
