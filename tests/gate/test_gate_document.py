"""The gate on the disk: what older and newer releases wrote is read, and nothing is lost."""

import copy
import json
from typing import Any

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.codec import from_document, to_document, upgrade
from tests.gate.house import END, START, House

# As the first release wrote it: a car stands in the bay.
FIRST_RELEASE: dict[str, Any] = {
    "phase": "parked",
    "since": START + 60.0,
    "because": "ARRIVED",
    "rights": [{"booking": "b1", "start": START, "end": END}],
    "right": {"booking": "b1", "start": START, "end": END},
    "arrived": True,
    "watched": ["b1"],
    "near": None,
    "armed_by": "here",
    "armed_until": START + 300.0,
    "camera": False,
    "last_decision": "admit",
    "plate_seen": True,
    "refusing_since": None,
    "refusal_told": False,
    "stood": "down",
    "last_command": {
        "number": 4,
        "target": "down",
        "cause": "plate",
        "booking": "b1",
        "issued_at": START + 10.0,
        "expires_at": START + 70.0,
    },
    "commands": 4,
    "by_hand": False,
    "inhibited": False,
    "fault": {"kind": "jammed", "since": START + 20.0},
    "aborted": 1,
}


def kept(gate: w.Gate) -> w.Gate:
    return from_document(json.loads(json.dumps(to_document(gate))))


def test_what_the_first_release_wrote_is_read_with_its_stay() -> None:
    gate = from_document(upgrade(1, FIRST_RELEASE))
    assert gate.phase is w.Phase.PARKED
    assert gate.right == w.Right(booking="b1", start=START, end=END)
    assert gate.rights == (gate.right,)
    assert gate.fault == w.Fault(w.FaultKind.JAMMED, START + 20.0)
    assert gate.last_command.cause is w.Cause.PLATE
    assert (gate.arrived, gate.watched, gate.commands, gate.aborted) == (True, ("b1",), 4, 1)
    assert (gate.barred, gate.left, gate.rung, gate.overstay_told) == ((), (), None, None)


def test_what_this_release_wrote_is_not_upgraded() -> None:
    document = to_document(House().gate) | {"barred": ["b1"]}
    assert upgrade(2, document) is document


def test_everything_worth_keeping_survives_in_every_phase() -> None:
    house = House()
    house.park()
    house.wait(END + 700 - house.now)
    house.tell(w.OwnerRefuses("b1"), w.BarrierSeen(w.Position.JAMMED))
    again = kept(house.gate)
    for name in (*FIRST_RELEASE, "stands_since", "stands_until", "rung", "barred", "ending_told", "overstay_told"):
        assert getattr(again, name) == getattr(house.gate, name), name


def test_the_ladder_survives() -> None:
    house = House()
    house.go_to_start()
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.wait(35)
    assert house.gate.rung is w.Rung.OWNER
    again = kept(house.gate)
    assert (again.rung, again.armed_by, again.stands_since) == (w.Rung.OWNER, w.ArmedBy.HERE, START)


def test_what_sensors_said_is_seen_anew() -> None:
    house = House()
    house.park()
    again = kept(house.gate)
    assert again.sources == ()
    assert again.position is w.Position.UNKNOWN
    assert again.command is None


def test_what_a_newer_release_added_anywhere_does_not_lose_the_stay() -> None:
    house = House()
    house.park()
    house.tell(w.BarrierSeen(w.Position.JAMMED))
    document = json.loads(json.dumps(to_document(house.gate)))
    document["last_command"] = copy.deepcopy(FIRST_RELEASE["last_command"])
    for each in (document, document["right"], document["rights"][0], document["fault"], document["last_command"]):
        each["of_tomorrow"] = {"x": 1}
    again = from_document(document)
    assert (again.phase, again.right, again.fault) == (w.Phase.PARKED, house.gate.right, house.gate.fault)


@pytest.mark.parametrize("missing", ["phase", "stood", "right", "fault"])
def test_a_document_that_is_not_ours_is_refused(missing: str) -> None:
    document = to_document(House().gate)
    del document[missing]
    with pytest.raises(KeyError):
        from_document(document)


def test_a_word_that_we_do_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="flying"):
        from_document(to_document(House().gate) | {"phase": "flying"})
