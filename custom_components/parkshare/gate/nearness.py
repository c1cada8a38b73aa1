"""Is the owner near their space? Pure: fixes in, changes out.

A fix is a hint: an old or very inaccurate one changes nothing, and the way out is longer than the way in, so that
a phone that drifts at the edge does not flap.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import cos, hypot, isfinite, radians

EARTH_RADIUS = 6_371_008.8  # m, mean radius of the IUGG


@dataclass(frozen=True, slots=True)
class Fix:
    """One position report: degrees, metres (one sigma as phones report it), UTC epoch seconds."""

    latitude: float
    longitude: float
    accuracy_m: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NearnessPolicy:
    """When a fix counts.

    range_m is the preset range around the space. Out is out only beyond range_m * exit_factor + exit_margin_m, by
    more than the fix may err. A fix that may err more than the range itself (at least accuracy_floor_m) says nothing.
    """

    range_m: float
    exit_factor: float = 1.2
    exit_margin_m: float = 50.0
    accuracy_floor_m: float = 100.0
    max_age: float = 120.0  # s
    max_ahead: float = 60.0  # s; a phone's clock may be a little fast


class Change(StrEnum):
    """What a fix changed."""

    NEAR = "near"
    AWAY = "away"


def metres(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float) -> float:
    """Distance in metres, equirectangular: below 0.1 % off for a few kilometres, also across the date line."""
    north = radians(latitude_b - latitude_a)
    turn = (longitude_b - longitude_a + 180.0) % 360.0 - 180.0
    east = radians(turn) * cos(radians((latitude_a + latitude_b) / 2))
    return EARTH_RADIUS * hypot(north, east)


def observe(
    fix: Fix, *, inside: bool | None, place: tuple[float, float], now: float, policy: NearnessPolicy
) -> tuple[bool | None, Change | None]:
    """Tell whether the owner is inside after this fix, and what changed.

    inside is None until the first fix that counts; learning it is no change, since nobody moved.
    """
    if not _counts(fix, now, policy):
        return inside, None
    distance = metres(*place, fix.latitude, fix.longitude)
    if distance <= policy.range_m:
        return True, Change.NEAR if inside is False else None
    outside = distance - fix.accuracy_m > policy.range_m * policy.exit_factor + policy.exit_margin_m
    if inside is None:
        return (False if outside else None), None
    if inside and outside:
        return False, Change.AWAY
    return inside, None


def _counts(fix: Fix, now: float, policy: NearnessPolicy) -> bool:
    """Tell whether the fix is fresh, accurate and possible."""
    figures = (fix.latitude, fix.longitude, fix.accuracy_m, fix.at)
    return (
        all(isfinite(figure) for figure in figures)
        and abs(fix.latitude) <= 90.0  # noqa: PLR2004 - degrees
        and abs(fix.longitude) <= 180.0  # noqa: PLR2004 - degrees
        and 0.0 <= fix.accuracy_m <= max(policy.range_m, policy.accuracy_floor_m)
        and -policy.max_ahead <= now - fix.at <= policy.max_age
    )
