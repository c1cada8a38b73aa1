"""Two-line plates: two lines of text right above each other that together make one plate.

Pure: numpy only. Most motorcycles and many countries' cars have them ("B" over "AB 1234", "KA 01" over "AB 1234").
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .detect import TextBox
from .types import LogMatrix

# Lines of one plate, compared to each other; a state's name above a plate is far less high than the plate's text.
HEIGHTS: Final = 1.7  # the higher over the lower
PITCH: Final = (0.6, 1.5)  # distance of their middles, in mean heights
ASIDE: Final = 0.4  # how far one's middle may be aside of the other's, in widths of the wider
PARALLEL: Final = 0.985  # least cosine between them: 10 degrees
TEXTS: Final = range(1, 8)  # characters of one line
WHOLE: Final = range(4, 11)  # characters of both


def stacked(boxes: Sequence[TextBox]) -> list[tuple[TextBox, TextBox]]:
    """List the pairs of boxes (upper, lower) that may be the two lines of one plate."""
    return [(upper, lower) for upper in boxes for lower in boxes if upper is not lower and _on_one_plate(upper, lower)]


def _on_one_plate(upper: TextBox, lower: TextBox) -> bool:
    heights = sorted((upper.height, lower.height))
    if heights[0] <= 0 or heights[1] > HEIGHTS * heights[0]:
        return False
    wider = upper if upper.width > lower.width else lower
    along = _direction(wider)
    if _direction(upper) @ _direction(lower) < PARALLEL:
        return False
    apart = lower.corners.mean(axis=0) - upper.corners.mean(axis=0)
    aside, below = abs(float(apart @ along)), float(apart @ np.array([-along[1], along[0]]))
    least, most = PITCH
    return bool(aside <= ASIDE * wider.width and least <= below / np.mean(heights) <= most)


def _direction(box: TextBox) -> NDArray[np.float64]:
    along = box.corners[1] - box.corners[0]
    direction: NDArray[np.float64] = along / max(1e-6, float(np.linalg.norm(along)))
    return direction


def is_plate_of_two(upper: str, lower: str) -> bool:
    """Tell whether two lines' texts may be one plate: neither too long, a digit somewhere."""
    both = upper + lower
    return (
        len(upper) in TEXTS
        and len(lower) in TEXTS
        and len(both) in WHOLE
        and any(character.isdigit() for character in both)
    )


def around(upper: TextBox, lower: TextBox) -> TextBox:
    """Return the box around both lines, turned as the wider one is."""
    along = _direction(upper if upper.width > lower.width else lower)
    down = np.array([-along[1], along[0]])
    corners = np.concatenate([upper.corners, lower.corners])
    u, v = corners @ along, corners @ down
    found = [along * a + down * b for a, b in ((u.min(), v.min()), (u.max(), v.min()), (u.max(), v.max()))]
    return TextBox(np.array([*found, along * u.min() + down * v.max()]), min(upper.score, lower.score))


def stack(upper: LogMatrix, lower: LogMatrix) -> LogMatrix:
    """Put the lines' matrices one after the other: the likelihood of a text is then exact.

    A sure blank between them keeps equal characters at the end of one and the start of the other apart.
    """
    between = np.full((1, upper.shape[1]), -20.0, dtype=np.float32)
    between[0, 0] = 0.0
    joined: LogMatrix = np.concatenate([upper, between, lower])
    return joined
