"""From a picture to readings: a glance and closer looks, several crops of what is hard to read."""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .alphabet import CHARACTERS
from .ctc import greedy
from .detect import Detected, TextBox, Window, detect, windows_around, windows_over
from .network import Network
from .recognise import Recogniser, crop
from .types import Reading

# The first look is at the whole picture shrunk to so many pixels: about 100 ms on one core and 220 MB of memory, both
# growing with the pixels (1.2 million took 1.1 GB). So closer looks are windows, not larger pictures.
GLANCE_PIXELS: Final = 240_000
CLOSER: Final = 2.1  # each closer look shows so much more; never more than the picture has
MOST_LEVELS: Final = 3  # the glance and two closer looks: a 4K picture in its own pixels
WINDOW: Final = (640, 400)  # px of the network; as much work as the glance
OVERLAP: Final = (128, 64)  # px of the network; more than a plate, so that each is whole in some window
MOST_WINDOWS: Final = 9  # for each level
# Text narrower than this in the detector's input may be half a plate: 70 px is safe, below 40 px plates are lost.
LEGIBLE_WIDTH: Final = 70.0
# Crops of one box, as the part of its height taken off at top and bottom. Tight crops keep state names, slogans and
# frames out; letters cut at the edge are the price. Tried in turn until one is read clearly: +1 to +5 points.
TRIMS: Final = (0.1, 0.0, 0.16)
CLEAR: Final = 0.95  # least confidence of all characters at which no other crop is tried
SURE: Final = 0.9  # the same, at which no closer look is taken
SHORTEST_TEXT: Final = 2  # characters; single ones are screws and lamps
PLATE_LENGTHS: Final = range(5, 10)  # characters of what counts as a plate when deciding whether to go on
SHAPES: Final = (1.0, 16.0)  # width / height of a line that can be a plate, two-line and motorcycle plates included
MOST_BOXES: Final = 10  # for each level, best first: a street full of signs must not take seconds


class ModelsError(Exception):
    """A file of the models is missing or damaged; the message names it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    box: TextBox
    text: str
    confidences: tuple[float, ...]
    matrix: NDArray[np.float32]

    @property
    def certainty(self) -> float:
        return min(self.confidences, default=0.0)


class Pipeline:
    """The two networks and the path between them. Loads in about 0.1 s, after checking the models' checksums."""

    def __init__(self, models: Path, *, threads: int) -> None:
        check_models(models)
        self._detector = Network(models, "det", threads=threads)
        self._recogniser = Recogniser(Network(models, "rec", threads=threads), models / "charset.txt")

    def read(self, picture: Image.Image) -> list[Reading]:
        """Read the plate-like texts of an RGB picture, likeliest plates first.

        Looks closer, where text may be, until a plate is surely read that was large enough to be seen well.
        """
        found: list[_Read] = []
        scale = min(1.0, math.sqrt(GLANCE_PIXELS / (picture.width * picture.height)))
        windows: list[Window] = [(0.0, 0.0, float(picture.width), float(picture.height))]
        for _ in range(MOST_LEVELS):
            seen = [detect(self._detector, picture, window, scale) for window in windows]
            reads = [read for box in _plate_shaped(seen) for read in self._read_box(picture, box)]
            found += reads
            if scale == 1.0 or any(_is_plate(read) and read.box.width * scale >= LEGIBLE_WIDTH for read in reads):
                break
            scale = min(1.0, scale * CLOSER)
            windows = _closer(picture, seen, scale)
            if not windows:
                break
        ordered = sorted(_merged(found), key=lambda read: (not _is_plate(read), -read.certainty))
        return [_reading(read) for read in ordered]

    def _read_box(self, picture: Image.Image, box: TextBox) -> list[_Read]:
        reads = []
        for trim in TRIMS:
            matrix = self._recogniser.read(crop(picture, box, trim=trim))
            columns, confidences = greedy(matrix)
            text = "".join(CHARACTERS[column - 1] for column in columns)
            if len(text) >= SHORTEST_TEXT:
                reads.append(_Read(box, text, tuple(round(value, 4) for value in confidences), matrix))
            if not text or min(confidences) >= CLEAR:
                break
        return reads


def check_models(models: Path) -> None:
    """Compare every file of the models with SHA256SUMS; raises ModelsError naming the first that does not match."""
    try:
        lines = (models / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError) as error:
        raise ModelsError("SHA256SUMS is missing") from error
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for name in ("charset.txt", "det.ncnn.bin", "det.ncnn.param", "rec.ncnn.bin", "rec.ncnn.param"):
        try:
            digest = hashlib.sha256((models / name).read_bytes()).hexdigest()
        except OSError as error:
            raise ModelsError(f"{name} is missing") from error
        if sums.get(name) != digest:
            raise ModelsError(f"{name} is damaged")


def _closer(picture: Image.Image, seen: list[Detected], scale: float) -> list[Window]:
    """Choose where to look closer: everywhere while that is affordable, else where text may be."""
    size, overlap = (WINDOW[0] / scale, WINDOW[1] / scale), (OVERLAP[0] / scale, OVERLAP[1] / scale)
    everywhere = windows_over(picture.size, size, overlap)
    if len(everywhere) <= MOST_WINDOWS:
        return everywhere
    spots = np.concatenate([detected.spots for detected in seen])
    return windows_around(spots[np.argsort(-spots[:, 2], kind="stable")], picture.size, size, MOST_WINDOWS)


def _plate_shaped(seen: list[Detected]) -> list[TextBox]:
    """Keep the best boxes of a level that could be plates by their shape, each once where windows overlap."""
    least, most = SHAPES
    kept: list[TextBox] = []
    for box in sorted((box for detected in seen for box in detected.boxes), key=lambda box: -box.score):
        centre = box.corners.mean(axis=0)
        twice = any(np.linalg.norm(other.corners.mean(axis=0) - centre) < box.height / 2 for other in kept)
        if not twice and least <= box.width / max(1.0, box.height) <= most:
            kept.append(box)
    return kept[:MOST_BOXES]


def _is_plate(read: _Read) -> bool:
    """Tell whether a text is surely read and could be a plate: a digit, and the usual number of characters."""
    return len(read.text) in PLATE_LENGTHS and any(c.isdigit() for c in read.text) and read.certainty >= SURE


def _merged(reads: list[_Read]) -> list[_Read]:
    """Keep the surest of those that say the same at the same place; different texts of one place all stay."""
    kept: list[_Read] = []
    for read in sorted(reads, key=lambda read: -read.certainty):
        centre = read.box.corners.mean(axis=0)
        if not any(
            other.text == read.text and np.linalg.norm(other.box.corners.mean(axis=0) - centre) < read.box.height
            for other in kept
        ):
            kept.append(read)
    return kept


def _reading(read: _Read) -> Reading:
    corners = tuple((round(float(x), 1), round(float(y), 1)) for x, y in read.box.corners)
    return Reading(read.text, read.confidences, corners, read.matrix)
