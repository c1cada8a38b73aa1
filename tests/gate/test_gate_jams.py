"""Exactly what follows when a barrier is blocked, fails, or heals: in a stay, on the way in, and at rest."""

from dataclasses import replace

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.policy import DEFAULT_POLICY
from tests.gate.house import NEXT, RIGHT, START, House, kinds, moves

MOVING, UP, DOWN, JAMMED = (w.BarrierSeen(w.Position(name)) for name in ("moving", "up", "down", "jammed"))


def fault(kind: w.FaultKind = w.FaultKind.JAMMED, booking: str | None = None) -> w.Notify:
    return w.Notify(w.Notice.FAULT, booking, kind)


def going_down_in_a_stay() -> House:
    """A person raised the barrier behind a parked car; the owner lets it out."""
    house = House()
    house.park()
    house.tell(UP)
    house.tell(w.OwnerLetsIn())
    return house


def rising() -> House:
    house = House()
    house.leave()
    house.wait(30)
    assert house.gate.phase is w.Phase.RAISING
    return house


def test_a_jam_at_rest_is_told_once() -> None:
    house = House()
    assert house.tell(JAMMED) == [fault()]
    assert house.gate.fault == w.Fault(w.FaultKind.JAMMED, house.now)
    assert house.tell(JAMMED) == []
    assert house.tell(MOVING, JAMMED) == []


def test_a_jam_on_the_way_in_names_the_booking() -> None:
    house = House()
    house.go_to_start()
    house.judged(w.Decision.ADMIT)
    assert house.tell(JAMMED) == [w.Halt(), fault(booking="b1")]
    assert house.gate.phase is w.Phase.IDLE


def test_a_jam_while_a_car_is_let_out_keeps_its_stay() -> None:
    house = going_down_in_a_stay()
    assert house.tell(JAMMED) == [w.Halt(), fault(booking="b1")]
    assert (house.gate.phase, house.gate.booking) == (w.Phase.PARKED, "b1")


def test_a_jam_in_the_warning_stops_the_raise() -> None:
    house = House()
    house.leave()
    house.wait(25)
    assert house.tell(JAMMED) == [fault()]
    assert house.gate.phase is w.Phase.IDLE


def test_a_jam_on_the_way_up_sends_it_down_once_for_safety() -> None:
    house = rising()
    told, move = house.tell(JAMMED)
    assert told == fault()
    assert (move.command.target, move.command.cause) == (w.Position.DOWN, w.Cause.SAFETY)


@pytest.mark.parametrize("kind", [w.FaultKind.NO_ANSWER, w.FaultKind.UNAVAILABLE])
def test_a_command_that_fails_on_the_way_in_names_the_booking(kind: w.FaultKind) -> None:
    house = House()
    house.go_to_start()
    (wish,) = moves(house.judged(w.Decision.ADMIT))
    assert house.tell(w.CommandFailed(wish.number, kind)) == [w.Halt(), fault(kind, "b1")]
    assert house.gate.fault == w.Fault(kind, house.now)


def test_a_command_that_fails_in_a_stay_keeps_the_stay() -> None:
    house = going_down_in_a_stay()
    failed = w.CommandFailed(house.gate.command.number, w.FaultKind.NO_ANSWER)
    assert house.tell(failed) == [w.Halt(), fault(w.FaultKind.NO_ANSWER, "b1")]
    assert (house.gate.phase, house.gate.booking) == (w.Phase.PARKED, "b1")


def test_a_second_fault_is_not_told_and_the_first_one_stays() -> None:
    house = rising()
    house.tell(JAMMED)
    jammed_at = house.gate.fault.since
    house.wait(5)
    failed = w.CommandFailed(house.gate.command.number, w.FaultKind.NO_ANSWER)
    assert house.tell(failed) == [w.Halt()]
    assert house.gate.fault == w.Fault(w.FaultKind.JAMMED, jammed_at)


@pytest.mark.parametrize("seen", [UP, DOWN])
def test_a_barrier_that_is_seen_again_is_healed(seen: w.BarrierSeen) -> None:
    house = House(rights=())
    house.tell(w.OwnerLetsIn())
    house.tell(w.BarrierSeen(w.Position.UNKNOWN), w.CommandFailed(1, w.FaultKind.UNAVAILABLE))
    house.wait(DEFAULT_POLICY.late_answer + 1)
    assert house.tell(seen) == [w.FaultEnded()]
    assert house.gate.fault is None


def test_a_barrier_that_was_missing_while_down_is_healed_when_it_is_seen_down() -> None:
    house = House(rights=())
    house.tell(DOWN)
    house.sensors(w.Says.CLEAR)
    house.tell(w.OwnerRaises(), w.BarrierSeen(w.Position.UNKNOWN), w.CommandFailed(1, w.FaultKind.MISSING))
    assert house.gate.fault
    assert house.tell(DOWN) == [w.FaultEnded()]
    assert house.gate.because == "HEALED"
    assert house.tell(DOWN) == []


@pytest.mark.parametrize("kind", [w.FaultKind.JAMMED, w.FaultKind.NO_ANSWER])
def test_a_jam_or_a_silence_is_not_healed_by_being_seen(kind: w.FaultKind) -> None:
    house = House(rights=())
    house.tell(w.OwnerLetsIn())
    house.tell(w.CommandFailed(1, kind))
    assert house.tell(MOVING, UP) == []
    assert house.gate.fault.kind is kind


def test_a_barrier_that_does_again_what_it_is_told_is_healed() -> None:
    house = House(rights=())
    house.tell(w.OwnerLetsIn())
    house.tell(w.CommandFailed(1, w.FaultKind.NO_ANSWER), DOWN)
    house.sensors(w.Says.CLEAR)
    house.tell(w.OwnerRaises())
    assert house.tell(MOVING, UP) == [w.Halt()]


def test_what_lowers_tells_its_adapter_that_it_is_done() -> None:
    house = House()
    house.go_to_start()
    house.judged(w.Decision.ADMIT)
    assert house.tell(MOVING, DOWN) == [w.Halt()]
    assert house.gate.last_command is None
    house = going_down_in_a_stay()
    assert house.tell(MOVING, DOWN) == [w.Halt()]
    assert house.gate.because == "LOWERED_FOR_STAY"


def test_a_car_that_comes_while_it_rises_in_the_next_period_is_the_next_renters() -> None:
    house = House(rights=(replace(RIGHT, end=START + 660), replace(NEXT, start=START + 665)))
    house.leave()
    house.wait(START + 666 - house.now)
    assert house.gate.phase is w.Phase.RAISING
    house.sensors(w.Says.OCCUPIED)
    assert kinds(house.done()) == [w.Halt, w.StayArrived]
    assert (house.gate.phase, house.gate.booking) == (w.Phase.PARKED, "b2")


def test_a_silence_while_it_rises_says_not_whose_car_it_is() -> None:
    house = rising()
    house.sensors(w.Says.UNKNOWN)
    assert house.done() == [w.Halt()]
    assert (house.gate.phase, house.gate.booking) == (w.Phase.PARKED, None)


def test_a_car_back_while_it_rises_for_a_stay_keeps_the_stay() -> None:
    house = House()
    house.leave()
    house.tell(w.OwnerRaises())
    house.sensors(w.Says.OCCUPIED)
    assert house.done() == [w.Halt()]
    assert (house.gate.phase, house.gate.booking) == (w.Phase.PARKED, "b1")


def test_a_raise_that_is_turned_back_tells_its_adapter_and_keeps_the_stay() -> None:
    house = House(())
    house.admit()
    house.wait(130)
    house.tell(w.OwnerRaises())
    assert house.tell(MOVING, DOWN) == [w.Halt()]
    assert (house.gate.phase, house.gate.since, house.gate.booking) == (w.Phase.PARKED, house.now, "b1")


def test_letting_in_again_is_for_who_was_let_in_also_when_the_booking_is_gone() -> None:
    house = House()
    house.admit()
    house.tell(w.RightsChanged(()))
    (wish,) = moves(house.tell(w.OwnerLetsIn()))
    assert (wish.booking, wish.insist) == ("b1", True)


def test_nobody_insists_where_the_barrier_does_not_say_that_it_is_down() -> None:
    house = House()
    house.admit()
    house.tell(w.BarrierSeen(w.Position.UNKNOWN))
    (wish,) = moves(house.tell(w.OwnerLetsIn()))
    assert not wish.insist


def test_letting_in_forgets_who_else_was_near_and_how_far_the_help_was() -> None:
    house = House()
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.wait(35)
    house.tell(w.OwnerLetsIn())
    assert house.gate.rung is None
    house = going_down_in_a_stay()
    house.gate = replace(house.gate, approach=w.Approach("b1", house.now, w.ArmedBy.HERE))
    house.tell(w.OwnerLetsIn())
    assert house.gate.approach is None


def test_raising_asks_for_nothing_else_where_nothing_else_is_on() -> None:
    house = House()
    house.leave()
    assert kinds(house.tell(w.OwnerRaises())) == [w.Move]


def test_looking_twice_for_a_booking_is_noted_once() -> None:
    house = House()
    house.go_to_start()
    for _ in range(2):
        house.wait(3700)
        house.tell(w.RenterNear("b1", house.now, w.ArmedBy.POSITION))
        house.wait(400)
    assert house.gate.watched == ("b1",)
