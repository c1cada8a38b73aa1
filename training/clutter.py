"""What stands on and around a plate and is not to be read: words, seals, stickers, foreign characters, bolts, art.

Drawn on two greyscale pictures: the ground of the plate, in brightness, and the ink, a mask of what has the colour of
the letters.
"""

from random import Random

import numpy as np
from PIL import Image, ImageDraw

from training.typefaces import Typeface

_WORDS = """
CALIFORNIA TEXAS OHIO ILLINOIS ARIZONA WASHINGTON FLORIDA GEORGIA VIRGINIA NEVADA UTAH COLORADO OREGON MICHIGAN
INDIANA MARYLAND NEWYORK KANSAS MISSOURI TENNESSEE DISCOVER SUNSHINE STATE GARDEN GRAND CANYON LINCOLN EMPIRE
EVERGREEN ONTARIO QUEBEC ALBERTA SAOPAULO SALVADOR CURITIBA RIODEJANEIRO BRASIL MERCOSUL ARGENTINA CHILE
VICTORIA QUEENSLAND DUBAI ABUDHABI QATAR KUWAIT AUTOHAUS MOTORS CARS DEALER SERVICE GARAGE TOYOTA HONDA FORD
""".split()  # noqa: SIM905 - as a list it would fill the screen
_COUNTRIES = "D F I E SK CZ GB PL A NL B H RO P L S FIN DK EST LV LT SLO HR BG GR IRL N UA TR".split()  # noqa: SIM905


def word(random: Random) -> str:
    """Return a word or two as they stand above and below numbers."""
    return random.choice(_WORDS) + (random.choice(_WORDS) if random.random() < 0.3 else "")


def write_small(
    ink: Image.Image, text: str, face: Typeface, box: tuple[float, float, float, float], value: int
) -> None:
    """Write small letters into a box of a picture, as wide as they come but not wider than the box."""
    left, top, right, bottom = box
    height = round(bottom - top)
    if height < 3:
        return
    glyphs = [face[character] for character in text if character in face]
    natural = sum(glyph.width * 1.18 for glyph in glyphs) * height / glyphs[0].height
    scale = min(1.0, (right - left) / natural)
    x = (left + right - natural * scale) / 2
    for glyph in glyphs:
        width = max(1, round(glyph.width * height / glyph.height * scale))
        small = glyph.resize((width, height), Image.Resampling.BILINEAR)
        ink.paste(value, (round(x), round(top)), small)
        x += width * 1.18


def foreign(ink: Image.Image, random: Random, box: tuple[float, float, float, float]) -> None:
    """Draw something like a Chinese, Korean or Arabic character: strokes that are no letter of ours."""
    left, top, right, bottom = box
    draw = ImageDraw.Draw(ink)
    pen = max(2, round((bottom - top) * random.uniform(0.05, 0.11)))

    def x(part: float) -> float:
        return left + (right - left) * part

    def y(part: float) -> float:
        return top + (bottom - top) * part

    if random.random() < 0.3:  # Arabic: curves and dots
        for _ in range(random.randint(1, 3)):
            a, b = random.random() * 0.6, random.random() * 0.6
            draw.arc((x(a), y(b), x(a + 0.4), y(b + 0.4)), random.randint(0, 180), random.randint(200, 420), 255, pen)
        for _ in range(random.randint(0, 3)):
            a, b = random.random() * 0.9, random.random() * 0.9
            draw.rectangle((x(a), y(b), x(a) + pen, y(b) + pen), 255)
        return
    for _ in range(random.randint(2, 4)):  # bars across
        at, start = random.uniform(0.03, 0.97), random.uniform(0, 0.35)
        draw.line((x(start), y(at), x(random.uniform(0.6, 1.0)), y(at)), 255, pen)
    for _ in range(random.randint(1, 3)):  # bars down
        at, start = random.uniform(0.1, 0.9), random.uniform(0, 0.5)
        draw.line((x(at), y(start), x(at), y(random.uniform(0.6, 1.0))), 255, pen)
    for _ in range(random.randint(0, 2)):  # falling strokes
        draw.line(
            (x(random.uniform(0.3, 0.7)), y(random.uniform(0.1, 0.5)), x(random.choice((0.05, 0.95))), y(0.97)),
            255,
            pen,
        )
    if random.random() < 0.4:  # a box
        a, b = random.uniform(0.05, 0.4), random.uniform(0.05, 0.5)
        draw.rectangle((x(a), y(b), x(a + 0.5), y(b + 0.4)), None, 255, pen)


def seal(ground: Image.Image, random: Random, centre: tuple[float, float], size: float, level: int) -> None:
    """Draw what stands in a wide gap: seals, a sticker, an emblem, a state's outline; near level, so hardly inked."""
    draw = ImageDraw.Draw(ground)
    x, y = centre
    shade = _other_than(level, random)
    kind = random.random()
    if kind < 0.45:
        for shift in random.choice(((-0.85, 0.85), (0.0,), (-0.7, 0.9), (0.6,))):
            radius = size * random.uniform(0.32, 0.5)
            draw.ellipse((x - radius, y + shift * size - radius, x + radius, y + shift * size + radius), shade)
            inner = radius * random.uniform(0.3, 0.8)
            if random.random() < 0.6:
                draw.ellipse(
                    (x - inner, y + shift * size - inner, x + inner, y + shift * size + inner),
                    _other_than(shade, random),
                )
    elif kind < 0.65:
        draw.rectangle((x - size * 0.45, y - size * 0.5, x + size * 0.45, y + size * 0.5), shade)
    else:
        points = [
            (x + random.uniform(-0.55, 0.55) * size, y + random.uniform(-1, 1) * size)
            for _ in range(random.randint(4, 9))
        ]
        draw.polygon(points, shade)


def band(ground: Image.Image, random: Random, face: Typeface, left: float, right: float) -> None:
    """Draw a blue band with stars and a country's letters; in infrared it is as bright as anything."""
    draw = ImageDraw.Draw(ground)
    height, width = ground.height, right - left
    shade = random.randint(15, 150)
    draw.rectangle((left, 0, right, height), shade)
    light = min(255, shade + random.randint(20, 150))
    radius, middle = width * 0.3, (left + right) / 2
    if random.random() < 0.7:
        draw.ellipse((middle - radius, height * 0.28 - radius, middle + radius, height * 0.28 + radius), None, light, 2)
    if random.random() < 0.85:
        box = (left + width * 0.15, height * 0.62, right - width * 0.15, height * random.uniform(0.82, 0.9))
        write_small(ground, random.choice(_COUNTRIES), face, box, light)


def art(ground: Image.Image, random: Random) -> None:
    """Draw a picture behind the letters: hills, sun, stripes, a fade from top to bottom."""
    draw = ImageDraw.Draw(ground)
    width, height = ground.size
    level = ground.getpixel((width // 2, height // 2))
    for _ in range(random.randint(1, 5)):
        shade = max(0, min(255, level + random.randint(-75, 30)))
        kind = random.random()
        if kind < 0.35:
            x, y, r, s = (
                random.randint(0, width),
                random.randint(0, height),
                random.randint(5, width // 2),
                random.randint(4, height // 2),
            )
            draw.ellipse((x - r, y - s, x + r, y + s), shade)
        elif kind < 0.6:
            y = height * random.uniform(0.4, 1.0)
            ridge = [(width * i / 8, y + random.uniform(-0.15, 0.15) * height) for i in range(9)]
            draw.polygon([(0, height), *ridge, (width, height)], shade)
        elif kind < 0.8:
            edge = height * random.uniform(0.1, 0.26)
            draw.rectangle((0, 0, width, edge) if random.random() < 0.6 else (0, height - edge, width, height), shade)
        else:
            fade = np.linspace(0, random.uniform(-70, 40), height)[:: random.choice((1, -1)), None]
            faded = np.clip(np.asarray(ground, dtype=np.float32) + fade, 0, 255).astype(np.uint8)
            ground.paste(Image.fromarray(faded))


def bolts(ground: Image.Image, random: Random, places: list[tuple[float, float]]) -> None:
    """Draw bolt heads and holes at some of the usual places (parts of width and height); they may hide ink."""
    draw = ImageDraw.Draw(ground)
    radius = ground.height * random.uniform(0.02, 0.055)
    shade = random.randint(0, 255)
    for across, down in places:
        x, y = ground.width * across, ground.height * down
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), shade)
        if random.random() < 0.5:
            draw.ellipse(
                (x - radius * 0.5, y - radius * 0.5, x + radius * 0.4, y + radius * 0.4), _other_than(shade, random)
            )


def _other_than(level: int, random: Random) -> int:
    """Return a brightness that can be told from another one."""
    return (level + random.choice((-1, 1)) * random.randint(40, 140)) % 256
