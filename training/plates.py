"""One plate, drawn head-on and clean, with what surrounds it: where its characters are is known."""

from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from training import clutter
from training.layouts import Layout, choose, serial
from training.scenery import Sheet, draw_scenery
from training.typefaces import CAP_HEIGHT, Typeface, Typefaces

LINE_HEIGHT = 52  # px, of the letters as drawn
_STACKED = 0.13  # of the plates have two lines, of which one is to be read
_LONGEST = 10  # characters in one line
_FULLEST = 1.12  # how far letters are widened at most to fill a plate
_EMPTY = 0.6  # of their width: how far letters are narrowed before the plate becomes longer instead


@dataclass(frozen=True, slots=True)
class Plate:
    """A drawn plate: boxes and centres in px of the picture; text is what stands in the line, without separators."""

    picture: Image.Image
    text: str
    centres: tuple[float, ...]
    line: tuple[float, float, float, float]
    edge: tuple[float, float, float, float]
    alone: bool  # its line is the only one


@dataclass(frozen=True, slots=True)
class _Mark:
    """One mark of the line of text, from x on."""

    character: str
    x: float
    width: float


def draw_plate(random: Random, faces: Typefaces) -> Plate:
    """Draw any plate of any country."""
    layout = choose(random)
    face = faces.choose(random, layout.hands, font_share=layout.font_share)
    written, stacked = serial(layout, random)[: _LONGEST + 4], random.random() < _STACKED
    if stacked:
        written = _one_line_of_two(written, random)
    height = LINE_HEIGHT / (random.uniform(0.3, 0.42) if stacked else random.uniform(*layout.letter_height))
    width = height * (random.uniform(1.15, 1.7) if stacked else random.uniform(*layout.aspect))
    left, right = _sides(layout, width, random, stacked=stacked)
    marks, right = _set_line(written, face, layout, (left, right), random)
    width = max(width, right + width * 0.02)
    middle = height * (random.choice((0.29, 0.71)) if stacked else random.uniform(*layout.middle))
    top = min(max(2.0, middle - LINE_HEIGHT / 2), height - LINE_HEIGHT - 2)
    sheet = _sheet(round(width), round(height), layout, face, random)
    draw_scenery(sheet, () if stacked else layout.extras, (left, top, right, top + LINE_HEIGHT))
    _draw_marks(sheet, marks, top)
    if stacked:
        _draw_other_line(sheet, layout, top)
    picture = _inked(sheet)
    read = [mark for mark in marks if mark.character in face]
    line = (read[0].x, top, read[-1].x + read[-1].width, top + LINE_HEIGHT)
    picture, shift = _surrounded(picture, random)
    return Plate(
        picture,
        "".join(mark.character for mark in read),
        tuple(mark.x + mark.width / 2 + shift for mark in read),
        _moved(line, shift),
        _moved((0, 0, width, height), shift),
        not stacked,
    )


def _moved(box: tuple[float, float, float, float], by: float) -> tuple[float, float, float, float]:
    return (box[0] + by, box[1] + by, box[2] + by, box[3] + by)


def _one_line_of_two(written: str, random: Random) -> str:
    """Cut a serial where such plates break it: near the middle, at a separator if there is one."""
    written = written.replace("|", " ")
    places = [at for at, mark in enumerate(written) if mark in " -." and 1 < at < len(written) - 2]
    at = random.choice(places) if places else max(2, len(written) // 2)
    kept = written[:at] if random.random() < 0.5 else written[at:]
    kept = kept.strip(" -.")
    return kept if sum(mark.isalnum() for mark in kept) >= 2 else written.replace(" ", "")[:5].replace("~", "7")


def _sides(layout: Layout, width: float, random: Random, *, stacked: bool) -> tuple[float, float]:
    """Return between which x the line of text may stand."""
    margin = width * random.uniform(0.015, 0.05)
    left, right = margin, width - margin
    if "band" in layout.extras and not stacked and random.random() < 0.8:
        left = width * random.uniform(0.085, 0.12)
    return left, right


def _set_line(
    written: str, face: Typeface, layout: Layout, sides: tuple[float, float], random: Random
) -> tuple[list[_Mark], float]:
    """Set the marks one after another between two x; returns them and where the plate must end at least."""
    scale = LINE_HEIGHT / CAP_HEIGHT
    letter = face["H"].width * scale
    gap = letter * random.uniform(*layout.gap)
    cell = random.random() < 0.45 and letter  # dies of one width: a 1 stands alone in its place
    spaces = {
        " ": random.uniform(0.25, 0.8),
        "-": random.uniform(0.35, 0.8),
        ".": random.uniform(0.2, 0.6),
        "|": random.uniform(0.6, 1.5),
        "~": random.uniform(0.9, 1.2),
    }
    widths = []
    for mark in written:
        own = face[mark].width * scale if mark in face else spaces.get(mark, 0.3) * letter
        widths.append(max(own, cell * (0.9 if mark in "1I" else 0)) if cell and mark in "1I" else own)
    natural = sum(widths) + gap * (len(widths) - 1)
    room = sides[1] - sides[0]
    stretch = max(_EMPTY, min(_FULLEST if random.random() < 0.5 else 1.0, room / natural))
    if natural * stretch < room and random.random() < 0.35:  # spread out over the plate
        gap += (room / stretch - natural) / max(1, len(widths) - 1) * random.uniform(0.2, 1.0)
        natural = sum(widths) + gap * (len(widths) - 1)
    x = sides[0] + max(0.0, room - natural * stretch) * (0.5 if random.random() < 0.7 else random.uniform(0.1, 0.9))
    marks = []
    for mark, own in zip(written, widths, strict=True):
        marks.append(_Mark(mark, x, own * stretch))
        x += (own + gap) * stretch
    return marks, max(sides[1], x - gap * stretch)


def _sheet(width: int, height: int, layout: Layout, face: Typeface, random: Random) -> Sheet:
    dark = random.random() < layout.dark
    level = random.randint(130, 255) if dark else random.randint(15, 130)
    ground = Image.new("L", (width, height), level)
    return Sheet(random, face, ground, Image.new("L", ground.size), Image.new("L", ground.size), level)


def _draw_marks(sheet: Sheet, marks: list[_Mark], top: float) -> None:
    random, wobble = sheet.random, sheet.random.random() < 0.2
    dash, dot = random.uniform(0.04, 0.1), random.uniform(0.05, 0.12)
    draw = ImageDraw.Draw(sheet.ink)
    middle = top + LINE_HEIGHT * random.uniform(0.44, 0.56)
    for mark in marks:
        x, y = round(mark.x), round(top) + (random.randint(-2, 2) if wobble else 0)
        glyph = sheet.face.get(mark.character)
        if glyph is not None:
            width = max(2, round(mark.width))
            natural = round(glyph.width * LINE_HEIGHT / CAP_HEIGHT)
            drawn = min(width, round(natural * 1.15)) if mark.character in "1I" else width
            small = glyph.resize((drawn, LINE_HEIGHT), Image.Resampling.BILINEAR)
            sheet.ink.paste(255, (x + (width - drawn) // 2, y), small)
        elif mark.character == "-":
            half = LINE_HEIGHT * dash
            draw.rectangle((x + mark.width * 0.2, middle - half, x + mark.width * 0.8, middle + half), 255)
        elif mark.character == ".":
            half, centre = LINE_HEIGHT * dot, x + mark.width / 2
            draw.ellipse((centre - half, middle - half, centre + half, middle + half), 255)
        elif mark.character == "|" and random.random() < 0.85:
            size = min(mark.width * 0.5, LINE_HEIGHT * 0.24)
            clutter.seal(sheet.ground, random, (x + mark.width / 2, top + LINE_HEIGHT / 2), size, sheet.level)
        elif mark.character == "~":
            clutter.foreign(sheet.ink, random, (x, y, x + mark.width, y + LINE_HEIGHT))


def _draw_other_line(sheet: Sheet, layout: Layout, top: float) -> None:
    """Draw the other line of a two-line plate above or below, of which crops show remnants."""
    random, height = sheet.random, sheet.ground.height
    below = top < height / 2 - LINE_HEIGHT / 2
    apart = LINE_HEIGHT * random.uniform(1.08, 1.35)
    other_top = top + apart if below else top - apart
    written = serial(layout, random).replace(" ", "").replace("|", "")[: random.randint(2, 6)]
    glyphs = [sheet.face[mark] for mark in written if mark in sheet.face]
    tall = round(LINE_HEIGHT * random.uniform(0.75, 1.0))
    if not below:
        other_top += LINE_HEIGHT - tall
    width = sheet.ground.width * 0.86 / max(1, len(glyphs))
    for at, glyph in enumerate(glyphs):
        wide = min(width * 0.85, glyph.width * LINE_HEIGHT / CAP_HEIGHT)
        small = glyph.resize((max(2, round(wide)), tall), Image.Resampling.BILINEAR)
        sheet.ink.paste(255, (round(sheet.ground.width * 0.07 + at * width), round(other_top)), small)


def _inked(sheet: Sheet) -> Image.Image:
    """Bring ground and inks together: colours of letters and words, thicker or thinner strokes, embossing."""
    random, ink = sheet.random, sheet.ink
    kind = random.random()
    if kind < 0.14:
        ink = ink.filter(ImageFilter.MaxFilter(3))
    elif kind < 0.24:
        ink = ink.filter(ImageFilter.MinFilter(3))
    contrast = random.randint(100, 235) if random.random() < 0.85 else random.randint(60, 110)
    level = max(0, sheet.level - contrast) if sheet.level > 128 else min(255, sheet.level + contrast)
    picture = sheet.ground
    other = level if random.random() < 0.6 else random.randint(0, 255)
    picture.paste(other, (0, 0), sheet.words)
    if random.random() < 0.45:  # embossed: one flank of each stroke in the light, the other in the shade
        dx, dy = random.choice(((1, 1), (-1, 1), (2, 2), (0, 2), (-2, 2), (0, 1)))
        for sign, shade in ((1, random.randint(0, 140)), (-1, random.randint(150, 255))):
            flank = ImageChops.subtract(ImageChops.offset(ink, sign * dx, sign * dy), ink)
            picture.paste(shade, (0, 0), flank.point(lambda value: value // 2))
    if random.random() < 0.12:  # worn: the ground shines through
        worn = np.asarray(Image.fromarray(_noise(random, 12, 40)).resize(ink.size, Image.Resampling.BICUBIC))
        ink = ImageChops.multiply(ink, Image.fromarray(np.where(worn > 60, 255, worn * 4).astype(np.uint8)))
    picture.paste(level, (0, 0), ink)
    return picture


def _noise(random: Random, rows: int, columns: int) -> np.ndarray:
    return np.frombuffer(random.randbytes(rows * columns), np.uint8).reshape(rows, columns)


def _surrounded(plate: Image.Image, random: Random) -> tuple[Image.Image, int]:
    """Put the plate on a car: some surface, often a frame (with a dealer's words); returns also by how far it moved."""
    margin = round(plate.height * 0.38)
    size = (plate.width + 2 * margin, plate.height + 2 * margin)
    if random.random() < 0.7:
        patch = _noise(random, random.randint(2, 7), random.randint(2, 10))
        way = random.choice((Image.Resampling.BILINEAR, Image.Resampling.NEAREST, Image.Resampling.BICUBIC))
        brightest = random.uniform(0.2, 1.0)
        picture = Image.fromarray(patch).resize(size, way).point(lambda value: int(value * brightest))
    else:
        picture = Image.new("L", size, random.randint(0, 255))
    if random.random() < 0.5:
        border = random.randint(2, max(3, round(plate.height * 0.12)))
        box = (margin - border, margin - border, size[0] - margin + border, size[1] - margin + border)
        ImageDraw.Draw(picture).rectangle(box, random.randint(0, 230))
    picture.paste(plate, (margin, margin))
    if random.random() < 0.06:  # a frame or a tow bar covers a little of the plate's edge
        thick = plate.height * random.uniform(0.02, 0.1)
        down = random.choice((margin - thick, size[1] - margin - thick))
        ImageDraw.Draw(picture).rectangle((0, down, size[0], down + 2 * thick), random.randint(0, 200))
    return picture, margin
