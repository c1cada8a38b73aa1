"""The end of a stay: people are told before and after, and nothing moves."""

from dataclasses import replace

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.core import overstays
from custom_components.parkshare.gate.policy import DEFAULT_POLICY
from tests.gate.house import END, RIGHT, START, House, moves

GRACE, WARN = DEFAULT_POLICY.grace, DEFAULT_POLICY.warn_before
LONGER = replace(RIGHT, end=END + 3600.0)


def parked(**changes: object) -> House:
    house = House(**changes)
    house.park()
    return house


def until(house: House, when: float) -> list[w.Intent]:
    return house.wait(when - house.now)


def test_the_end_of_a_stay_is_told_before_it_comes_once() -> None:
    house = parked()
    assert until(house, END - WARN - 1) == []
    assert until(house, END - WARN) == [w.StayEnding("b1", house.now), w.Notify(w.Notice.ENDS_SOON, "b1")]
    assert until(house, END + GRACE - 1) == []


def test_a_short_stay_is_warned_of_when_most_of_it_is_over() -> None:
    house = parked(rights=(replace(RIGHT, end=START + 1200),))
    assert until(house, START + 899) == []
    assert until(house, START + 900) == [w.StayEnding("b1", house.now), w.Notify(w.Notice.ENDS_SOON, "b1")]


def test_a_car_that_stays_is_told_of_after_the_grace_once() -> None:
    house = parked()
    until(house, END + GRACE - 1)
    assert until(house, END + GRACE) == [w.Overstayed("b1", house.now), w.Notify(w.Notice.OVERSTAY, "b1")]
    assert house.wait(50_000) == []
    assert not moves(house.intents)


def test_a_stay_that_no_sensor_confirms_accuses_nobody() -> None:
    house = parked()
    house.sensors(w.Says.UNKNOWN)
    assert until(house, END + 5000) == [w.Notify(w.Notice.SENSORS_DISAGREE, "b1")]


def test_an_overstay_is_not_told_of_before_the_end_was_reached() -> None:
    house = parked()
    assert not overstays(house.gate, END - 0.1)
    assert overstays(house.gate, END)
    assert not overstays(House().gate, END)


def test_a_booking_that_is_made_longer_is_warned_of_anew() -> None:
    house = parked()
    until(house, END - 10)
    assert house.tell(w.RightsChanged((LONGER,))) == [w.StayExtended("b1", house.now)]
    assert until(house, LONGER.end - WARN) == [w.StayEnding("b1", house.now), w.Notify(w.Notice.ENDS_SOON, "b1")]


def test_an_overstay_ends_when_the_booking_is_made_longer() -> None:
    house = parked()
    until(house, END + GRACE)
    assert house.tell(w.RightsChanged((LONGER,))) == [w.StayExtended("b1", house.now)]
    assert not overstays(house.gate, house.now)
    until(house, LONGER.end + GRACE - 1)
    assert until(house, LONGER.end + GRACE) == [w.Overstayed("b1", house.now), w.Notify(w.Notice.OVERSTAY, "b1")]


def test_a_booking_made_longer_before_anybody_was_warned_is_no_news() -> None:
    house = parked()
    assert house.tell(w.RightsChanged((LONGER,))) == []


def test_a_booking_that_stays_as_it_was_is_no_news() -> None:
    house = parked()
    until(house, END - 10)
    assert house.tell(w.RightsChanged((RIGHT,))) == []


def test_a_restart_warns_nobody_twice() -> None:
    house = parked()
    until(house, END + GRACE)
    house.reboot()
    assert not [intent for intent in house.sensors(w.Says.OCCUPIED) if isinstance(intent, w.Overstayed)]
    assert house.wait(1000) == []


def test_a_car_that_leaves_early_frees_the_rest_of_the_window() -> None:
    house = House()
    house.leave()
    assert house.wait(DEFAULT_POLICY.departure_debounce) == [w.StayLeft("b1", house.now)]
    assert house.gate.left == ("b1",)


def test_who_comes_back_within_their_period_has_not_left_for_good() -> None:
    house = House()
    house.leave()
    house.wait(25)
    assert w.StayArrived("b1", house.now) in house.sensors(w.Says.OCCUPIED)
    assert house.gate.left == ()


def test_a_bay_without_a_sensor_asks_the_owner_after_the_end() -> None:
    house = House(())
    house.admit()
    assert until(house, END + GRACE - 1) == [w.StayArrived("b1", START + DEFAULT_POLICY.assume_arrived)]
    assert house.wait(1) == [w.Notify(w.Notice.ASK_RAISE, "b1")]
    assert house.wait(50_000) == []


def test_a_bay_without_a_sensor_asks_nobody_who_does_not_want_it_to_rise() -> None:
    house = House((), policy=replace(DEFAULT_POLICY, raising=w.Raising.NEVER))
    house.admit()
    assert w.Notify(w.Notice.ASK_RAISE, "b1") not in until(house, END + 50_000)


@pytest.mark.parametrize("says", [w.Says.CLEAR, w.Says.UNKNOWN])
def test_sensors_that_disagree_for_long_are_told_of_once(says: w.Says) -> None:
    house = parked()
    house.sensors(w.Says.CLEAR, "radar")
    house.sensors(w.Says.OCCUPIED if says is w.Says.CLEAR else says, "magnetic")
    assert house.wait(DEFAULT_POLICY.disagree_after - 1) == []
    assert house.wait(1) == [w.Notify(w.Notice.SENSORS_DISAGREE, "b1")]
    assert house.wait(1000) == []


def test_nothing_of_an_overstay_is_left_when_the_car_has_gone() -> None:
    house = parked()
    until(house, END + GRACE)
    house.sensors(w.Says.CLEAR)
    house.wait(30)
    assert (house.gate.overstay_told, house.gate.ending_told) == (None, None)


def test_sensors_that_disagree_in_the_next_stay_are_told_of_again() -> None:
    house = parked()
    house.sensors(w.Says.CLEAR, "radar")
    house.wait(DEFAULT_POLICY.disagree_after)
    assert house.gate.disagree_told
    house.sensors(w.Says.CLEAR)
    house.wait(25)
    assert not house.gate.disagree_told


def test_whose_car_has_left_is_kept_for_each_booking() -> None:
    second = w.Right(booking="b2", start=START + 1000, end=END)
    house = House(rights=(replace(RIGHT, end=START + 900), second))
    house.leave()
    house.wait(60)
    house.tell(w.BarrierSeen(w.Position.UP))
    house.wait(START + 1010 - house.now)
    house.tell(w.RenterNear("b2", house.now, w.ArmedBy.HERE))
    house.judged(w.Decision.ADMIT, "b2")
    house.tell(w.BarrierSeen(w.Position.DOWN))
    house.sensors(w.Says.OCCUPIED)
    house.sensors(w.Says.CLEAR)
    house.wait(25)
    assert house.gate.left == ("b1", "b2")


def test_at_the_very_end_it_is_too_late_to_say_that_it_comes() -> None:
    house = parked()
    house.sensors(w.Says.UNKNOWN)
    until(house, END)
    assert house.sensors(w.Says.OCCUPIED) == []
