"""Where something moved between two pictures of one camera."""

import numpy as np
import pytest

from custom_components.parkshare.recognition.motion import MOST_CAMERAS, Motion

NOISE = np.random.default_rng(3)


def yard() -> np.ndarray:
    return NOISE.normal(110, 4, (90, 160)).astype(np.float32)


def with_car(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    picture = yard()
    picture[top:bottom, left:right] = 30
    return picture


def test_a_car_that_came_is_found_where_it_is() -> None:
    motion = Motion()
    assert motion.moved("yard", yard()) is None
    area = motion.moved("yard", with_car(60, 40, 110, 80))
    assert area is not None
    assert area == pytest.approx((60 / 160, 40 / 90, 110 / 160, 80 / 90), abs=0.07)
    assert area[0] <= 61 / 160
    assert area[2] >= 109 / 160


@pytest.mark.parametrize("change", [0, 3, 60, -50])
def test_noise_and_another_exposure_are_no_motion(change: float) -> None:
    motion = Motion()
    motion.moved("yard", yard())
    assert motion.moved("yard", yard() + change) is None


def test_everything_moving_is_no_motion() -> None:
    motion = Motion()
    motion.moved("yard", yard())
    assert motion.moved("yard", NOISE.uniform(0, 255, (90, 160)).astype(np.float32)) is None


def test_cameras_are_kept_apart_and_without_a_name_nothing_is_known() -> None:
    motion = Motion()
    motion.moved("yard", yard())
    assert motion.moved("street", with_car(60, 40, 110, 80)) is None
    assert motion.moved("", yard()) is None
    assert motion.moved("", with_car(60, 40, 110, 80)) is None
    assert motion.moved("yard", with_car(60, 40, 110, 80)) is not None


def test_a_camera_with_another_picture_size_begins_anew() -> None:
    motion = Motion()
    motion.moved("yard", yard())
    assert motion.moved("yard", yard()[:45]) is None


def test_only_some_cameras_are_remembered() -> None:
    motion = Motion()
    for number in range(MOST_CAMERAS + 1):
        motion.moved(str(number), yard())
    assert motion.moved("0", with_car(60, 40, 110, 80)) is None
    assert motion.moved(str(MOST_CAMERAS), with_car(60, 40, 110, 80)) is not None
