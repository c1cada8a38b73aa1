"""Texts that are no plates: what the camera writes into its pictures, and lettering on lorries.

Pure: numpy only. A real plate must never be lost here, so each rule asks for several signs at once.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .detect import TextBox

RIM: Final = 0.1  # of the picture's height: overlays lie at its top or bottom
LOWEST: Final = 0.08  # of the picture's height: no overlay's letters are higher
LEVEL: Final = 0.035  # slope; overlays are drawn perfectly level, the rest is the detector's grain
# A view's text counts as an overlay when it was there for so long and in so many pictures,
STAYED_S: Final = 300.0
STAYED_LOOKS: Final = 4
SAME_PLACE: Final = 0.25  # of its height
BESIDE: Final = 3.0  # heights; a date and the time are no further apart
MOST_REMEMBERED: Final = 24  # texts of one camera
MOST_CAMERAS: Final = 8

_DAY = r"(0[1-9]|[12]\d|3[01])"
_MONTH = r"(0[1-9]|1[0-2])"
_YEAR = r"20[1-9]\d"
_TIME = r"([01]\d|2[0-3])[0-5]\d([0-5]\d)?"
# A date, maybe with what stands around it: readers drop separators and lose an end now and then. A time alone is six
# digits, as some plates are, so it must have a date beside it (see is_stamp).
_DATE = re.compile(rf"({_YEAR}{_MONTH}{_DAY}|{_DAY}{_MONTH}{_YEAR}|{_MONTH}{_DAY}{_YEAR})\w{{0,12}}")
_CLOCK = re.compile(_TIME)
# Three letters and three digits are a plate in many countries.
_CAMERA = re.compile(r"(CAM|IPC)[0-9OI]{1,2}|(CAMERA|KAMERA|IPCAM|CHANNEL|KANAL)[0-9OI]{1,3}")

LETTERING_NEIGHBOURS: Final = 3  # other texts of its size around one that is part of some lettering


def at_rim(box: TextBox, height: int) -> bool:
    """Tell whether a box lies as overlays do: at the top or bottom of a picture of a height (px), small and level."""
    top, bottom = float(box.corners[:, 1].min()), float(box.corners[:, 1].max())
    slope = abs(box.corners[1, 1] - box.corners[0, 1]) / max(1.0, box.width)
    near = bottom <= RIM * height or top >= (1 - RIM) * height
    return bool(near and box.height <= LOWEST * height and slope <= LEVEL)


def is_stamp(text: str, beside: Sequence[str]) -> bool:
    """Tell whether a text at the rim is a date, a camera's name, or a time with a date beside it."""
    if _CAMERA.fullmatch(text) or (len(text) >= 8 and _DATE.fullmatch(text)):  # noqa: PLR2004 - digits of a date
        return True
    return bool(_CLOCK.fullmatch(text)) and any(len(other) >= 8 and _DATE.fullmatch(other) for other in beside)  # noqa: PLR2004


def on_one_line(box: TextBox, other: TextBox) -> bool:
    """Tell whether two texts stand side by side on one level line and have one height: a date and the time after it."""
    apart = abs(float(box.corners[:, 1].mean() - other.corners[:, 1].mean()))
    alike = 0.7 <= box.height / max(1.0, other.height) <= 1.4  # noqa: PLR2004
    gap = max(box.corners[:, 0].min() - other.corners[:, 0].max(), other.corners[:, 0].min() - box.corners[:, 0].max())
    return bool(alike and apart <= 0.3 * box.height and gap <= BESIDE * box.height)


def is_lettering(box: TextBox, others: Sequence[TextBox]) -> bool:
    """Tell whether a box is one of many texts of about its size close together: lorries, shop windows, signs."""
    middle = box.corners.mean(axis=0)
    near = 0
    for other in others:
        apart = np.abs(other.corners.mean(axis=0) - middle)
        like = 0.5 <= other.height / max(1.0, box.height) <= 2  # noqa: PLR2004
        reach = (box.width + other.width) / 2 + 2 * box.height
        near += other is not box and like and apart[0] <= reach and apart[1] <= 3 * box.height
    return near >= LETTERING_NEIGHBOURS


@dataclass(slots=True)
class _Remembered:
    text: str
    middle: NDArray[np.float64]
    since: float
    looks: int = 1


@dataclass(slots=True)
class Overlays:
    """What stood at the rim of each camera's pictures, for as long as this object lives.

    A text that has not moved or changed for STAYED_S is one that the camera writes, or the plate of a car that stands
    and waits: nobody can tell, so it may be put behind others but never left out. The car that waits may be the
    expected one a moment later, when its booking begins or its plate is corrected.
    """

    _cameras: OrderedDict[str, list[_Remembered]] = field(default_factory=OrderedDict)

    def constant(self, camera: str, seen: Sequence[tuple[str, TextBox]], *, taken_at: float) -> set[str]:
        """Remember the texts at the rim of a picture; return those that have stood there all the time."""
        if not camera:
            return set()
        before = self._cameras.pop(camera, [])
        now: list[_Remembered] = []
        for text, box in seen[:MOST_REMEMBERED]:
            middle = box.corners.mean(axis=0)
            known = next(
                (
                    old
                    for old in before
                    if old.text == text and np.abs(old.middle - middle).max() <= SAME_PLACE * box.height
                ),
                None,
            )
            if known is None:
                now.append(_Remembered(text, middle, taken_at))
            elif known not in now:
                known.looks += 1
                now.append(known)
        self._cameras[camera] = now
        while len(self._cameras) > MOST_CAMERAS:
            self._cameras.popitem(last=False)
        return {one.text for one in now if one.looks >= STAYED_LOOKS and taken_at - one.since >= STAYED_S}
