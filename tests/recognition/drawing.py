"""Pictures of plates, drawn at test time."""

import io
from typing import Any

from PIL import Image, ImageDraw, ImageFilter, ImageFont


def plate(text: str, *, height: int = 60) -> Image.Image:
    """Draw a plain white plate."""
    font = ImageFont.load_default(height * 0.8)
    left, top, right, bottom = font.getbbox(text)
    drawn = Image.new("RGB", (int(right - left) + height, height), "white")
    draw = ImageDraw.Draw(drawn)
    draw.rectangle((1, 1, drawn.width - 2, height - 2), outline="black", width=2)
    draw.text(((drawn.width - right - left) / 2, (height - bottom - top) / 2), text, fill="black", font=font)
    return drawn


def _letters(text: str, height: int) -> Image.Image:
    font = ImageFont.load_default(height * 0.95)
    left, top, right, bottom = font.getbbox(text)
    drawn = Image.new("RGB", (int(right - left) + 4, height), "white")
    ImageDraw.Draw(drawn).text((2 - left, (height - bottom - top) / 2), text, fill="black", font=font)
    return drawn


def two_lines(upper: str, lower: str, *, height: int = 120) -> Image.Image:
    """Draw a white plate of two lines, nearly square, as motorcycles have."""
    line = height // 2 - height // 12
    lines = [_letters(text, line) for text in (upper, lower)]
    drawn = Image.new("RGB", (max(one.width for one in lines) + height // 4, height), "white")
    ImageDraw.Draw(drawn).rectangle((1, 1, drawn.width - 2, height - 2), outline="black", width=2)
    for one, top in zip(lines, (height // 12, height // 2), strict=True):
        drawn.paste(one, ((drawn.width - one.width) // 2, top))
    return drawn


def scene(*plates: Image.Image, size: tuple[int, int] = (1280, 720), degrees: float = 0.0) -> Image.Image:
    """Draw a grey yard with a dark car's rear for each plate, side by side, a little blurred as cameras are."""
    drawn = Image.new("RGB", size, (128, 132, 128))
    draw = ImageDraw.Draw(drawn)
    for index, one in enumerate(plates):
        middle = size[0] * (2 * index + 1) // (2 * len(plates))
        half = size[0] // (2 * len(plates)) - 40
        draw.rounded_rectangle((middle - half, 150, middle + half, size[1] - 60), 40, fill=(40, 44, 60))
        turned = one.convert("RGBA").rotate(degrees, expand=True, resample=Image.Resampling.BICUBIC)
        drawn.paste(turned, (middle - turned.width // 2, size[1] // 2), turned)
    return drawn.filter(ImageFilter.GaussianBlur(0.7))


def encoded(picture: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    """Encode a picture."""
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()
