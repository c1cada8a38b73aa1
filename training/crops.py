"""Crops as the reader gets them: what a text detector frames, or a whole plate, stretched to 144 x 48."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.conditions import weathered
from training.plates import LINE_HEIGHT, Plate, draw_plate
from training.typefaces import Typefaces

WIDTH, HEIGHT, STEPS = 144, 48, 36
_EASY_UNTIL = 60_000  # crops; until then conditions grow from kind to what they are

type Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Sample:
    """One example: a grey crop (48 x 144, uint8), its text, and above which of the 36 columns each character stands."""

    crop: NDArray[np.uint8]
    text: str
    columns: tuple[int, ...]


class Drawer:
    """Draws samples; number N of a seed is always the same."""

    def __init__(self, seed: int, fonts: Path | None = None) -> None:
        self._seed = seed
        self._faces = Typefaces(fonts)

    def sample(self, number: int, *, hardness: float | None = None) -> Sample:
        """Draw one sample; early numbers are kinder unless hardness (0..1) says otherwise."""
        random = Random(f"{self._seed} {number}")
        noise = np.random.Generator(np.random.SFC64(random.getrandbits(64)))
        hard = min(1.0, 0.25 + number / _EASY_UNTIL) * random.uniform(0.35, 1.0) if hardness is None else hardness
        plate = draw_plate(random, self._faces)
        while not 2 <= len(plate.text) <= 10:
            plate = draw_plate(random, self._faces)
        return _cropped(plate, random, noise, hard)


def _cropped(plate: Plate, random: Random, noise: np.random.Generator, hardness: float) -> Sample:
    box, turned = _frame(plate, random)
    corners = _posed(box, turned, random, hardness)
    size = _sensor_size(plate, box, random, hardness)
    seen, to_crop = _seen(plate.picture, corners, size)
    picture = weathered(np.asarray(seen, dtype=np.float32) / 255, random, noise, hardness)
    if random.random() < 0.02:
        picture = picture.point(lambda value: 255 - value)
    way = random.choice((Image.Resampling.BILINEAR, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC))
    crop = np.asarray(picture.resize((WIDTH, HEIGHT), way))
    middle = (plate.line[1] + plate.line[3]) / 2
    columns = [_column(to_crop, centre, middle, size[0]) for centre in plate.centres]
    return Sample(crop, plate.text, tuple(columns))


def _frame(plate: Plate, random: Random) -> tuple[Box, float]:
    """Choose what is framed: a line of text (tight or loose), the whole plate, or its row; and how far it is turned."""
    left, top, right, bottom = plate.line
    kind = random.random() if plate.alone else 1.0
    turned = random.gauss(0, 1.3) if random.random() < 0.8 else random.uniform(-6, 6)
    if kind < 0.3:  # the plate, or what a person would frame; turned plates are often framed upright
        left, top, right, bottom = plate.edge
        tall = bottom - top
        loose = random.choice((-0.04, 0.0, 0.0, 0.05, 0.12)) * tall
        across = loose + random.uniform(-0.04, 0.04) * tall
        down = loose + random.uniform(-0.05, 0.05) * tall
        if random.random() < 0.15:
            turned = random.uniform(-13, 13)
        return (left - across, top - down, right + across, bottom + down), turned
    tall = LINE_HEIGHT
    loose = random.random()
    if loose < 0.22:
        down = random.uniform(-0.1, 0.0)
    elif loose < 0.85 or not plate.alone:
        down = random.uniform(0.0, 0.2)
    else:
        down = random.uniform(0.2, 0.5)
    above, below = (down + random.uniform(-0.04, 0.04) for _ in range(2))
    sides = []
    for _ in range(2):
        kind_of_side = random.random()
        if kind_of_side < 0.72:
            sides.append(random.uniform(-0.02, 0.25))
        elif kind_of_side < 0.8:
            sides.append(random.uniform(-0.07, 0.0))
        else:
            sides.append(random.uniform(0.2, 1.0))
    box = (left - sides[0] * tall, top - above * tall, right + sides[1] * tall, bottom + below * tall)
    if kind < 0.42:  # reaches to the plate's edges, where bands and bolts are
        box = (min(box[0], plate.edge[0]), box[1], max(box[2], plate.edge[2]), box[3])
    return box, turned * 0.7


def _posed(box: Box, turned: float, random: Random, hardness: float) -> NDArray[np.float64]:
    """Return the corners of the framed part as the camera sees them: turned, slanted and in perspective."""
    left, top, right, bottom = box
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) - middle
    angle = np.deg2rad(turned * hardness)
    corners = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners[:, 0] += corners[:, 1] * random.gauss(0, 0.1) * hardness
    wobble = (bottom - top) * 0.05 * hardness
    return corners + middle + [[random.uniform(-wobble, wobble) for _ in range(2)] for _ in range(4)]


def _sensor_size(plate: Plate, box: Box, random: Random, hardness: float) -> tuple[int, int]:
    """Choose how many pixels the sensor has for it: 5.5 to 30 for each character, few of them less often."""
    count = len(plate.text)
    fewest = 5.5 if random.random() < 0.3 and hardness > 0.5 else 8.0
    each = np.exp(random.uniform(np.log(fewest), np.log(30.0)))
    line = plate.line[2] - plate.line[0]
    width = each * count * (box[2] - box[0]) / line
    height = width * (box[3] - box[1]) / (box[2] - box[0]) * np.exp(random.gauss(0, 0.1))
    scale = max(1.0, 9 / height, 24 / width)
    scale = min(scale, 320 / width)
    return max(8, round(width * scale)), max(8, round(height * scale))


def _seen(picture: Image.Image, corners: NDArray[np.float64], size: tuple[int, int]) -> tuple[Image.Image, NDArray]:
    """Project a quadrilateral of the picture to a crop; returns it and the projection from picture to crop."""
    wide = np.linalg.norm(corners[1] - corners[0])
    shrunk = min(1.0, size[0] * 1.2 / wide)
    if shrunk < 1:  # a sensor averages; taking single pixels would not
        smaller = (max(8, round(picture.width * shrunk)), max(8, round(picture.height * shrunk)))
        factors = np.array([smaller[0] / picture.width, smaller[1] / picture.height])
        picture = picture.resize(smaller, Image.Resampling.BOX)
    else:
        factors = np.ones(2)
    target = [(0, 0), (size[0], 0), size, (0, size[1])]
    to_picture = _projection(target, corners * factors)
    seen = picture.transform(
        size, Image.Transform.PERSPECTIVE, tuple(to_picture.ravel()[:8]), Image.Resampling.BILINEAR
    )
    to_crop = np.linalg.inv(to_picture) @ np.diag([factors[0], factors[1], 1.0])
    return seen, to_crop


def _projection(start: object, end: object) -> NDArray[np.float64]:
    """Return the 3 x 3 projection that takes four points to four others."""
    rows, values = [], []
    for (x, y), (u, v) in zip(start, end, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.append(np.linalg.solve(np.array(rows, float), np.array(values, float)), 1.0).reshape(3, 3)


def _column(to_crop: NDArray[np.float64], x: float, y: float, width: int) -> int:
    projected = to_crop @ (x, y, 1.0)
    return int(min(STEPS - 1, max(0, projected[0] / projected[2] / width * STEPS)))
