"""The newest few pictures, and the patience with a camera whose pictures are no use."""

import pytest

from custom_components.parkshare.recognition import Picture
from custom_components.parkshare.seeing.burst import Burst, Fault, Streak, Trouble

SILENT, FROZEN = Trouble(Fault.SILENT), Trouble(Fault.FROZEN)
UNUSABLE = Trouble(Fault.UNUSABLE, "This is not a picture.")


def picture(at: float, size: int = 10) -> Picture:
    return Picture(bytes(size), at)


def test_only_the_newest_pictures_wait_to_be_read() -> None:
    burst = Burst(most=3)
    for at in range(10):
        burst.add(picture(at))
    assert [each.taken_at for each in burst.take()] == [7, 8, 9]
    assert burst.take() == ()


def test_large_pictures_are_fewer() -> None:
    burst = Burst(most=10, most_bytes=100)
    for at in range(6):
        burst.add(picture(at, size=40))
    assert [each.taken_at for each in burst.take()] == [4, 5]


def test_the_newest_picture_stays_whatever_its_size() -> None:
    burst = Burst(most_bytes=100)
    burst.add(picture(1, size=50))
    burst.add(picture(2, size=500))
    assert [each.taken_at for each in burst.take()] == [2]


def test_a_picture_that_is_looked_up_stays() -> None:
    burst = Burst()
    for at in (1, 2, 3):
        burst.add(picture(at))
    assert burst.newest(lambda each: each.taken_at < 3).taken_at == 2
    assert burst.newest(lambda each: each.taken_at > 3) is None
    assert len(burst) == 3


@pytest.mark.parametrize("trouble", [SILENT, FROZEN, UNUSABLE])
def test_one_failure_is_told_to_nobody_however_long_ago(trouble: Trouble) -> None:
    assert Streak().failed(trouble, 0.0) is None


@pytest.mark.parametrize(("trouble", "early", "late"), [(SILENT, 6, 13), (FROZEN, 30, 46), (UNUSABLE, 1, 3)])
def test_failures_are_told_when_they_go_on(trouble: Trouble, early: float, late: float) -> None:
    streak = Streak()
    for at in (0.0, 0.5, early):
        assert streak.failed(trouble, at) is None
    assert streak.failed(trouble, late) == trouble


def test_a_good_picture_between_them_begins_the_count_anew() -> None:
    streak = Streak()
    for at in (0.0, 1.0):
        streak.failed(UNUSABLE, at)
    streak.good()
    assert streak.failed(UNUSABLE, 5.0) is None
    assert streak.failed(UNUSABLE, 8.0) is None
    assert streak.failed(UNUSABLE, 9.0) == UNUSABLE


def test_an_error_page_that_is_shown_again_and_again_is_told_as_what_it_is() -> None:
    streak = Streak()
    streak.failed(UNUSABLE, 0.0)
    streak.failed(FROZEN, 1.0)
    assert streak.failed(FROZEN, 3.0) == UNUSABLE
