"""Reading pictures with what is known of their cameras: the region, what moved, what the camera always writes."""

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from PIL import Image

from .box_reader import Spelled
from .contrast import prepared
from .detect import TextBox, Window
from .layouts import spelled
from .motion import GRAIN, Area, Motion, changed
from .overlay import Overlays, at_rim
from .pictures import open_grey, open_picture
from .pipeline import Pipeline, Seen, View
from .quality import measured, rating
from .types import BadPicture, Effort, LogMatrix, Picture, Point, Quality, Reading, Region

LEAST_SIDE: Final = 64  # px; a smaller region is widened about its middle
RATED_WIDTH: Final = 1920  # px; larger pictures are rated by a shrunk copy
PATCH: Final = (960, 540)  # px; what sharpness is judged by where there is no plate
LUMA_STEP: Final = 400  # px; the longer side, about, of what exposure is judged by
AROUND_PLATE: Final = 1.0  # heights and widths of a plate that are rated around it
NEWER: Final = 0.1  # how much better the newest of some pictures may look: the car is nearest then
MOST_CAMERAS: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one of some pictures gave; index says which."""

    index: int
    readings: list[Reading]
    quality: Quality


@dataclass(slots=True)
class _Camera:
    """What is known of a view since its last pictures."""

    plate: Area | None = None
    by_motion: bool = False
    cut_short: bool = False


@dataclass(slots=True)
class Watch:
    """A pipeline that remembers a little of each camera; a new worker knows nothing, and reads all the same."""

    pipeline: Pipeline
    _motion: Motion = field(default_factory=Motion)
    _overlays: Overlays = field(default_factory=Overlays)
    _cameras: OrderedDict[str, _Camera] = field(default_factory=OrderedDict)

    def read(self, pictures: Sequence[Picture]) -> Answer:
        """Read the best of some pictures of one moment; raises BadPicture where none can be opened."""
        index = self._best(pictures) if len(pictures) > 1 else 0
        picture = pictures[index]
        part = open_picture(picture.content)
        size = part.size
        box = region_box(size, picture.region)
        if box != (0, 0, *size):
            part = part.crop(box)
        camera = self._camera(picture.camera)
        area = self._motion.moved(_key(picture), _small(part))
        # What moved is looked at alone, but never twice in a row: a passing car must not hide one that stands.
        usual = picture.effort is Effort.USUAL
        first = _window(area, part.size) if usual and area is not None and not camera.by_motion else None
        # The same holds for what is large: a telephone number on a van must not hide the plate below it.
        view = View(prepared(part, picture.effort), box[0], box[1], size[1])
        seen = self.pipeline.read(view, first=first, quick=usual and not camera.cut_short)
        camera.by_motion, camera.cut_short = seen.at_first, seen.cut_short
        said = self._overlays_last(picture, seen, box, size[1])
        readings = [_reading(one, box, picture.taken_at) for one in said]
        plate = next((reading.box for one, reading in zip(said, readings, strict=True) if one.is_plate), None)
        camera.plate = _area(plate, size) if plate is not None else camera.plate
        return Answer(index, readings, _quality(size, part, box, plate))

    def _best(self, pictures: Sequence[Picture]) -> int:
        """Choose the picture that promises most; those that cannot be opened are left out, unless none can."""
        parts: dict[int, Image.Image] = {}
        failure: BadPicture | None = None
        plate = self._camera(pictures[-1].camera).plate
        for index, picture in enumerate(pictures):
            try:
                grey = open_grey(picture.content, RATED_WIDTH)
            except BadPicture as error:
                failure = error
                continue
            where = _around(plate) if plate is not None else picture.region
            parts[index] = grey.crop(region_box(grey.size, where))
        if failure is not None and not parts:
            raise failure
        if plate is None:
            parts = _what_moved(parts)
        last = len(pictures) - 1
        rated = {
            index: rating(np.asarray(part, dtype=np.float32)) * (1 + NEWER * index / last)
            for index, part in parts.items()
        }
        return max(rated, key=rated.__getitem__)

    def _camera(self, name: str) -> _Camera:
        if not name:
            return _Camera()
        known = self._cameras[name] = self._cameras.pop(name, _Camera())
        while len(self._cameras) > MOST_CAMERAS:
            self._cameras.popitem(last=False)
        return known

    def _overlays_last(
        self, picture: Picture, seen: Seen, corner: tuple[int, int, int, int], height: int
    ) -> list[Spelled]:
        offset = np.array(corner[:2], dtype=np.float64)
        placed = [(one.text, TextBox(one.box.corners + offset, one.box.score)) for one in seen.said]
        rim = [(text, box) for text, box in placed if at_rim(box, height)]
        constant = self._overlays.constant(picture.camera, rim, taken_at=picture.taken_at)
        stays = [text in constant and at_rim(box, height) for text, box in placed]
        return [one for last in (False, True) for one, stay in zip(seen.said, stays, strict=True) if stay is last]


def region_box(size: tuple[int, int], region: Region) -> tuple[int, int, int, int]:
    """Return a region in whole pixels of a picture, widened where it is too small to be looked at."""
    sides = []
    for length, start, end in ((size[0], region.left, region.right), (size[1], region.top, region.bottom)):
        first, last = math.floor(start * length), math.ceil(end * length)
        missing = min(LEAST_SIDE, length) - (last - first)
        if missing > 0:
            first = min(max(0, first - missing // 2), length - min(LEAST_SIDE, length))
            last = first + min(LEAST_SIDE, length)
        sides.append((first, last))
    (left, right), (top, bottom) = sides
    return (left, top, right, bottom)


def _key(picture: Picture) -> str:
    """Name the view for motion: another region of one camera is another view."""
    region = picture.region
    return f"{picture.camera} {region}" if picture.camera else ""


def _small(part: Image.Image) -> LogMatrix:
    shrunk = (
        part.convert("L") if max(part.size) <= GRAIN else part.reduce(math.ceil(max(part.size) / GRAIN)).convert("L")
    )
    return np.asarray(shrunk, dtype=np.float32)


def _window(area: Area, size: tuple[int, int]) -> Window:
    return (area[0] * size[0], area[1] * size[1], area[2] * size[0], area[3] * size[1])


def _what_moved(parts: dict[int, Image.Image]) -> dict[int, Image.Image]:
    """Cut pictures of one moment down to what moved between the first and the last: a still yard is always sharp."""
    first, *_, last = parts.values() if len(parts) > 1 else (None, None)
    area = changed(_small(first), _small(last)) if first is not None and last is not None else None
    if area is None:
        return parts
    return {index: part.crop(region_box(part.size, Region(*area))) for index, part in parts.items()}


def _around(area: Area) -> Region:
    """Return the surroundings of a plate as a region."""
    across, down = (area[2] - area[0]) * AROUND_PLATE, (area[3] - area[1]) * AROUND_PLATE
    return Region(
        max(0.0, area[0] - across), max(0.0, area[1] - down), min(1.0, area[2] + across), min(1.0, area[3] + down)
    )


def _area(plate: tuple[Point, ...], size: tuple[int, int]) -> Area | None:
    xs, ys = np.clip([x for x, _ in plate], 0, size[0]), np.clip([y for _, y in plate], 0, size[1])
    area = (xs.min() / size[0], ys.min() / size[1], xs.max() / size[0], ys.max() / size[1])
    return tuple(map(float, area)) if area[0] < area[2] and area[1] < area[3] else None  # type: ignore[return-value]


def _reading(one: Spelled, box: tuple[int, int, int, int], taken_at: float) -> Reading:
    corners = tuple((round(float(x) + box[0], 1), round(float(y) + box[1], 1)) for x, y in one.box.corners)
    return Reading(spelled(one.text, one.confidences), one.confidences, corners, one.matrix, one.source, taken_at)


def _quality(
    size: tuple[int, int], part: Image.Image, box: tuple[int, int, int, int], plate: tuple[Point, ...] | None
) -> Quality:
    luma = np.asarray(part.reduce(max(1, max(part.size) // LUMA_STEP)).convert("L"), dtype=np.float32)
    if plate is None:
        (width, height), middle = PATCH, (part.width / 2, part.height / 2)
    else:
        xs, ys = [x - box[0] for x, _ in plate], [y - box[1] for _, y in plate]
        width, height = math.ceil(max(xs) - min(xs)), math.ceil(max(ys) - min(ys))
        middle = ((max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2)
    left, top = max(0, int(middle[0] - width / 2)), max(0, int(middle[1] - height / 2))
    patch = part.crop((left, top, min(part.width, left + width), min(part.height, top + height))).convert("L")
    return measured(size, luma, np.asarray(patch, dtype=np.float32), plate)
