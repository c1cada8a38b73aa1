"""Our own small reader: one line of a plate in 1.3 ms, so that many crops can be tried (docs/model-card.md)."""

from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from .alphabet import CHARACTERS, COLUMN, LATIN
from .network import Network
from .types import LogMatrix

WIDTH: Final = 144  # px; every crop is stretched to this, as in training
HEIGHT: Final = 48  # px
CLASSES: Final = 1 + len(LATIN)  # the blank, digits, letters
# Probability that no character falls below: one that the net was not taught, and one that it is sure of not seeing.
FLOOR: Final = 1e-6


class OwnReader:
    """Reads crops of one line: a network whose classes are put into our columns."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        self._network = Network(folder, "own", threads=threads)
        self._columns = np.array([0, *(COLUMN[character] for character in LATIN)])

    def read(self, crop: Image.Image) -> LogMatrix:
        """Return the matrix of a crop of any size: log-probabilities, T x (1 + len(CHARACTERS))."""
        grey = crop.convert("L").resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
        pixels = np.asarray(grey, dtype=np.float32)[np.newaxis] / np.float32(255) - np.float32(0.5)
        output = self._network.run(np.ascontiguousarray(pixels))
        output = output.reshape(output.shape[-2], output.shape[-1])
        if len(output) == CLASSES:  # some exporters write classes first
            output = np.ascontiguousarray(output.T)
        matrix = np.full((len(output), 1 + len(CHARACTERS)), FLOOR, dtype=np.float32)
        matrix[:, self._columns] += output
        logs: LogMatrix = np.log(matrix / matrix.sum(axis=1, keepdims=True))
        return logs
