"""What the gate does becomes entries: each move with its cause, each decision with its figures, nothing of a plate."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.core import step
from custom_components.parkshare.gate.policy import GatePolicy
from custom_components.parkshare.record.chain import Entry, canonical
from custom_components.parkshare.record.commitment import booking_key, commitment
from custom_components.parkshare.record.entries import Beside, Judgement, code_entry, entries_of
from custom_components.parkshare.record.kinds import Kind
from custom_components.parkshare.record.thrift import AT_ONCE, Thrift
from tests.record.history import NOON, entry

START, END = NOON - 60, NOON + 3600
RIGHT = w.Right(booking="b1", start=START, end=END)
JUDGEMENT = Judgement(
    readers=("own", "ppocr"), looks=3, agreeing=2, contrary=0, score=4.256, level="balanced", seen_at=NOON - 0.5
)


@dataclass(frozen=True)
class Who:
    """A hand."""

    kind: str
    user_id: str | None


class Space:
    """The real gate, and what is recorded of it."""

    def __init__(self) -> None:
        self.gate = w.Gate()
        self.entries: list[Entry] = []
        self.now = NOON

    def tell(self, told: w.Input, **beside: Any) -> list[Entry]:
        before = self.gate
        self.gate, intents = step(before, told, self.now, GatePolicy())
        entries = entries_of(before, self.gate, told, intents, self.now, Beside(**beside))
        self.entries += entries
        return entries

    def of(self, kind: Kind) -> list[Any]:
        return [entry.d for entry in self.entries if entry.kind == kind]


@pytest.fixture
def space() -> Space:
    """A space with two sensors whose renter is here."""
    space = Space()
    space.tell(w.Booted(("radar", "magnetic")))
    space.tell(w.BarrierSeen(w.Position.UP))
    for source in ("radar", "magnetic"):
        space.tell(w.SourceSeen(source, w.Says.CLEAR, NOON - 5))
    space.tell(w.RightsChanged((RIGHT,)))
    space.tell(w.RenterNear("b1", NOON, w.ArmedBy.HERE))
    return space


def admit(space: Space, **beside: Any) -> None:
    space.tell(w.Judged("b1", w.Decision.ADMIT, space.now, plate_seen=True), **beside)


def test_a_decision_says_what_it_rests_on_in_figures(space: Space) -> None:
    admit(space, judgement=JUDGEMENT, plate="c0ffee")
    (decision,) = space.of(Kind.DECISION)
    assert decision == {
        "decision": "admit",
        "by": "plate",
        "plate": "c0ffee",
        "readers": ["own", "ppocr"],
        "looks": 3,
        "agreeing": 2,
        "contrary": 0,
        "score": "4.26",
        "level": "balanced",
        "seen_at": "2027-01-15T07:59:59.500Z",
        "start": "2027-01-15T07:59:00Z",
        "end": "2027-01-15T09:00:00Z",
        "over_s": -3600,
        "sensors": [
            {"source": "radar", "says": "clear", "looked": "2027-01-15T07:59:55Z"},
            {"source": "magnetic", "says": "clear", "looked": "2027-01-15T07:59:55Z"},
        ],
        "barrier": "up",
    }


def test_a_decision_by_the_owner_claims_no_reading(space: Space) -> None:
    space.tell(w.OwnerLetsIn("olga"), judgement=JUDGEMENT, by="olga")
    (decision,) = space.of(Kind.DECISION)
    assert decision["by"] == "owner"
    assert "readers" not in decision
    assert space.of(Kind.ANSWER) == [{"answer": "let_in", "user": "olga"}]


def test_every_move_has_its_number_its_cause_and_its_confirmation(space: Space) -> None:
    admit(space)
    space.tell(w.BarrierSeen(w.Position.MOVING))
    space.tell(w.BarrierSeen(w.Position.DOWN))
    (command,) = space.of(Kind.COMMAND)
    assert (command["target"], command["cause"]) == ("down", "plate")
    assert [(d["is"], d.get("command")) for d in space.of(Kind.BARRIER)][-2:] == [
        ("moving", command["number"]),
        ("down", command["number"]),
    ]
    assert [d["name"] for d in space.of(Kind.TRANSITION)][-2:] == ["ADMITTED_BY_PLATE", "LOWERED"]


def test_a_move_by_hand_names_the_hand_and_no_command(space: Space) -> None:
    space.tell(w.BarrierSeen(w.Position.DOWN), hand=Who("person", "olga"))
    moved = space.of(Kind.BARRIER)[-1]
    assert moved["hand"] == {"kind": "person", "user": "olga"}
    assert "command" not in moved


def test_a_command_that_came_to_nothing_and_its_fault_are_recorded(space: Space) -> None:
    admit(space)
    (command,) = space.of(Kind.COMMAND)
    space.tell(w.CommandFailed(command["number"], w.FaultKind.NO_ANSWER))
    assert space.of(Kind.COMMAND_FAILED) == [{"number": command["number"], "fault": "no_answer"}]
    assert space.of(Kind.FAULT) == [{"fault": "no_answer"}]


def test_an_overstay_says_how_long_and_what_the_sensors_saw_when(space: Space) -> None:
    admit(space)
    space.tell(w.BarrierSeen(w.Position.DOWN))
    space.tell(w.SourceSeen("radar", w.Says.OCCUPIED, space.now))
    space.now = END - 300
    space.tell(w.Tick())
    space.now = END + 700
    space.tell(w.SourceSeen("radar", w.Says.OCCUPIED, space.now))
    space.tell(w.Tick())
    assert len(space.of(Kind.ENDING)) == 1
    (over,) = space.of(Kind.OVERSTAYED)
    assert over["over_s"] == 700
    assert over["sensors"][0] == {"source": "radar", "says": "occupied", "looked": "2027-01-15T09:11:40Z"}
    assert {d["notice"] for d in space.of(Kind.TOLD)} >= {"ends_soon", "overstay"}


def test_each_rung_of_help_is_recorded(space: Space) -> None:
    for _ in range(20):
        space.now += 5
        space.tell(w.SourceSeen("radar", w.Says.OCCUPIED, space.now))
        space.tell(w.RenterNear("b1", space.now, w.ArmedBy.HERE))
        space.tell(w.Tick())
    assert [d["rung"] for d in space.of(Kind.HELP)] == ["harder", "owner", "code", "call"]


def test_a_sensor_that_only_says_the_same_again_is_no_entry(space: Space) -> None:
    for _ in range(14):
        space.now += 1
        assert space.tell(w.SourceSeen("radar", w.Says.CLEAR, space.now)) == []
        assert space.tell(w.Tick()) == []


def test_an_answer_that_changes_nothing_is_recorded_too(space: Space) -> None:
    assert [each.kind for each in space.tell(w.OwnerRefuses("b9", "olga"), by="olga")] == [Kind.ANSWER]


def test_a_boot_is_recorded_with_what_it_did(space: Space) -> None:
    admit(space)
    space.tell(w.Booted(("radar",)))
    boot = space.of(Kind.BOOT)[-1]
    assert boot["from"] == "lowering"
    assert boot["barrier"] == "unknown"
    assert boot["sensors"] == [{"source": "radar", "says": "unknown", "looked": None}]


def test_the_time_of_a_gate_that_follows_by_itself_needs_no_input() -> None:
    before = w.Gate()
    after = replace(before, because="LEFT", phase=w.Phase.WARNING, since=NOON)
    (followed,) = entries_of(before, after, None, (), NOON)
    assert (followed.kind, followed.d["name"]) == (Kind.TRANSITION, "LEFT")


def test_a_code_is_recorded_by_what_came_of_it() -> None:
    tried = code_entry("b1", NOON, right=False, tries_left=4, way="web")
    assert (tried.kind, tried.booking) == (Kind.CODE, "b1")
    assert tried.d == {"right": False, "tries_left": 4, "way": "web"}


def test_everything_that_is_recorded_can_be_written(space: Space) -> None:
    admit(space, judgement=JUDGEMENT)
    space.tell(w.BarrierSeen(w.Position.JAMMED))
    for each in space.entries:
        assert canonical(each.d)


def test_a_commitment_fits_its_plate_and_booking_only() -> None:
    key = booking_key(b"k" * 32, "b1")
    same = [commitment(key, plate, lambda text: text.replace("-", "")) for plate in ("AB-1", "AB1")]
    assert same[0] == same[1]
    assert commitment(key, "AB2", str) != same[0]
    assert commitment(booking_key(b"k" * 32, "b2"), "AB1", str) != same[0]
    assert commitment(booking_key(b"x" * 32, "b1"), "AB1", str) != same[0]


def test_what_repeats_itself_is_written_some_times_and_then_counted() -> None:
    thrift = Thrift()
    flapping = [Entry(NOON + second, Kind.TRANSITION, "b1", {"name": "NOT_CLEAR"}) for second in range(100)]
    assert thrift.sift(flapping) == flapping[:AT_ONCE]
    counted, command = thrift.sift([entry(10, Kind.COMMAND)])
    assert (counted.kind, counted.d["times"]) == (Kind.REPEATED, 100 - AT_ONCE)
    assert (counted.d["from"], counted.d["to"]) == ("2027-01-15T08:00:20Z", "2027-01-15T08:01:39Z")
    assert command.kind == Kind.COMMAND
    assert thrift.rest(NOON) == []


def test_what_is_not_the_repeated_thing_is_always_written() -> None:
    thrift = Thrift()
    thrift.sift([Entry(NOON, Kind.TRANSITION, "b1", {"name": "NOT_CLEAR"}) for _ in range(100)])
    others = [
        Entry(NOON, Kind.TRANSITION, "b2", {"name": "NOT_CLEAR"}),
        Entry(NOON, Kind.TRANSITION, "b1", {"name": "LEFT"}),
        *[Entry(NOON, Kind.DECISION, "b1", {"decision": "admit"}) for _ in range(50)],
        *[code_entry("b1", NOON, right=True, tries_left=4, way="web") for _ in range(50)],
    ]
    assert [each for each in thrift.sift(others) if each.kind != Kind.REPEATED] == others


def test_who_tries_wrong_codes_without_end_does_not_push_out_what_was_before() -> None:
    tried = [code_entry("b1", NOON + second, right=False, tries_left=0, way="web") for second in range(100)]
    assert Thrift().sift(tried) == tried[:AT_ONCE]


def test_after_a_calm_while_the_same_is_written_again() -> None:
    thrift = Thrift()
    again = Entry(NOON + 3600, Kind.TRANSITION, "b1", {"name": "NOT_CLEAR"})
    thrift.sift([Entry(NOON, Kind.TRANSITION, "b1", {"name": "NOT_CLEAR"}) for _ in range(AT_ONCE)])
    assert thrift.sift([again]) == [again]
