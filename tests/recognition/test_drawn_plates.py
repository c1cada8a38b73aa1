"""The plates that training draws: what is claimed about them is true. Strokes alone, so numpy and Pillow suffice."""

from random import Random

import numpy as np
import pytest

from training.crops import HEIGHT, STEPS, WIDTH, Drawer
from training.hands import KINDS
from training.layouts import LAYOUTS, serial
from training.plates import draw_plate
from training.strokes import family
from training.typefaces import Typefaces


@pytest.fixture(scope="module")
def drawer() -> Drawer:
    return Drawer(1)


def test_the_same_number_is_always_the_same_plate(drawer: Drawer) -> None:
    once, again, another = drawer.sample(7), Drawer(1).sample(7), drawer.sample(8)
    assert (once.text, once.columns) == (again.text, again.columns)
    assert np.array_equal(once.crop, again.crop)
    assert not np.array_equal(once.crop, another.crop)


def test_samples_are_crops_with_a_place_for_each_character(drawer: Drawer) -> None:
    for number in range(150):
        sample = drawer.sample(number, hardness=1.0)
        assert sample.crop.shape == (HEIGHT, WIDTH)
        assert sample.crop.dtype == np.uint8
        assert 2 <= len(sample.text) == len(sample.columns) <= 10
        assert list(sample.columns) == sorted(sample.columns)
        assert 0 <= sample.columns[0] <= sample.columns[-1] < STEPS


def test_the_characters_stand_where_they_are_said_to() -> None:
    """Ink of the number changes the picture in its line's box, between its first and last character."""
    faces = Typefaces(None)
    for number in range(40):
        plate = draw_plate(Random(number), faces)
        left, top, right, bottom = plate.line
        assert left < plate.centres[0] <= plate.centres[-1] < right
        inside = np.asarray(plate.picture.crop((int(left), int(top), int(right), int(bottom))), np.float32)
        assert inside.std() > 10
        assert plate.edge[0] <= left
        assert right <= plate.edge[2] + 1


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_characters_of_a_family_look_the_same(kind: str) -> None:
    for number in range(4):
        glyphs = family(KINDS[kind](Random(number)), 48)
        seen = {name: np.asarray(glyph.resize((32, 48)), np.float32) for name, glyph in glyphs.items()}
        for one, other in (
            ("8", "B"),
            ("5", "S"),
            ("2", "Z"),
            ("6", "G"),
            ("3", "8"),
            ("U", "V"),
            ("O", "Q"),
            ("0", "D"),
        ):
            assert np.abs(seen[one] - seen[other]).mean() > 4, (kind, number, one, other)


def test_every_layout_has_plates_that_can_be_read() -> None:
    random = Random(3)
    for layout in LAYOUTS:
        for _ in range(20):
            written = serial(layout, random)
            assert any(mark.isalnum() for mark in written), layout.name
            assert all(mark.isalnum() or mark in " -.|~" for mark in written), layout.name


def test_two_line_plates_and_foreign_characters_are_drawn_too() -> None:
    faces = Typefaces(None)
    drawn = [draw_plate(Random(number), faces) for number in range(200)]
    assert 10 < sum(not plate.alone for plate in drawn) < 50
    assert any("~" in pattern for layout in LAYOUTS for pattern in layout.patterns)
