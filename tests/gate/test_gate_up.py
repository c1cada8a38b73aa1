"""What follows when the barrier is seen up, or on its way by somebody's hand: confirmed, late, against our word."""

from dataclasses import replace

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.policy import DEFAULT_POLICY
from tests.gate.house import RIGHT, House, kinds, moves

MOVING, UP, DOWN, JAMMED, UNKNOWN = (
    w.BarrierSeen(w.Position(name)) for name in ("moving", "up", "down", "jammed", "unknown")
)
DEBOUNCE, WARNING = DEFAULT_POLICY.departure_debounce, DEFAULT_POLICY.raise_warning


def rising(**changes: object) -> House:
    house = House(**changes)
    house.leave()
    house.wait(DEBOUNCE + WARNING)
    assert house.gate.phase is w.Phase.RAISING
    return house


def test_a_barrier_that_rose_owes_nothing_any_more() -> None:
    house = rising()
    assert house.tell(MOVING, UP) == [w.Halt()]
    gate = house.gate
    assert (gate.phase, gate.last_command, gate.by_hand, gate.aborted) == (w.Phase.IDLE, None, False, 0)


def test_a_raise_that_succeeds_ends_the_count_of_those_that_did_not() -> None:
    house = rising()
    house.sensors(w.Says.OCCUPIED)
    house.tell(DOWN, MOVING, DOWN)
    assert house.gate.aborted == 1
    house.sensors(w.Says.CLEAR)
    house.wait(DEBOUNCE + WARNING)
    house.tell(MOVING, UP)
    assert house.gate.aborted == 0


def test_somebody_who_raises_it_ends_the_count_of_raises_that_were_broken_off() -> None:
    house = rising()
    house.sensors(w.Says.OCCUPIED)
    house.tell(MOVING, DOWN)
    house.wait(DEFAULT_POLICY.late_answer + 1)
    house.tell(MOVING, UP)
    assert (house.gate.because, house.gate.aborted) == ("RAISED_BY_HAND", 0)


def test_the_owner_who_raises_a_barrier_lowered_by_hand_has_it_automatic_again() -> None:
    house = House()
    house.tell(DOWN)
    assert house.gate.by_hand
    house.sensors(w.Says.CLEAR)
    house.tell(w.OwnerRaises(), MOVING, UP)
    assert not house.gate.by_hand


def test_the_owner_who_raises_for_a_stay_ends_it() -> None:
    house = House()
    house.leave()
    house.tell(w.OwnerRaises())
    assert house.tell(MOVING, UP) == [w.Halt(), w.StayLeft("b1", house.now)]


def test_somebody_who_raises_it_before_the_renter_came_in_ends_the_admission() -> None:
    house = House()
    house.tell(DOWN)
    house.go_to_start()
    house.judged(w.Decision.ADMIT)
    assert (house.gate.phase, house.gate.by_hand) == (w.Phase.ADMITTED, True)
    assert house.tell(UP) == []
    assert (house.gate.because, house.gate.phase, house.gate.by_hand) == ("RAISED_BEFORE_ARRIVAL", w.Phase.IDLE, False)


def test_somebody_who_raises_it_in_the_warning_is_respected() -> None:
    house = House()
    house.leave()
    house.wait(DEBOUNCE + 5)
    assert house.tell(UP) == []
    assert house.gate.because == "RAISED_BEFORE_ARRIVAL"
    assert not moves(house.wait(1000))


@pytest.mark.parametrize("seen", [MOVING, UNKNOWN])
def test_a_barrier_that_moves_or_hides_in_the_warning_is_left_alone(seen: w.BarrierSeen) -> None:
    house = House()
    house.leave()
    house.wait(DEBOUNCE + 5)
    assert house.tell(seen) == []
    assert (house.gate.because, house.gate.phase) == ("WARNING_HAND", w.Phase.IDLE)
    assert not moves(house.wait(1000))


def test_a_barrier_that_is_lost_from_view_is_still_where_it_last_stood() -> None:
    house = House()
    house.tell(DOWN, UNKNOWN)
    assert (house.gate.position, house.gate.stood) == (w.Position.UNKNOWN, w.Position.DOWN)
    house.tell(MOVING, UP)
    assert house.gate.because == "RAISED_BY_HAND"


def test_a_jam_that_is_reported_again_changes_nothing() -> None:
    house = House()
    house.tell(JAMMED)
    since = house.gate.fault.since
    house.wait(10)
    house.tell(JAMMED)
    assert house.gate.fault.since == since


def test_while_it_goes_down_for_a_renter_being_up_is_no_news() -> None:
    house = House()
    house.go_to_start()
    house.judged(w.Decision.ADMIT)
    assert house.tell(UP) == []
    assert house.tell(MOVING, UP) == []
    assert house.gate.because == "ADMITTED_BY_PLATE"


def test_a_barrier_that_rises_although_it_was_sent_down_again_is_told_with_its_booking() -> None:
    house = House()
    house.leave()
    house.tell(w.OwnerRaises(), MOVING)
    house.sensors(w.Says.OCCUPIED)
    assert house.tell(UP) == [w.Notify(w.Notice.ROSE, "b1")]
    assert house.tell(UP) == []


def test_a_barrier_that_rises_although_a_silent_sensor_sent_it_down_is_told_too() -> None:
    house = rising()
    house.tell(MOVING)
    house.sensors(w.Says.UNKNOWN)
    assert house.tell(UP) == [w.Notify(w.Notice.ROSE)]
    assert house.gate.because == "ROSE_ALL_THE_SAME"


@pytest.mark.parametrize(
    ("after", "told"), [(DEFAULT_POLICY.late_answer, True), (DEFAULT_POLICY.late_answer + 1, False)]
)
def test_a_barrier_that_rises_late_under_a_car_is_told_as_long_as_it_may_be_ours(after: float, *, told: bool) -> None:
    house = House()
    house.leave()
    house.tell(w.OwnerRaises())
    failed = w.CommandFailed(house.gate.command.number, w.FaultKind.UNAVAILABLE)
    house.tell(UNKNOWN, failed)
    house.sensors(w.Says.OCCUPIED)
    house.now += after
    asked = house.tell(UP)
    rose = [w.Notify(w.Notice.ROSE, "b1")] if told else []
    assert asked == [*rose, w.FaultEnded()]


def test_a_barrier_that_rises_late_over_an_empty_bay_was_raised() -> None:
    house = House()
    house.leave()
    house.tell(w.OwnerRaises())
    house.tell(w.CommandFailed(house.gate.command.number, w.FaultKind.NO_ANSWER))
    house.wait(5)
    assert house.tell(UP) == []
    assert house.gate.because == "RAISED_BY_HAND"


def test_a_command_to_go_down_is_no_raise_that_could_come_late() -> None:
    house = House()
    house.park()
    house.tell(UP)
    house.tell(w.OwnerLetsIn(), w.CommandFailed(2, w.FaultKind.NO_ANSWER), DOWN)
    house.wait(1)
    assert w.Notify(w.Notice.ROSE, "b1") not in house.tell(UP)


def test_a_barrier_that_reports_twice_that_it_is_up_has_not_healed() -> None:
    house = House()
    house.tell(DOWN, UP, UP)
    assert house.gate.because == "RAISED_BY_HAND"


def test_a_car_that_shows_again_while_it_seemed_to_leave_has_not_left() -> None:
    house = House()
    house.leave()
    house.wait(5)
    assert house.sensors(w.Says.OCCUPIED, "radar") == []
    assert (house.gate.phase, house.gate.since, house.gate.because) == (w.Phase.PARKED, house.now, "NOT_CLEAR")


def test_an_admission_that_nobody_uses_ends_with_the_booking_and_raises_nothing() -> None:
    house = House(rights=(replace(RIGHT, end=RIGHT.start + 100),))
    house.admit()
    assert house.wait(99) == []
    assert house.wait(1) == [w.Notify(w.Notice.STAYS_DOWN, "b1")]
    assert house.gate.phase is w.Phase.IDLE


def test_an_admission_by_the_owner_that_nobody_uses_ends_after_a_while() -> None:
    house = House(rights=())
    house.tell(w.OwnerLetsIn(), DOWN)
    assert house.wait(DEFAULT_POLICY.unused_admission - 1) == []
    assert house.wait(1) == [w.Notify(w.Notice.STAYS_DOWN)]
    assert kinds(house.wait(1000)) == []


def test_an_admission_whose_booking_was_taken_back_ends_when_that_would_have_ended() -> None:
    house = House()
    house.admit()
    house.wait(DEFAULT_POLICY.not_in_after)
    house.tell(w.RightsChanged(()))
    assert house.wait(RIGHT.end - house.now) == [w.Notify(w.Notice.STAYS_DOWN, "b1")]


def test_after_a_guest_of_a_bay_without_sensors_the_owner_is_asked() -> None:
    house = House((), rights=())
    house.tell(w.OwnerLetsIn(), DOWN)
    house.wait(DEFAULT_POLICY.assume_arrived)
    assert house.wait(DEFAULT_POLICY.unused_admission - 1) == []
    assert house.wait(1) == [w.Notify(w.Notice.ASK_RAISE)]
