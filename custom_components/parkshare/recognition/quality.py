"""How good a picture is for reading plates, measured on a part of it. Pure: numpy only; a few milliseconds."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .types import Point, Quality

BLOWN: Final = 250  # of 255; from here on up nothing can be told apart
# Steepest edges: the part of the patch's whole range by which the steepest neighbours differ. A letter's edge that is
# as sharp as a lens and a sensor's pixels make it spreads over two pixels, so half the range counts as sharp.
STEEP: Final = 0.5
# Edges are few, single hot pixels fewer: what counts is the difference that so many others exceed, and in small patches
# this part of them.
STEEPEST: Final = 1500
STEEPEST_PART: Final = 0.01
LEAST_RANGE: Final = 12.0  # of 255; flatter patches are noise and have no edges to judge


def sharpness(luma: NDArray[np.float32]) -> float:
    """Tell how steep the edges of a patch in its own pixels (H x W, 0..255) are: 1 as steep as can be, 0 flat."""
    if min(luma.shape) < 8:  # noqa: PLR2004 - px; too small to say anything
        return 0.0
    darkest, brightest = np.percentile(luma, (2, 98))
    extent = float(brightest - darkest)
    if extent < LEAST_RANGE:
        return 0.0
    steps = np.concatenate([np.abs(np.diff(luma, axis=1)).ravel(), np.abs(np.diff(luma, axis=0)).ravel()])
    exceeded_by = min(STEEPEST_PART, STEEPEST / len(steps))
    return min(1.0, float(np.quantile(steps, 1 - exceeded_by)) / (STEEP * extent))


def exposure(luma: NDArray[np.float32]) -> tuple[float, float, float]:
    """Return brightness, contrast and glare of a part of a picture (H x W, 0..255), each 0..1."""
    dark, bright = np.percentile(luma, (5, 95))
    return float(luma.mean()) / 255, float(bright - dark) / 255, float((luma >= BLOWN).mean())


def measured(
    size: tuple[int, int], luma: NDArray[np.float32], patch: NDArray[np.float32], plate: tuple[Point, ...] | None
) -> Quality:
    """Put a picture's quality together.

    size is of the whole picture (px); luma is its region, shrunk or not; patch, in the picture's own pixels, is what
    sharpness is judged by; plate the corners of the likeliest plate.
    """
    brightness, contrast, glare = exposure(luma)
    quality = (round(brightness, 3), round(contrast, 3), round(sharpness(patch), 3), round(glare, 4))
    if plate is None:
        return Quality(*size, *quality)
    (left, top), (right, across), _, (under, bottom) = plate
    width, height = math.dist(plate[0], plate[1]), math.hypot(under - left, bottom - top)
    tilt = math.degrees(math.atan2(across - top, right - left))
    return Quality(*size, *quality, round(width, 1), round(height, 1), round(tilt, 1))


def rating(luma: NDArray[np.float32]) -> float:
    """Rate the part of a picture where the plate is expected, to choose among pictures of one moment: more is better.

    Sharp edges count most; what is blown out or lies in the dark cannot be read however sharp it is.
    """
    brightness, contrast, glare = exposure(luma)
    lit = min(1.0, brightness / 0.15) * min(1.0, contrast / 0.2) * (1 - min(1.0, 2 * glare))
    return sharpness(luma) * lit
