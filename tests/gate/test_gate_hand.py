"""The owner's hand, at the button and at the barrier itself."""

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.rules import raise_refusal
from tests.gate.house import House, kinds, moves


def test_a_barrier_lowered_by_hand_stays_down_until_somebody_raises_it() -> None:
    house = House()
    house.tell(w.BarrierSeen(w.Position.DOWN))
    house.go_to_start()
    assert w.Move not in kinds(house.judged(w.Decision.ADMIT))
    house.sensors(w.Says.OCCUPIED)
    house.wait(100)
    house.sensors(w.Says.CLEAR)
    assert not moves(house.wait(1000))
    house.tell(w.BarrierSeen(w.Position.UP))
    assert not house.gate.by_hand


def test_the_owner_can_let_a_car_out_when_somebody_raised_the_barrier_behind_it() -> None:
    house = House()
    house.park()
    house.tell(w.BarrierSeen(w.Position.UP))
    assert moves(house.tell(w.OwnerLetsIn()))
    house.tell(w.BarrierSeen(w.Position.DOWN))
    assert (house.gate.phase, house.gate.booking) == (w.Phase.PARKED, "b1")


@pytest.mark.parametrize("says", [w.Says.OCCUPIED, w.Says.UNKNOWN])
def test_the_owner_cannot_raise_under_a_car_or_a_silent_sensor(says: w.Says) -> None:
    house = House()
    house.park()
    house.sensors(w.Says.CLEAR, "radar")
    house.sensors(says, "magnetic")
    assert raise_refusal(house.gate) == says.value
    assert house.tell(w.OwnerRaises()) == []


def test_the_owner_raises_with_one_sensor_that_says_clear_and_the_stay_is_over() -> None:
    house = House(("radar",))
    house.park()
    house.tell(w.SourceSeen("radar", w.Says.CLEAR, house.now))
    (wish,) = moves(house.tell(w.OwnerRaises()))
    assert (wish.target, wish.cause) == (w.Position.UP, w.Cause.OWNER)
    assert kinds(house.tell(w.BarrierSeen(w.Position.UP))) == [w.Halt, w.StayLeft]


def test_a_raise_that_somebody_turns_back_ends_the_stay_or_keeps_it() -> None:
    house = House()
    house.leave()
    house.tell(w.OwnerRaises())
    asked = house.tell(w.BarrierSeen(w.Position.MOVING), w.BarrierSeen(w.Position.DOWN))
    assert house.gate.arrived != (w.StayLeft("b1", house.now) in asked)
