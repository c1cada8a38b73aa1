"""Where in a picture is text: PP-OCRv6 detection on ncnn, its probability map turned into boxes with numpy.

The map is what differentiable binarisation learns (Liao et al., 2020): a shrunken kernel of each line of text, to be
grown back. No OpenCV: it does not exist where Home Assistant runs.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .network import Network

STRIDE: Final = 32  # px; the network halves its input five times
KERNEL_THRESHOLD: Final = 0.3  # a pixel belongs to a kernel; the figure PP-OCR was tuned with
BOX_THRESHOLD: Final = 0.45  # mean over a kernel; PP-OCR takes 0.5 to 0.6, a dirty plate has less
UNCLIP: Final = 1.6  # how far kernels are grown, in areas per perimeter, again PP-OCR's figure
SMALLEST_KERNEL: Final = 12  # px of the map; below that no text can be read
STEEPEST: Final = 0.75  # cosine; a line of text that is steeper than 41 degrees is taken as upright
BLOCK: Final = 16  # px of the map; the grain of faint spots
# Peak probability that is worth a closer look. On 109 photographs with small plates, 94 % of the plates had more than
# 0.2 when the whole picture was shrunk to 0.27 million pixels, 99 % more than this; the rest of a picture has a
# dozen blocks above 0.1.
FAINT: Final = 0.035
SLENDER: Final = 2.0  # variance along over variance across; rounder kernels have no direction


@dataclass(frozen=True, slots=True, eq=False)
class TextBox:
    """One line of text: corners (4 x 2, px of the picture, clockwise from the text's top left) and a score in 0..1."""

    corners: NDArray[np.float64]
    score: float

    @property
    def width(self) -> float:
        """Length of the line in pixels of the picture."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0]))

    @property
    def height(self) -> float:
        """Height of the line in pixels of the picture."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0]))


type Window = tuple[float, float, float, float]  # left, top, right, bottom in px of the picture


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """What the detector saw in one window: boxes (best first) and faint spots, both in px of the picture.

    spots is n x 3: x, y and the strongest probability of a small block, strongest first; text that is too small to be
    outlined still leaves one.
    """

    boxes: list[TextBox]
    spots: NDArray[np.float64]


def detect(network: Network, picture: Image.Image, window: Window, scale: float) -> Detected:
    """Find lines of text in a window of the picture, seen at a scale (pixels of the network for one of the picture)."""
    left, top, right, bottom = window
    width, height = (max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in (right - left, bottom - top))
    seen = picture.resize((width, height), Image.Resampling.BILINEAR, box=window, reducing_gap=2.0)
    # The network was trained on blue, green, red in -1..1.
    pixels = np.asarray(seen, dtype=np.float32)[:, :, ::-1].transpose(2, 0, 1) / np.float32(127.5) - np.float32(1)
    probability = network.run(np.ascontiguousarray(pixels))[0]
    origin = np.array([left, top])
    stretch = np.array([(right - left) / width, (bottom - top) / height])
    boxes = [TextBox(box.corners * stretch + origin, box.score) for box in boxes_of(probability)]
    boxes = [box for box in boxes if not _is_cut(box, window, picture.size)]
    spots = spots_of(probability)
    spots[:, :2] = spots[:, :2] * stretch + origin
    return Detected(sorted(boxes, key=lambda box: box.score, reverse=True), spots)


def _is_cut(box: TextBox, window: Window, picture: tuple[int, int]) -> bool:
    """Tell whether a box reaches a rim of its window that is not the picture's: half a plate reads like a whole one."""
    left, top = box.corners.min(axis=0)
    right, bottom = box.corners.max(axis=0)
    return bool(
        (window[0] > 0 and left <= window[0])
        or (window[1] > 0 and top <= window[1])
        or (window[2] < picture[0] and right >= window[2])
        or (window[3] < picture[1] and bottom >= window[3])
    )


def spots_of(probability: NDArray[np.float32]) -> NDArray[np.float64]:
    """List the blocks of a map (H x W, multiples of 16) where text may be: x, y of the middle, strength."""
    height, width = (side // BLOCK for side in probability.shape)
    strongest = probability.reshape(height, BLOCK, width, BLOCK).max(axis=(1, 3))
    rows, columns = np.nonzero(strongest >= FAINT)
    spots = np.stack([(columns + 0.5) * BLOCK, (rows + 0.5) * BLOCK, strongest[rows, columns]], axis=1)
    ordered: NDArray[np.float64] = spots[np.argsort(-spots[:, 2], kind="stable")].astype(np.float64)
    return ordered


def boxes_of(probability: NDArray[np.float32]) -> list[TextBox]:
    """Turn a probability map (H x W, 0..1) into boxes in its pixels."""
    rows, starts, ends = _runs(probability > KERNEL_THRESHOLD)
    if not len(rows):
        return []
    kernels = _connect(rows, starts, ends, probability.shape[1])
    lengths = ends - starts
    area = np.bincount(kernels, lengths).astype(np.float64)
    # Sums over a run are differences of one running sum over the whole map.
    running = np.concatenate([[0.0], np.cumsum(probability, dtype=np.float64)])
    at = rows * probability.shape[1]
    score = np.bincount(kernels, running[at + ends] - running[at + starts]) / area
    axes, centres = _axes(kernels, rows, starts, ends, area)
    boxes = []
    for kernel in np.flatnonzero((area >= SMALLEST_KERNEL) & (score >= BOX_THRESHOLD)):
        of = kernels == kernel
        edges = np.concatenate([np.stack([starts[of], rows[of]], 1), np.stack([ends[of] - 1, rows[of]], 1)])
        boxes.append(TextBox(_grown(edges - centres[kernel], centres[kernel], axes[kernel]), float(score[kernel])))
    return boxes


def _runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """List the horizontal runs of a mask: row, first column, column after the last; in reading order."""
    change = np.diff(mask.astype(np.int8), axis=1, prepend=0, append=0)
    rows, starts = np.nonzero(change == 1)
    return rows, starts, np.nonzero(change == -1)[1]


def _connect(rows: NDArray[np.intp], starts: NDArray[np.intp], ends: NDArray[np.intp], width: int) -> NDArray[np.intp]:
    """Number the 8-connected kernel of each run, from 0."""
    line = width + 2
    below = (rows + 1) * line
    # The runs of the next row that touch run i, corners included, are the range [first[i], last[i]).
    first = np.searchsorted(rows * line + ends, below + starts, side="left")
    last = np.searchsorted(rows * line + starts, below + ends, side="right")
    touching = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(rows)), touching)
    lower = np.repeat(first, touching) + np.arange(len(upper)) - np.repeat(np.cumsum(touching) - touching, touching)
    labels = np.arange(len(rows))
    while True:
        least = np.minimum(labels[upper], labels[lower])
        before = labels.copy()
        np.minimum.at(labels, upper, least)
        np.minimum.at(labels, lower, least)
        labels = labels[labels]
        if np.array_equal(labels, before):
            return np.unique(labels, return_inverse=True)[1]


def _axes(
    kernels: NDArray[np.intp],
    rows: NDArray[np.intp],
    starts: NDArray[np.intp],
    ends: NDArray[np.intp],
    area: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each kernel's direction of text (unit vectors, pointing right) and centre of gravity."""
    n = (ends - starts).astype(np.float64)
    middle = (starts + ends - 1) / 2.0
    x = np.bincount(kernels, n * middle) / area
    y = np.bincount(kernels, n * rows) / area
    # Second moments; a run of n pixels has a variance of (n^2 - 1) / 12 of its own.
    dx, dy = middle - x[kernels], rows - y[kernels]
    xx = np.bincount(kernels, n * (dx * dx + (n * n - 1) / 12.0)) / area
    yy = np.bincount(kernels, n * dy * dy) / area
    xy = np.bincount(kernels, n * dx * dy) / area
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    spread = np.hypot((xx - yy) / 2, xy)
    along, across = (xx + yy) / 2 + spread, (xx + yy) / 2 - spread
    angle[(np.cos(angle) < STEEPEST) | (along < SLENDER * across)] = 0.0
    return np.stack([np.cos(angle), np.sin(angle)], 1), np.stack([x, y], 1)


def _grown(edges: NDArray[np.float64], centre: NDArray[np.float64], along: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners of the box around a kernel's edge points (relative to its centre), grown back."""
    across = np.array([-along[1], along[0]])
    u, v = edges @ along, edges @ across
    # Pixels have a size: half of one on each side.
    left, right, top, bottom = u.min() - 0.5, u.max() + 0.5, v.min() - 0.5, v.max() + 0.5
    width, height = right - left, bottom - top
    grow = width * height * UNCLIP / (2 * (width + height))
    middle = centre + 0.5 + along * (left + right) / 2 + across * (top + bottom) / 2
    half_u, half_v = along * (width / 2 + grow), across * (height / 2 + grow)
    corners: NDArray[np.float64] = middle + np.array(
        [-half_u - half_v, half_u - half_v, half_u + half_v, half_v - half_u]
    )
    return corners
