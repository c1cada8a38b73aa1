"""From a probability map to boxes, on maps that we draw."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from custom_components.parkshare.recognition.detect import boxes_of, spots_of


def drawn(
    *kernels: tuple[float, float, float, float, float], size: tuple[int, int] = (320, 192)
) -> NDArray[np.float32]:
    """Draw kernels (middle x and y, width, height, degrees clockwise) into a map."""
    image = Image.new("L", size)
    for x, y, width, height, degrees in kernels:
        along = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
        across = np.array([-along[1], along[0]])
        corners = [
            (x, y) + along * width / 2 * u + across * height / 2 * v for u, v in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
        ImageDraw.Draw(image).polygon([tuple(corner) for corner in corners], fill=230)
    return np.asarray(image, dtype=np.float32) / 255


@given(st.floats(60, 260), st.floats(50, 140), st.floats(30, 100), st.floats(6, 14), st.floats(-30, 30))
@settings(max_examples=50, deadline=None)
def test_a_kernel_becomes_a_box_around_it_in_its_direction(
    x: float, y: float, width: float, height: float, degrees: float
) -> None:
    (box,) = boxes_of(drawn((x, y, width, height, degrees)))
    # Drawing rounds to whole pixels, which tilts a short kernel by a few degrees.
    assert box.corners.mean(axis=0) == pytest.approx([x, y], abs=2.5)
    dx, dy = box.corners[1] - box.corners[0]
    assert np.degrees(np.arctan2(dy, dx)) == pytest.approx(degrees, abs=6)
    assert width < box.width < width + 2.2 * height + 6
    assert height < box.height < 3.2 * height + 4


@given(st.lists(st.booleans(), min_size=4, max_size=4))
@settings(max_examples=16, deadline=None)
def test_there_is_one_box_for_each_separate_kernel(present: list[bool]) -> None:
    places = [(80, 50), (240, 50), (80, 140), (240, 140)]
    kernels = [(x, y, 80, 10, 0) for (x, y), there in zip(places, present, strict=True) if there]
    assert len(boxes_of(drawn(*kernels))) == len(kernels)


def test_a_kernel_that_bends_back_on_itself_is_one() -> None:
    bent = np.zeros((96, 96), dtype=np.float32)
    bent[20:60, 20:26] = bent[20:60, 60:66] = bent[54:60, 20:66] = 0.9
    assert len(boxes_of(bent)) == 1


def test_pixels_that_touch_at_a_corner_are_connected() -> None:
    steps = np.zeros((64, 64), dtype=np.float32)
    for step in range(8):
        steps[10 + step, 10 + 4 * step : 14 + 4 * step] = 0.9
    assert len(boxes_of(steps)) == 1


@pytest.mark.parametrize("probability", [0.0, 0.2, 0.29])
def test_an_empty_or_faint_map_has_no_boxes(probability: float) -> None:
    assert boxes_of(np.full((96, 96), probability, dtype=np.float32)) == []


def test_specks_and_pale_smears_are_no_boxes() -> None:
    image = drawn((100, 100, 2, 1, 0))
    image[20:40, 20:90] = 0.35
    assert boxes_of(image) == []


def test_text_too_small_for_a_box_leaves_a_spot() -> None:
    faint = np.zeros((96, 160), dtype=np.float32)
    faint[40:42, 100:104] = 0.1
    faint[80, 10] = 0.5
    assert boxes_of(faint) == []
    assert spots_of(faint) == pytest.approx(np.array([[8, 88, 0.5], [104, 40, 0.1]]))
