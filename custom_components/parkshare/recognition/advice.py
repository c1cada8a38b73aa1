"""What would make a camera read plates better, from the looks of one test.

Pure: the standard library and the words of recognition. The texts for people are translations, `common.advice_*`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import atan2, ceil, degrees, dist, sqrt
from statistics import median
from typing import Final

from .types import WHOLE, Look, Point, Quality, Region

# Below, characters of a plate are too few pixels apart to be told from each other (444 photographs: plates of 88 px in
# the median were read in 89 % of all cases, of 113 px and more in 98 %; docs/recognition.md).
LEAST_PLATE_WIDTH: Final = 100.0  # px of the picture
# What finds the plate looks at a smaller picture first; there a plate needs 60 px to be found at this first glance.
GLANCE_PLATE_WIDTH: Final = 60.0  # px
GLANCE_PIXELS: Final = 240_000  # of that smaller picture; the same as the pipeline's
# What cameras call HD; a smaller picture is mostly a second stream that was made for a phone.
GOOD_WIDTH: Final = 1280  # px of the picture
# What follows was measured by making 26 photographs worse step by step, as benchmarks/advice.py does: 25 plates are
# admitted as they are, from one look each.
# Turned: 23 of 26 at 26 degrees, 20 at 34; a plate seen from the side is turned and squeezed at once.
STEEPEST_TILT: Final = 25.0  # degrees
LEAST_BRIGHTNESS: Final = 0.08  # mean luma, 0..1: 25 of 26 at 0.12, 19 at 0.06, 10 at 0.03
LEAST_CONTRAST: Final = 0.1  # spread of the luma, 0..1: 22 of 26 at 0.15, 14 at 0.075
MOST_GLARE: Final = 0.2  # part of the pixels that are blown out: 19 of 26 at 0.31; most skies stay below 0.1
LEAST_SHARPNESS: Final = 0.4  # of 1.0: 22 of 26 at 0.59 (blurred by 1 px), 12 at 0.27 (by 2 px)


class Hint(StrEnum):
    """One thing to improve, worst first; FINE stands alone."""

    NO_PLATE = "no_plate"
    TOO_SMALL = "too_small"
    PICTURE_SMALL = "picture_small"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    FLAT = "flat"
    BLURRED = "blurred"
    TILTED = "tilted"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Advice:
    """A hint with the figures that its text names (px, degrees)."""

    hint: Hint
    values: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Plate:
    """The likeliest plate of one look: px of the picture, degrees."""

    width: float
    tilt: float


def advise(looks: Sequence[Look]) -> tuple[Advice, ...]:
    """Say what to improve, the most effective first; one FINE when there is nothing.

    Figures are medians over the looks: one car that drives by, or one lamp that flickers, is not the camera's fault.
    """
    plates = [plate for look in looks if (plate := _plate(look))]
    qualities = [look.quality for look in looks if look.quality]
    found = [*_of_plates(plates, qualities), *_of_light(qualities)]
    order = list(Hint)
    return tuple(sorted(found, key=lambda advice: order.index(advice.hint))) or (Advice(Hint.FINE),)


def quick_plate_width(width: int, height: int, region: Region = WHOLE) -> int:
    """Return how wide (px of the picture) a plate has to be to be found at the first glance at this region.

    The smaller the region, the less it is shrunk for that glance; below the least width nothing helps.
    """
    pixels = width * height * (region.right - region.left) * (region.bottom - region.top)
    shrunk = min(1.0, sqrt(GLANCE_PIXELS / max(1.0, pixels)))
    return ceil(max(LEAST_PLATE_WIDTH, GLANCE_PLATE_WIDTH / shrunk))


def _of_plates(plates: Sequence[_Plate], qualities: Sequence[Quality]) -> Iterable[Advice]:
    """What the plates say; where there are none, whether the picture could show one."""
    small = _median(quality.width for quality in qualities)
    if not plates:
        yield Advice(Hint.NO_PLATE)
    elif (width := median(plate.width for plate in plates)) < LEAST_PLATE_WIDTH:
        yield Advice(Hint.TOO_SMALL, {"width": round(width), "needed": round(LEAST_PLATE_WIDTH)})
    else:
        small = None
    if small is not None and small < GOOD_WIDTH:
        yield Advice(Hint.PICTURE_SMALL, {"width": round(small), "needed": GOOD_WIDTH})
    if plates and (tilt := median(plate.tilt for plate in plates)) > STEEPEST_TILT:
        yield Advice(Hint.TILTED, {"degrees": round(tilt), "most": round(STEEPEST_TILT)})


def _of_light(qualities: Sequence[Quality]) -> Iterable[Advice]:
    """What the pictures say, whatever is on them."""
    if not qualities:
        return
    if median(quality.brightness for quality in qualities) < LEAST_BRIGHTNESS:
        yield Advice(Hint.TOO_DARK)
    elif median(quality.glare for quality in qualities) > MOST_GLARE:
        yield Advice(Hint.TOO_BRIGHT)
    elif median(quality.contrast for quality in qualities) < LEAST_CONTRAST:
        yield Advice(Hint.FLAT)
    if median(quality.sharpness for quality in qualities) < LEAST_SHARPNESS:
        yield Advice(Hint.BLURRED)


def _median(figures: Iterable[int]) -> float | None:
    known = list(figures)
    return median(known) if known else None


def _plate(look: Look) -> _Plate | None:
    """Return the likeliest plate: as the reader measured it, or from its first reading if it measures nothing."""
    if (quality := look.quality) is not None:
        width = quality.plate_width
        return None if width is None else _Plate(width, abs(quality.plate_tilt or 0.0))
    return _Plate(*_measured(look.readings[0].box)) if look.readings and look.readings[0].box else None


def _measured(box: Sequence[Point]) -> tuple[float, float]:
    """Return how long the upper edge of a box is, and how far it is turned (degrees, 0 to 90)."""
    (left, top), (right, bottom) = box[0], box[1]
    turned = abs(degrees(atan2(bottom - top, right - left)))
    return dist(box[0], box[1]), min(turned, 180.0 - turned)
