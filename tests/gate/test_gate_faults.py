"""A barrier that jams, is silent, or answers late."""

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.rules import may_carry_out
from tests.gate.house import START, House, kinds, moves


def test_a_jam_on_the_way_up_goes_down_once_and_is_told_once() -> None:
    house = House()
    house.leave()
    house.wait(30)
    asked = house.tell(w.BarrierSeen(w.Position.MOVING), w.BarrierSeen(w.Position.JAMMED))
    assert kinds(asked) == [w.Notify, w.Move]
    asked = house.tell(w.BarrierSeen(w.Position.MOVING), w.BarrierSeen(w.Position.JAMMED))
    assert kinds(asked) == [w.Halt]
    assert not moves(house.wait(100_000))
    assert house.gate.fault


def test_a_jam_on_the_way_down_is_left_to_a_person() -> None:
    house = House()
    house.go_to_start()
    house.judged(w.Decision.ADMIT)
    asked = house.tell(w.BarrierSeen(w.Position.MOVING), w.BarrierSeen(w.Position.JAMMED))
    assert kinds(asked) == [w.Halt, w.Notify]
    assert house.wait(5000) == []
    assert w.FaultEnded in kinds(house.tell(w.OwnerLetsIn()))


def test_a_barrier_that_never_answers_is_a_fault_and_no_storm() -> None:
    house = House()
    house.go_to_start()
    (wish,) = moves(house.judged(w.Decision.ADMIT))
    house.wait(45)
    assert kinds(house.tell(w.CommandFailed(wish.number, w.FaultKind.NO_ANSWER))) == [w.Halt, w.Notify]
    assert house.wait(7000) == []


def test_a_barrier_that_answers_late_still_lets_the_renter_in() -> None:
    house = House()
    house.go_to_start()
    (wish,) = moves(house.judged(w.Decision.ADMIT))
    house.wait(45)
    house.tell(w.CommandFailed(wish.number, w.FaultKind.NO_ANSWER))
    house.wait(10)
    assert kinds(house.tell(w.BarrierSeen(w.Position.DOWN))) == [w.FaultEnded]
    assert (house.gate.phase, house.gate.booking) == (w.Phase.ADMITTED, "b1")


def test_a_barrier_that_comes_down_late_for_safety_lets_nobody_in() -> None:
    house = House()
    house.leave()
    house.wait(30)
    (wish,) = moves(house.sensors(w.Says.OCCUPIED, "radar"))
    house.tell(w.BarrierSeen(w.Position.UP), w.CommandFailed(wish.number, w.FaultKind.NO_ANSWER))
    house.tell(w.BarrierSeen(w.Position.DOWN))
    assert house.gate.phase is w.Phase.IDLE
    assert house.gate.fault


def test_a_barrier_that_was_unavailable_is_trusted_again_when_it_is_seen() -> None:
    house = House()
    house.go_to_start()
    (wish,) = moves(house.judged(w.Decision.ADMIT))
    house.tell(w.BarrierSeen(w.Position.UNKNOWN), w.CommandFailed(wish.number, w.FaultKind.UNAVAILABLE))
    house.wait(60)
    assert w.FaultEnded in kinds(house.tell(w.BarrierSeen(w.Position.UP)))
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    assert moves(house.judged(w.Decision.ADMIT))


def test_an_adapter_that_says_nothing_is_a_fault_in_the_end() -> None:
    house = House()
    house.go_to_start()
    house.judged(w.Decision.ADMIT)
    assert kinds(house.wait(80)) == [w.Halt, w.Notify]


def test_a_command_is_worth_nothing_after_its_time_nor_before_it() -> None:
    wish = w.Command(
        number=1, target=w.Position.UP, cause=w.Cause.CLEAR, booking=None, issued_at=START, expires_at=START + 20
    )
    ages = (-3600, -1.5, -1, 0, 19, 20, 3600)
    assert [may_carry_out(wish, START + age) for age in ages] == [False, False, True, True, True, False, False]


def test_a_barrier_that_answers_late_while_the_camera_looks_again_ends_the_look() -> None:
    house = House()
    house.go_to_start()
    (wish,) = moves(house.judged(w.Decision.ADMIT))
    house.tell(w.BarrierSeen(w.Position.UNKNOWN), w.CommandFailed(wish.number, w.FaultKind.UNAVAILABLE))
    house.tell(w.BarrierSeen(w.Position.UP), w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    assert house.gate.phase is w.Phase.LOOKING
    assert kinds(house.tell(w.BarrierSeen(w.Position.DOWN))) == [w.CameraOff]
    assert (house.gate.phase, house.gate.camera, house.gate.by_hand) == (w.Phase.ADMITTED, False, False)


@pytest.mark.parametrize(("late", "counts"), [(120.0, True), (121.0, False)])
def test_a_barrier_that_comes_down_much_later_was_moved_by_somebody_else(late: float, *, counts: bool) -> None:
    house = House()
    house.go_to_start()
    (wish,) = moves(house.judged(w.Decision.ADMIT))
    house.tell(w.CommandFailed(wish.number, w.FaultKind.NO_ANSWER))
    house.wait(late)
    house.tell(w.BarrierSeen(w.Position.DOWN))
    assert (house.gate.phase is w.Phase.ADMITTED, house.gate.by_hand) == (counts, not counts)
    assert house.gate.last_command is None


def test_only_the_command_in_flight_can_fail() -> None:
    house = House()
    assert house.tell(w.CommandFailed(0, w.FaultKind.NO_ANSWER)) == []
    house.go_to_start()
    (wish,) = moves(house.judged(w.Decision.ADMIT))
    assert house.tell(w.CommandFailed(wish.number + 1, w.FaultKind.NO_ANSWER)) == []
    house.tell(w.CommandFailed(wish.number, w.FaultKind.MISSING))
    assert house.gate.fault == w.Fault(w.FaultKind.MISSING, house.now)


def test_a_jam_is_told_also_while_another_fault_stands() -> None:
    house = House()
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    (wish,) = moves(house.judged(w.Decision.ADMIT))
    house.tell(w.CommandFailed(wish.number, w.FaultKind.NO_ANSWER))
    told = house.tell(w.BarrierSeen(w.Position.JAMMED))
    assert [each.fault for each in told if isinstance(each, w.Notify)] == [w.FaultKind.JAMMED]
