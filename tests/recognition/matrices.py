"""Readings and looks that we make: the matrix of a reader that is sure of a text, or in doubt at some place."""

import string
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from custom_components.parkshare.recognition import Look, Reading
from custom_components.parkshare.recognition.alphabet import CHARACTERS, COLUMN

type Box = tuple[tuple[float, float], ...]

BOX: Box = ((10.0, 10.0), (110.0, 10.0), (110.0, 32.0), (10.0, 32.0))
ELSEWHERE: Box = ((300.0, 210.0), (380.0, 210.0), (380.0, 228.0), (300.0, 228.0))
SMALL_BOX: Box = ((200.0, 10.0), (230.0, 10.0), (230.0, 18.0), (200.0, 18.0))
LATIN = string.digits + string.ascii_uppercase
plates = st.text(alphabet=LATIN, min_size=4, max_size=9)

type Doubts = dict[int, tuple[str, float]]


def matrix_of(text: str, *, doubts: Doubts | None = None) -> NDArray[np.float32]:
    """Make the matrix of a reader that is sure of text, but at some index gives another character a probability."""
    matrix = np.full((2 * len(text) + 1, 1 + len(CHARACTERS)), 1e-6)
    matrix[::2, 0] = 1
    for index, character in enumerate(text):
        other, chance = (doubts or {}).get(index, (character, 0.0))
        matrix[2 * index + 1, COLUMN[other]] = chance + 1e-6
        matrix[2 * index + 1, COLUMN[character]] = 1 - chance
    return np.log(matrix / matrix.sum(axis=1, keepdims=True)).astype(np.float32)


def reading(
    text: str, *, at: float = 0.0, sure: float = 0.99, box: Box = BOX, doubts: Doubts | None = None, by: str = "ppocr"
) -> Reading:
    return Reading(text, (sure,) * len(text), box, matrix_of(text, doubts=doubts), by, at)


def text_only(text: str, sure: float = 0.99, *, by: str = "frigate", box: Box = BOX) -> Reading:
    return Reading(text, (sure,) * len(text), box, None, by, 0.0)


def look(*readings: Reading, at: float = 0.0, by: str = "test") -> Look:
    # Each picture of a real camera differs a little from the one before.
    moved = tuple(replace(r, box=tuple((x + at, y) for x, y in r.box), taken_at=at) for r in readings)
    return Look(moved, at, by)


@st.composite
def doubtful_readings(draw: st.DrawFn, shown: st.SearchStrategy[str] = plates) -> Reading:
    """Draw a reading by some reader, with or without a matrix, sure or not."""
    text = draw(shown)
    sure = draw(st.floats(0, 1))
    by = draw(st.sampled_from(("ppocr", "own", "fast_plate_ocr", "frigate")))
    box = draw(st.sampled_from((BOX, ELSEWHERE)))
    if by == "frigate":
        return text_only(text, sure, by=by, box=box)
    at = draw(st.integers(0, len(text) - 1))
    other = draw(st.sampled_from(LATIN))
    return reading(text, sure=sure, box=box, by=by, doubts={at: (other, draw(st.floats(0, 0.999)))})


def looks_with(shown: st.SearchStrategy[str]) -> st.SearchStrategy[list[Look]]:
    """Draw some looks with some readings each."""
    one = st.builds(
        lambda readings, at: look(*readings, at=at),
        st.lists(doubtful_readings(shown), min_size=0, max_size=3),
        st.floats(0, 20),
    )
    return st.lists(one, max_size=4)
