"""When the owner counts as near, and when a fix says nothing."""

from math import cos, radians

import pytest
from hypothesis import given, settings, strategies as st

from custom_components.parkshare.gate.nearness import Change, Fix, NearnessPolicy, metres, observe

PLACE = (48.137, 11.575)
NOW = 1_800_000_000.0
POLICY = NearnessPolicy(range_m=150.0)
DEGREE_M = 111_195.0


def at(distance_m: float, *, accuracy: float = 10.0, age: float = 0.0) -> Fix:
    """A fix so far north of the space."""
    return Fix(PLACE[0] + distance_m / DEGREE_M, PLACE[1], accuracy, NOW - age)


def seen(inside: bool | None, *fixes: Fix) -> tuple[bool | None, list[Change]]:
    changes = []
    for fix in fixes:
        inside, change = observe(fix, inside=inside, place=PLACE, now=NOW, policy=POLICY)
        changes += [change] if change else []
    return inside, changes


def test_coming_is_near_and_going_is_away() -> None:
    assert seen(False, at(1000), at(200), at(100), at(20)) == (True, [Change.NEAR])
    assert seen(True, at(100), at(200), at(1000)) == (False, [Change.AWAY])


def test_a_phone_that_drifts_at_the_edge_does_not_flap() -> None:
    assert seen(False, at(140), at(160), at(140), at(220), at(149)) == (True, [Change.NEAR])


def test_learning_where_the_owner_is_is_no_coming_home() -> None:
    assert seen(None, at(20)) == (True, [])
    assert seen(None, at(5000), at(20)) == (True, [Change.NEAR])


@pytest.mark.parametrize(
    "fix",
    [
        at(0, age=121),
        at(0, age=-61),
        at(0, accuracy=151),
        at(0, accuracy=-1),
        at(0, accuracy=float("nan")),
        Fix(float("inf"), 0.0, 1.0, NOW),
        Fix(91.0, 0.0, 1.0, NOW),
        Fix(0.0, 181.0, 1.0, NOW),
    ],
)
def test_a_stale_inaccurate_or_impossible_fix_changes_nothing(fix: Fix) -> None:
    for inside in (None, True, False):
        assert observe(fix, inside=inside, place=PLACE, now=NOW, policy=POLICY) == (inside, None)


def test_distances_are_right_within_a_thousandth_also_across_the_date_line() -> None:
    assert metres(48.0, 11.0, 48.0, 11.01) == pytest.approx(0.01 * DEGREE_M * cos(radians(48)), rel=1e-3)
    assert metres(0.0, 179.999, 0.0, -179.999) == pytest.approx(0.002 * DEGREE_M, rel=1e-3)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(0, 2000), st.floats(0, 400), st.floats(-200, 400)), max_size=12))
def test_changes_alternate_and_each_comes_from_a_fix_that_counts(track: list[tuple[float, float, float]]) -> None:
    inside: bool | None = False
    for distance, accuracy, age in track:
        fix = at(distance, accuracy=accuracy, age=age)
        before = inside
        inside, change = observe(fix, inside=inside, place=PLACE, now=NOW, policy=POLICY)
        assert (change is not None) == (inside is not before)
        if change:
            assert accuracy <= 150
            assert -60 <= age <= 120
            assert (distance <= 150.1) == (change is Change.NEAR)


@pytest.mark.parametrize(
    ("fix", "counts"),
    [
        (Fix(*PLACE, 0.0, NOW), True),
        (Fix(*PLACE, -0.1, NOW), False),
        (Fix(*PLACE, 150.0, NOW), True),
        (Fix(*PLACE, 150.1, NOW), False),
        (Fix(*PLACE, 10.0, NOW - 120.0), True),
        (Fix(*PLACE, 10.0, NOW - 120.1), False),
        (Fix(*PLACE, 10.0, NOW + 60.0), True),
        (Fix(*PLACE, 10.0, NOW + 60.1), False),
    ],
)
def test_a_fix_counts_up_to_its_limits(fix: Fix, *, counts: bool) -> None:
    assert seen(False, fix) == ((True, [Change.NEAR]) if counts else (False, []))


def test_a_first_fix_between_in_and_out_says_neither() -> None:
    assert seen(None, at(200)) == (None, [])
    assert seen(None, at(2000)) == (False, [])
