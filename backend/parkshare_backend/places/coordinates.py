"""A text that is a point: `48.137, 11.575`, `48.137 N 11.575 E`, `geo:48.137,11.575`.

Pure: standard library only. Own and linear, because a text from a stranger has no place in a clever expression.
"""

import math
import re

from parkshare_backend.spaces.geometry import Point

MAX_TEXT = 60  # characters; longer ones are no pair of numbers
_NUMBER = r"([+-]?\d{1,3}(?:\.\d{1,15})?)"
_PAIR = re.compile(
    rf"(?:geo:)?\s?{_NUMBER}\s?°?\s?([NS]?)\s?[,;\s]\s?{_NUMBER}\s?°?\s?([EW]?)", re.ASCII | re.IGNORECASE
)


def read_point(text: str) -> Point | None:
    """Give the point, latitude first, or None if the text is none."""
    if len(text) > MAX_TEXT:
        return None
    pair = _PAIR.fullmatch(" ".join(text.split()))
    if pair is None:
        return None
    lat, lon = float(pair[1]), float(pair[3])
    if pair[2].upper() == "S":
        lat = -lat
    if pair[4].upper() == "W":
        lon = -lon
    usable = math.isfinite(lat) and -90 <= lat <= 90 and -180 <= lon <= 180  # noqa: PLR2004 - degrees
    return Point(lat, lon) if usable else None
