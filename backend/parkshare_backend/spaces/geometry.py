"""Where things are: points on the earth, distances, and the coordinates in which the index searches.

Pure: standard library only.
"""

import math
from dataclasses import dataclass

EARTH_RADIUS_M = 6_371_008.77  # the mean radius; the sphere differs from WGS 84 by at most 0.56 % below 1.5 km
METRES_PER_DEGREE = math.pi * EARTH_RADIUS_M / 180  # along a meridian
AREA_STEP_DEG = 0.001  # about 111 m north to south
AREAS_PER_DEG = 1000
AREA_ERROR_M = 80.0  # a place lies at most half the diagonal of its cell (111 m by 111 m) from its area
CM_PER_M = 100
HALF_TURN = 180.0
MICRO = 1_000_000

type Spot = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the earth in WGS 84 degrees."""

    lat: float
    lon: float


def distance_m(a: Point, b: Point) -> float:
    """Give the distance in metres along the great circle, by the haversine formula: right at any place."""
    lat_a, lat_b = math.radians(a.lat), math.radians(b.lat)
    north = math.sin((lat_b - lat_a) / 2)
    east = math.sin(math.radians(b.lon - a.lon) / 2)
    half_chord = north * north + math.cos(lat_a) * math.cos(lat_b) * east * east
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(half_chord)))


def spot_of(point: Point) -> Spot:
    """Give a point as x, y and z from the centre of the earth in whole centimetres.

    In three dimensions there is no antimeridian and no pole: a box around a spot is a box everywhere. Whole numbers,
    because both engines then compute the same squares of distances, to the last digit.
    """
    lat, lon = math.radians(point.lat), math.radians(point.lon)
    radius = EARTH_RADIUS_M * CM_PER_M
    flat = radius * math.cos(lat)
    return round(flat * math.cos(lon)), round(flat * math.sin(lon)), round(radius * math.sin(lat))


def reach_cm(radius_m: float) -> int:
    """Give the straight line through the earth, in whole centimetres and never too short, for a distance over it."""
    angle = min(radius_m / EARTH_RADIUS_M, math.pi)
    # two spots are rounded by at most 0.87 cm each
    return math.ceil(2 * EARTH_RADIUS_M * CM_PER_M * math.sin(angle / 2)) + 2


def arc_m(line_cm: float) -> float:
    """Give the distance over the earth for a straight line through it; between two spots it is right to 2 cm."""
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, line_cm / (2 * EARTH_RADIUS_M * CM_PER_M)))


def area_of(place: Point) -> Point:
    """Round a place to about 100 m: what a searcher may know of an address that is not theirs yet.

    The step in longitude widens with the latitude, so the cell stays about as wide as it is high.
    """
    return area_at(place.lat, place.lon)


def area_at(lat: float, lon: float) -> Point:
    """Give the area of a place that is not made yet: a search asks it of each row that it finds.

    Nothing is kept of it: among many areas a look into a cache takes longer than these few steps.
    """
    row = round(lat / AREA_STEP_DEG)
    step = AREA_STEP_DEG / max(math.cos(math.radians(row * AREA_STEP_DEG)), 0.01)
    east = max(-HALF_TURN, min(HALF_TURN, round(lon / step) * step))
    # To the sixth digit; by `round(east, 6)` it takes four times as long.
    return Point(row / AREAS_PER_DEG, round(east * MICRO) / MICRO)
