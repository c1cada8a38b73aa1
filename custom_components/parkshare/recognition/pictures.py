"""Opening a picture that a camera sent, or anything else that pretends to be one."""

import io
import struct
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from .types import BadPicture

FORMATS: Final = ("JPEG", "PNG", "WEBP")
# A 4K camera has 8 megapixels, phones send 12 to 24; 25 million take 75 MB when opened.
MOST_PIXELS: Final = 25_000_000
LEAST_SIDE: Final = 32  # px
MOST_BYTES: Final = 20_000_000


def open_picture(content: bytes) -> Image.Image:
    """Decode an encoded picture to RGB, turned as its EXIF orientation says; raises BadPicture saying what is wrong.

    Its size is judged by its header, before anything is unpacked.
    """
    return _opened(content, "RGB", None)


def open_grey(content: bytes, widest: int) -> Image.Image:
    """Decode to grey and shrink by a whole factor what is wider than so many pixels; raises BadPicture.

    JPEGs are shrunk while they are decoded, which is quick.
    """
    grey = _opened(content, "L", widest)
    factor = grey.width // widest
    return grey.reduce(factor) if factor > 1 else grey


def _opened(content: bytes, mode: str, widest: int | None) -> Image.Image:
    if not content:
        raise BadPicture("The picture is empty. Check that the camera is on.")
    if len(content) > MOST_BYTES:
        raise BadPicture(f"The picture has more than {MOST_BYTES // 1_000_000} MB. Choose a smaller picture size.")
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
        width, height = picture.size
        if width * height > MOST_PIXELS:
            raise BadPicture(
                f"The picture has {width} x {height} pixels, more than {MOST_PIXELS // 1_000_000} million. "
                "Choose a smaller picture size in the camera's settings."
            )
        if min(width, height) < LEAST_SIDE:
            raise BadPicture(f"The picture has only {width} x {height} pixels. Choose a larger picture size.")
        if widest is not None and width > widest:
            picture.draft(mode, (widest, height * widest // width))
        picture.load()
        ImageOps.exif_transpose(picture, in_place=True)  # in place: a copy of a large picture is many MB
        return picture if picture.mode == mode else picture.convert(mode)
    except UnidentifiedImageError, Image.DecompressionBombError:
        raise BadPicture("This is not a JPEG, PNG or WebP picture. Check the camera's address.") from None
    except (
        OSError,
        struct.error,
        ValueError,
        SyntaxError,
        EOFError,
        IndexError,
        KeyError,
        ZeroDivisionError,
        OverflowError,
    ) as error:
        # Pillow's decoders raise all of these for damaged files.
        raise BadPicture(f"The picture is damaged or cut off ({type(error).__name__}).") from error
