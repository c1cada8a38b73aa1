"""What is opened as a picture, and what is not."""

import io
import struct
import zlib
from contextlib import suppress

import pytest
from PIL import Image

from custom_components.parkshare.recognition import BadPicture
from custom_components.parkshare.recognition.pictures import MOST_BYTES, MOST_PIXELS, open_picture
from tests.recognition.drawing import encoded, plate, scene

ORIENTATION, DESCRIPTION = 0x0112, 0x010E  # EXIF


def png_claiming(width: int, height: int, data: bytes = b"") -> bytes:
    """Make a PNG whose header claims a size, with any data behind it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def bad_pictures() -> dict[str, bytes]:
    jpeg = encoded(scene(plate("AB 123")))
    gif = io.BytesIO()
    Image.new("RGB", (100, 100)).save(gif, "GIF")
    return {
        "nothing": b"",
        "an HTML error page": b"<!doctype html><title>401</title>" + b" " * 5000,
        "a truncated JPEG": jpeg[: len(jpeg) // 2],
        "a JPEG header and no more": jpeg[:30],
        "a 100-megapixel PNG bomb": png_claiming(10_000, 10_000, bytes(10_000_000)),
        "a PNG of absurd size": png_claiming(2_000_000_000, 2_000_000_000),
        "a PNG without its pixels": png_claiming(640, 480),
        "a format that cameras do not send": gif.getvalue(),
        "a tiny picture": encoded(Image.new("RGB", (16, 16))),
        "more bytes than any camera sends": jpeg + bytes(MOST_BYTES),
    }


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("kind", bad_pictures())
def test_what_is_no_usable_picture_is_refused_in_plain_words(kind: str) -> None:
    with pytest.raises(BadPicture) as caught:
        open_picture(bad_pictures()[kind])
    assert str(caught.value).endswith(".")


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    side = int(MOST_PIXELS**0.5) + 1
    with pytest.raises(BadPicture, match="pixels"):
        open_picture(png_claiming(side, side))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damaged_notes_in_a_picture_are_no_worse_than_damaged_pixels() -> None:
    notes = Image.Exif()
    notes[ORIENTATION] = 6
    notes[DESCRIPTION] = "hello"
    whole = encoded(Image.new("RGB", (64, 64)), exif=notes.tobytes())
    start = whole.index(b"Exif")
    for at in range(start, start + len(notes.tobytes())):
        for value in range(14):
            with suppress(BadPicture):
                assert open_picture(whole[:at] + bytes([value]) + whole[at + 1 :]).mode == "RGB"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_every_usual_kind_of_picture_is_opened_in_colour(form: str, mode: str) -> None:
    if form == "JPEG" and mode == "P":
        mode = "CMYK"
    opened = open_picture(encoded(Image.new("RGB", (80, 60), "red").convert(mode), form))
    assert (opened.mode, opened.size) == ("RGB", (80, 60))


def test_a_picture_is_turned_as_its_camera_was_held() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    assert open_picture(encoded(Image.new("RGB", (80, 60)), exif=exif)).size == (60, 80)
