"""Where things are: points on the earth, distances, and the coordinates in which the index searches.

Pure: standard library only.
"""

import math
from dataclasses import dataclass
from typing import Protocol

EARTH_RADIUS_M = 6_371_008.77  # the mean radius; the sphere differs from WGS 84 by at most 0.56 % below 1.5 km
METRES_PER_DEGREE = math.pi * EARTH_RADIUS_M / 180  # along a meridian
AREA_STEP_DEG = 0.001  # about 111 m north to south
AREAS_PER_DEG = 1000
AREA_ERROR_M = 80.0  # a place lies at most half the diagonal of its cell (111 m by 111 m) from its area
CM_PER_M = 100
HALF_TURN = 180.0
MICRO = 1_000_000
ROW_ZERO, COLUMN_ZERO = 1 << 17, 1 << 18  # rows of areas go from -90 000 to 90 000, columns from -180 000 to 180 000
NUMBERS_OF_AREA = 1 << 22  # more spaces than lie in one; with the 38 bits of an area's number less than 2**63

_SPREADING = (
    (16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333), (1, 0x5555555555555555),
)  # fmt: skip

type Spot = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the earth in WGS 84 degrees."""

    lat: float
    lon: float


class Located(Protocol):
    """What has a place: a point, or more than that."""

    @property
    def lat(self) -> float:
        """Degrees north."""

    @property
    def lon(self) -> float:
        """Degrees east."""


def distance_m(a: Located, b: Located) -> float:
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
    return Point(*area_at(place.lat, place.lon))


def area_at(lat: float, lon: float) -> tuple[float, float]:
    """Give the area of a place as latitude and longitude, and no points: a search asks it of each offer.

    Nothing is kept of it: among many areas a look into a cache takes longer than these few steps. To make a point, and
    to call max and min, would double them.
    """
    row = round(lat / AREA_STEP_DEG)
    step = _step(row)
    east = round(lon / step) * step
    if not -HALF_TURN <= east <= HALF_TURN:
        east = math.copysign(HALF_TURN, east)
    # To the sixth digit; by `round(east, 6)` it takes four times as long.
    return row / AREAS_PER_DEG, round(east * MICRO) / MICRO


def area_number(place: Point) -> int:
    """Give the number of a place's area: no two have the same, and those that lie near mostly have near ones.

    It is the area's place on Morton's curve, the bits of its row and its column in turns. What is stored in the order
    of these numbers is read together when somebody looks around a place.
    """
    row = round(place.lat / AREA_STEP_DEG)
    column = round(place.lon / _step(row))
    return _spread(row + ROW_ZERO) << 1 | _spread(column + COLUMN_ZERO)


def located(place: Point) -> dict[str, int]:
    """Give what the index needs of a space's place, by the names of its columns: all of it only of the area."""
    x, y, z = spot_of(area_of(place))
    return {"x": x, "y": y, "z": z, "area": area_number(place)}


def _step(row: int) -> float:
    """Give how wide the areas of a row are, in degrees."""
    return AREA_STEP_DEG / max(math.cos(math.radians(row * AREA_STEP_DEG)), 0.01)


def _spread(number: int) -> int:
    """Put a zero before each of the 32 lowest bits."""
    for shift, mask in _SPREADING:
        number = (number | number << shift) & mask
    return number
