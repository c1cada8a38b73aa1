"""What a layout has on its plates beside the number: bands, words, stickers, bolts, a border."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw

from training import clutter
from training.typefaces import Typeface

ALWAYS = 1.0

type Line = tuple[float, float, float, float]  # left, top, right and bottom of the number, px

_CORNERS = ((0.02, 0.03), (0.86, 0.03), (0.02, 0.78), (0.86, 0.78))
_BOLTS = (
    ((0.2, 0.08), (0.8, 0.08)),
    ((0.2, 0.08), (0.8, 0.08), (0.2, 0.92), (0.8, 0.92)),
    ((0.12, 0.5), (0.88, 0.5)),
    ((0.3, 0.9), (0.7, 0.9)),
)


@dataclass(slots=True)
class Sheet:
    """What is being drawn on: the ground (brightness), the ink of the number and of other words (masks).

    level is the ground's brightness before anything is drawn.
    """

    random: Random
    face: Typeface
    ground: Image.Image
    ink: Image.Image
    words: Image.Image
    level: int


def draw_scenery(sheet: Sheet, extras: Collection[str], line: Line) -> None:
    """Draw what a layout may have, most of it most of the time, below the ink of the number."""
    for name, share, draw in _SCENERY:
        if name in extras and (share == ALWAYS or sheet.random.random() < share):
            draw(sheet, line)
    if ("side holes" in extras and sheet.random.random() < 0.5) or sheet.random.random() < 0.04:
        heights = [sheet.random.uniform(0.3, 0.7) for _ in range(2)]
        clutter.bolts(sheet.ground, sheet.random, [(0.025, heights[0]), (0.975, heights[1])])
    if sheet.random.random() < 0.5:
        _border(sheet)


def _art(sheet: Sheet, _line: Line) -> None:
    clutter.art(sheet.ground, sheet.random)


def _top_band(sheet: Sheet, line: Line) -> None:
    bottom = max(2.0, line[1] - sheet.ground.height * 0.04)
    ImageDraw.Draw(sheet.ground).rectangle((0, 0, sheet.ground.width, bottom), sheet.random.randint(20, 140))


def _band(sheet: Sheet, line: Line) -> None:
    width = sheet.ground.width
    if line[0] > width * 0.08:  # room was left for it
        clutter.band(sheet.ground, sheet.random, sheet.face, 0, line[0] - width * sheet.random.uniform(0.008, 0.02))


def _right_band(sheet: Sheet, line: Line) -> None:
    width = sheet.ground.width
    clutter.band(sheet.ground, sheet.random, sheet.face, max(line[2], width * 0.93), width)


def _right_box(sheet: Sheet, line: Line) -> None:
    width, height = sheet.ground.size
    if width - line[2] > 8:
        ImageDraw.Draw(sheet.words).rectangle((line[2], 3, width - 3, height - 4), None, 255, 2)


def _top_words(sheet: Sheet, line: Line) -> None:
    random, (width, height), top = sheet.random, sheet.ground.size, line[1]
    share = random.uniform(0.5, 1.0)
    small = min(top * 0.8, height * random.uniform(0.1, 0.2))
    at = random.uniform(1, max(1.0, top - small - 2))
    box = (width * (1 - share) / 2, at, width * (1 + share) / 2, at + small)
    clutter.write_small(sheet.words, clutter.word(random), sheet.face, box, 255)


def _bottom_words(sheet: Sheet, line: Line) -> None:
    random, (width, height), bottom = sheet.random, sheet.ground.size, line[3]
    small = min((height - bottom) * 0.8, height * random.uniform(0.08, 0.15))
    at = random.uniform(bottom + 1, max(bottom + 1.0, height - small - 1))
    box = (width * 0.12, at, width * 0.88, at + small)
    clutter.write_small(sheet.words, clutter.word(random), sheet.face, box, random.randint(120, 255))


def _clutter_above(sheet: Sheet, line: Line) -> None:
    wide = min(line[1] * 0.9, sheet.ground.height * 0.22)
    for at in range(sheet.random.randint(1, 6)):
        x = sheet.ground.width * 0.2 + at * wide * 1.15
        if wide > 5:
            clutter.foreign(sheet.words, sheet.random, (x, 2, x + wide, 2 + wide))


def _corner_stickers(sheet: Sheet, _line: Line) -> None:
    width, height = sheet.ground.size
    for across, down in sheet.random.sample(_CORNERS, sheet.random.randint(1, 3)):
        box = (width * across, height * down, width * (across + 0.11), height * (down + 0.18))
        ImageDraw.Draw(sheet.ground).rectangle(box, sheet.random.randint(0, 255))


def _bolts(sheet: Sheet, _line: Line) -> None:
    clutter.bolts(sheet.ground, sheet.random, sheet.random.choice(_BOLTS))


def _border(sheet: Sheet) -> None:
    random, (width, height) = sheet.random, sheet.ground.size
    inset, corner = random.randint(1, 4), round(height * random.uniform(0, 0.14))
    box = (inset, inset, width - 1 - inset, height - 1 - inset)
    ImageDraw.Draw(sheet.words).rounded_rectangle(box, corner, None, random.randint(100, 255), random.randint(1, 3))


# In the order in which they are drawn; the share is how many of a layout's plates have it. A band is always drawn
# where the number left room for it.
_SCENERY: tuple[tuple[str, float, Callable[[Sheet, Line], None]], ...] = (
    ("art", 0.65, _art),
    ("top band", 0.95, _top_band),
    ("band", ALWAYS, _band),
    ("right band", 0.8, _right_band),
    ("right box", 0.6, _right_box),
    ("top words", 0.92, _top_words),
    ("bottom words", 0.6, _bottom_words),
    ("clutter above", 0.7, _clutter_above),
    ("corner stickers", 0.7, _corner_stickers),
    ("bolts", 0.7, _bolts),
)
