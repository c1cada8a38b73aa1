"""Which two lines of text are one plate, and what they say together."""

import numpy as np
import pytest

from custom_components.parkshare.recognition.alphabet import CHARACTERS, COLUMN
from custom_components.parkshare.recognition.ctc import greedy, log_likelihoods
from custom_components.parkshare.recognition.detect import TextBox
from custom_components.parkshare.recognition.lines import around, is_plate_of_two, stack, stacked


def line(x: float, y: float, width: float, height: float, degrees: float = 0.0) -> TextBox:
    """Make a box about a place, turned about the origin."""
    corners = np.array([(-width, -height), (width, -height), (width, height), (-width, height)]) / 2 + np.array([x, y])
    angle = np.radians(degrees)
    return TextBox(corners @ np.array([(np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))]), 0.9)


def matrix(text: str) -> np.ndarray:
    """Make a matrix that surely says a text, one step for each character and none for blanks."""
    probabilities = np.full((len(text), 1 + len(CHARACTERS)), 1e-6)
    for step, character in enumerate(text):
        probabilities[step, COLUMN[character]] = 1.0
    return np.log(probabilities).astype(np.float32)


@pytest.mark.parametrize("degrees", [-12, 0, 9])
@pytest.mark.parametrize(
    ("upper", "lower"),
    [((300, 200, 80, 40), (300, 242, 120, 38)), ((270, 200, 40, 40), (300, 242, 130, 40))],
    ids=["KA01 over AB1234", "B over AX4127"],
)
def test_two_lines_of_one_plate_belong_together(
    upper: tuple[float, ...], lower: tuple[float, ...], degrees: float
) -> None:
    one, other = line(*upper, degrees), line(*lower, degrees)
    assert stacked([other, one]) == [(one, other)]


@pytest.mark.parametrize(
    "other",
    [
        (300, 190, 60, 15),
        (300, 100, 120, 40),
        (450, 242, 120, 40),
        (300, 300, 120, 40),
        (300, 242, 300, 90),
        (480, 200, 120, 40),
    ],
    ids=["a state's name", "a sign above", "one aside", "one below with a gap", "one far larger", "one beside"],
)
def test_other_texts_do_not(other: tuple[float, float, float, float]) -> None:
    assert stacked([line(300, 200, 120, 40), line(*other)]) == []


def test_the_box_is_around_both_lines() -> None:
    box = around(line(300, 200, 80, 40, 10), line(300, 245, 120, 40, 10))
    assert box.width == pytest.approx(120, abs=1)
    assert box.height == pytest.approx(85, abs=1)


def test_stacked_matrices_say_both_texts_also_where_the_same_character_meets() -> None:
    both = stack(matrix("AB1"), matrix("123"))
    assert "".join(CHARACTERS[column - 1] for column in greedy(both)[0]) == "AB1123"
    own, merged = log_likelihoods(both, [[COLUMN[c] for c in text] for text in ("AB1123", "AB123")])
    assert own > merged + 10


@pytest.mark.parametrize(
    ("upper", "lower", "together"),
    [
        ("KA01", "AB1234", True),
        ("B", "AX4127", True),
        ("TEXAS", "BCD1234", False),
        ("FORD", "TRANSIT", False),
        ("AB", "", False),
        ("29B1", "12345", True),
    ],
)
def test_only_texts_of_a_plates_length_with_a_digit_are_joined(upper: str, lower: str, together: bool) -> None:
    assert is_plate_of_two(upper, lower) is together
