"""What a camera's owner is told to improve."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, strategies as st

from custom_components.parkshare.recognition import search
from custom_components.parkshare.recognition.advice import (
    GLANCE_PIXELS,
    LEAST_PLATE_WIDTH,
    Advice,
    Hint,
    advise,
    quick_plate_width,
)
from custom_components.parkshare.recognition.types import Look, Quality, Reading, Region

GOOD = Quality(
    width=1920,
    height=1080,
    brightness=0.45,
    contrast=0.6,
    sharpness=0.7,
    glare=0.01,
    plate_width=160.0,
    plate_height=35.0,
    plate_tilt=3.0,
)
PART = st.floats(0, 1)
WIDTH = st.floats(1, 4000)
QUALITIES = st.builds(
    Quality,
    width=st.integers(64, 8000),
    height=st.integers(64, 8000),
    brightness=PART,
    contrast=PART,
    sharpness=PART,
    glare=PART,
    plate_width=st.none() | WIDTH,
    plate_height=st.none() | WIDTH,
    plate_tilt=st.none() | st.floats(-90, 90),
)


def look(quality: Quality | None = GOOD, *readings: Reading) -> Look:
    return Look(readings, 0.0, "test", quality)


def reading(width: float, drop: float = 0.0) -> Reading:
    box = ((10.0, 10.0), (10.0 + width, 10.0 + drop), (10.0 + width, 40.0 + drop), (10.0, 40.0))
    return Reading("AB123CD", (0.9,) * 7, box)


LOOKS = st.lists(st.builds(look, st.none() | QUALITIES), max_size=6)


def hints(*looks: Look) -> list[Hint]:
    return [advice.hint for advice in advise(looks)]


def test_a_good_picture_needs_nothing() -> None:
    assert advise([look()]) == (Advice(Hint.FINE),)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"plate_width": None}, Hint.NO_PLATE),
        ({"plate_width": 99.0}, Hint.TOO_SMALL),
        ({"brightness": 0.05}, Hint.TOO_DARK),
        ({"glare": 0.3}, Hint.TOO_BRIGHT),
        ({"contrast": 0.05}, Hint.FLAT),
        ({"sharpness": 0.1}, Hint.BLURRED),
        ({"plate_tilt": -30.0}, Hint.TILTED),
    ],
)
def test_each_weakness_has_its_own_advice(change: dict[str, float], expected: Hint) -> None:
    assert hints(look(replace(GOOD, **change))) == [expected]


def test_a_small_plate_is_told_with_both_widths_and_a_small_stream_beside_it() -> None:
    advice = advise([look(replace(GOOD, width=640, height=360, plate_width=62.4))])
    assert advice == (
        Advice(Hint.TOO_SMALL, {"width": 62, "needed": 100}),
        Advice(Hint.PICTURE_SMALL, {"width": 640, "needed": 1280}),
    )


def test_a_small_stream_with_a_wide_plate_is_good_enough() -> None:
    assert hints(look(replace(GOOD, width=640, height=360))) == [Hint.FINE]


def test_one_bad_picture_among_good_ones_is_nobodys_fault() -> None:
    assert hints(look(), look(), look(replace(GOOD, brightness=0.01, sharpness=0.0, plate_width=None))) == [Hint.FINE]


def test_a_reader_that_measures_nothing_still_tells_how_wide_and_how_tilted_the_plate_is() -> None:
    assert hints(look(None, reading(150))) == [Hint.FINE]
    assert hints(look(None, reading(60))) == [Hint.TOO_SMALL]
    assert hints(look(None, reading(150, drop=75))) == [Hint.TILTED]
    assert hints(look(None)) == [Hint.NO_PLATE]


def test_a_text_that_the_reader_takes_for_no_plate_is_none() -> None:
    assert hints(look(replace(GOOD, plate_width=None), reading(150))) == [Hint.NO_PLATE]


@given(LOOKS)
def test_there_is_always_advice_worst_first_each_once_and_fine_only_alone(looks: list[Look]) -> None:
    found = hints(*looks)
    assert found
    assert len(found) == len(set(found))
    assert found == sorted(found, key=list(Hint).index)
    assert Hint.FINE not in found or found == [Hint.FINE]


@given(st.lists(st.builds(look, st.none() | QUALITIES), min_size=1, max_size=4))
def test_the_order_of_the_looks_means_nothing(looks: list[Look]) -> None:
    first = advise(looks)
    assert all(advise(each) == first for each in permutations(looks))


@given(QUALITIES, st.floats(0, 4000))
def test_a_wider_plate_never_brings_the_advice_that_it_is_small(quality: Quality, wider: float) -> None:
    if quality.plate_width is None or Hint.TOO_SMALL in hints(look(quality)):
        return
    assert Hint.TOO_SMALL not in hints(look(replace(quality, plate_width=quality.plate_width + wider)))


@given(LOOKS)
def test_every_figure_in_an_advice_is_one_that_a_person_can_read(looks: list[Look]) -> None:
    for advice in advise(looks):
        assert all(isinstance(value, int) and value >= 0 for value in advice.values.values())


def test_the_width_for_a_quick_reading_follows_the_frame() -> None:
    whole = quick_plate_width(1920, 1080)
    half = quick_plate_width(1920, 1080, Region(0.25, 0.25, 0.75, 0.75))
    assert whole == 177
    assert half == LEAST_PLATE_WIDTH
    assert quick_plate_width(640, 360) == LEAST_PLATE_WIDTH


@given(
    st.integers(1, 8000),
    st.integers(1, 8000),
    st.floats(0, 0.45),
    st.floats(0, 0.45),
)
def test_a_smaller_frame_never_asks_for_a_wider_plate(width: int, height: int, across: float, down: float) -> None:
    inner = quick_plate_width(width, height, Region(across, down, 1 - across, 1 - down))
    assert LEAST_PLATE_WIDTH <= inner <= quick_plate_width(width, height)


def test_the_first_glance_is_the_one_of_the_pipeline() -> None:
    assert search.GLANCE_PIXELS == GLANCE_PIXELS
