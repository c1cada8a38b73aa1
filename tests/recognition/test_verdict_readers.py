"""Several readers, and what holds for the verdict whatever they say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from custom_components.parkshare.recognition import POLICIES, Decision, Level, Look, fold, judge
from custom_components.parkshare.recognition.alphabet import LATIN as KNOWN_TO_OWN
from tests.recognition.matrices import (
    BOX,
    ELSEWHERE,
    LATIN,
    Box,
    look,
    looks_with,
    plates,
    reading,
    text_only,
)

PLATE = "AB123C"
STRICT, BALANCED, LENIENT = POLICIES[Level.STRICT], POLICIES[Level.BALANCED], POLICIES[Level.LENIENT]
near_plates = st.one_of(
    plates,
    st.just(PLATE),
    st.builds(
        lambda at, other: PLATE[:at] + other + PLATE[at + 1 :], st.integers(0, 5), st.sampled_from(LATIN)
    ),
)  # fmt: skip


def test_two_readers_that_agree_at_one_place_need_less_than_one() -> None:
    doubtful = {1: ("8", 0.9)}
    one = look(reading(PLATE, doubts=doubtful))
    both = look(reading(PLATE, doubts=doubtful), reading(PLATE, doubts={4: ("8", 0.9)}, by="own"))
    assert judge([one], PLATE).decision is Decision.UNSURE
    assert judge([both], PLATE).decision is Decision.ADMIT


def test_two_readers_that_make_the_same_mistake_do_not_admit_what_they_do_not_read() -> None:
    both = look(reading("AB128C"), reading("AB128C", by="own"))
    assert judge([both], PLATE, LENIENT).decision is not Decision.ADMIT


def test_a_reader_that_surely_reads_something_else_speaks_against_the_other() -> None:
    misread = look(reading(PLATE, doubts={4: ("8", 0.5)}), reading("AB128C", by="own"))
    assert judge([look(*misread.readings[:1])], PLATE).decision is Decision.ADMIT
    assert judge([misread], PLATE, STRICT).decision is Decision.UNSURE
    assert judge([misread], "AB128C", STRICT).decision is Decision.ADMIT


def test_a_reader_at_another_place_has_no_say() -> None:
    picture = look(reading(PLATE), reading("XY987Z", by="own", box=ELSEWHERE))
    assert judge([picture], PLATE, STRICT).decision is Decision.ADMIT


def test_different_readers_agree_without_time_between_them() -> None:
    doubtful = reading(PLATE, doubts={1: ("8", 0.9)})
    camera, frigate = look(doubtful, at=5.0), look(text_only(PLATE, 0.5), at=5.0, by="frigate")
    assert judge([camera], PLATE).decision is Decision.UNSURE
    assert judge([frigate], PLATE).decision is Decision.UNSURE
    assert judge([camera, frigate], PLATE).decision is Decision.ADMIT


def test_on_the_strict_level_a_reader_of_texts_needs_another_reader_however_often_it_says_so() -> None:
    said = [look(text_only(PLATE), at=float(second)) for second in range(5)]
    assert judge(said[:1], PLATE).decision is Decision.ADMIT
    assert judge(said, PLATE, STRICT).decision is Decision.UNSURE
    assert "another reader" in judge(said, PLATE, STRICT).reason
    another = look(text_only(PLATE, by="fast_plate_ocr"), at=9.0, by="fast_plate_ocr")
    assert judge([*said, another], PLATE, STRICT).decision is Decision.ADMIT


def test_a_province_that_the_only_reader_lacks_is_never_guessed_on_the_strict_and_balanced_levels() -> None:
    seen = [look(reading("A12345", by="own"), at=float(second)) for second in range(3)]
    assert judge(seen, "京A12345", STRICT).decision is Decision.UNSURE
    assert judge(seen, "京A12345", BALANCED).decision is Decision.UNSURE
    assert judge(seen, "京A12345", LENIENT).decision is Decision.ADMIT
    assert judge(seen[:1], "京A12345", LENIENT).decision is not Decision.ADMIT


def test_a_reader_that_lacks_the_province_supports_one_that_doubts() -> None:
    doubtful = reading("京A12345", doubts={3: ("3", 0.9)})
    assert judge([look(doubtful)], "京A12345").decision is Decision.UNSURE
    both = look(doubtful, reading("A12345", by="own"))
    assert judge([both], "京A12345").decision is Decision.ADMIT
    assert judge([both], "沪A12345").decision is not Decision.ADMIT


def test_two_bookings_whose_plates_look_the_same_are_the_same_to_the_verdict() -> None:
    # The house cannot tell them apart; it must know that it admits both, as a person would.
    shown = [look(reading("ABO123", doubts={2: ("0", 0.4)}))]
    assert judge(shown, "AB0123").decision is judge(shown, "ABO123").decision is Decision.ADMIT
    assert judge(shown, "ABD123").decision is not Decision.ADMIT


def test_a_small_reader_alone_never_refuses() -> None:
    looks = [look(reading("XY987Z", by="own"), at=float(second)) for second in range(4)]
    assert judge(looks, PLATE).decision is Decision.UNSURE
    assert judge([look(reading("XY987Z"), at=each.taken_at) for each in looks], PLATE).decision is Decision.REFUSE


def test_the_verdict_says_which_picture_decided() -> None:
    weak, strong = look(reading(PLATE, doubts={1: ("8", 0.9)}), at=3.0), look(reading(PLATE), at=7.0)
    assert judge([weak, strong, look(at=9.0)], PLATE).best_at == 7.0
    assert judge([weak, look(at=9.0)], PLATE).best_at == 3.0
    assert judge([look(at=9.0)], PLATE).best_at is None
    other = [look(reading("XY987Z"), at=float(second)) for second in range(2)]
    assert judge(other, PLATE).best_at == 1.0


def test_the_evidence_names_the_readers_the_pictures_and_what_is_enough() -> None:
    both = look(reading(PLATE), reading(PLATE, by="own"))
    said = " ".join(judge([both, Look(both.readings, 5.0, "test")], PLATE).evidence)
    assert "our own small reader and the PP-OCR reader agree" in said
    assert "1 more repeats an earlier one" in said
    assert "is enough for one picture" in said
    alone = judge([look(reading(PLATE, doubts={4: ("8", 0.6)}), reading("XY987Z", by="own"))], PLATE)
    assert "Our own small reader reads something else." in alone.evidence


@given(looks_with(near_plates), st.floats(0, 20))
@settings(max_examples=120, deadline=None)
def test_a_look_that_speaks_against_the_plate_never_turns_a_refusal_into_an_admission(
    looks: list[Look], at: float
) -> None:
    before = judge(looks, PLATE).decision
    after = judge([*looks, look(reading("XY987Z"), at=at)], PLATE).decision
    assert after is before or before is Decision.UNSURE or after is not Decision.ADMIT


@given(looks_with(near_plates).filter(bool), st.integers(1, 5), st.sampled_from(list(Level)))
@settings(max_examples=120, deadline=None)
def test_the_same_look_again_and_again_never_admits(looks: list[Look], times: int, level: Level) -> None:
    one = looks[0]
    again = [replace(one, taken_at=one.taken_at + second) for second in range(times + 1)]
    if judge([one], PLATE, POLICIES[level]).decision is not Decision.ADMIT:
        assert judge(again, PLATE, POLICIES[level]).decision is not Decision.ADMIT


@given(near_plates, st.floats(0, 1), st.sampled_from(list(Level)))
@settings(max_examples=120, deadline=None)
def test_an_unsure_text_without_a_matrix_never_admits_alone(shown: str, sure: float, level: Level) -> None:
    policy = POLICIES[level]
    admitted = judge([look(text_only(shown, sure))], PLATE, policy).decision is Decision.ADMIT
    assert not admitted or (sure >= policy.text_confidence and fold(shown) == fold(PLATE) and policy.text_alone)


@given(looks_with(near_plates))
@settings(max_examples=200, deadline=None)
def test_what_a_stricter_level_admits_the_others_admit_too(looks: list[Look]) -> None:
    strict, balanced, lenient = (
        judge(looks, PLATE, POLICIES[level]).decision is Decision.ADMIT
        for level in (Level.STRICT, Level.BALANCED, Level.LENIENT)
    )
    assert strict <= balanced <= lenient


@given(looks_with(near_plates), near_plates)
@settings(max_examples=100, deadline=None)
def test_plates_that_look_the_same_get_the_same_verdict(looks: list[Look], expected: str) -> None:
    twin = expected.translate(str.maketrans("0O1IQ", "O0I10"))
    assert judge(looks, twin) == judge(looks, expected)


@given(looks_with(near_plates), st.randoms())
@settings(max_examples=100, deadline=None)
def test_the_order_of_looks_and_of_readings_does_not_matter(looks: list[Look], chance: np.random.Generator) -> None:
    mixed = [replace(each, readings=each.readings[::-1]) for each in looks]
    chance.shuffle(mixed)
    assert judge(mixed, PLATE).decision is judge(looks, PLATE).decision


@given(looks_with(plates.filter(lambda shown: fold(shown) != fold(PLATE))))
@settings(max_examples=100, deadline=None)
def test_readers_that_are_sure_of_other_plates_never_admit(looks: list[Look]) -> None:
    sure = [
        replace(each, readings=tuple(reading(r.text, by=r.source, box=r.box) for r in each.readings)) for each in looks
    ]
    assert judge(sure, PLATE, LENIENT).decision is not Decision.ADMIT


def test_our_own_reader_is_asked_only_for_what_it_knows() -> None:
    assert set(KNOWN_TO_OWN) == set(LATIN)
    with_province = look(reading("京A12345"), reading("A12345", by="own", box=BOX))
    assert judge([with_province], "京A12345", STRICT).decision is Decision.ADMIT


@pytest.mark.parametrize("level", list(Level))
def test_half_of_a_short_plate_is_no_plate(level: Level) -> None:
    seen = [look(reading("1234", by="own"), at=float(second)) for second in range(3)]
    assert judge(seen, "กข1234", POLICIES[level]).decision is Decision.UNSURE


def test_the_lines_of_a_two_line_plate_are_no_rivals_of_the_whole_plate() -> None:
    upper: Box = ((10.0, 10.0), (60.0, 10.0), (60.0, 30.0), (10.0, 30.0))
    lower: Box = ((10.0, 34.0), (60.0, 34.0), (60.0, 54.0), (10.0, 54.0))
    whole: Box = (upper[0], upper[1], lower[2], lower[3])
    said = [(PLATE, whole), (PLATE[:2], upper), (PLATE[2:], lower)]
    picture = look(*(reading(text, box=box, by=by) for text, box in said for by in ("ppocr", "own")))
    assert judge([picture], PLATE, STRICT).decision is Decision.ADMIT
    assert judge([picture], PLATE[2:] + "00", STRICT).decision is not Decision.ADMIT
