"""Sizes of spaces and cars, and whether one fits into the other.

Pure: standard library only.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """Length, width and height in metres; None where it is not limited (a space) or not known (a car)."""

    length_m: float | None = None
    width_m: float | None = None
    height_m: float | None = None


def fits(car: Size, space: Size) -> bool:
    """Tell whether the car fits. What is not known of the car is the driver's to judge and fits."""
    return (
        _fits(car.length_m, space.length_m)
        and _fits(car.width_m, space.width_m)
        and _fits(car.height_m, space.height_m)
    )


def _fits(needed: float | None, offered: float | None) -> bool:
    return needed is None or offered is None or needed <= offered
