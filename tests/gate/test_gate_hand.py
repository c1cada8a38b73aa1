"""The owner's hand, at the button and at the barrier itself."""

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.policy import DEFAULT_POLICY
from custom_components.parkshare.gate.rules import RaiseRefusal, raise_refusal
from tests.gate.house import END, NEXT, RIGHT, House, kinds, moves


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


def test_a_raise_that_somebody_turns_back_keeps_the_barrier_down_until_somebody_raises_it() -> None:
    house = House()
    house.leave()
    house.wait(30)
    asked = house.tell(w.BarrierSeen(w.Position.MOVING), w.BarrierSeen(w.Position.DOWN))
    assert asked == [w.Halt()]
    assert (house.gate.phase, house.gate.by_hand, house.gate.command) == (w.Phase.IDLE, True, None)


def test_a_barrier_that_still_says_down_when_it_is_told_to_rise_is_not_turned_back() -> None:
    house = House()
    house.leave()
    house.wait(30)
    assert house.tell(w.BarrierSeen(w.Position.DOWN)) == []
    assert house.gate.phase is w.Phase.RAISING


def decided(house: House, booking: str | None = "b1") -> w.AdmissionDecided:
    return w.AdmissionDecided(booking, w.Decision.ADMIT, w.Cause.OWNER, house.now)


def test_the_owner_lets_in_who_is_looked_for() -> None:
    house = House()
    house.go_to_start()
    asked = house.tell(w.OwnerLetsIn())
    assert asked[:-1] == [decided(house), w.CameraOff()]
    (wish,) = moves(asked)
    assert (wish.target, wish.cause, wish.booking, wish.insist) == (w.Position.DOWN, w.Cause.OWNER, "b1", False)
    assert house.gate.watched == ("b1",)
    house.tell(w.BarrierSeen(w.Position.DOWN))
    assert house.sensors(w.Says.OCCUPIED) == [w.StayArrived("b1", house.now)]


def test_the_owner_lets_in_while_the_barrier_is_down_already() -> None:
    house = House()
    house.tell(w.BarrierSeen(w.Position.DOWN))
    house.go_to_start()
    assert house.tell(w.OwnerLetsIn()) == [decided(house), w.CameraOff()]
    assert (house.gate.phase, house.gate.booking) == (w.Phase.ADMITTED, "b1")


def test_the_owner_lets_in_once_more_while_the_barrier_goes_down() -> None:
    house = House()
    house.go_to_start()
    house.judged(w.Decision.ADMIT)
    asked = house.tell(w.OwnerLetsIn())
    assert asked[:-1] == [decided(house)]
    (wish,) = moves(asked)
    assert (wish.number, wish.booking, wish.insist) == (2, "b1", False)


def test_whose_car_stands_there_keeps_their_booking_though_the_next_ones_time_has_come() -> None:
    house = House(rights=(RIGHT, NEXT))
    house.park()
    house.wait(END + 60 - house.now)
    house.reboot()
    assert house.gate.phase is w.Phase.PARKED
    (wish,) = moves(house.tell(w.OwnerLetsIn()))
    assert (wish.target, wish.booking) == (w.Position.DOWN, "b1")


def test_letting_in_ends_a_fault() -> None:
    house = House(rights=())
    house.tell(w.BarrierSeen(w.Position.JAMMED))
    asked = house.tell(w.OwnerLetsIn())
    assert asked[:-1] == [decided(house, None), w.FaultEnded()]
    assert house.gate.fault is None


def test_letting_out_admits_nobody() -> None:
    house = House()
    house.park()
    house.tell(w.BarrierSeen(w.Position.UP))
    assert kinds(house.tell(w.OwnerLetsIn())) == [w.Move]


@pytest.mark.parametrize("leaving", [False, True])
def test_letting_in_a_car_that_already_stands_behind_a_lowered_barrier_is_nothing(*, leaving: bool) -> None:
    house = House()
    house.park()
    if leaving:
        house.sensors(w.Says.CLEAR)
    assert house.tell(w.OwnerLetsIn()) == []


def test_letting_in_stops_the_warning_before_a_raise() -> None:
    house = House()
    house.leave()
    house.wait(25)
    assert house.tell(w.OwnerLetsIn()) == [decided(house)]
    assert (house.gate.phase, house.gate.booking) == (w.Phase.ADMITTED, "b1")
    assert not moves(house.wait(100))


def test_letting_in_turns_a_raise_back() -> None:
    house = House()
    house.leave()
    house.wait(30)
    (wish,) = moves(house.tell(w.OwnerLetsIn()))
    assert (wish.target, wish.cause, wish.booking) == (w.Position.DOWN, w.Cause.OWNER, "b1")


def test_raising_turns_the_camera_off_and_ends_a_fault() -> None:
    house = House()
    house.tell(w.BarrierSeen(w.Position.MOVING), w.BarrierSeen(w.Position.DOWN))
    house.go_to_start()
    house.tell(w.BarrierSeen(w.Position.JAMMED))
    asked = house.tell(w.OwnerRaises())
    assert asked[:-1] == [w.CameraOff(), w.FaultEnded()]
    (wish,) = moves(asked)
    assert (wish.target, wish.cause, wish.booking) == (w.Position.UP, w.Cause.OWNER, None)
    assert house.gate.fault is None


def test_a_barrier_that_is_asked_to_rise_is_not_asked_twice() -> None:
    house = House()
    house.leave()
    house.tell(w.OwnerRaises())
    assert raise_refusal(house.gate) is RaiseRefusal.RAISING
    assert house.tell(w.OwnerRaises()) == []


def test_a_barrier_on_its_way_down_is_not_raised() -> None:
    house = House()
    house.tell(w.OwnerLetsIn())
    assert raise_refusal(house.gate) is RaiseRefusal.LOWERING
    assert house.tell(w.OwnerRaises()) == []


def test_a_renter_who_says_again_that_they_are_there_while_they_are_let_in_arms_no_camera_later() -> None:
    house = House()
    house.go_to_start()
    house.tell(w.OwnerLetsIn())
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.tell(w.BarrierSeen(w.Position.DOWN))
    house.sensors(w.Says.OCCUPIED)
    house.sensors(w.Says.CLEAR)
    asked = house.wait(DEFAULT_POLICY.departure_debounce + DEFAULT_POLICY.raise_warning)
    asked += house.tell(w.BarrierSeen(w.Position.UP)) + house.wait(30)
    assert not [intent for intent in asked if isinstance(intent, w.CameraOn | w.Help)]


def test_a_barrier_that_comes_up_although_it_was_sent_down_again_is_told_once() -> None:
    house = House()
    house.leave()
    house.wait(DEFAULT_POLICY.departure_debounce + DEFAULT_POLICY.raise_warning)
    house.tell(w.BarrierSeen(w.Position.MOVING))
    house.sensors(w.Says.OCCUPIED)
    assert house.gate.phase is w.Phase.LOWERING
    asked = house.tell(w.BarrierSeen(w.Position.UP), w.BarrierSeen(w.Position.UP))
    assert [intent.notice for intent in asked if isinstance(intent, w.Notify)] == [w.Notice.ROSE]


def test_a_barrier_that_obeys_long_after_it_was_given_up_is_told_when_a_car_is_there() -> None:
    house = House()
    house.leave()
    (wish,) = moves(house.wait(DEFAULT_POLICY.departure_debounce + DEFAULT_POLICY.raise_warning))
    house.tell(w.CommandFailed(wish.number, w.FaultKind.NO_ANSWER))
    house.sensors(w.Says.OCCUPIED)
    asked = house.tell(w.BarrierSeen(w.Position.UP))
    assert [each.notice for each in asked if isinstance(each, w.Notify)] == [w.Notice.ROSE]
    assert not moves(asked)
