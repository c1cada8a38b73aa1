"""After a restart: nothing moves, nothing is lost."""

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.policy import DEFAULT_POLICY
from tests.gate.house import House, moves


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
