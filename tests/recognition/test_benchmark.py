"""What the benchmark of reading counts, on looks that we make."""

from pathlib import Path

from hypothesis import given, settings, strategies as st

from benchmarks.reading.curve import curve
from benchmarks.reading.judging import confusions, could_pass, judge_all
from benchmarks.reading.photographs import Photo
from custom_components.parkshare.recognition import POLICIES, Decision, Level, Look, judge
from tests.recognition.matrices import LATIN, look, looks_with, plates, reading

PLATE = "AB123C"


def photo(plate: str, seen: Look, *, peer: str = "") -> Photo:
    return Photo(Path("us") / f"{plate}.jpg", "us", plate, seen, 100.0, [peer], 300.0)


near = st.one_of(
    plates, st.builds(lambda at, c: PLATE[:at] + c + PLATE[at + 1 :], st.integers(0, 5), st.sampled_from(LATIN))
)


@given(looks_with(near).filter(bool), st.lists(near, min_size=1, max_size=5))
@settings(max_examples=80, deadline=None)
def test_no_plate_that_a_look_admits_is_left_out_unjudged(looks: list[Look], expected: list[str]) -> None:
    passing = could_pass(looks[0], expected)
    admitted = {
        plate for plate in expected if judge(looks[:1], plate, POLICIES[Level.LENIENT]).decision is Decision.ADMIT
    }
    assert admitted <= passing


def test_own_plates_and_wrong_ones_are_counted() -> None:
    twins = [photo(PLATE, look(reading(PLATE))), photo("AB128C", look(reading(PLATE))), photo("XY987Z", look())]
    judged = judge_all(twins)
    assert judged.accepted(Level.BALANCED) == 1 / 3
    assert [case.plate for case in judged.falsely(Level.BALANCED, "others")] == [PLATE]
    assert judged.pairs["others"] == 6
    assert judged.pairs["random"] == 45


def test_a_higher_threshold_never_accepts_more() -> None:
    judged = judge_all(
        [photo(PLATE, look(reading(PLATE, doubts={1: ("8", 0.9)}))), photo("XY987Z", look(reading("XY987Z")))]
    )
    points = [point for point in curve(judged) if point.lead == curve(judged)[0].lead]
    assert [point.accepted for point in points] == sorted((point.accepted for point in points), reverse=True)
    assert points[0].accepted == 1


def test_exact_means_what_some_box_says_and_folded_forgives_twins() -> None:
    shown = photo("AB0123", look(reading("ABO123"), reading("TAXI")), peer="AB-01 23")
    assert not shown.is_exact()
    assert shown.is_folded()
    assert shown.peer_is_exact()


def test_confusions_are_those_of_the_nearest_text() -> None:
    shown = photo(PLATE, look(reading("XY987Z"), reading("A8123"), reading("TAXI")))
    assert confusions([shown]) == {("B", "8"): 1, ("C", ""): 1}
