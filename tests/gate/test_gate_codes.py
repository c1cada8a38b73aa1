"""The on-site code: who stands there and reads it gets in, as long as the booking may."""

from dataclasses import replace

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.policy import DEFAULT_POLICY
from tests.gate.house import END, NEXT, RIGHT, START, House, kinds, moves


def due(**changes: object) -> House:
    house = House(**changes)
    house.go_to_start()
    return house


def give(house: House, booking: str = "b1", age: float = 0.0) -> list[w.Intent]:
    return house.tell(w.CodeGiven(booking, house.now - age))


def test_the_right_code_lowers_the_barrier_and_is_recorded_as_such() -> None:
    house = due()
    decided, camera, move = give(house)
    assert decided == w.AdmissionDecided("b1", w.Decision.ADMIT, w.Cause.CODE, START)
    assert camera == w.CameraOff()
    assert (move.command.target, move.command.cause, move.command.booking) == (w.Position.DOWN, w.Cause.CODE, "b1")


def test_a_code_opens_when_the_camera_has_already_given_up() -> None:
    house = due()
    house.wait(4000)
    assert house.gate.phase is w.Phase.IDLE
    decided, move = give(house)
    assert decided == w.AdmissionDecided("b1", w.Decision.ADMIT, w.Cause.CODE, house.now)
    assert move.command.booking == "b1"


def test_a_car_that_came_in_by_code_arrives_like_any_other() -> None:
    house = due()
    give(house)
    house.tell(w.BarrierSeen(w.Position.DOWN))
    assert house.sensors(w.Says.OCCUPIED) == [w.StayArrived("b1", house.now)]


@pytest.mark.parametrize("age", [DEFAULT_POLICY.code_max_age, 0.0, -1.0])
def test_a_fresh_code_counts(age: float) -> None:
    assert moves(give(due(), age=age))


@pytest.mark.parametrize("age", [DEFAULT_POLICY.code_max_age + 0.1, -1.1, 3600.0])
def test_a_code_that_took_too_long_or_comes_from_the_future_opens_nothing(age: float) -> None:
    assert give(due(), age=age) == []


def test_a_code_opens_only_within_its_period() -> None:
    house = House()
    house.wait(999)
    assert give(house) == []
    house.wait(END - house.now)
    assert give(house) == []


def test_a_code_of_a_booking_that_was_taken_back_opens_nothing() -> None:
    house = due()
    house.tell(w.RightsChanged(()))
    assert give(house) == []


def test_a_code_opens_nothing_for_whom_the_owner_refused() -> None:
    house = due()
    house.tell(w.OwnerRefuses("b1"))
    assert give(house) == []


def test_a_code_opens_nothing_in_somebody_elses_period() -> None:
    house = due(rights=(RIGHT, NEXT), policy=replace(DEFAULT_POLICY, early=900.0))
    house.wait(END - 600 - house.now)
    assert give(house, "b2") == []


def test_a_code_opens_nothing_while_another_renter_is_looked_for() -> None:
    house = House(rights=(RIGHT, replace(NEXT, start=START, end=END)))
    house.go_to_start()
    assert (house.gate.phase, house.gate.booking) == (w.Phase.LOOKING, "b1")
    assert give(house, "b2") == []


def test_a_code_opens_nothing_when_a_car_already_stands_in_the_bay() -> None:
    house = House()
    house.park()
    house.tell(w.BarrierSeen(w.Position.UP))
    assert give(house) == []


def test_a_code_before_a_barrier_that_is_down_admits_without_a_move() -> None:
    house = due()
    house.tell(w.BarrierSeen(w.Position.DOWN))
    assert kinds(give(house)) == [w.AdmissionDecided, w.CameraOff]
    assert house.gate.phase is w.Phase.ADMITTED


def test_a_code_before_a_faulty_barrier_calls_a_person() -> None:
    house = due()
    house.tell(w.BarrierSeen(w.Position.JAMMED))
    asked = give(house)
    assert kinds(asked) == [w.AdmissionDecided, w.CameraOff, w.Notify]
    assert asked[-1] == w.Notify(w.Notice.ADMITTED_BUT_FAULTY, "b1", w.FaultKind.JAMMED)
    assert house.gate.booking is None
