"""When the camera begins to look, and when it stops."""

from dataclasses import replace

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.core import look_pace
from custom_components.parkshare.gate.policy import DEFAULT_POLICY
from tests.gate.house import END, NEXT, RIGHT, House, kinds, moves


def test_with_the_backend_there_the_start_of_the_period_leaves_the_camera_to_the_renters_phone() -> None:
    house = House()
    house.tell(w.LinkSeen(up=True))
    assert kinds(house.wait(1000 + DEFAULT_POLICY.watch_delay - 1)) == []
    assert house.tell(w.RenterNear("b1", house.now, w.ArmedBy.POSITION)) == [w.CameraOn("b1")]


def test_a_renter_whose_phone_tells_nothing_is_watched_for_soon_after_the_start() -> None:
    house = House()
    house.tell(w.LinkSeen(up=True))
    house.go_to_start()
    assert house.gate.phase is w.Phase.IDLE
    assert kinds(house.wait(DEFAULT_POLICY.watch_delay)) == [w.CameraOn]


def test_a_renter_who_came_before_their_time_is_looked_for_when_it_comes() -> None:
    house = House()
    house.tell(w.LinkSeen(up=True))
    house.wait(400)
    assert house.tell(w.RenterNear("b1", house.now, w.ArmedBy.POSITION)) == []
    assert kinds(house.wait(600 - DEFAULT_POLICY.arm_early)) == [w.CameraOn]
    assert house.gate.armed_by is w.ArmedBy.POSITION


def test_a_backend_that_goes_away_in_the_period_makes_the_camera_watch_at_once() -> None:
    house = House()
    house.tell(w.LinkSeen(up=True))
    house.go_to_start()
    house.tell(w.LinkSeen(up=False))
    assert kinds(house.wait(DEFAULT_POLICY.link_patience - 1)) == []
    assert kinds(house.wait(1)) == [w.CameraOn]


def test_a_backend_that_restarts_wakes_no_camera() -> None:
    house = House()
    house.tell(w.LinkSeen(up=True))
    house.go_to_start()
    for _ in range(3):
        house.tell(w.LinkSeen(up=False))
        assert kinds(house.wait(DEFAULT_POLICY.link_patience - 1)) == []
        house.tell(w.LinkSeen(up=True))


def test_another_car_is_looked_at_closely_until_the_owner_was_told_of_it() -> None:
    house = House()
    house.go_to_start()
    assert look_pace(house.gate) == DEFAULT_POLICY.watch_pace
    house.judged(w.Decision.REFUSE)
    assert look_pace(house.gate) == DEFAULT_POLICY.look_pace
    house.wait(DEFAULT_POLICY.refuse_settle)
    house.judged(w.Decision.REFUSE)
    assert look_pace(house.gate) == DEFAULT_POLICY.watch_pace


def test_a_bay_that_nobody_comes_to_is_watched_no_longer_than_the_policy_says() -> None:
    house = House()
    house.go_to_start()
    assert kinds(house.wait(3600)) == [w.CameraOff]
    assert house.wait(3000) == []


def test_the_renter_can_come_late() -> None:
    house = House()
    house.go_to_start()
    house.wait(5000)
    assert house.tell(w.RenterNear("b1", house.now - 5, w.ArmedBy.POSITION)) == [w.CameraOn("b1")]
    assert moves(house.judged(w.Decision.ADMIT))


@pytest.mark.parametrize("age", [121.0, 3600.0, -61.0])
def test_a_stale_or_impossible_fact_never_arms_the_camera(age: float) -> None:
    house = House()
    house.go_to_start()
    house.wait(5000)
    assert house.tell(w.RenterNear("b1", house.now - age, w.ArmedBy.POSITION)) == []
    assert house.gate.near is None


def test_a_car_that_is_sensed_in_a_booked_period_arms_the_camera_once() -> None:
    house = House()
    house.go_to_start()
    house.wait(3600)
    assert house.sensors(w.Says.OCCUPIED, "radar") == [w.CameraOn("b1")]
    assert w.CameraOff in kinds(house.wait(400))
    assert house.wait(1000) == [], "the same car standing there is no new sign"


def test_outside_of_a_booking_nothing_arms_the_camera() -> None:
    house = House(rights=())
    house.sensors(w.Says.OCCUPIED)
    assert house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE)) == []
    assert house.wait(10_000) == []


def test_a_booking_that_is_taken_back_turns_the_camera_off() -> None:
    house = House()
    house.go_to_start()
    assert house.tell(w.RightsChanged(())) == [w.CameraOff()]
    assert house.judged(w.Decision.ADMIT) == []


def test_a_renter_who_drove_away_again_is_forgotten() -> None:
    house = House()
    house.tell(w.LinkSeen(up=True))
    house.wait(400)
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.POSITION), w.RenterAway("b1"))
    assert kinds(house.wait(700)) == []


def test_another_renter_who_drives_away_changes_nothing() -> None:
    house = House(rights=(RIGHT, NEXT))
    house.tell(w.LinkSeen(up=True))
    house.wait(400)
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.POSITION), w.RenterAway("b2"))
    assert kinds(house.wait(600)) == [w.CameraOn]
    assert house.tell(w.RenterAway("b2")) == []
    assert house.tell(w.RenterAway("b1")) == [w.CameraOff()]


def test_who_drives_away_before_the_gate_is_free_for_them_arms_no_camera() -> None:
    house = House(rights=(replace(RIGHT, end=END - 60), NEXT))
    house.tell(w.LinkSeen(up=True))
    house.wait(END - 90 - house.now)
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.judged(w.Decision.ADMIT)
    house.wait(35)
    house.tell(w.RenterNear("b2", house.now, w.ArmedBy.HERE))
    house.tell(w.RenterAway("b1"))
    assert house.gate.approach is not None
    house.tell(w.RenterAway("b2"))
    assert house.gate.approach is None


def test_a_renter_who_goes_does_not_end_a_look_for_a_car_in_the_bay() -> None:
    house = House()
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.sensors(w.Says.OCCUPIED, "radar")
    assert house.tell(w.RenterAway("b1")) == []


@pytest.mark.parametrize("age", [DEFAULT_POLICY.near_max_age, -60.0])
def test_a_fact_at_the_very_edge_of_its_age_still_counts(age: float) -> None:
    house = House()
    house.tell(w.LinkSeen(up=True))
    house.go_to_start()
    assert house.tell(w.RenterNear("b1", house.now - age, w.ArmedBy.HERE)) == [w.CameraOn("b1")]


def test_each_new_sign_makes_the_camera_look_longer() -> None:
    house = House()
    house.tell(w.LinkSeen(up=True))
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.POSITION))
    for _ in range(3):
        house.wait(200)
        house.tell(w.RenterNear("b1", house.now, w.ArmedBy.POSITION))
        assert house.gate.armed_until == house.now + DEFAULT_POLICY.look_budget


def test_a_renter_of_the_next_booking_does_not_lengthen_this_look() -> None:
    house = House(rights=(replace(RIGHT, end=END - 30), replace(NEXT, start=END - 20)))
    house.tell(w.LinkSeen(up=True))
    house.wait(END - 65 - house.now)
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.POSITION))
    house.tell(w.RenterNear("b2", house.now, w.ArmedBy.HERE))
    assert (house.gate.booking, house.gate.armed_by) == ("b1", w.ArmedBy.POSITION)


def test_a_link_that_is_told_gone_twice_is_gone_since_the_first_time() -> None:
    house = House()
    house.tell(w.LinkSeen(up=True))
    house.go_to_start()
    house.tell(w.LinkSeen(up=False))
    house.wait(DEFAULT_POLICY.link_patience - 5)
    house.tell(w.LinkSeen(up=False))
    assert kinds(house.wait(5)) == [w.CameraOn]


def test_who_was_let_in_and_is_only_near_is_not_yet_missed() -> None:
    house = House()
    house.admit()
    house.wait(20)
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.POSITION))
    assert house.wait(DEFAULT_POLICY.not_in_here_after + 5) == []
    house.sensors(w.Says.OCCUPIED)
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    assert house.gate.stands_since is None
