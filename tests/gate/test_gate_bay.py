"""A car of nobody in the bay, and the booking that needs it."""

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.policy import DEFAULT_POLICY
from tests.gate.house import END, NEXT, RIGHT, START, House, moves

BEFORE, SETTLE = DEFAULT_POLICY.protect_before, DEFAULT_POLICY.taken_settle


def told(intents: list[w.Intent]) -> list[w.Intent]:
    return [intent for intent in intents if isinstance(intent, w.BayTaken | w.BayFree)]


def stranger(*, before: float = 900.0, rights: tuple[w.Right, ...] = (RIGHT,)) -> House:
    """A car comes so long before the booking, and no booking is its own."""
    house = House(rights=rights)
    house.now = START - before
    house.sensors(w.Says.OCCUPIED)
    return house


def test_a_car_of_nobody_is_told_of_when_it_has_stood_there_for_a_while() -> None:
    house = stranger()
    assert house.wait(SETTLE - 1) == []
    assert house.wait(1) == [w.BayTaken("b1", house.now), w.Notify(w.Notice.BAY_TAKEN, "b1")]
    assert told(house.wait(500)) == []


def test_a_car_that_only_turns_in_the_bay_is_not_told_of() -> None:
    house = stranger()
    house.wait(SETTLE - 1)
    house.sensors(w.Says.CLEAR)
    house.wait(10)
    house.sensors(w.Says.OCCUPIED)
    assert told(house.wait(SETTLE - 1)) == []


def test_a_car_of_nobody_troubles_nobody_long_before_the_next_booking() -> None:
    house = stranger(before=BEFORE + 500)
    assert told(house.wait(499)) == []
    assert told(house.wait(1)) == [w.BayTaken("b1", START - BEFORE)]


def test_the_bay_is_told_free_again_once() -> None:
    house = stranger()
    house.wait(SETTLE)
    assert told(house.sensors(w.Says.CLEAR)) == [w.BayFree("b1", house.now)]
    assert told(house.wait(100)) == []


def test_one_sensor_that_is_silent_does_not_free_the_bay() -> None:
    house = stranger()
    house.wait(SETTLE)
    house.sensors(w.Says.CLEAR, "radar")
    assert told(house.sensors(w.Says.UNKNOWN, "magnetic")) == []


def test_a_booking_that_is_taken_back_needs_the_bay_no_more() -> None:
    house = stranger()
    house.wait(SETTLE)
    assert told(house.tell(w.RightsChanged(()))) == [w.BayFree("b1", house.now)]


def test_a_restart_does_not_tell_it_twice() -> None:
    house = stranger()
    house.wait(SETTLE)
    house.reboot()
    house.sensors(w.Says.OCCUPIED)
    assert told(house.wait(SETTLE + 10)) == []
    assert told(house.sensors(w.Says.CLEAR)) == [w.BayFree("b1", house.now)]


def test_the_renter_who_stands_before_the_barrier_does_not_take_their_own_bay() -> None:
    house = House()
    house.go_to_start()
    house.sensors(w.Says.OCCUPIED)
    assert told(house.wait(3000)) == []


def test_a_car_behind_a_lowered_barrier_takes_the_bay_also_within_the_period() -> None:
    house = House()
    house.tell(w.BarrierSeen(w.Position.DOWN))
    house.wait(1000 + 4000)
    house.sensors(w.Says.OCCUPIED)
    assert told(house.wait(DEFAULT_POLICY.look_budget - 1)) == [], "whose it is, is just being looked at"
    assert told(house.wait(1)) == [w.BayTaken("b1", house.now)]


def test_a_car_that_the_owner_let_in_is_of_nobody_too() -> None:
    house = House()
    house.now = START - 900
    house.tell(w.OwnerLetsIn(), w.BarrierSeen(w.Position.DOWN))
    house.sensors(w.Says.OCCUPIED)
    assert (house.gate.phase, house.gate.booking) == (w.Phase.PARKED, None)
    assert told(house.wait(SETTLE)) == [w.BayTaken("b1", house.now)]


def test_the_next_booking_is_told_of_while_the_last_one_is_still_in_its_period() -> None:
    house = House(rights=(RIGHT, NEXT))
    house.leave()
    house.wait(60)
    house.tell(w.BarrierSeen(w.Position.UP))
    house.now = END - 900
    house.tell(w.Tick())
    house.sensors(w.Says.OCCUPIED)
    assert house.gate.phase is w.Phase.LOOKING
    assert told(house.wait(DEFAULT_POLICY.look_budget)) == [w.BayTaken("b2", house.now)]


def test_each_booking_is_told_of_once_and_freed_once() -> None:
    house = House(rights=(RIGHT, NEXT))
    house.tell(w.LinkSeen(up=True))
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.POSITION))
    (wish,) = moves(house.judged(w.Decision.ADMIT))
    house.tell(w.CommandFailed(wish.number, w.FaultKind.NO_ANSWER))
    house.wait(END - 1000 - house.now)
    house.sensors(w.Says.OCCUPIED)
    assert told(house.wait(DEFAULT_POLICY.look_budget)) == [w.BayTaken("b2", house.now)]
    house.tell(w.BarrierSeen(w.Position.MOVING))
    assert told(house.tell(w.BarrierSeen(w.Position.DOWN))) == [w.BayTaken("b1", house.now)]
    house.wait(1200)
    freed = told(house.sensors(w.Says.CLEAR))
    assert not [intent for intent in freed if isinstance(intent, w.BayTaken)]
    assert w.BayFree("b2", house.now) in freed


@pytest.mark.parametrize("says", [w.Says.CLEAR, w.Says.UNKNOWN])
def test_a_bay_in_which_no_car_is_seen_is_not_taken(says: w.Says) -> None:
    house = House()
    house.now = START - 900
    house.sensors(says)
    assert told(house.wait(800)) == []


def test_at_its_very_start_a_car_before_the_raised_barrier_is_the_renters() -> None:
    house = House(rights=(RIGHT, NEXT))
    house.tell(w.LinkSeen(up=True), w.RightsChanged(()))
    house.sensors(w.Says.OCCUPIED)
    house.wait(START - house.now)
    assert told(house.tell(w.RightsChanged((RIGHT,)))) == []


def test_a_booking_that_is_over_needs_the_bay_no_more() -> None:
    house = House()
    house.tell(w.BarrierSeen(w.Position.DOWN), w.BarrierSeen(w.Position.JAMMED), w.BarrierSeen(w.Position.DOWN))
    house.wait(END - SETTLE - house.now)
    house.sensors(w.Says.OCCUPIED)
    assert told(house.wait(SETTLE + 10)) == []


def test_without_a_sensor_the_camera_watches_for_the_next_renter_though_nobody_can_tell_of_them() -> None:
    house = House(sources=(), rights=(RIGHT, NEXT))
    house.admit()
    house.wait(200)
    house.tell(w.BarrierSeen(w.Position.UP), w.LinkSeen(up=False))
    asked = house.wait(END - house.now + 1)
    assert w.CameraOn("b2") in asked
    assert not any(isinstance(intent, w.Notify) for intent in asked), "it is up: there is nothing to ask"


def test_without_a_sensor_nobody_is_asked_to_raise_what_is_up() -> None:
    house = House(sources=())
    house.admit()
    house.wait(200)
    house.tell(w.BarrierSeen(w.Position.UP))
    assert house.wait(10_000) == []


def test_sensors_that_are_all_silent_keep_the_next_renter_out_no_longer_than_the_booking() -> None:
    house = House(rights=(RIGHT, NEXT))
    house.park()
    house.sensors(w.Says.UNKNOWN)
    house.wait(NEXT.start - house.now + 1)
    asked = house.tell(w.RenterNear("b2", house.now, w.ArmedBy.HERE))
    assert w.CameraOn("b2") in asked or house.gate.booking == "b2"
