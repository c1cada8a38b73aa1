"""What does a line of text say: PP-OCRv6 recognition on ncnn, its output reduced to the characters of plates."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .alphabet import CHARACTERS, COLUMN
from .detect import TextBox
from .network import Network
from .normalise import normalise

HEIGHT: Final = 48  # px; the network's input height
NARROWEST: Final = 160  # px; narrower input reads worse, wider costs time
WIDEST: Final = 640  # px; more than twice the longest plate: a sentence, not a plate
STEP: Final = 8  # px of width for each column of the output
FLOOR: Final = 1e-6  # probability that no character falls below: half precision knows no more


class Recogniser:
    """Reads crops: a network with its classes' columns in our matrix."""

    def __init__(self, network: Network, charset: Path) -> None:
        self._network = network
        classes = charset.read_text(encoding="utf-8").split("\n")[:-1]
        # Upper and lower case, and letters with marks, add up to one column; separators add to the blank.
        self._fold = np.zeros((1 + len(classes), 1 + len(CHARACTERS)), dtype=np.float32)
        self._fold[0, 0] = 1
        for index, character in enumerate(classes, start=1):
            self._fold[index, COLUMN.get(normalise(character), 0)] = 1

    def read(self, crop: Image.Image) -> NDArray[np.float32]:
        """Return the matrix of a crop HEIGHT high: log-probabilities, T x (1 + len(CHARACTERS)), T = width / STEP."""
        width = max(NARROWEST, -(-crop.width // STEP) * STEP)
        pixels = np.zeros((3, HEIGHT, width), dtype=np.float32)
        # Blue, green, red in -1..1; what is not crop stays middle grey, as in training.
        pixels[:, :, : crop.width] = (np.asarray(crop, dtype=np.float32)[:, :, ::-1] / 127.5 - 1).transpose(2, 0, 1)
        matrix = self._network.run(pixels) @ self._fold + np.float32(FLOOR)
        logs: NDArray[np.float32] = np.log(matrix / matrix.sum(axis=1, keepdims=True))
        return logs


@dataclass(frozen=True, slots=True)
class Cut:
    """How much of a box is cut out, in heights of the box: less at top and bottom, more at its left and right."""

    trim: float = 0.0
    left: float = 0.0
    right: float = 0.0


def crop(picture: Image.Image, box: TextBox, cut: Cut = Cut()) -> Image.Image:
    """Cut a box out of a picture, upright and HEIGHT high; what lies outside of the picture is black."""
    top_left, top_right, bottom_right, bottom_left = box.corners
    along = (top_right - top_left) / max(1e-6, box.width) * box.height
    down = bottom_left - top_left
    corners = np.array(
        [
            top_left - along * cut.left + down * cut.trim,
            bottom_left - along * cut.left - down * cut.trim,
            bottom_right + along * cut.right - down * cut.trim,
            top_right + along * cut.right + down * cut.trim,
        ]
    )
    height = max(4.0, box.height * (1 - 2 * cut.trim))
    wide = max(4.0, box.width + box.height * (cut.left + cut.right))
    width = min(WIDEST, max(16, math.ceil(HEIGHT * wide / height)))
    # Sampling takes single pixels, so large text would alias: shrink the surroundings first.
    factor = int(height // (2 * HEIGHT))
    if factor > 1:
        left, top = np.floor(np.maximum(corners.min(axis=0) - 2, 0)).astype(int).tolist()
        right, bottom = np.ceil(corners.max(axis=0) + 2).astype(int).tolist()
        around = picture.crop((left, top, min(right, picture.width), min(bottom, picture.height)))
        picture = around.reduce(factor)
        corners = (corners - (left, top)) / factor
    return picture.transform((width, HEIGHT), Image.Transform.QUAD, corners.ravel().tolist(), Image.Resampling.BILINEAR)
