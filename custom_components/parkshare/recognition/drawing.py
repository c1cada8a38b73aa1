"""Drawing into a picture, for its owner, what was looked at and what was read."""

import io
from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from .pictures import open_picture
from .types import WHOLE, Mark, Region

SURE: Final = "#39d353"
DOUBTFUL: Final = "#f0c000"
FRAME: Final = "#3fa9f5"
QUALITY: Final = 85  # of the JPEG: small enough to be shown on a phone, plates stay legible
LETTERS: Final = 0.028  # height of letters, in picture widths


def draw(content: bytes, region: Region, marks: Sequence[Mark], *, widest: int) -> bytes:
    """Return a JPEG of a picture, at most widest (px), with its region's frame and the marks; raises BadPicture."""
    opened = open_picture(content)
    factor = min(1.0, widest / opened.width)
    size = (max(1, round(opened.width * factor)), max(1, round(opened.height * factor)))
    shown = opened.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0) if factor < 1 else opened
    pen = ImageDraw.Draw(shown)
    line = max(1, round(shown.width / 400))
    if region != WHOLE:
        corners = (region.left * size[0], region.top * size[1], region.right * size[0] - 1, region.bottom * size[1] - 1)
        pen.rectangle(corners, outline=FRAME, width=line)
    font = ImageFont.load_default(max(10, round(shown.width * LETTERS)))
    # The surest last, so that nothing is drawn over them.
    for mark in sorted(marks, key=lambda mark: mark.sure):
        _draw_mark(pen, mark, factor, font, line)
    stream = io.BytesIO()
    shown.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def _draw_mark(
    pen: ImageDraw.ImageDraw,
    mark: Mark,
    factor: float,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    line: int,
) -> None:
    if not mark.box:
        return
    colour = SURE if mark.sure else DOUBTFUL
    corners = [(x * factor, y * factor) for x, y in mark.box]
    pen.polygon(corners, outline=colour, width=2 * line if mark.sure else line)
    if not mark.label:
        return
    left, top, right, bottom = pen.textbbox((0, 0), mark.label, font=font)
    width, height = right - left + 4 * line, bottom - top + 4 * line
    # Above the box; below it where there is no room.
    x = max(0.0, min(*(x for x, _ in corners), pen.im.size[0] - width))
    above = min(y for _, y in corners) - height - line
    y = above if above >= 0 else max(y for _, y in corners) + line
    pen.rectangle((x, y, x + width, y + height), fill=colour)
    pen.text((x + 2 * line - left, y + 2 * line - top), mark.label, fill="black", font=font)
