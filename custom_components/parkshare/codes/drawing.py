"""The picture with the code, for a display at the space: black on white, as large as it goes, for paper-like screens.

Free of Home Assistant. On a display of 16 cm width the digits are 3 cm high: read from 5 m with normal sight (a sign's
letters are read from about 200 times their height). Runs in a thread: drawing takes some milliseconds.
"""

import io
from functools import cache
from typing import Final

from PIL import Image, ImageDraw, ImageFont

WIDTH: Final = 800  # pixels; what most paper-like displays of that size have
HEIGHT: Final = 480
MARGIN: Final = 24
BLACK: Final = 0
WHITE: Final = 255
CONTENT_TYPE: Final = "image/png"


def draw_code(code: str, until: str) -> bytes:
    """Draw a code in two groups, and beneath it a clock with the time until which it is taken."""
    half = len(code) // 2
    sheet = Image.new("L", (WIDTH, HEIGHT), WHITE)
    draw = ImageDraw.Draw(sheet)
    digits = f"{code[:half]} {code[half:]}"
    draw.text((WIDTH / 2, HEIGHT * 0.40), digits, BLACK, font=_fitting(len(digits)), anchor="mm")
    small = _font(76)
    beneath, radius = HEIGHT * 0.84, 30
    left = (WIDTH - small.getlength(until) - 3 * radius) / 2
    _clock(draw, (left + radius, beneath), radius)
    draw.text((left + 3 * radius, beneath), until, BLACK, font=small, anchor="lm")
    return _png(sheet)


@cache
def draw_nothing() -> bytes:
    """Draw what is shown while nobody needs a code: the sign of a parking space."""
    sheet = Image.new("L", (WIDTH, HEIGHT), WHITE)
    draw = ImageDraw.Draw(sheet)
    half = HEIGHT / 2 - 2 * MARGIN
    box = (WIDTH / 2 - half, HEIGHT / 2 - half, WIDTH / 2 + half, HEIGHT / 2 + half)
    draw.rounded_rectangle(box, radius=half / 5, outline=BLACK, width=12)
    draw.text((WIDTH / 2, HEIGHT / 2), "P", BLACK, font=_font(300), anchor="mm")
    return _png(sheet)


@cache
def _fitting(signs: int) -> ImageFont.FreeTypeFont:
    """Return the largest font in which so many digits fit beside each other."""
    wide = _font(100).getlength("0" * (signs - 1) + " ")
    return _font(100 * (WIDTH - 2 * MARGIN) / wide)


def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):  # a Pillow that was built without FreeType
        raise TypeError("this Pillow has no scalable font")
    return font


def _clock(draw: ImageDraw.ImageDraw, middle: tuple[float, float], radius: int) -> None:
    x, y = middle
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=BLACK, width=6)
    draw.line((x, y, x, y - radius * 0.62), fill=BLACK, width=6)
    draw.line((x, y, x + radius * 0.45, y + radius * 0.28), fill=BLACK, width=6)


def _png(sheet: Image.Image) -> bytes:
    written = io.BytesIO()
    sheet.save(written, "PNG")
    return written.getvalue()
