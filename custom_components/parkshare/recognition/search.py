"""Where to look in a picture, and in which order: a glance at the whole, then ever closer, as far as work is allowed.

Pure: numpy only. The network's work grows with the pixels that it is shown, so what is small at a glance is not shown
larger as a whole: a small window about it is.
"""

import heapq
import itertools
import math
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from .detect import Detected, Window

# The first look is at the whole region shrunk to so many pixels: about 100 ms on one core and 200 MB of memory, both
# growing with the pixels (1.2 million took 1.1 GB). On 115 photographs with plates of 25 to 160 px in such a glance,
# 93 % of the plates were outlined and 97 % left a strong spot; with half the pixels 79 % and 86 %.
GLANCE_PIXELS: Final = 240_000
MOST_PIXELS: Final = 1_200_000  # of the network for one picture, all windows together
CLOSER: Final = 2.1  # each closer look shows so much more; never more than the picture has
NEAR: Final = (288, 160)  # px of the network; a window about one text, 15 ms
FAR: Final = (448, 288)  # px of the network; a window of the cover that is laid over everything at last
OVERLAP: Final = (128, 64)  # px of the network; more than a plate, so that each is whole in some window
MOST_NEAR: Final = 8  # windows about what was surely text; a street full of signs must not take seconds
# Text narrower than this in the detector's input may be half a plate: 70 px is safe, below 40 px plates are lost.
LEGIBLE_WIDTH: Final = 70.0
AIMED_WIDTH: Final = 105.0  # px of the network; what a closer look makes of a small text
MOST_SPOTS: Final = 200  # of one window, the strongest; noise leaves a thousand, and work is allowed for a few dozen
STRONG: Final = 0.15  # a spot that strong is text, or looks very much like it
SPOT: Final = (48, 24)  # px of the network; what is taken for the text around a spot
LEAST_CLOSER: Final = 1.3
FIRST: Final = -4.0  # before every spot; those have their strength below zero
LAST: Final = 1e-4  # keeps busy places (up to 255) behind the faintest spot
UNSEEN_HEIGHT: Final = 8.0  # px of the network; text that is higher is outlined, lower leaves a spot at best
# Beside a plate that is surely read, text so much lower (part of its height) stands farther away: the car at the
# barrier is the nearest, and its plate the largest.
FARTHER: Final = 0.5
SAME_SCALE: Final = 0.8  # a window that shows a text that large, compared to what was wanted, will do


@dataclass(frozen=True, slots=True)
class Step:
    """One window to be shown to the detector, at a scale (px of the network for one of the picture).

    It is for its target, a part of the window, in which text about height px high is expected. urgent steps are taken
    even when a plate has been read, unless it is much larger (see nearest): they show what is surely text.
    """

    window: Window
    scale: float
    target: Window
    urgent: bool
    height: float = math.inf

    @property
    def pixels(self) -> float:
        """The work: pixels of the network."""
        return _area(self.window) * self.scale**2

    def shows(self, wanted: Self) -> bool:
        """Tell whether this step shows another one's target about as large."""
        inside = all(a <= b for a, b in zip(self.window[:2], wanted.target[:2], strict=True)) and all(
            a >= b for a, b in zip(self.window[2:], wanted.target[2:], strict=True)
        )
        return inside and self.scale >= SAME_SCALE * wanted.scale


class Search:
    """Chooses the windows of one picture of size (px), one after another; after() is told what each of them showed."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._work_left = float(MOST_PIXELS)
        self._near_left = MOST_NEAR
        self._done: list[Step] = []
        self._queue: list[tuple[float, int, Step]] = []
        self._count = itertools.count()
        self._nearest = 0.0
        self.cut_short = False

    def nearest(self, height: float) -> None:
        """Take note of a plate that is surely read (px high): what is much smaller is no longer urgent.

        cut_short tells whether something was left because of this.
        """
        self._nearest = max(self._nearest, height)

    def begin(self, window: Window) -> None:
        """Plan a glance at a window."""
        scale = min(1.0, math.sqrt(GLANCE_PIXELS / _area(window)))
        self._push(FIRST, Step(window, scale, window, urgent=True))

    def cover(self, density: NDArray[np.float32]) -> None:
        """Plan windows over everything, after all else and the busiest first.

        density tells how busy a place is (H x W of any size, laid over the picture).
        """
        glance = math.sqrt(GLANCE_PIXELS / (self._size[0] * self._size[1]))
        if glance >= 1:
            return
        scale = min(1.0, CLOSER * glance)
        size, overlap = (FAR[0] / scale, FAR[1] / scale), (OVERLAP[0] / scale, OVERLAP[1] / scale)
        for window in windows_over(self._size, size, overlap):
            self._push(-LAST * _busiest(density, window, self._size), Step(window, scale, window, urgent=False))

    def urgent(self) -> Step | None:
        """Return the next step that shows what is surely text, if there is one."""
        while self._queue and self._queue[0][2].urgent:
            if self._queue[0][2].height >= FARTHER * self._nearest:
                return self.next()
            order, _, step = heapq.heappop(self._queue)
            # It may still be looked at, should that plate not end the search.
            self.cut_short = True
            self._push(max(order, -STRONG), replace(step, urgent=False))
        return None

    def next(self) -> Step | None:
        """Return the next step, None when there is none or the work that is allowed has been done."""
        while self._queue:
            step = heapq.heappop(self._queue)[2]
            if any(done.shows(step) for done in self._done):
                continue
            if step.pixels > self._work_left:
                return None
            self._work_left -= step.pixels
            self._done.append(step)
            return step
        return None

    def after(self, step: Step, seen: Detected) -> None:
        """Plan closer looks at what a step showed too small."""
        if step.scale >= 1:
            return
        for box in seen.boxes:
            if box.width * step.scale < LEGIBLE_WIDTH:
                wanted = min(CLOSER * step.scale, max(LEAST_CLOSER * step.scale, AIMED_WIDTH / box.width))
                (left, top), (right, bottom) = box.corners.min(axis=0), box.corners.max(axis=0)
                self._near((left, top, right, bottom), min(1.0, wanted), 1.0 + box.score, box.height)
        around = (SPOT[0] / step.scale, SPOT[1] / step.scale)
        for x, y, strength in seen.spots[~_covered(seen)][:MOST_SPOTS]:
            target = window_about((x, y), self._size, around)
            self._near(target, min(1.0, CLOSER * step.scale), strength, UNSEEN_HEIGHT / step.scale)

    def _near(self, target: Window, scale: float, strength: float, height: float) -> None:
        """Plan a window about a target; those that are surely text are urgent, as long as they are few."""
        urgent = strength >= STRONG and self._near_left > 0
        middle = ((target[0] + target[2]) / 2, (target[1] + target[3]) / 2)
        window = window_about(middle, self._size, (NEAR[0] / scale, NEAR[1] / scale))
        step = Step(window, scale, target, urgent=urgent, height=height)
        if any(planned.shows(step) for _, _, planned in self._queue):
            return
        self._near_left -= urgent
        self._push(-strength if urgent else -min(strength, STRONG), step)

    def _push(self, order: float, step: Step) -> None:
        heapq.heappush(self._queue, (order, next(self._count), step))


def _area(window: Window) -> float:
    left, top, right, bottom = window
    return (right - left) * (bottom - top)


def _busiest(density: NDArray[np.float32], window: Window, size: tuple[int, int]) -> float:
    height, width = density.shape
    across, down = width / size[0], height / size[1]
    left, top, right, bottom = window
    part = density[int(top * down) : math.ceil(bottom * down), int(left * across) : math.ceil(right * across)]
    return float(part.max(initial=0.0))


def _covered(seen: Detected) -> NDArray[np.bool_]:
    """Tell which spots belong to a box, or to the text right around it."""
    covered = np.zeros(len(seen.spots), dtype=np.bool_)
    for box in seen.boxes:
        low, high = box.corners.min(axis=0) - box.height, box.corners.max(axis=0) + box.height
        covered |= ((low <= seen.spots[:, :2]) & (seen.spots[:, :2] <= high)).all(axis=1)
    return covered


def window_about(middle: tuple[float, float], picture: tuple[int, int], size: tuple[float, float]) -> Window:
    """Return a window of a size about a place, moved into the picture (all in px of the picture)."""
    width, height = min(size[0], picture[0]), min(size[1], picture[1])
    left = float(np.clip(middle[0] - width / 2, 0, picture[0] - width))
    top = float(np.clip(middle[1] - height / 2, 0, picture[1] - height))
    return (left, top, left + width, top + height)


def windows_over(picture: tuple[int, int], size: tuple[float, float], overlap: tuple[float, float]) -> list[Window]:
    """Cover the whole picture with windows of one size that overlap by at least so much (all in px of the picture)."""
    width, height = min(size[0], picture[0]), min(size[1], picture[1])
    columns, rows = (
        1 if whole <= part else 1 + math.ceil((whole - part) / (part - shared))
        for whole, part, shared in zip(picture, (width, height), overlap, strict=True)
    )
    lefts = np.linspace(0, picture[0] - width, columns).tolist()
    tops = np.linspace(0, picture[1] - height, rows).tolist()
    return [(left, top, left + width, top + height) for top in tops for left in lefts]
