"""What a search for a place gives, whoever found it.

Pure: standard library only.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

from parkshare_backend.spaces.geometry import Point, distance_m

MAX_LABEL = 300  # characters
SAME_PLACE_M = 30.0  # two answers with one label this near are one


@dataclass(frozen=True, slots=True)
class Found:
    """One place: kind is point, saved, street, town or address; source names who knew it."""

    label: str
    lat: float
    lon: float
    kind: str
    source: str

    @property
    def place(self) -> Point:
        """Where it is."""
        return Point(self.lat, self.lon)

    def document(self) -> dict[str, Any]:
        """Write it for the table of answers."""
        return asdict(self)


def from_service(label: object, lat: object, lon: object, *, source: str) -> Found | None:
    """Take what a service said, or nothing if it is no place: who answers there is not us."""
    if not isinstance(label, str) or not isinstance(lat, (int, float)) or not isinstance(lon, (int, float)):
        return None
    if not (math.isfinite(lat) and math.isfinite(lon) and -90 <= lat <= 90 and -180 <= lon <= 180):  # noqa: PLR2004
        return None
    printable = "".join(char if char.isprintable() else " " for char in label)
    text = " ".join(printable.split())[:MAX_LABEL]
    return Found(text, float(lat), float(lon), "address", source) if text else None


def without_doubles(found: list[Found]) -> list[Found]:
    """Leave out what was found before, by another way."""
    kept: list[Found] = []
    for one in found:
        if not any(
            one.label.casefold() == known.label.casefold() and distance_m(one.place, known.place) <= SAME_PLACE_M
            for known in kept
        ):
            kept.append(one)
    return kept
