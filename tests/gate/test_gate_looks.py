"""One look after the other: what each verdict changes, and what is forgotten when a look begins or ends."""

import pytest

from custom_components.parkshare.gate import words as w
from tests.gate.house import END, NEXT, RIGHT, START, House, kinds, moves


def looking(**changes: object) -> House:
    house = House(**changes)
    house.go_to_start()
    assert house.gate.phase is w.Phase.LOOKING
    return house


@pytest.mark.parametrize(("age", "opens"), [(10.0, True), (10.1, False), (-1.0, True), (-1.1, False)])
def test_only_a_fresh_verdict_opens(age: float, *, opens: bool) -> None:
    house = looking()
    assert bool(moves(house.tell(w.Judged("b1", w.Decision.ADMIT, house.now - age, plate_seen=True)))) == opens


def test_a_verdict_after_the_look_is_nothing() -> None:
    house = House()
    house.admit()
    assert house.judged(w.Decision.ADMIT) == []
    assert house.judged(w.Decision.REFUSE) == []


def test_a_verdict_about_another_booking_is_nothing() -> None:
    house = looking(rights=(RIGHT, NEXT))
    assert house.judged(w.Decision.ADMIT, "b2") == []


def test_a_refusal_is_recorded_with_its_booking() -> None:
    house = looking()
    house.judged(w.Decision.REFUSE)
    house.wait(5)
    refused = w.AdmissionDecided("b1", w.Decision.REFUSE, w.Cause.PLATE, house.now)
    assert house.judged(w.Decision.REFUSE) == [refused, w.Notify(w.Notice.REFUSED, "b1")]


def test_another_plate_that_was_seen_only_for_moments_is_not_told_of() -> None:
    house, asked = looking(), []
    for decision in (w.Decision.REFUSE, w.Decision.UNSURE, w.Decision.REFUSE, w.Decision.REFUSE):
        asked += house.judged(decision)
        house.wait(3)
    assert asked == []


def test_a_watch_in_which_a_plate_was_seen_ends_in_unsure() -> None:
    house = looking()
    house.judged(w.Decision.UNSURE)
    house.tell(w.Judged("b1", w.Decision.UNSURE, house.now, plate_seen=False))
    unsure = w.AdmissionDecided("b1", w.Decision.UNSURE, w.Cause.PLATE, START + 3600)
    assert house.wait(3600) == [w.CameraOff(), unsure, w.Notify(w.Notice.UNSURE, "b1")]


def test_a_watch_that_ends_on_another_plate_ends_in_refused() -> None:
    house = looking()
    house.judged(w.Decision.REFUSE)
    refused = w.AdmissionDecided("b1", w.Decision.REFUSE, w.Cause.PLATE, START + 3600)
    assert house.wait(3600) == [w.CameraOff(), refused, w.Notify(w.Notice.REFUSED, "b1")]


def test_a_second_look_knows_nothing_of_the_refusal_in_the_first() -> None:
    house = looking()
    house.judged(w.Decision.REFUSE)
    house.wait(6)
    house.judged(w.Decision.REFUSE)
    house.wait(3700)
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.POSITION))
    house.judged(w.Decision.REFUSE)
    house.wait(6)
    assert kinds(house.judged(w.Decision.REFUSE)) == [w.AdmissionDecided, w.Notify]


def test_who_is_let_in_ends_the_help_and_who_else_was_near_must_say_so_again() -> None:
    house = looking(rights=(RIGHT, w.Right(booking="b2", start=START, end=END)))
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.wait(35)
    house.tell(w.RenterNear("b2", house.now, w.ArmedBy.HERE))
    house.judged(w.Decision.ADMIT)
    assert (house.gate.rung, house.gate.approach, house.gate.stands_since) == (None, None, None)


def test_who_is_admitted_a_second_time_is_noted_once() -> None:
    house = looking()
    house.wait(3700)
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.judged(w.Decision.ADMIT)
    assert house.gate.watched == ("b1",)


def test_at_the_very_end_of_the_period_the_camera_looks_no_more() -> None:
    house = House()
    house.wait(END - house.now)
    assert house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE)) == []


def test_a_sensor_that_is_not_of_this_bay_says_nothing() -> None:
    house = House()
    assert house.tell(w.SourceSeen("other", w.Says.OCCUPIED, house.now)) == []


def test_a_booking_that_comes_when_its_watch_would_be_over_starts_none() -> None:
    house = House(rights=())
    house.wait(START + 3600 - house.now)
    assert house.tell(w.RightsChanged((RIGHT,))) == []


def test_a_barrier_that_reports_twice_that_it_is_down_has_not_healed() -> None:
    house = House()
    house.tell(w.BarrierSeen(w.Position.DOWN), w.BarrierSeen(w.Position.DOWN))
    assert house.gate.because == "LOWERED_BY_HAND"


def test_a_barrier_that_the_owner_lowered_anew_is_no_longer_lowered_by_hand() -> None:
    house = House()
    house.tell(w.BarrierSeen(w.Position.DOWN))
    assert house.gate.by_hand
    house.go_to_start()
    house.judged(w.Decision.ADMIT)
    house.tell(w.OwnerLetsIn(), w.BarrierSeen(w.Position.DOWN))
    assert not house.gate.by_hand
