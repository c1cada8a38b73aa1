"""What a camera writes into its pictures, and what is lettering; and that plates are neither."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from custom_components.parkshare.recognition.detect import TextBox
from custom_components.parkshare.recognition.overlay import (
    STAYED_LOOKS,
    STAYED_S,
    Overlays,
    at_rim,
    is_lettering,
    is_stamp,
    on_one_line,
)


def text(x: float, y: float, width: float = 200.0, height: float = 24.0, slope: float = 0.0) -> TextBox:
    u, v = width / 2, height / 2
    corners = np.array([(-u, -v - slope * u), (u, -v + slope * u), (u, v + slope * u), (-u, v - slope * u)])
    return TextBox(corners + np.array([x, y]), 0.9)


@pytest.mark.parametrize(
    "said", ["20261122180811", "20261122", "22112026", "11222026", "20140620104652", "CAM01", "CAMERA12", "CHANNEL1"]
)
def test_dates_and_cameras_names_are_stamps(said: str) -> None:
    assert is_stamp(said, [])


def test_a_time_is_a_stamp_only_beside_a_date() -> None:
    assert is_stamp("180811", ["20261122", "180811"])
    assert not is_stamp("180811", ["AB123CD", "180811"])


@pytest.mark.parametrize(
    "plate",
    [
        "BKX4287",
        "20AB14",
        "1AMW240",
        "2014AB",
        "CAB123",
        "KA01AB1234",
        "131704",
        "99999999",
        "CAM4X",
        "78188",
        "CAM123",
        "IPC907",
    ],
)
def test_plates_are_no_stamps(plate: str) -> None:
    assert not is_stamp(plate, [plate, "TEXAS"])


@pytest.mark.parametrize(("y", "expected"), [(20, True), (700, True), (100, False), (400, False)])
def test_stamps_lie_at_the_rim(y: float, expected: bool) -> None:
    assert at_rim(text(300, y), 720) is expected


def test_what_is_tilted_or_as_high_as_a_near_plate_is_no_overlay() -> None:
    assert not at_rim(text(300, 30, slope=0.08), 720)
    assert not at_rim(text(300, 40, 300, 70), 720)


def test_the_time_beside_a_date_is_on_its_line_and_a_plate_further_along_is_not() -> None:
    date = text(150, 700)
    assert on_one_line(text(340, 700, 140), date)
    assert on_one_line(date, text(340, 700, 140))
    assert not on_one_line(text(600, 700, 140), date)
    assert not on_one_line(date, text(600, 700, 140))


def look(overlays: Overlays, at: float, *seen: tuple[str, TextBox], camera: str = "yard") -> set[str]:
    return overlays.constant(camera, seen, taken_at=at)


def test_what_never_changes_at_the_rim_is_known_after_a_while() -> None:
    overlays = Overlays()
    times = np.linspace(0, STAYED_S, STAYED_LOOKS)
    for at in times[:-1]:
        assert look(overlays, float(at), ("GATE12", text(100, 20))) == set()
    assert look(overlays, STAYED_S, ("GATE12", text(100, 20)), ("AB123", text(600, 20))) == {"GATE12"}


@given(st.floats(8, 100))
def test_what_moves_is_never_taken_for_constant(pace: float) -> None:
    overlays = Overlays()
    for index in range(12):
        assert look(overlays, index * STAYED_S, ("BKX4287", text(100 + index * pace, 20))) == set()


def test_many_pictures_of_one_moment_make_no_plate_constant() -> None:
    overlays = Overlays()
    assert not any(look(overlays, index / 3, ("BKX4287", text(100, 20))) for index in range(50))


def test_cameras_are_kept_apart_and_one_without_a_name_is_not_remembered() -> None:
    overlays = Overlays()
    for index in range(STAYED_LOOKS):
        look(overlays, index * STAYED_S, ("GATE12", text(100, 20)))
        assert look(overlays, index * STAYED_S, ("GATE12", text(100, 20)), camera="") == set()
    assert look(overlays, 9 * STAYED_S, ("GATE12", text(100, 20)), camera="street") == set()
    assert look(overlays, 9 * STAYED_S, ("GATE12", text(100, 20))) == {"GATE12"}


def test_a_text_among_many_of_its_size_is_lettering() -> None:
    sign = [text(400 + dx, 300 + dy, 150, 40) for dx in (0, 170) for dy in (0, 60, 120)]
    assert is_lettering(sign[0], sign)


def test_a_plate_with_a_slogan_a_state_and_a_neighbour_is_no_lettering() -> None:
    plate = text(400, 300, 120, 40)
    assert not is_lettering(plate, [plate, text(400, 275, 60, 12), text(400, 326, 80, 12), text(900, 300, 120, 40)])
