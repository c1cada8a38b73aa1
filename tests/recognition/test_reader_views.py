"""What the worker makes of regions, two-line plates, overlays, several pictures of one moment, and marks to draw."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from custom_components.parkshare.recognition import (
    BadPicture,
    Decision,
    EmbeddedReader,
    Look,
    Mark,
    Picture,
    Region,
    judge,
)
from tests.recognition.conftest import Labelled
from tests.recognition.drawing import encoded, plate, scene, two_lines

LEFT, RIGHT = "MTR5529", "BKX4287"
BOTH = scene(plate(LEFT), plate(RIGHT))


def texts(look: Look) -> set[str]:
    return {reading.text for reading in look.readings}


def stamped(picture: Image.Image, *words: str, left: int = 24) -> Image.Image:
    """Write words at the top and bottom as cameras do."""
    drawn = picture.copy()
    pen = ImageDraw.Draw(drawn)
    for word, top in zip(words, (12, picture.height - 40), strict=False):
        pen.text((left, top), word, fill="white", font=ImageFont.load_default(26), stroke_width=1, stroke_fill="black")
    return drawn


async def test_only_the_region_is_read_and_boxes_are_of_the_whole_picture(reader: EmbeddedReader) -> None:
    look = await reader.read(Picture(encoded(BOTH), 1.0, Region(0.5, 0.2, 1, 1)))
    assert RIGHT in texts(look)
    assert LEFT not in texts(look)
    box = next(reading.box for reading in look.readings if reading.text == RIGHT)
    assert all(640 < x < 1280 and 300 < y < 480 for x, y in box)
    assert look.quality is not None
    assert (look.quality.width, look.quality.height) == (1280, 720)


async def test_a_plate_too_far_for_a_glance_is_read_in_a_region(reader: EmbeddedReader) -> None:
    far = scene(plate(RIGHT, height=20), size=(3840, 2160))
    look = await reader.read(Picture(encoded(far), 1.0, Region(0.4, 0.4, 0.6, 0.6)))
    assert judge([look], RIGHT).decision is Decision.ADMIT


@pytest.mark.parametrize("region", [Region(0.5, 0.5, 0.501, 0.501), Region(0, 0, 0.001, 1), Region(0.999, 0.999, 1, 1)])
async def test_an_absurdly_small_region_is_no_error(reader: EmbeddedReader, region: Region) -> None:
    assert (await reader.read(Picture(encoded(BOTH), 1.0, region))).taken_at == 1.0


@pytest.mark.parametrize(("upper", "lower"), [("KA01", "AB1234"), ("ABC", "4D23"), ("59X1", "12345")])
@pytest.mark.parametrize("height", [100, 44])
async def test_a_plate_of_two_lines_is_one_reading_and_its_lines_too(
    reader: EmbeddedReader, upper: str, lower: str, height: int
) -> None:
    look = await reader.read(Picture(encoded(scene(two_lines(upper, lower, height=height))), 1.0))
    assert {upper + lower, lower} <= texts(look)
    whole = next(reading for reading in look.readings if reading.text == upper + lower)
    line = next(reading for reading in look.readings if reading.text == lower)
    assert whole.box[3][1] - whole.box[0][1] > 1.5 * (line.box[3][1] - line.box[0][1])
    assert judge([look], upper + lower).decision is Decision.ADMIT
    assert judge([look], upper + lower[:-1] + "8").decision is not Decision.ADMIT


async def test_both_readers_say_what_they_see(reader: EmbeddedReader) -> None:
    look = await reader.read(Picture(encoded(scene(plate(RIGHT))), 1.0))
    said = {reading.source: reading for reading in look.readings if reading.text == RIGHT}
    assert set(said) == {"ppocr", "own"}
    assert said["own"].matrix is not None
    assert said["ppocr"].matrix is not None
    assert said["own"].matrix.shape[1] == said["ppocr"].matrix.shape[1]


async def test_what_the_camera_writes_is_no_plate_and_hides_none(reader: EmbeddedReader) -> None:
    look = await reader.read(Picture(encoded(stamped(BOTH, "2026-11-22 18:08:11", "CAM01")), 1.0))
    assert {LEFT, RIGHT} <= texts(look)
    assert not [text for text in texts(look) if "2026" in text or text.startswith("CAM")]
    empty = await reader.read(Picture(encoded(stamped(scene(), "22-11-2026 18:08:11", "CAM01")), 2.0))
    assert judge([empty, Look(empty.readings, 9.0, "embedded")], RIGHT).decision is Decision.UNSURE
    assert not empty.readings


async def test_a_text_that_always_stands_at_the_rim_comes_last_for_its_camera_only(reader: EmbeddedReader) -> None:
    content = encoded(stamped(scene(plate(RIGHT).resize((60, 12))), "GATE12"))
    looks = [await reader.read(Picture(content, at, camera="yard")) for at in (0.0, 200.0, 400.0, 600.0)]
    assert looks[0].readings[0].text == "GATE12"
    assert looks[-1].readings[0].text != "GATE12"
    assert looks[-1].readings[-1].text == "GATE12"
    assert (await reader.read(Picture(content, 700.0, camera="street"))).readings[0].text == "GATE12"


async def test_a_car_that_waits_with_its_plate_at_the_rim_is_read_for_as_long_as_it_stands(
    reader: EmbeddedReader,
) -> None:
    yard = scene()
    yard.paste(plate(RIGHT, height=36), (540, yard.height - 44))
    content = encoded(yard)
    for at in (0.0, 200.0, 400.0, 600.0, 800.0):
        look = await reader.read(Picture(content, at, camera="yard"))
        assert judge([look], RIGHT).decision is Decision.ADMIT


async def test_a_name_that_the_camera_writes_does_not_end_the_search_for_a_far_plate(reader: EmbeddedReader) -> None:
    far = scene(plate(RIGHT, height=18), size=(3840, 2160))
    pen = ImageDraw.Draw(far)
    font = ImageFont.load_default(90)
    pen.text((60, 30), "GARAGE 1", fill="white", font=font, stroke_width=3, stroke_fill="black")
    look = await reader.read(Picture(encoded(far), 1.0))
    assert "GARAGE1" in texts(look)
    assert RIGHT in texts(look)


async def test_a_telephone_number_on_a_van_hides_a_far_plate_in_one_picture_at_most(reader: EmbeddedReader) -> None:
    van = scene(plate(RIGHT, height=20), size=(2560, 1440))
    pen = ImageDraw.Draw(van)
    pen.text((900, 200), "5551234", fill="white", font=ImageFont.load_default(130), stroke_width=3, stroke_fill="black")
    content = encoded(van)
    seen = [texts(await reader.read(Picture(content, float(at), camera="yard"))) for at in range(2)]
    assert all("5551234" in said for said in seen)
    assert any(RIGHT in said for said in seen)


async def test_a_wall_full_of_writing_is_an_answer_in_time(models: Path) -> None:
    wall = Image.new("RGB", (3840, 2160), "white")
    pen = ImageDraw.Draw(wall)
    font = ImageFont.load_default(40)
    for top in range(0, wall.height, 60):
        for left in range(0, wall.width, 220):
            pen.text((left, top), f"AB{(left * 7 + top) % 9000 + 1000}", fill="black", font=font)
    reader = EmbeddedReader(models, read_timeout=30.0)
    try:
        assert (await reader.read(Picture(encoded(wall), 1.0))).readings
    finally:
        await reader.stop()


async def test_a_car_that_comes_into_a_still_view_is_read_and_so_is_one_that_stands(reader: EmbeddedReader) -> None:
    pictures = [scene(), scene(plate(RIGHT)), scene(plate(RIGHT)), BOTH, BOTH]
    looks = [await reader.read(Picture(encoded(one), float(i), camera="yard")) for i, one in enumerate(pictures)]
    assert [RIGHT in texts(look) for look in looks] == [False, True, True, True, True]
    assert LEFT in texts(looks[4])


async def test_the_best_of_several_pictures_is_read(reader: EmbeddedReader) -> None:
    sharp = scene(plate(RIGHT))
    blurred = sharp.filter(ImageFilter.GaussianBlur(6))
    moment = [Picture(encoded(one), float(at)) for at, one in enumerate((blurred, sharp, blurred))]
    look = await reader.read_best(moment)
    assert look.taken_at == 1.0
    assert look.readings[0].text == RIGHT
    assert look.quality is not None
    assert look.quality.plate_width is not None
    assert 100 < look.quality.plate_width < 400
    assert look.quality.sharpness > 0.5


async def test_a_bad_picture_among_several_is_left_out_unless_all_are(reader: EmbeddedReader) -> None:
    good = Picture(encoded(scene(plate(RIGHT))), 1.0)
    look = await reader.read_best([Picture(b"<html>", 0.0), good, Picture(good.content[:999], 2.0)])
    assert look.taken_at == 1.0
    with pytest.raises(BadPicture):
        await reader.read_best([Picture(b"<html>", 0.0), Picture(b"", 2.0)])


async def test_quality_tells_a_blurred_picture_from_a_sharp_one(reader: EmbeddedReader) -> None:
    sharp = scene(plate(RIGHT))
    qualities = [
        (await reader.read(Picture(encoded(one), 0.0))).quality
        for one in (sharp, sharp.filter(ImageFilter.GaussianBlur(3)))
    ]
    assert qualities[0] is not None
    assert qualities[1] is not None
    assert qualities[1].sharpness < 0.6 * qualities[0].sharpness


async def test_a_picture_is_drawn_with_its_region_and_marks(reader: EmbeddedReader) -> None:
    look = await reader.read(Picture(encoded(BOTH), 1.0))
    marks = [Mark(reading.box, reading.text) for reading in look.readings]
    drawn = await reader.draw(Picture(encoded(BOTH), 1.0, Region(0.1, 0.1, 0.9, 0.9)), marks, widest=640)
    opened = Image.open(io.BytesIO(drawn))
    assert (opened.format, opened.size) == ("JPEG", (640, 360))
    plain = Image.open(io.BytesIO(await reader.draw(Picture(encoded(BOTH), 1.0), [], widest=640)))
    red, green, blue = opened.convert("RGB").getpixel((320, 36))  # type: ignore[misc]
    assert blue > red + 60
    assert plain.convert("RGB").getpixel((320, 36)) != (red, green, blue)


async def test_a_bad_picture_is_not_drawn_and_odd_marks_are_no_error(reader: EmbeddedReader) -> None:
    with pytest.raises(BadPicture):
        await reader.draw(Picture(b"<html>", 0.0), [])
    odd = [Mark((), "nothing"), Mark(((-50.0, -9.0), (4000.0, 9.0), (4000.0, 99.0), (-50.0, 99.0)), "粤B·12345")]
    assert (await reader.draw(Picture(encoded(BOTH), 0.0), odd)).startswith(b"\xff\xd8")


def at_the_rim(photographs: list[Labelled]) -> list[tuple[bytes, str]]:
    """Return photographs whose labelled plate ends within a tenth of the picture's top or bottom."""
    chosen = []
    for photo in photographs:
        content = photo.file.read_bytes()
        height = Image.open(io.BytesIO(content)).height
        if photo.top < height * 0.05 or photo.top + photo.height > height * 0.95:
            chosen.append((content, photo.plate))
    return chosen


async def test_plates_at_the_rim_of_photographs_are_not_taken_for_overlays(
    reader: EmbeddedReader, photographs: list[Labelled]
) -> None:
    chosen = at_the_rim(photographs)
    assert chosen
    for content, expected in chosen[:4]:
        look = await reader.read(Picture(content, 0.0, camera="yard"))
        assert judge([look], expected).decision is Decision.ADMIT


async def test_a_sharp_yard_behind_a_blurred_car_does_not_make_a_good_picture(reader: EmbeddedReader) -> None:
    yard = scene(plate("SIGN"), size=(1280, 720))
    car = scene(plate(RIGHT), size=(500, 300))
    moment = []
    for at, (blur, left) in enumerate(((5.0, 700), (0.0, 720), (5.0, 740))):
        one = yard.copy()
        one.paste(car.filter(ImageFilter.GaussianBlur(blur)), (left, 380))
        moment.append(Picture(encoded(one), float(at)))
    look = await reader.read_best(moment)
    assert look.taken_at == 1.0
    assert RIGHT in texts(look)
