"""The renter in the rain: what is tried, one after the other, for somebody whose plate does not admit."""

from dataclasses import replace

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.policy import DEFAULT_POLICY
from tests.gate.house import END, NEXT, RIGHT, START, House, kinds, moves

LADDER = [
    (w.Rung.HARDER, DEFAULT_POLICY.harder_after),
    (w.Rung.OWNER, DEFAULT_POLICY.owner_after),
    (w.Rung.CODE, DEFAULT_POLICY.code_after),
    (w.Rung.CALL, DEFAULT_POLICY.call_after),
]


class Rain(House):
    """A house in whose period somebody stands and says so."""

    def __init__(self, **changes: object) -> None:
        super().__init__(**changes)
        self.go_to_start()
        self.here()

    def here(self, booking: str = "b1") -> list[w.Intent]:
        return self.tell(w.RenterNear(booking, self.now, w.ArmedBy.HERE))


def helps(intents: list[w.Intent]) -> list[w.Rung]:
    return [intent.rung for intent in intents if isinstance(intent, w.Help)]


def test_who_stands_there_is_helped_rung_by_rung() -> None:
    house = Rain()
    asked = house.wait(200)
    assert asked == [w.Help("b1", rung, START + after) for rung, after in LADDER]


@pytest.mark.parametrize(("rung", "after"), LADDER)
def test_no_rung_is_taken_before_its_time(rung: w.Rung, after: float) -> None:
    house = Rain()
    assert rung not in helps(house.wait(after - 0.1))
    assert helps(house.wait(0.1)) == [rung]


def test_a_plate_that_admits_in_between_ends_the_help() -> None:
    house = Rain()
    house.wait(35)
    assert moves(house.judged(w.Decision.ADMIT))
    house.tell(w.BarrierSeen(w.Position.DOWN))
    assert helps(house.wait(100)) == []


def test_nobody_is_helped_who_was_only_near() -> None:
    house = House()
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.POSITION))
    assert helps(house.wait(250)) == []


def test_a_plate_that_stays_in_view_is_somebody_who_stands_there() -> None:
    house = House()
    house.go_to_start()
    taken = []
    for _ in range(4):
        house.judged(w.Decision.UNSURE)
        taken += helps(house.wait(DEFAULT_POLICY.sign_lasts))
    assert taken == [w.Rung.HARDER, w.Rung.OWNER]


def test_a_plate_that_only_passes_by_brings_no_help() -> None:
    house = House()
    house.go_to_start()
    house.judged(w.Decision.UNSURE)
    assert helps(house.wait(100)) == []


def test_who_comes_again_after_a_pause_waits_anew() -> None:
    house = House()
    house.go_to_start()
    house.judged(w.Decision.UNSURE)
    house.wait(DEFAULT_POLICY.sign_lasts + 4)
    house.judged(w.Decision.UNSURE)
    assert helps(house.wait(DEFAULT_POLICY.sign_lasts)) == []


def test_looks_without_any_plate_are_no_sign_of_somebody() -> None:
    house = House()
    house.go_to_start()
    for _ in range(10):
        house.tell(w.Judged("b1", w.Decision.UNSURE, house.now, plate_seen=False))
        assert helps(house.wait(5)) == []


def test_a_car_that_a_sensor_sees_is_helped_like_one_that_says_so() -> None:
    house = House()
    house.go_to_start()
    house.sensors(w.Says.OCCUPIED, "radar")
    assert helps(house.wait(35)) == [w.Rung.HARDER, w.Rung.OWNER]


def test_a_car_on_its_way_is_looked_for_and_not_yet_helped() -> None:
    house = House()
    house.tell(w.LinkSeen(up=True))
    house.go_to_start()
    assert house.tell(w.CarSensed(house.now)) == [w.CameraOn("b1")]
    assert helps(house.wait(200)) == []
    assert kinds(house.wait(200)) == [w.CameraOff], "nobody to tell the owner of: it passed by"


@pytest.mark.parametrize("age", [DEFAULT_POLICY.near_max_age + 1, -61.0])
def test_a_car_that_was_sensed_long_ago_wakes_no_camera(age: float) -> None:
    house = House()
    house.tell(w.LinkSeen(up=True))
    house.go_to_start()
    assert house.tell(w.CarSensed(house.now - age)) == []


@pytest.mark.parametrize("age", [DEFAULT_POLICY.near_max_age, -60.0])
def test_a_car_that_was_sensed_lately_wakes_the_camera(age: float) -> None:
    house = House()
    house.tell(w.LinkSeen(up=True))
    house.go_to_start()
    assert house.tell(w.CarSensed(house.now - age)) == [w.CameraOn("b1")]


def test_a_car_on_its_way_to_a_bay_in_use_wakes_no_camera() -> None:
    house = House()
    house.park()
    house.tell(w.CarSensed(house.now))
    assert house.gate.approach is None


def test_a_car_on_its_way_makes_the_camera_look_longer() -> None:
    house = House()
    house.tell(w.LinkSeen(up=True))
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.POSITION))
    house.wait(200)
    house.tell(w.CarSensed(house.now))
    assert house.gate.armed_until == house.now + DEFAULT_POLICY.look_budget
    assert house.gate.armed_by is w.ArmedBy.VEHICLE


def test_a_car_on_its_way_does_not_make_doubtful_who_already_said_that_they_are_here() -> None:
    house = Rain()
    house.wait(5)
    house.tell(w.CarSensed(house.now))
    assert house.gate.armed_by is w.ArmedBy.HERE
    assert helps(house.wait(10)) == [w.Rung.HARDER]


def test_who_comes_before_their_time_waits_from_its_start_on() -> None:
    house = House()
    house.wait(950)
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    assert helps(house.wait(50 + DEFAULT_POLICY.harder_after - 1)) == []
    assert helps(house.wait(1)) == [w.Rung.HARDER]


def test_the_owner_is_not_asked_again_who_has_refused() -> None:
    house = Rain()
    house.wait(40)
    asked = house.tell(w.OwnerRefuses("b1"))
    assert asked == [w.CameraOff(), w.AdmissionDecided("b1", w.Decision.REFUSE, w.Cause.OWNER, house.now)]
    house.here()
    assert helps(house.wait(200)) == [w.Rung.HARDER, w.Rung.CALL]


def test_the_booked_plate_still_opens_after_the_owner_refused_another_car() -> None:
    house = Rain()
    house.tell(w.OwnerRefuses("b1"))
    house.here()
    assert moves(house.judged(w.Decision.ADMIT))


def test_a_refusal_of_another_booking_leaves_the_one_who_waits_alone() -> None:
    house = Rain(rights=(RIGHT, NEXT))
    assert house.tell(w.OwnerRefuses("b2")) == []
    assert house.gate.phase is w.Phase.LOOKING
    assert house.gate.barred == ("b2",)


def test_a_refusal_of_a_booking_that_is_not_here_is_nothing() -> None:
    house = Rain()
    assert house.tell(w.OwnerRefuses("b7")) == []
    assert house.gate.barred == ()


def test_a_booking_that_is_taken_back_and_told_of_anew_stays_refused() -> None:
    house = Rain(rights=(RIGHT, NEXT))
    house.tell(w.OwnerRefuses("b1"), w.OwnerRefuses("b2"), w.OwnerRefuses("b1"))
    assert house.gate.barred == ("b2", "b1")
    house.tell(w.RightsChanged((NEXT,)), w.RightsChanged((RIGHT, NEXT)))
    assert house.tell(w.CodeGiven("b1", house.now)) == []


def test_only_so_many_refusals_are_remembered() -> None:
    rights = tuple(replace(RIGHT, booking=f"b{number}") for number in range(30))
    house = Rain(rights=rights)
    house.tell(*(w.OwnerRefuses(right.booking) for right in rights))
    assert house.gate.barred == tuple(f"b{number}" for number in range(10, 30))


def test_a_restart_begins_the_ladder_anew_for_who_still_stands_there() -> None:
    house = Rain()
    house.wait(35)
    assert house.reboot() == [w.CameraOn("b1")]
    assert helps(house.wait(35)) == [w.Rung.HARDER, w.Rung.OWNER]


def test_help_ends_with_the_period() -> None:
    house = House(policy=replace(DEFAULT_POLICY, look_budget=3600.0))
    house.wait(END - house.now - 20)
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    assert helps(house.wait(500)) == [w.Rung.HARDER]


def test_a_renter_who_is_let_in_and_not_seen_to_come_in_is_told_whom_to_call() -> None:
    house = House()
    house.admit()
    assert house.wait(DEFAULT_POLICY.not_in_after - 1) == []
    assert house.wait(1) == [w.Help("b1", w.Rung.CALL, house.now), w.Notify(w.Notice.NOT_IN, "b1")]
    assert house.wait(1000) == [], "once"


def test_the_owner_can_insist_when_the_barrier_says_that_it_is_down_and_is_not() -> None:
    house = House()
    house.admit()
    (wish,) = moves(house.tell(w.OwnerLetsIn()))
    assert (wish.target, wish.insist) == (w.Position.DOWN, True)


def test_who_is_let_in_and_says_again_that_they_are_here_is_helped_soon() -> None:
    house = House()
    house.admit()
    house.wait(20)
    asked = house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    assert helps(asked + house.wait(DEFAULT_POLICY.not_in_here_after)) == [w.Rung.CALL]
