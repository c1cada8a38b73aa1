"""When the barrier rises, and what keeps it down."""

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.core import overstays
from tests.gate.house import House, kinds, moves


def test_the_barrier_rises_after_two_sensors_saw_the_car_leave() -> None:
    house = House()
    house.leave()
    assert kinds(house.wait(20)) == [w.StayLeft]
    assert house.gate.phase is w.Phase.WARNING
    (wish,) = moves(house.wait(10))
    assert (wish.target, wish.cause) == (w.Position.UP, w.Cause.CLEAR)
    house.tell(w.BarrierSeen(w.Position.MOVING), w.BarrierSeen(w.Position.UP))
    assert house.gate.phase is w.Phase.IDLE


@pytest.mark.parametrize("sources", [("radar",), ()])
def test_with_fewer_than_two_sensors_it_never_rises_by_itself(sources: tuple[str, ...]) -> None:
    house = House(sources)
    house.admit()
    house.wait(150)
    if sources:
        house.sensors(w.Says.OCCUPIED)
        house.sensors(w.Says.CLEAR)
    assert not moves(house.wait(100_000))


@pytest.mark.parametrize("says", [w.Says.OCCUPIED, w.Says.UNKNOWN])
def test_one_sensor_that_disagrees_or_is_silent_keeps_it_down(says: w.Says) -> None:
    house = House()
    house.park()
    house.sensors(w.Says.CLEAR, "radar")
    house.sensors(says, "magnetic")
    assert not moves(house.wait(100_000))
    assert house.gate.phase is w.Phase.PARKED


def test_a_stale_clear_keeps_it_down() -> None:
    house = House()
    house.park()
    house.sensors(w.Says.CLEAR, "radar")
    house.wait(400)
    house.sensors(w.Says.CLEAR, "magnetic")
    asked = house.wait(100)
    assert kinds(asked) == [w.StayLeft, w.Notify]
    assert house.gate.position is w.Position.DOWN


def test_a_car_during_the_warning_stops_the_raise() -> None:
    house = House()
    house.leave()
    house.wait(25)
    house.sensors(w.Says.OCCUPIED, "radar")
    assert house.gate.phase is w.Phase.PARKED
    assert not moves(house.wait(1000))


@pytest.mark.parametrize("says", [w.Says.OCCUPIED, w.Says.UNKNOWN])
def test_a_car_or_a_silent_sensor_while_it_rises_brings_it_down_again(says: w.Says) -> None:
    house = House()
    house.leave()
    house.wait(30)
    (wish,) = moves(house.sensors(says, "radar"))
    assert (wish.target, wish.cause) == (w.Position.DOWN, w.Cause.SAFETY)
    house.tell(w.BarrierSeen(w.Position.DOWN))
    assert house.gate.phase is w.Phase.PARKED


def test_a_sensor_that_sees_the_rising_barrier_does_not_make_it_go_up_and_down_for_ever() -> None:
    house = House()
    house.leave()
    raised = 0
    for _ in range(5):
        raised += len(moves(house.wait(60)))
        house.sensors(w.Says.OCCUPIED, "radar")
        house.tell(w.BarrierSeen(w.Position.DOWN))
        house.sensors(w.Says.CLEAR)
    assert raised == 2


def test_the_end_of_a_booking_raises_nothing() -> None:
    house = House()
    house.park()
    assert not moves(house.wait(50_000))
    assert overstays(house.gate, house.now)
