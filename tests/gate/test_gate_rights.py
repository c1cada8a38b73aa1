"""The bookings change while things are under way, and what is near waits for the gate to be free."""

from dataclasses import replace

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.policy import DEFAULT_POLICY, GatePolicy
from tests.gate.house import END, NEXT, RIGHT, START, House, kinds

POSITION, HERE = w.ArmedBy.POSITION, w.ArmedBy.HERE


def linked(**changes: object) -> House:
    house = House(**changes)
    house.tell(w.LinkSeen(up=True))
    return house


def test_bookings_are_kept_in_the_order_of_their_periods() -> None:
    house = House(rights=(NEXT, RIGHT))
    assert house.gate.rights == (RIGHT, NEXT)


def test_a_renter_who_is_near_stays_near_when_another_booking_comes() -> None:
    house = linked()
    house.wait(400)
    house.tell(w.RenterNear("b1", house.now, POSITION), w.RightsChanged((RIGHT, NEXT)))
    assert house.gate.near == "b1"
    house.tell(w.RightsChanged((NEXT,)))
    assert house.gate.near is None


def test_what_was_noted_of_a_booking_goes_with_it() -> None:
    house = House(rights=(replace(RIGHT, end=START + 700), NEXT))
    house.leave()
    house.wait(60)
    assert (house.gate.watched, house.gate.left) == (("b1",), ("b1",))
    house.tell(w.RightsChanged((RIGHT, NEXT)))
    assert (house.gate.watched, house.gate.left) == (("b1",), ("b1",))
    house.tell(w.RightsChanged((NEXT,)))
    assert (house.gate.watched, house.gate.left) == ((), ())


def test_a_booking_that_becomes_shorter_ends_its_look_earlier() -> None:
    house = House()
    house.go_to_start()
    house.tell(w.RightsChanged((replace(RIGHT, end=START + 30),)))
    assert house.gate.armed_until == START + 30
    assert kinds(house.wait(30)) == [w.CameraOff]


def test_a_longer_booking_is_warned_of_and_overstayed_anew() -> None:
    house = House()
    house.park()
    house.wait(END + DEFAULT_POLICY.grace - house.now)
    house.tell(w.RightsChanged((replace(RIGHT, end=END + 7200),)))
    assert (house.gate.ending_told, house.gate.overstay_told) == (None, None)


def waiting(age: float = 0.0) -> House:
    """b2 is near while b1's admission ends: the gate is not free for them yet."""
    house = linked(rights=(replace(RIGHT, end=END - 30), replace(NEXT, start=END - 25)))
    house.wait(END - 60 - house.now)
    house.tell(w.RenterNear("b1", house.now, HERE))
    house.judged(w.Decision.ADMIT)
    house.tell(w.BarrierSeen(w.Position.DOWN))
    house.wait(10)
    house.tell(w.RenterNear("b2", house.now - age, HERE))
    assert house.gate.approach is not None
    return house


def test_who_waits_is_looked_for_as_soon_as_the_gate_is_free() -> None:
    house = waiting()
    assert kinds(house.wait(20)) == [w.Notify, w.CameraOn]
    assert (house.gate.booking, house.gate.approach) == ("b2", None)


def test_who_waited_too_long_is_only_known_to_be_near() -> None:
    house = waiting(age=DEFAULT_POLICY.near_max_age - 19)
    assert kinds(house.wait(20)) == [w.Notify, w.CameraOn]
    assert house.gate.armed_by is POSITION


def test_who_waited_as_long_as_is_allowed_is_looked_for() -> None:
    house = waiting(age=DEFAULT_POLICY.near_max_age - 20)
    assert kinds(house.wait(20)) == [w.Notify, w.CameraOn]
    assert house.gate.armed_by is HERE


def test_who_waits_without_their_booking_is_not_looked_for() -> None:
    house = waiting()
    house.tell(w.RightsChanged((replace(RIGHT, end=END - 30),)))
    assert kinds(house.wait(20)) == [w.Notify]


def test_who_waits_before_their_time_is_not_looked_for_by_that_word() -> None:
    house = waiting()
    house.tell(w.RightsChanged((replace(RIGHT, end=END - 30), replace(NEXT, start=END + 600))))
    assert kinds(house.wait(20)) == [w.Notify]


def test_a_renter_who_was_let_in_before_their_time_is_missed_from_its_start_on() -> None:
    house = House(policy=GatePolicy(early=900.0))
    house.wait(500)
    house.tell(w.OwnerLetsIn(), w.BarrierSeen(w.Position.DOWN))
    house.tell(w.RenterNear("b1", house.now, HERE))
    assert house.wait(500 + DEFAULT_POLICY.not_in_after - 1) == []
    assert w.Help("b1", w.Rung.CALL, house.now + 1) in house.wait(1)


def test_the_next_renter_of_a_bay_without_sensors_ends_the_owners_guest() -> None:
    house = linked(sources=(), rights=(RIGHT,))
    house.tell(w.OwnerLetsIn(), w.BarrierSeen(w.Position.DOWN))
    assert house.wait(DEFAULT_POLICY.assume_arrived) == []
    assert (house.gate.phase, house.gate.booking) == (w.Phase.PARKED, None)
    assert house.wait(DEFAULT_POLICY.unused_admission - 1) == []
    house = linked(sources=(), rights=(RIGHT,))
    house.now = START - 130
    house.tell(w.OwnerLetsIn(), w.BarrierSeen(w.Position.DOWN))
    house.wait(DEFAULT_POLICY.assume_arrived + 20)
    assert house.tell(w.RenterNear("b1", house.now, HERE)) == [w.CameraOn("b1")]


def test_a_stay_without_sensors_that_the_next_renter_ends_is_reported_once() -> None:
    house = linked(sources=(), rights=(RIGHT, NEXT))
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, HERE))
    house.judged(w.Decision.ADMIT)
    house.tell(w.BarrierSeen(w.Position.DOWN))
    house.wait(END - house.now + 10)
    asked = house.tell(w.RenterNear("b2", house.now, POSITION))
    assert asked[0] == w.StayLeft("b1", house.now)
    assert house.gate.left == ("b1",)


def test_who_waits_is_forgotten_after_a_while() -> None:
    house = linked(rights=(replace(RIGHT, end=END + 600), NEXT))
    house.wait(END - 70 - house.now)
    house.tell(w.RenterNear("b1", house.now, HERE))
    house.judged(w.Decision.ADMIT)
    house.tell(w.BarrierSeen(w.Position.DOWN))
    house.sensors(w.Says.OCCUPIED)
    house.wait(20)
    house.tell(w.RenterNear("b2", house.now, HERE))
    house.wait(DEFAULT_POLICY.near_max_age)
    assert house.gate.approach is not None
    house.wait(1)
    assert house.gate.approach is None
