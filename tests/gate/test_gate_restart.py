"""After a restart: nothing moves, nothing is lost."""

from dataclasses import replace

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.policy import DEFAULT_POLICY
from tests.gate.house import END, NEXT, RIGHT, START, House, kinds, moves


@pytest.mark.parametrize(
    "until", ["admit", "park", "leave", "warning", "raising", "looking", "lowering"], ids=lambda name: f"while_{name}"
)
def test_a_restart_moves_nothing_and_forgets_nothing(until: str) -> None:
    house = House()
    match until:
        case "admit" | "park" | "leave":
            getattr(house, until)()
        case "warning" | "raising":
            house.leave()
            house.wait(25 if until == "warning" else 31)
        case _:
            house.go_to_start()
    if until == "lowering":
        house.judged(w.Decision.ADMIT)
    assert house.gate.phase.name.lower().startswith({"leave": "leav", "park": "park"}.get(until, until))
    rights, stood = house.gate.rights, house.gate.stood
    assert not moves(house.reboot())
    asked = house.tell(w.BarrierSeen(stood), *(w.SourceSeen(n, w.Says.CLEAR, house.now) for n in ("radar", "magnetic")))
    assert not moves(asked + house.wait(100_000))
    assert house.gate.rights == rights


def test_a_restart_between_command_and_answer_still_knows_whose_admission_it_was() -> None:
    house = House()
    house.go_to_start()
    house.judged(w.Decision.ADMIT)
    house.reboot()
    house.tell(w.BarrierSeen(w.Position.DOWN))
    assert (house.gate.phase, house.gate.booking, house.gate.by_hand) == (w.Phase.ADMITTED, "b1", False)


def test_after_a_restart_a_car_that_is_seen_to_leave_lets_the_barrier_rise() -> None:
    house = House()
    house.park()
    house.reboot()
    house.tell(w.BarrierSeen(w.Position.DOWN))
    house.sensors(w.Says.OCCUPIED)
    house.wait(100)
    house.sensors(w.Says.CLEAR)
    assert [wish.target for wish in moves(house.wait(60))] == [w.Position.UP]


@pytest.mark.parametrize("seconds", [DEFAULT_POLICY.departure_debounce, DEFAULT_POLICY.departure_debounce + 10])
def test_after_a_restart_before_the_barrier_rose_somebody_hears_that_it_stays_down(seconds: float) -> None:
    house = House()
    house.leave()
    house.wait(seconds)
    assert house.gate.phase in (w.Phase.WARNING, w.Phase.RAISING)
    assert house.reboot() == [w.Notify(w.Notice.STAYS_DOWN)]
    assert house.wait(3600) == []


def test_after_a_restart_while_it_went_down_for_a_code_the_camera_looks_on() -> None:
    house = House()
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.tell(w.CodeGiven("b1", house.now))
    assert house.gate.phase is w.Phase.LOWERING
    assert house.reboot() == [w.CameraOn("b1")]


def test_after_a_restart_nothing_that_was_seen_before_counts() -> None:
    house = House()
    house.park()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE), w.Booted(("radar", "camera")))
    gate = house.gate
    assert gate.sources == (w.Said("radar", w.Says.UNKNOWN, 0.0), w.Said("camera", w.Says.UNKNOWN, 0.0))
    assert (gate.position, gate.inhibited, gate.command, gate.approach) == (w.Position.UNKNOWN, True, None, None)
    assert gate.unlinked_since == house.now


def test_a_reload_while_it_goes_down_ends_the_command() -> None:
    house = House()
    house.park()
    house.tell(w.BarrierSeen(w.Position.UP))
    house.tell(w.OwnerLetsIn(), w.Booted(("radar", "magnetic")))
    assert (house.gate.phase, house.gate.command, house.gate.booking) == (w.Phase.PARKED, None, "b1")


def test_a_reload_forgets_who_waited() -> None:
    house = House(rights=(replace(RIGHT, end=END - 30), replace(NEXT, start=END - 25)))
    house.wait(END - 60 - house.now)
    house.tell(w.OwnerLetsIn(), w.BarrierSeen(w.Position.DOWN))
    house.wait(5)
    house.tell(w.RenterNear("b2", house.now, w.ArmedBy.HERE))
    assert house.gate.approach is not None
    house.tell(w.Booted(()))
    assert house.gate.approach is None


@pytest.mark.parametrize("until", ["idle", "park"])
def test_a_restart_at_rest_or_in_a_stay_asks_for_nothing(until: str) -> None:
    house = House()
    if until == "park":
        house.park()
    assert house.reboot() == []
    assert house.gate.because == "BOOT_RESUMES"


def test_a_restart_after_the_look_is_over_turns_the_camera_off() -> None:
    house = House()
    house.go_to_start()
    house.tell(w.RightsChanged((replace(RIGHT, end=START + 30),)))
    house.now = START + 30
    assert house.reboot() == [w.CameraOff()]
    assert house.gate.phase is w.Phase.IDLE


def test_a_restart_after_the_booking_went_turns_the_camera_off() -> None:
    house = House()
    house.go_to_start()
    house.gate = replace(house.gate, rights=())
    assert house.reboot() == [w.CameraOff()]


@pytest.mark.parametrize("phase", [w.Phase.IDLE, w.Phase.PARKED, w.Phase.LEAVING])
def test_a_restart_turns_off_a_camera_that_a_crash_left_on(phase: w.Phase) -> None:
    house = House()
    if phase is not w.Phase.IDLE:
        house.park()
    house.gate = replace(house.gate, camera=True, phase=phase)
    assert house.reboot() == [w.CameraOff()]
    assert not house.gate.camera


def test_a_restart_while_it_went_down_for_the_owner_forgets_it_without_a_word() -> None:
    house = House(rights=())
    house.tell(w.OwnerLetsIn())
    assert house.reboot() == []
    assert house.gate.because == "BOOT_FORGETS"


def test_who_was_only_near_before_a_restart_is_not_helped_after_it() -> None:
    house = House()
    house.tell(w.LinkSeen(up=True))
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.POSITION))
    house.judged(w.Decision.UNSURE)
    assert house.gate.stands_since is not None
    house.reboot()
    assert (house.gate.stands_since, house.gate.stands_until) == (None, 0.0)


def test_who_stood_there_before_a_restart_waits_anew_after_it() -> None:
    house = House()
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.wait(10)
    house.reboot()
    assert house.gate.stands_since == house.now


def test_a_restart_while_it_goes_down_again_before_a_car_tells_that_it_stays_down() -> None:
    house = House()
    house.leave()
    house.wait(30)
    house.sensors(w.Says.OCCUPIED, "radar")
    assert house.gate.command.cause is w.Cause.SAFETY
    assert w.Notify(w.Notice.STAYS_DOWN) in house.reboot()
    assert house.gate.phase is w.Phase.IDLE


def test_a_restart_at_the_very_end_of_looking_looks_no_more() -> None:
    house = House()
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.now = house.gate.armed_until
    assert w.CameraOn not in kinds(house.reboot())
