"""The verdict over several looks, from matrices that we make. Several readers: test_verdict_readers.py."""

import json
from dataclasses import asdict

import pytest
from hypothesis import assume, given, settings, strategies as st

from custom_components.parkshare.recognition import DEFAULT_POLICY, Decision, Look, fold, judge
from custom_components.parkshare.recognition.scoring import neighbours
from custom_components.parkshare.recognition.sights import places
from custom_components.parkshare.recognition.verdict import score
from tests.recognition.matrices import LATIN, SMALL_BOX, look, plates, reading, text_only


@given(plates)
@settings(max_examples=50, deadline=None)
def test_one_clear_look_at_the_expected_plate_admits(plate: str) -> None:
    assert judge([look(reading(plate))], plate).decision is Decision.ADMIT


@given(plates, plates)
@settings(max_examples=100, deadline=None)
def test_no_number_of_looks_at_another_plate_ever_admits(shown: str, expected: str) -> None:
    assume(fold(shown) != fold(expected))
    looks = [look(reading(shown), at=float(second)) for second in range(4)]
    assert judge(looks, expected).decision is not Decision.ADMIT


@given(plates, plates)
@settings(max_examples=50, deadline=None)
def test_texts_without_a_matrix_admit_only_what_is_equal_to_the_eye(shown: str, expected: str) -> None:
    admitted = judge([look(text_only(shown))], expected).decision is Decision.ADMIT
    assert admitted == (fold(shown) == fold(expected))


@given(plates, st.data())
@settings(max_examples=100, deadline=None)
def test_a_plate_that_differs_in_one_clear_character_is_not_admitted(plate: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(plate) - 1))
    other = data.draw(st.sampled_from([c for c in LATIN if fold(c) != fold(plate[at])]))
    looks = [look(reading(plate), at=0.0), look(reading(plate), at=1.0)]
    assert judge(looks, plate[:at] + other + plate[at + 1 :]).decision is Decision.UNSURE


@given(plates)
@settings(max_examples=50, deadline=None)
def test_the_score_is_above_zero_only_for_what_is_written(plate: str) -> None:
    read = reading(plate)
    assert score(read, plate) > 4
    assert all(score(read, other) < -4 for other in neighbours(fold(plate)))


def test_identical_glyphs_are_one_plate() -> None:
    assert judge([look(reading("BA0Q1I7"))], "BAO01 17").decision is Decision.ADMIT


def test_a_vote_split_between_identical_glyphs_is_one_vote() -> None:
    split = reading("AB0123", doubts={2: ("O", 0.5)})
    assert score(split, "AB0123") == pytest.approx(score(reading("AB0123"), "AB0123"), abs=0.01)


def test_a_doubtful_look_needs_a_second_one_some_time_later() -> None:
    doubtful = reading("AB123C", doubts={1: ("8", 0.88)})
    least = DEFAULT_POLICY.admit_score - DEFAULT_POLICY.two_looks_ease
    assert least < score(doubtful, "AB123C") < DEFAULT_POLICY.admit_score
    assert judge([look(doubtful)], "AB123C").decision is Decision.UNSURE
    assert judge([look(doubtful), look(doubtful, at=0.1)], "AB123C").decision is Decision.UNSURE
    assert judge([look(doubtful), look(doubtful, at=0.4)], "AB123C").decision is Decision.ADMIT


def test_a_camera_that_repeats_its_picture_gives_one_look() -> None:
    doubtful = look(reading("AB123C", doubts={1: ("8", 0.88)}))
    again = Look(doubtful.readings, 5.0, doubtful.source)
    verdict = judge([doubtful, again], "AB123C")
    assert verdict.decision is Decision.UNSURE
    assert "repeats" in verdict.reason


def test_two_clear_looks_at_another_plate_refuse_and_one_does_not() -> None:
    other = [look(reading("XY987Z"), at=0.0), look(reading("XY987Z"), at=1.0)]
    assert judge(other[:1], "AB123C").decision is Decision.UNSURE
    assert judge(other, "AB123C").decision is Decision.REFUSE


def test_a_clear_look_at_the_expected_plate_outweighs_refusals() -> None:
    looks = [look(reading("XY987Z"), at=0.0), look(reading("XY987Z"), at=1.0), look(reading("AB123C"), at=2.0)]
    assert judge(looks, "AB123C").decision is Decision.ADMIT


def test_other_cars_in_the_picture_do_not_matter() -> None:
    picture = look(reading("XY987Z"), reading("AB123C", box=SMALL_BOX), reading("PARKING"))
    assert judge([picture], "AB123C").decision is Decision.ADMIT


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(["AB123D", "AB123D"], id="one place is within a reader's errors"),
        pytest.param(["XY987Z", "XW987Z"], id="readings that differ among themselves"),
        pytest.param(["AB1", "AB1"], id="half a plate"),
        pytest.param(["TEXASAB123C", "TEXASAB123C"], id="a slogan before the plate"),
        pytest.param(["BIGTRUCK", "BIGTRUCK"], id="lettering without digits"),
        pytest.param(["20261122190500"] * 2, id="the camera's clock"),
    ],
)
def test_what_may_be_the_expected_plate_is_never_refused(shown: list[str]) -> None:
    looks = [look(reading(text), at=float(second)) for second, text in enumerate(shown)]
    assert judge(looks, "AB123C").decision is Decision.UNSURE


def test_an_unsure_reading_of_another_plate_does_not_refuse() -> None:
    looks = [look(reading("XY987Z", sure=0.6), at=float(second)) for second in range(5)]
    assert judge(looks, "AB123C").decision is Decision.UNSURE


def test_an_unsure_text_without_a_matrix_needs_a_second_look() -> None:
    read = text_only("AB123C", sure=0.5)
    assert judge([look(read)], "AB123C").decision is Decision.UNSURE
    assert judge([look(read), look(read, at=1.0)], "AB123C").decision is Decision.ADMIT


def test_a_longer_or_shorter_plate_is_another_plate() -> None:
    assert judge([look(reading("AB1234"))], "AB123").decision is not Decision.ADMIT
    assert judge([look(reading("AB123"))], "AB1234").decision is not Decision.ADMIT


@pytest.mark.parametrize(
    ("looks", "expected", "says"),
    [
        ([], "AB123C", "no picture"),
        ([look()], "AB123C", "No plate can be seen"),
        ([look(reading("AB123C"))], "", "No plate is expected"),
        ([look(reading("AB123C"))], "กข 1234", "does not know"),
        ([look(reading("X1Y2"))], "京A12345", "not clearly enough"),
    ],
)
def test_nothing_to_go_by_is_unsure_and_says_what_is_missing(looks: list[Look], expected: str, says: str) -> None:
    verdict = judge(looks, expected)
    assert verdict.decision is Decision.UNSURE
    assert says in verdict.reason


@given(plates, plates, st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_a_verdict_never_tells_a_plate(shown: str, expected: str, count: int) -> None:
    looks = [look(reading(shown), at=float(second)) for second in range(count)]
    verdict = judge(looks, expected)
    told = json.dumps(asdict(verdict)).upper() + repr(verdict).upper() + repr(looks).upper()
    assume(not expected.isdigit() and not shown.isdigit())
    words = {"PLATE", "CLEAR", "LOOK", "READ", "TEST", "TRUE", "TEXT", "NONE", "NULL", "UNSURE", "ADMIT", "REFUSE"}
    assume(expected not in words and shown not in words)
    assert expected not in told
    assert shown not in told


@given(st.lists(st.tuples(plates, st.floats(0, 10)), max_size=4), plates)
@settings(max_examples=50, deadline=None)
def test_the_order_in_which_looks_come_in_does_not_matter(shown: list[tuple[str, float]], expected: str) -> None:
    looks = [look(reading(text), at=at) for text, at in shown]
    assert judge(looks, expected).decision is judge(looks[::-1], expected).decision


@pytest.mark.parametrize(
    ("plate", "text", "edits"),
    [
        ("AB123C", "AB123C", 0),
        ("AB123C", "AB128C", 1),
        ("AB123C", "XXAB123CYY", 0),
        ("AB123C", "AB12", 2),
        ("AB", "", 2),
    ],
)
def test_places_counts_the_edits_that_a_part_of_the_text_needs(plate: str, text: str, edits: int) -> None:
    assert places(plate, text) == edits
