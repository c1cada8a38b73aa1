"""The gate of one space: what a person may rely on, case by case."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.codec import from_document, to_document
from custom_components.parkshare.gate.core import deadline, look_pace, overstays, step
from custom_components.parkshare.gate.policy import DEFAULT_POLICY, GatePolicy
from custom_components.parkshare.gate.rules import may_carry_out, raise_refusal
from custom_components.parkshare.gate.page import markdown
from custom_components.parkshare.gate.table import T, go
from custom_components.parkshare.gate.transition import GateError

START = 1_800_000_000.0
END = START + 7200.0
RIGHT = w.Right(booking="b1", start=START, end=END)
NEXT = w.Right(booking="b2", start=END, end=END + 3600.0)


class House:
    """One gate with a clock: tell it something, see what it asks for."""

    def __init__(
        self,
        sources: tuple[str, ...] = ("radar", "magnetic"),
        rights: tuple[w.Right, ...] = (RIGHT,),
        policy: GatePolicy = DEFAULT_POLICY,
    ) -> None:
        self.now = START - 1000.0
        self.policy = policy
        self.gate = w.Gate()
        self.intents = []
        self.tell(w.Booted(sources), *(w.SourceSeen(s, w.Says.CLEAR, self.now) for s in sources))
        self.tell(w.BarrierSeen(w.Position.UP), w.RightsChanged(rights))

    def tell(self, *inputs: w.Input) -> list[w.Intent]:
        self.intents = []
        for told in inputs:
            self.gate, intents = step(self.gate, told, self.now, self.policy)
            self.intents += intents
        return self.intents

    def wait(self, seconds: float) -> list[w.Intent]:
        """Let time pass as the shell does: a tick at each deadline."""
        until, asked = self.now + seconds, []
        while (due := deadline(self.gate, self.now, self.policy)) is not None and due <= until:
            self.now = due
            asked += self.tell(w.Tick())
        self.now = until
        self.intents = asked + self.tell(w.Tick())
        return self.intents

    def sensors(self, says: w.Says, *names: str) -> list[w.Intent]:
        names = names or tuple(said.source for said in self.gate.sources)
        return self.tell(*(w.SourceSeen(name, says, self.now) for name in names))

    def judged(self, decision: w.Decision, booking: str = "b1") -> list[w.Intent]:
        return self.tell(w.Judged(booking, decision, self.now, plate_seen=True))

    def reboot(self) -> list[w.Intent]:
        names = tuple(said.source for said in self.gate.sources)
        self.gate = from_document(json.loads(json.dumps(to_document(self.gate))))
        return self.tell(w.Booted(names))

    def go_to_start(self) -> list[w.Intent]:
        return self.wait(START - self.now)

    def admit(self) -> None:
        self.go_to_start()
        self.judged(w.Decision.ADMIT)
        self.tell(w.BarrierSeen(w.Position.MOVING), w.BarrierSeen(w.Position.DOWN))
        assert self.gate.phase is w.Phase.ADMITTED

    def park(self) -> None:
        self.admit()
        self.wait(20)
        self.sensors(w.Says.OCCUPIED)
        assert self.gate.phase is w.Phase.PARKED

    def leave(self) -> list[w.Intent]:
        self.park()
        self.wait(600)
        return self.sensors(w.Says.CLEAR)


def kinds(intents: list[w.Intent]) -> list[type]:
    return [type(intent) for intent in intents]


def moves(intents: list[w.Intent]) -> list[w.Command]:
    return [intent.command for intent in intents if isinstance(intent, w.Move)]


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


def test_the_right_plate_in_its_period_lowers_the_barrier() -> None:
    house = House()
    assert kinds(house.wait(945)) == [w.CameraOn]
    assert house.judged(w.Decision.ADMIT) == [], "five seconds too early"
    house.go_to_start()
    decided, camera, move = house.judged(w.Decision.ADMIT)
    assert decided == w.AdmissionDecided("b1", w.Decision.ADMIT, w.Cause.PLATE, START)
    assert camera == w.CameraOff()
    assert (move.command.target, move.command.cause, move.command.booking) == (w.Position.DOWN, w.Cause.PLATE, "b1")


def test_a_wrong_plate_is_told_once_and_the_camera_goes_on_looking() -> None:
    house = House()
    house.go_to_start()
    house.judged(w.Decision.REFUSE)
    house.wait(6)
    assert kinds(house.judged(w.Decision.REFUSE)) == [w.AdmissionDecided, w.Notify]
    house.wait(6)
    assert house.judged(w.Decision.REFUSE) == []
    assert house.gate.phase is w.Phase.LOOKING
    assert moves(house.judged(w.Decision.ADMIT)), "the renter stood behind another car"


def test_a_slow_reader_tells_of_a_wrong_car_but_opens_for_no_old_picture() -> None:
    house = House()
    house.now = START
    house.tell(w.RenterNear("b1", START, w.ArmedBy.HERE))
    told = []
    for _ in range(3):
        house.wait(12)
        told += house.tell(w.Judged("b1", w.Decision.REFUSE, house.now - 12, plate_seen=True))
    assert w.Notify(w.Notice.REFUSED, "b1") in told
    house.tell(w.Judged("b1", w.Decision.ADMIT, house.now - 12, plate_seen=True))
    assert house.gate.phase is w.Phase.LOOKING


def test_an_unreadable_plate_ends_in_unsure_and_the_owner_is_told() -> None:
    house = House()
    house.wait(990)
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.wait(60)
    house.judged(w.Decision.UNSURE)
    asked = house.wait(3700)
    assert kinds(asked) == [w.CameraOff, w.AdmissionDecided, w.Notify]
    assert asked[1].decision is w.Decision.UNSURE
    assert house.gate.phase is w.Phase.IDLE


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


def test_the_barrier_rises_after_two_sensors_saw_the_car_leave() -> None:
    house = House()
    house.leave()
    assert kinds(house.wait(20)) == [w.StayLeft]
    assert house.gate.phase is w.Phase.WARNING
    (wish,) = moves(house.wait(10))
    assert (wish.target, wish.cause) == (w.Position.UP, w.Cause.CLEAR)
    house.tell(w.BarrierSeen(w.Position.MOVING), w.BarrierSeen(w.Position.UP))
    assert house.gate.phase is w.Phase.IDLE


@pytest.mark.parametrize("sources", [("radar",), ()])
def test_with_fewer_than_two_sensors_it_never_rises_by_itself(sources: tuple[str, ...]) -> None:
    house = House(sources)
    house.admit()
    house.wait(150)
    if sources:
        house.sensors(w.Says.OCCUPIED)
        house.sensors(w.Says.CLEAR)
    assert not moves(house.wait(100_000))


@pytest.mark.parametrize("says", [w.Says.OCCUPIED, w.Says.UNKNOWN])
def test_one_sensor_that_disagrees_or_is_silent_keeps_it_down(says: w.Says) -> None:
    house = House()
    house.park()
    house.sensors(w.Says.CLEAR, "radar")
    house.sensors(says, "magnetic")
    assert not moves(house.wait(100_000))
    assert house.gate.phase is w.Phase.PARKED


def test_a_stale_clear_keeps_it_down() -> None:
    house = House()
    house.park()
    house.sensors(w.Says.CLEAR, "radar")
    house.wait(400)
    house.sensors(w.Says.CLEAR, "magnetic")
    asked = house.wait(100)
    assert kinds(asked) == [w.StayLeft, w.Notify]
    assert house.gate.position is w.Position.DOWN


def test_a_car_during_the_warning_stops_the_raise() -> None:
    house = House()
    house.leave()
    house.wait(25)
    house.sensors(w.Says.OCCUPIED, "radar")
    assert house.gate.phase is w.Phase.PARKED
    assert not moves(house.wait(1000))


@pytest.mark.parametrize("says", [w.Says.OCCUPIED, w.Says.UNKNOWN])
def test_a_car_or_a_silent_sensor_while_it_rises_brings_it_down_again(says: w.Says) -> None:
    house = House()
    house.leave()
    house.wait(30)
    (wish,) = moves(house.sensors(says, "radar"))
    assert (wish.target, wish.cause) == (w.Position.DOWN, w.Cause.SAFETY)
    house.tell(w.BarrierSeen(w.Position.DOWN))
    assert house.gate.phase is w.Phase.PARKED


def test_a_sensor_that_sees_the_rising_barrier_does_not_make_it_go_up_and_down_for_ever() -> None:
    house = House()
    house.leave()
    raised = 0
    for _ in range(5):
        raised += len(moves(house.wait(60)))
        house.sensors(w.Says.OCCUPIED, "radar")
        house.tell(w.BarrierSeen(w.Position.DOWN))
        house.sensors(w.Says.CLEAR)
    assert raised == 2


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


def test_a_barrier_lowered_by_hand_stays_down_until_somebody_raises_it() -> None:
    house = House()
    house.tell(w.BarrierSeen(w.Position.DOWN))
    house.go_to_start()
    assert w.Move not in kinds(house.judged(w.Decision.ADMIT))
    house.sensors(w.Says.OCCUPIED)
    house.wait(100)
    house.sensors(w.Says.CLEAR)
    assert not moves(house.wait(1000))
    house.tell(w.BarrierSeen(w.Position.UP))
    assert not house.gate.by_hand


def test_the_end_of_a_booking_raises_nothing() -> None:
    house = House()
    house.park()
    assert house.wait(50_000) == []
    assert overstays(house.gate, house.now)


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


def test_the_owner_lets_in_at_any_time() -> None:
    house = House(rights=())
    (wish,) = moves(house.tell(w.OwnerLetsIn()))
    assert (wish.cause, wish.booking) == (w.Cause.OWNER, None)


def test_the_owner_can_let_a_car_out_when_somebody_raised_the_barrier_behind_it() -> None:
    house = House()
    house.park()
    house.tell(w.BarrierSeen(w.Position.UP))
    assert moves(house.tell(w.OwnerLetsIn()))
    house.tell(w.BarrierSeen(w.Position.DOWN))
    assert (house.gate.phase, house.gate.booking) == (w.Phase.PARKED, "b1")


@pytest.mark.parametrize("says", [w.Says.OCCUPIED, w.Says.UNKNOWN])
def test_the_owner_cannot_raise_under_a_car_or_a_silent_sensor(says: w.Says) -> None:
    house = House()
    house.park()
    house.sensors(w.Says.CLEAR, "radar")
    house.sensors(says, "magnetic")
    assert raise_refusal(house.gate) == says.value
    assert house.tell(w.OwnerRaises()) == []


def test_the_owner_raises_with_one_sensor_that_says_clear_and_the_stay_is_over() -> None:
    house = House(("radar",))
    house.park()
    house.tell(w.SourceSeen("radar", w.Says.CLEAR, house.now))
    (wish,) = moves(house.tell(w.OwnerRaises()))
    assert (wish.target, wish.cause) == (w.Position.UP, w.Cause.OWNER)
    assert kinds(house.tell(w.BarrierSeen(w.Position.UP))) == [w.Halt, w.StayLeft]


def test_without_a_sensor_the_next_renter_ends_the_stay_before() -> None:
    house = House((), (RIGHT, NEXT))
    house.admit()
    house.wait(END - house.now + 10)
    assert house.gate.phase is w.Phase.PARKED
    asked = house.tell(w.RenterNear("b2", house.now, w.ArmedBy.POSITION))
    assert kinds(asked) == [w.StayLeft, w.CameraOn]
    assert kinds(house.judged(w.Decision.ADMIT, "b2")) == [w.AdmissionDecided, w.CameraOff]


def test_an_early_buffer_never_opens_within_somebody_elses_period() -> None:
    house = House(rights=(RIGHT, NEXT), policy=replace(DEFAULT_POLICY, early=900.0))
    house.leave()
    house.wait(END - 600 - house.now)
    house.tell(w.RenterNear("b2", house.now, w.ArmedBy.HERE))
    assert house.judged(w.Decision.ADMIT, "b2") == []


def test_a_command_is_worth_nothing_after_its_time_nor_before_it() -> None:
    wish = w.Command(
        number=1, target=w.Position.UP, cause=w.Cause.CLEAR, booking=None, issued_at=START, expires_at=START + 20
    )
    assert [may_carry_out(wish, START + s) for s in (-3600, 0, 19, 20, 3600)] == [False, True, True, False, False]


def test_the_core_cannot_take_a_transition_that_the_table_does_not_have() -> None:
    with pytest.raises(GateError):
        go(w.Gate(phase=w.Phase.PARKED), T.RAISES, START)
    with pytest.raises(GateError):
        go(w.Gate(), T.ARMED_BY_WINDOW, START, w.CameraOff())


def test_the_page_about_the_gate_says_what_the_code_does() -> None:
    page = Path(__file__).parents[2] / "docs" / "gate.md"
    assert page.read_text() == markdown()
