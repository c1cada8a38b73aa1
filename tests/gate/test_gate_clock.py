"""Somebody sets the clock of the house: the gate waits as long as it meant to, and nothing old becomes fresh."""

from dataclasses import replace

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.core import deadline, step
from custom_components.parkshare.gate.policy import DEFAULT_POLICY as POLICY
from tests.gate.house import END, NEXT, RIGHT, START, House, kinds, moves

HOUR = 3600.0
BACK_AND_FORTH = pytest.mark.parametrize("by", [-HOUR, HOUR])
LONG = w.Right(booking="b1", start=START - 2 * HOUR, end=START + 6 * HOUR)


class LongBooked(House):
    """A house with a booking that lasts for hours before and after, and a renter who says when they are there."""

    def go_to_start(self) -> list[w.Intent]:
        return super().go_to_start() + self.tell(w.RenterNear("b1", self.now, w.ArmedBy.HERE))


def in_a_long_booking() -> House:
    return LongBooked(rights=(LONG,))


# The car leaves


@pytest.mark.parametrize("seen", [True, False])
def test_a_clock_that_is_set_back_while_the_car_leaves_does_not_hold_up_the_barrier_for_an_hour(*, seen: bool) -> None:
    house = in_a_long_booking()
    house.leave()
    house.wait(10)
    house.set_clock(-HOUR, seen=seen)
    house.sensors(w.Says.CLEAR)
    (wish,) = moves(house.wait(31))
    assert wish.target is w.Position.UP


@BACK_AND_FORTH
def test_the_departure_is_waited_for_as_long_as_before_the_clock_was_set(by: float) -> None:
    house = in_a_long_booking()
    house.leave()
    house.wait(12)
    house.set_clock(by)
    house.sensors(w.Says.CLEAR)
    house.wait(7.9)
    assert house.gate.phase is w.Phase.LEAVING
    house.wait(0.1)
    assert house.gate.phase is w.Phase.WARNING


@BACK_AND_FORTH
def test_the_warning_lasts_as_long_as_before_the_clock_was_set(by: float) -> None:
    house = in_a_long_booking()
    house.leave()
    house.wait(24)
    assert house.gate.phase is w.Phase.WARNING
    house.sensors(w.Says.CLEAR)
    # Both looked in the same moment as the clock was set, so that only the time of the warning counts.
    house.gate = replace(
        house.gate, sources=tuple(replace(said, seen_at=said.seen_at + by) for said in house.gate.sources)
    )
    house.set_clock(by)
    assert not moves(house.wait(5.9))
    assert moves(house.wait(0.1))


def test_what_was_clear_before_the_clock_was_set_back_is_never_fresh_again() -> None:
    house = in_a_long_booking()
    house.leave()
    house.set_clock(-60)
    assert kinds(house.wait(2 * HOUR)) == [w.StayLeft, w.Notify]
    assert house.gate.position is w.Position.DOWN
    assert {said.seen_at for said in house.gate.sources} == {0.0}


def test_what_was_clear_before_the_clock_was_set_forward_is_old() -> None:
    house = in_a_long_booking()
    house.leave()
    house.set_clock(HOUR)
    assert kinds(house.wait(30)) == [w.StayLeft, w.Notify]


def test_one_sensor_that_looks_again_is_not_enough() -> None:
    house = in_a_long_booking()
    house.leave()
    house.set_clock(-HOUR)
    house.sensors(w.Says.CLEAR, "radar")
    assert not moves(house.wait(60))


def test_a_report_from_a_time_to_come_is_of_unknown_age() -> None:
    house = House()
    house.tell(w.SourceSeen("radar", w.Says.CLEAR, house.now + 1.0), w.SourceSeen("magnetic", w.Says.CLEAR, house.now))
    assert [(said.says, said.seen_at) for said in house.gate.sources] == [
        (w.Says.CLEAR, 0.0),
        (w.Says.CLEAR, house.now),
    ]


# A command in flight


@BACK_AND_FORTH
@pytest.mark.parametrize(("raises", "fails_after"), [(True, 35.0), (False, 75.0)])
def test_a_command_is_waited_for_as_long_as_before_the_clock_was_set(
    by: float, fails_after: float, *, raises: bool
) -> None:
    house = in_a_long_booking()
    if raises:
        house.leave()
        house.wait(30)
    else:
        house.go_to_start()
        house.judged(w.Decision.ADMIT)
    assert house.gate.command
    house.set_clock(by)
    house.sensors(w.Says.CLEAR)
    assert not house.wait(fails_after - 0.1)
    assert house.gate.command
    assert w.Notify in kinds(house.wait(0.1))
    assert house.gate.fault == w.Fault(w.FaultKind.NO_ANSWER, house.now)


def test_a_command_is_not_waited_for_until_a_time_to_come_though_nobody_saw_the_clock_being_set() -> None:
    house = in_a_long_booking()
    house.go_to_start()
    house.judged(w.Decision.ADMIT)
    house.wait(5)
    house.set_clock(-HOUR, seen=False)
    assert house.gate.command
    assert house.gate.command.issued_at == house.now
    assert not house.wait(74.9)
    assert w.Notify in kinds(house.wait(0.1))


# Forward and unseen is an hour that has passed, as far as anybody knows.
@pytest.mark.parametrize(("by", "seen"), [(-HOUR, True), (HOUR, True), (-HOUR, False)])
def test_the_barrier_that_answers_late_lets_the_renter_in_though_the_clock_was_set(by: float, *, seen: bool) -> None:
    house = in_a_long_booking()
    house.go_to_start()
    (wish,) = moves(house.judged(w.Decision.ADMIT))
    house.tell(w.CommandFailed(wish.number, w.FaultKind.NO_ANSWER))
    house.set_clock(by, seen=seen)
    house.wait(5)
    assert kinds(house.tell(w.BarrierSeen(w.Position.DOWN))) == [w.FaultEnded]
    assert house.gate.phase is w.Phase.ADMITTED
    assert house.gate.right == LONG


@BACK_AND_FORTH
def test_a_barrier_that_comes_up_late_under_a_car_is_told_of_though_the_clock_was_set(by: float) -> None:
    house = in_a_long_booking()
    house.leave()
    house.wait(30)
    house.tell(w.CommandFailed(house.gate.command.number, w.FaultKind.NO_ANSWER))
    house.sensors(w.Says.OCCUPIED)
    house.set_clock(by)
    house.wait(5)
    assert w.Notify(w.Notice.ROSE, house.gate.booking) in house.tell(w.BarrierSeen(w.Position.UP))


# Looking, and the renter in the rain


@BACK_AND_FORTH
def test_the_camera_looks_as_long_as_before_the_clock_was_set(by: float) -> None:
    house = in_a_long_booking()
    house.go_to_start()
    house.wait(10)
    until = house.gate.armed_until
    house.set_clock(by)
    assert (house.gate.since, house.gate.armed_until) == (house.now - 10, until + by)
    assert (house.gate.stands_since, house.gate.stands_until) == (house.now - 10, until + by)
    help_ = [intent.rung for intent in house.wait(20) if isinstance(intent, w.Help)]
    assert help_ == [w.Rung.HARDER, w.Rung.OWNER]
    house.wait(269.9)
    assert house.gate.camera
    assert w.CameraOff in kinds(house.wait(0.1))


def test_the_camera_looks_no_longer_than_its_budget_though_nobody_saw_the_clock_being_set_back() -> None:
    house = in_a_long_booking()
    house.go_to_start()
    house.set_clock(-HOUR, seen=False)
    assert house.gate.since == house.gate.stands_since == house.now
    assert house.gate.armed_until == house.gate.stands_until == house.now + POLICY.look_budget
    assert w.Help in kinds(house.wait(15))


def test_a_camera_that_looks_before_the_period_looks_into_it_though_the_clock_is_set_back() -> None:
    house = House()
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.set_clock(-100, seen=False)
    assert house.gate.armed_until == house.gate.stands_until == START + POLICY.look_budget
    # It began in the past by now, so nothing is cut off once more.
    house.wait(50)
    house.gate = replace(house.gate, armed_until=END, stands_until=END)
    house.tell(w.Tick())
    assert house.gate.armed_until == house.gate.stands_until == END


def test_the_camera_looks_no_longer_than_the_booking_though_the_clock_is_set_forward() -> None:
    house = House()
    house.wait(END - 400 - house.now)
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.set_clock(200)
    assert house.gate.armed_until == END


def test_a_watch_ends_at_its_time_of_day_though_the_clock_is_set() -> None:
    house = House()
    house.wait(START + POLICY.watch_delay - house.now)
    assert house.gate.armed_by is w.ArmedBy.WINDOW
    house.set_clock(200)
    assert house.gate.armed_until == START + POLICY.watch


def test_one_who_was_seen_by_nobody_does_not_stand_there_because_the_clock_is_set() -> None:
    house = House()
    house.wait(START + POLICY.watch_delay - house.now)
    house.set_clock(200)
    assert (house.gate.stands_since, house.gate.stands_until) == (None, 0.0)
    house.set_clock(-200, seen=False)
    assert (house.gate.stands_since, house.gate.stands_until) == (None, 0.0)


@BACK_AND_FORTH
def test_another_car_is_refused_after_as_long_a_look_as_before(by: float) -> None:
    house = in_a_long_booking()
    house.go_to_start()
    house.judged(w.Decision.REFUSE)
    house.wait(3)
    house.set_clock(by)
    house.wait(1.9)
    assert not house.judged(w.Decision.REFUSE)
    house.wait(0.1)
    assert w.Notify(w.Notice.REFUSED, "b1") in house.judged(w.Decision.REFUSE)


def test_another_car_is_refused_though_nobody_saw_the_clock_being_set_back() -> None:
    house = in_a_long_booking()
    house.go_to_start()
    house.judged(w.Decision.REFUSE)
    house.set_clock(-HOUR, seen=False)
    house.wait(5)
    assert w.Notify(w.Notice.REFUSED, "b1") in house.judged(w.Decision.REFUSE)


# What else is waited for


@BACK_AND_FORTH
def test_sensors_that_disagree_are_told_after_as_long_as_before(by: float) -> None:
    house = in_a_long_booking()
    house.park()
    house.sensors(w.Says.CLEAR, "radar")
    house.wait(500)
    house.set_clock(by)
    assert not house.wait(99.9)
    assert kinds(house.wait(0.1)) == [w.Notify]


def test_sensors_that_disagree_are_told_though_nobody_saw_the_clock_being_set_back() -> None:
    house = in_a_long_booking()
    house.park()
    house.sensors(w.Says.CLEAR, "radar")
    house.set_clock(-HOUR, seen=False)
    assert kinds(house.wait(600)) == [w.Notify]


@pytest.mark.parametrize(("by", "seen", "left"), [(-600.0, True, 20.0), (600.0, True, 20.0), (-600.0, False, 60.0)])
def test_a_car_of_nobody_is_told_of_after_as_long_as_before(by: float, left: float, *, seen: bool) -> None:
    house = House(rights=(NEXT,))
    house.wait(END - 1000 - house.now)
    house.sensors(w.Says.OCCUPIED)
    house.wait(40)
    house.set_clock(by, seen=seen)
    assert not house.wait(left - 0.1)
    assert w.BayTaken("b2", house.now + 0.1) in house.wait(0.1)


@pytest.mark.parametrize(("by", "seen", "left"), [(-600.0, True, 5.0), (600.0, True, 5.0), (-600.0, False, 20.0)])
def test_a_link_that_is_down_is_waited_for_as_long_as_before(by: float, left: float, *, seen: bool) -> None:
    house = in_a_long_booking()
    # It is not the present watch that is to be seen, but from when on the next one would begin.
    house.tell(w.LinkSeen(up=False))
    right = w.Right(booking="b2", start=house.now + by + 21.0, end=house.now + by + 1000.0)
    house.tell(w.LinkSeen(up=True), w.RightsChanged((right,)), w.LinkSeen(up=False))
    house.wait(15)
    house.set_clock(by, seen=seen)
    assert deadline(house.gate, house.now) == house.now + left


@pytest.mark.parametrize("seen", [True, False])
def test_a_fault_is_never_of_a_time_to_come(*, seen: bool) -> None:
    house = House()
    house.tell(w.BarrierSeen(w.Position.JAMMED))
    house.set_clock(-HOUR, seen=seen)
    assert house.gate.fault == w.Fault(w.FaultKind.JAMMED, house.now)
    house.set_clock(HOUR, seen=seen)
    assert house.gate.fault == w.Fault(w.FaultKind.JAMMED, house.now - HOUR)


def test_a_raise_that_is_of_a_time_to_come_explains_no_late_move_for_ever() -> None:
    house = in_a_long_booking()
    house.leave()
    house.wait(30)
    house.done()
    house.set_clock(-HOUR, seen=False)
    assert house.gate.raised_at == house.now
    assert house.gate.last_command is None


# A restart


def test_after_a_restart_with_a_clock_that_was_set_back_nothing_waits_for_a_time_to_come() -> None:
    house = in_a_long_booking()
    house.go_to_start()
    house.now -= HOUR
    house.reboot()
    assert house.gate.phase is w.Phase.LOOKING
    assert house.gate.since == house.now
    assert house.gate.armed_until == house.now + POLICY.look_budget


def test_after_a_restart_before_the_period_the_camera_stays_off() -> None:
    house = House()
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.now -= HOUR
    assert kinds(house.reboot()) == [w.CameraOff]
    assert house.gate.phase is w.Phase.IDLE


def test_what_is_not_of_a_time_to_come_stays_as_it_was() -> None:
    house = House()
    house.leave()
    before = house.gate
    assert step(before, w.Tick(), house.now)[0] == before
    assert RIGHT in before.rights


# The owner helps


def test_whom_the_owner_lets_in_before_their_time_is_whom_the_camera_looks_for() -> None:
    house = House()
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.set_clock(-HOUR)
    assert not moves(house.judged(w.Decision.ADMIT)), "by this clock it is not their time yet"
    (wish,) = moves(house.tell(w.OwnerLetsIn()))
    assert (wish.target, wish.booking) == (w.Position.DOWN, "b1")
    house.done()
    assert w.StayArrived("b1", house.now) in house.sensors(w.Says.OCCUPIED)


def test_whose_time_it_is_comes_before_whom_the_camera_looks_for() -> None:
    house = House(rights=(RIGHT, NEXT))
    house.wait(END - 30 - house.now)
    house.tell(w.RenterNear("b2", house.now, w.ArmedBy.HERE))
    assert house.gate.booking == "b2"
    (wish,) = moves(house.tell(w.OwnerLetsIn()))
    assert wish.booking == "b1"


def test_what_begins_right_now_is_not_of_a_time_to_come() -> None:
    house = House()
    house.wait(START - POLICY.arm_early - house.now)
    assert (house.gate.phase, house.gate.since) == (w.Phase.LOOKING, house.now)
    house.tell(w.Tick())
    assert house.gate.armed_until == START + POLICY.watch
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE), w.Tick())
    assert house.gate.stands_until == START + POLICY.watch
