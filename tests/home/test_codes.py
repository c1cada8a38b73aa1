"""The arithmetic of the codes: when one is right, how many may be tried, and when one is shown."""

import base64
import io
import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import assume, given, settings, strategies as st
from PIL import Image, ImageChops

from custom_components.parkshare.codes import rotating
from custom_components.parkshare.codes.drawing import HEIGHT, WIDTH, draw_code, draw_nothing
from custom_components.parkshare.codes.rotating import (
    PERIOD,
    SIGNS,
    is_onsite_code,
    is_shown_code,
    onsite_code,
    shown_codes,
    tidy,
)
from custom_components.parkshare.codes.showing import is_shown, next_change
from custom_components.parkshare.codes.tries import MOST, MOST_AT_SPACE, WITHIN, tries_left, with_wrong
from custom_components.parkshare.gate.grant import Grant
from custom_components.parkshare.gate.knowledge import Right
from custom_components.parkshare.recognition.alphabet import CONFUSABLE, FOLDED

SECRET = base64.b32encode(b"12345678901234567890").decode()
KEY, OTHER_KEY = "AAECAwQFBgcICQoLDA0ODw", "8PHy8_T19vf4-fr7_P3-_w"
# All that lasts: from 2020 to 2100, in fractions of a second.
TIMES = st.floats(1_577_836_800.0, 4_102_444_800.0)
# The digits of an East Asian keyboard.
WIDE = {ord(digit): 0xFF10 + int(digit) for digit in "0123456789"}


def grant(code_key: str = KEY) -> Grant:
    return Grant(booking="b1", space="s1", start=0.0, end=9e9, plate="AB-123-CD", code_key=code_key)


# The code at the space


def test_it_is_the_code_of_the_standard() -> None:
    # RFC 4226, appendix D: the values of the counters 0, 1 and 2 for this secret.
    assert [onsite_code(SECRET, at).code for at in (0.0, 60.0, 179.9)] == ["755224", "287082", "359152"]


@settings(derandomize=True)
@given(at=TIMES, passed=st.floats(-300.0, 300.0))
def test_a_code_is_right_in_its_minute_and_the_next_and_at_no_other_time(at: float, passed: float) -> None:
    code, minutes = onsite_code(SECRET, at).code, (at + passed) // PERIOD - at // PERIOD
    assert is_onsite_code(SECRET, code, at + passed) == (minutes in {0, 1})


@settings(derandomize=True)
@given(at=TIMES)
def test_a_code_is_taken_until_the_time_that_is_shown_beneath_it(at: float) -> None:
    code, until = onsite_code(SECRET, at)
    assert at + PERIOD <= until <= at + 2 * PERIOD
    assert is_onsite_code(SECRET, code, until - 0.001)
    assert not is_onsite_code(SECRET, code, until)


@pytest.mark.parametrize("typed", ["482913", " 482 913 ", "482-913", "482913".translate(WIDE)])
def test_a_code_may_be_written_as_people_write_it(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotating, "_onsite", lambda secret, period: "482913")
    assert is_onsite_code(SECRET, typed, 1e9)


@settings(derandomize=True)
@given(typed=st.text(max_size=40))
def test_whatever_else_is_typed_is_wrong_and_breaks_nothing(typed: str) -> None:
    assert not is_onsite_code(SECRET, typed, 1e9)
    assert not is_shown_code(grant(), typed, 1e9)
    assert tidy(tidy(typed)) == tidy(typed)


@pytest.mark.parametrize("right", ["_first", "_last", "_none"])
def test_a_code_is_compared_with_both_in_constant_time_whichever_is_right(
    right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def strings_equal(typed: str, code: str) -> bool:
        compared.append(code)
        return typed == code

    monkeypatch.setattr(rotating, "strings_equal", strings_equal)
    both = [onsite_code(SECRET, 1e9).code, onsite_code(SECRET, 1e9 - PERIOD).code]
    typed = dict(zip(("_first", "_last", "_none"), (*both, "000000"), strict=True))[right]
    assert is_onsite_code(SECRET, typed, 1e9) == (right != "_none")
    assert compared == both


@pytest.fixture
def berlin() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.__setitem__("TZ", before)
    time.tzset()


@pytest.mark.usefixtures("berlin")
def test_the_hour_that_comes_twice_in_autumn_has_codes_of_its_own() -> None:
    first = 1_792_888_200.0  # 25 October 2026, 02:30 in Berlin, for the first time
    assert time.localtime(first).tm_hour == time.localtime(first + 3600).tm_hour
    assert onsite_code(SECRET, first).code != onsite_code(SECRET, first + 3600).code
    assert not is_onsite_code(SECRET, onsite_code(SECRET, first + 3600).code, first)


# The code that the renter shows


def test_the_signs_are_drawn_unlike_each_other_and_no_reader_takes_one_for_another() -> None:
    assert len(set(SIGNS)) == 16
    assert not set(SIGNS) & (FOLDED.keys() | set(FOLDED.values()))
    assert [group for group in CONFUSABLE if len(set(group) & set(SIGNS)) > 1] == []


@settings(derandomize=True)
@given(key=st.binary(min_size=16, max_size=16), at=TIMES)
def test_the_renter_shows_eight_signs_that_change_each_minute(key: bytes, at: float) -> None:
    mine = grant(base64.urlsafe_b64encode(key).rstrip(b"=").decode())
    now, last = shown_codes(mine, at)
    assert len(now) == len(last) == 8
    assert set(now + last) <= set(SIGNS)
    assert now != last
    assert shown_codes(mine, at + PERIOD)[1] == now
    assert is_shown_code(mine, now.lower(), at)
    assert is_shown_code(mine, last, at)
    assert not is_shown_code(mine, shown_codes(mine, at + PERIOD)[0], at)


def test_a_code_of_another_booking_or_of_none_is_wrong() -> None:
    (theirs, _), nobody = shown_codes(grant(OTHER_KEY), 1e9), grant("")
    assert not is_shown_code(grant(), theirs, 1e9)
    assert shown_codes(nobody, 1e9) == ()
    assert not is_shown_code(nobody, "", 1e9)


def test_a_grant_that_is_printed_tells_no_key() -> None:
    assert KEY not in repr(grant())


# Wrong ones


@given(waits=st.lists(st.floats(0.0, 600.0), max_size=60))
def test_never_more_than_five_wrong_codes_are_looked_at_within_a_quarter_of_an_hour(waits: list[float]) -> None:
    now, tries, looked = 1e9, {}, []
    for wait in waits:
        now += wait
        if left := tries_left(tries, "b1", now):
            tries = with_wrong(tries, "b1", now)
            looked.append(now)
            assert tries_left(tries, "b1", now) == left - 1
    assert all(len([at for at in looked if start <= at < start + WITHIN]) <= MOST for start in looked)


def test_each_booking_has_tries_of_its_own_and_old_ones_are_forgotten() -> None:
    tries = with_wrong(with_wrong({}, "b1", 0.0), "b2", WITHIN)
    assert (tries_left(tries, "b1", WITHIN), tries_left(tries, "b2", WITHIN)) == (MOST, MOST - 1)
    assert tries.keys() == {"b2"}


@given(waits=st.lists(st.floats(0.0, 60.0), max_size=60))
def test_who_books_anew_for_each_few_guesses_gets_few_more(waits: list[float]) -> None:
    now, tries, looked = 1e9, {}, []
    for number, wait in enumerate(waits):
        now += wait
        if tries_left(tries, f"b{number // MOST}", now):
            tries = with_wrong(tries, f"b{number // MOST}", now)
            looked.append(now)
    assert all(len([at for at in looked if start <= at < start + WITHIN]) <= MOST_AT_SPACE for start in looked)


def test_a_clock_that_is_set_back_does_not_lock_the_renter_out() -> None:
    tries: dict[str, tuple[float, ...]] = {}
    for _ in range(MOST):
        tries = with_wrong(tries, "b1", 1e9)
    assert tries_left(tries, "b1", 1e9) == 0
    assert tries_left(tries, "b1", 1e9 - 3600.0) == MOST


# The picture

RIGHTS = st.lists(
    st.builds(
        lambda start, lasts: Right(booking="b", start=start, end=start + lasts),
        st.floats(0.0, 2000.0),
        st.floats(1.0, 2000.0),
    ),
    max_size=4,
)


@given(rights=RIGHTS, now=st.floats(0.0, 5000.0), early=st.floats(0.0, 120.0), part=st.floats(0.0, 0.999))
def test_between_two_changes_the_picture_stays_as_it_is(
    rights: list[Right], now: float, early: float, part: float
) -> None:
    def shows(at: float) -> float | None:
        return at // PERIOD if is_shown(rights, at, early=early) else None

    change = next_change(rights, now, early=early)
    between = now + part * ((10_000.0 if change is None else change) - now)
    assume(change is None or between < change)  # not where the next moment that a float can say is the change
    assert shows(between) == shows(now)
    assert change is None or change > now
    assert change is None or change - now <= PERIOD or shows(now) is None


def test_a_code_is_shown_from_a_minute_before_a_booking_to_its_end() -> None:
    rights = [Right(booking="b1", start=1000.0, end=2000.0)]
    shown = [is_shown(rights, at, early=60.0) for at in (939.9, 940.0, 1999.9, 2000.0)]
    assert shown == [False, True, True, False]
    assert next_change(rights, 0.0, early=60.0) == 940.0
    assert next_change(rights, 2000.0, early=60.0) is None


def ink(content: bytes) -> tuple[int, int, int, int]:
    """The box around all that is drawn in the upper part of a picture, where the code is."""
    upper = Image.open(io.BytesIO(content)).convert("L").crop((0, 0, WIDTH, HEIGHT * 7 // 10))
    return ImageChops.invert(upper).getbbox()


@pytest.mark.parametrize("code", ["000000", "111111", "482913"])
def test_the_digits_fill_the_width_and_are_large_enough_for_five_metres(code: str) -> None:
    left, top, right, bottom = ink(draw_code(code, "14:32"))
    # On a display of 163 mm width: 25 mm are read from 5 m.
    assert (bottom - top) / WIDTH * 163 >= 25
    assert 0 < left < right < WIDTH
    assert right - left > WIDTH * 0.8


def test_each_code_has_a_picture_of_its_own() -> None:
    pictures = {
        draw_code("482913", "14:32"),
        draw_code("482914", "14:32"),
        draw_code("482913", "14:33"),
        draw_nothing(),
    }
    assert len(pictures) == 4
