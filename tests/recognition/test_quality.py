"""How good a picture is, on pictures that we spoil knowingly."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from custom_components.parkshare.recognition.quality import exposure, measured, rating, sharpness
from tests.recognition.drawing import plate, scene


def luma(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("L"), dtype=np.float32)


def test_sharpness_falls_with_blur_and_hardly_with_contrast() -> None:
    sharp = plate("BKX4287").filter(ImageFilter.GaussianBlur(0.5))
    figures = [sharpness(luma(sharp.filter(ImageFilter.GaussianBlur(blur)))) for blur in (0, 1, 2, 4)]
    assert figures[0] > 0.9
    assert figures == sorted(figures, reverse=True)
    assert figures[3] < 0.35
    dull = ImageEnhance.Contrast(sharp).enhance(0.4)
    assert sharpness(luma(dull)) == pytest.approx(figures[0], abs=0.15)


def test_a_flat_or_tiny_patch_has_no_sharpness() -> None:
    assert sharpness(np.full((60, 200), 90.0, dtype=np.float32)) == 0
    assert sharpness(np.zeros((2, 2), dtype=np.float32)) == 0


def test_exposure_tells_dark_bright_and_blown_out() -> None:
    day = scene(plate("BKX4287"))
    brightness, contrast, glare = exposure(luma(day))
    night = exposure(luma(ImageEnhance.Brightness(day).enhance(0.1)))
    blown = exposure(luma(ImageEnhance.Brightness(day).enhance(3)))
    assert night[0] < 0.1 < brightness < blown[0]
    assert night[1] < contrast
    assert glare < 0.05 < blown[2]


def test_the_likeliest_plate_is_measured_in_pixels_and_degrees() -> None:
    corners = ((100.0, 200.0), (296.0, 234.6), (289.1, 274.0), (93.1, 239.4))
    patch = luma(plate("BKX4287"))
    quality = measured((1280, 720), patch, patch, corners)
    assert (quality.width, quality.height) == (1280, 720)
    assert (quality.plate_width, quality.plate_height) == pytest.approx((199, 40), abs=1)
    assert quality.plate_tilt == pytest.approx(10, abs=0.2)
    assert measured((1280, 720), patch, patch, None).plate_width is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda picture: picture.filter(ImageFilter.GaussianBlur(3)),
        lambda picture: ImageEnhance.Brightness(picture).enhance(0.05),
        lambda picture: ImageEnhance.Brightness(picture).enhance(6),
    ],
    ids=["blurred", "dark", "blown out"],
)
def test_a_spoiled_picture_is_rated_lower(spoil: object) -> None:
    good = scene(plate("BKX4287"))
    assert callable(spoil)
    assert rating(luma(spoil(good))) < 0.7 * rating(luma(good))
