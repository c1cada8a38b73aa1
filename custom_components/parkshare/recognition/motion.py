"""Where something moved since the last picture of the same camera. Pure: numpy only.

A car that arrives is most of what moves in a picture, and the plate is on it: one window over it shows the plate
larger than a glance at everything does.
"""

from collections import OrderedDict
from typing import Final

import numpy as np
from numpy.typing import NDArray

GRAIN: Final = 160  # px; the longer side of the copies that are compared
CHANGED: Final = 22.0  # steps of 255 that a pixel must change by, after the change of all: noise stays below
LEAST: Final = 0.004  # part of the picture; smaller is a bird or a flag
MOST: Final = 0.5  # part of the picture; more is light, or the camera was turned
MARGIN: Final = 0.04  # part of the picture's sides that is added around what moved
STRAY: Final = 0.02  # part of the changed pixels at each side that may lie outside: leaves, noise
MOST_CAMERAS: Final = 8  # about 15 kB each

type Area = tuple[float, float, float, float]  # left, top, right, bottom as fractions


class Motion:
    """Keeps a small grey copy of the last picture of each camera."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    def moved(self, camera: str, grey: NDArray[np.float32]) -> Area | None:
        """Return the part of a picture (small copy, 0..255) in which something moved since the last one of a camera.

        None where nothing is known, nothing moved, or everything did.
        """
        if not camera:
            return None
        last = self._last.pop(camera, None)
        self._last[camera] = grey
        while len(self._last) > MOST_CAMERAS:
            self._last.popitem(last=False)
        return None if last is None else changed(last, grey)


def changed(last: NDArray[np.float32], grey: NDArray[np.float32]) -> Area | None:
    """Return the part in which two small grey copies differ; None where they do not, everywhere, or cannot tell."""
    if last.shape != grey.shape:
        return None
    difference = grey - last
    # A camera that changes its exposure changes every pixel: take the usual change off.
    moved = np.abs(difference - np.median(difference)) > CHANGED
    if not LEAST <= moved.mean() <= MOST:
        return None
    rows, columns = np.nonzero(moved)
    height, width = moved.shape
    left, right = np.quantile(columns, (STRAY, 1 - STRAY)) / width
    top, bottom = np.quantile(rows, (STRAY, 1 - STRAY)) / height
    return (
        max(0.0, float(left) - MARGIN),
        max(0.0, float(top) - MARGIN),
        min(1.0, float(right) + 1 / width + MARGIN),
        min(1.0, float(bottom) + 1 / height + MARGIN),
    )
