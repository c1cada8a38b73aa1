"""Where the detector looks, for what it saw so far: without any network."""

import math

import numpy as np
from hypothesis import given, settings, strategies as st

from custom_components.parkshare.recognition.detect import Detected, TextBox
from custom_components.parkshare.recognition.search import (
    GLANCE_PIXELS,
    MOST_NEAR,
    MOST_PIXELS,
    Search,
    Step,
    windows_over,
)

SIZE = (1920, 1080)
WHOLE = (0.0, 0.0, 1920.0, 1080.0)
QUIET = np.zeros((10, 10), dtype=np.float32)


def text(x: float, y: float, width: float, height: float = 20.0) -> TextBox:
    """Make a level box about a place."""
    u, v = width / 2, height / 2
    return TextBox(np.array([(x - u, y - v), (x + u, y - v), (x + u, y + v), (x - u, y + v)]), 0.8)


def seen(*boxes: TextBox, spots: list[tuple[float, float, float]] | None = None) -> Detected:
    return Detected(list(boxes), np.array(spots or []).reshape(-1, 3))


def glance(*boxes: TextBox, spots: list[tuple[float, float, float]] | None = None) -> Search:
    """Return a search after its first look at everything."""
    search = Search(SIZE)
    search.begin(WHOLE)
    step = search.next()
    assert step is not None
    search.after(step, seen(*boxes, spots=spots))
    return search


def urgent(search: Search) -> list[Step]:
    steps = []
    while (step := search.urgent()) is not None:
        steps.append(step)
        search.after(step, seen())
    return steps


def shows(step: Step, x: float, y: float) -> bool:
    left, top, right, bottom = step.window
    return left <= x <= right and top <= y <= bottom


def test_small_text_gets_a_small_window_that_shows_it_twice_as_large() -> None:
    (step,) = urgent(glance(text(900, 500, 60)))
    assert shows(step, 870, 490)
    assert shows(step, 930, 510)
    assert step.scale >= 2 * math.sqrt(GLANCE_PIXELS / (SIZE[0] * SIZE[1]))
    assert step.pixels < 60_000


def test_text_that_is_large_enough_is_not_looked_at_again() -> None:
    assert urgent(glance(text(900, 500, 400, 90))) == []


def test_a_strong_spot_is_looked_at_and_a_faint_one_only_while_nothing_is_sure() -> None:
    search = glance(spots=[(400, 300, 0.6), (1500, 800, 0.05)])
    (strong,) = urgent(search)
    assert shows(strong, 400, 300)
    later = search.next()
    assert later is not None
    assert shows(later, 1500, 800)
    assert search.next() is None


def test_texts_side_by_side_share_a_window() -> None:
    assert len(urgent(glance(text(900, 500, 50), text(960, 500, 50), text(930, 470, 50)))) == 1


def test_a_street_full_of_signs_gets_few_urgent_windows() -> None:
    signs = [text(100 + 170 * i, 60 + 100 * j, 30) for i in range(10) for j in range(10)]
    assert len(urgent(glance(*signs))) <= MOST_NEAR


def test_busy_places_are_covered_first() -> None:
    search = glance()
    density = np.zeros((108, 192), dtype=np.float32)
    density[90, 20] = 50.0
    search.cover(density)
    step = search.next()
    assert step is not None
    assert shows(step, 200, 900)


@given(st.tuples(st.integers(200, 6000), st.integers(200, 4000)), st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_no_picture_takes_more_work_than_is_allowed(size: tuple[int, int], spots: int) -> None:
    search = Search(size)
    search.begin((0.0, 0.0, float(size[0]), float(size[1])))
    search.cover(QUIET)
    work = 0.0
    while (step := search.next()) is not None:
        work += step.pixels
        left, top, right, bottom = step.window
        assert left >= 0
        assert top >= 0
        assert right <= size[0] + 1e-6
        assert bottom <= size[1] + 1e-6
        everywhere = [(left + i * 37 % (right - left), top + i * 23 % (bottom - top), 0.5) for i in range(spots)]
        search.after(step, seen(spots=everywhere))
    assert work <= MOST_PIXELS


@given(st.tuples(st.integers(100, 4000), st.integers(100, 4000)), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=100)
def test_windows_over_a_picture_show_every_plate_whole_in_some_window(
    picture: tuple[int, int], across: float, down: float
) -> None:
    windows = windows_over(picture, (640, 400), (128, 64))
    left, top = across * max(0, picture[0] - 128), down * max(0, picture[1] - 64)
    right, bottom = min(picture[0], left + 128), min(picture[1], top + 64)
    slack = 1e-6
    assert any(
        w[0] <= left + slack and w[1] <= top + slack and w[2] >= right - slack and w[3] >= bottom - slack
        for w in windows
    )
    assert all(w[0] >= 0 and w[1] >= 0 and w[2] <= picture[0] + slack and w[3] <= picture[1] + slack for w in windows)


def test_what_stands_farther_away_than_a_plate_that_is_read_can_wait() -> None:
    far, spot = text(300, 300, 60, height=15), (1500.0, 900.0, 0.9)
    search = glance(text(900, 500, 60, height=40), far, spots=[spot])
    search.nearest(60.0)
    (step,) = urgent(search)
    assert shows(step, 900, 500)
    later = []
    while (one := search.next()) is not None:
        later.append(one)
        search.after(one, seen())
    assert any(shows(one, 300, 300) for one in later)
    assert any(shows(one, 1500, 900) for one in later)
