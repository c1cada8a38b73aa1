"""A drive as a phone reports it: points along a line, at intervals, with the errors of a GPS receiver."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

EARTH_M_PER_DEGREE = 111_195.0  # of latitude, on a sphere of 6371 km

type Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the receiver says after so many seconds: degrees, metres, metres per second."""

    after_s: float
    lat: float
    lon: float
    accuracy_m: float
    speed_ms: float


def offset(place: Place, *, north_m: float, east_m: float) -> Place:
    """Return the place so many metres further north and east; fine for a few kilometres."""
    lat = place[0] + north_m / EARTH_M_PER_DEGREE
    return lat, place[1] + east_m / (EARTH_M_PER_DEGREE * math.cos(math.radians(place[0])))


def distance_m(a: Place, b: Place) -> float:
    """Return the distance in metres; fine for a few kilometres."""
    north = (b[0] - a[0]) * EARTH_M_PER_DEGREE
    east = (b[1] - a[1]) * EARTH_M_PER_DEGREE * math.cos(math.radians((a[0] + b[0]) / 2))
    return math.hypot(north, east)


def drive(
    start: Place, goal: Place, *, speed_ms: float, every_s: float, accuracy_m: float, chance: random.Random
) -> Iterator[Sighting]:
    """Yield the fixes of a drive from start to goal, the last one at the goal.

    A reported accuracy is the radius that holds 68 % of the errors; each axis has 1 / 1.515 of it as its deviation.
    """
    length = distance_m(start, goal)
    after = 0.0
    while True:
        share = min(1.0, speed_ms * after / length) if length else 1.0
        deviation = accuracy_m / 1.515
        exact = (start[0] + (goal[0] - start[0]) * share, start[1] + (goal[1] - start[1]) * share)
        seen = offset(exact, north_m=chance.gauss(0, deviation), east_m=chance.gauss(0, deviation))
        yield Sighting(after, seen[0], seen[1], accuracy_m, 0.0 if share >= 1 else speed_ms)
        if share >= 1:
            return
        after = min(after + every_s, length / speed_ms)
