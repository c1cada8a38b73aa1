"""The command line of a record: whole or not, whose plate, what happened; without Home Assistant."""

import json
import subprocess
import sys
from enum import StrEnum
from pathlib import Path

import pytest

import custom_components.parkshare as integration
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.link.keys import to_text
from custom_components.parkshare.record.chain import Entry, Sealed
from custom_components.parkshare.record.cli import main
from custom_components.parkshare.record.commitment import booking_key, commitment
from custom_components.parkshare.record.excerpt import excerpt
from custom_components.parkshare.record.kinds import Kind
from custom_components.parkshare.record.summary import summary
from tests.record.history import HOUSE, NOON, OTHER_HOUSE, lines, sealed

FOLDER = Path(integration.__file__).parent
KEY = HOUSE.sign_public
PLATE_KEY = booking_key(b"k" * 32, "b1")
SEEN = {"sensors": [{"source": "binary_sensor.radar", "says": "occupied", "looked": "2027-01-15T09:00:00Z"}]}
PERIOD = {"start": "2027-01-15T08:00:00Z", "end": "2027-01-15T09:00:00Z"}


@pytest.fixture
def stay() -> list[Sealed]:
    """The record of a stay of b1 that was too long, and of some of b2."""
    decision = {
        "decision": "admit",
        "by": "plate",
        "plate": commitment(PLATE_KEY, "MABC123", str),
        "looks": 3,
        "agreeing": 2,
        "contrary": 0,
        "score": "4.26",
        "level": "balanced",
    }
    happened = [
        (0, Kind.START, None, {"space": "s1", "key": KEY, "why": "new"}),
        (1, Kind.CODE, "b2", {"right": True, "tries_left": 5, "way": "web"}),
        (60, Kind.CODE, "b1", {"right": False, "tries_left": 4, "way": "web"}),
        (100, Kind.DECISION, "b1", decision | PERIOD | SEEN),
        (101, Kind.COMMAND, "b1", {"number": 7, "target": "down", "cause": "plate", "until": "x"}),
        (105, Kind.BARRIER, "b1", {"was": "up", "is": "down", "command": 7}),
        (120, Kind.ARRIVED, "b1", PERIOD | SEEN),
        (130, Kind.BARRIER, None, {"was": "down", "is": "unknown", "hand": {"kind": "device", "user": None}}),
        (4200, Kind.OVERSTAYED, "b1", PERIOD | SEEN | {"over_s": 600}),
        (4200, Kind.TOLD, "b1", {"notice": "overstay"}),
        (4201, Kind.TRANSITION, "b1", {"name": "OVERSTAYED", "from": "parked", "to": "parked"}),
        (7320, Kind.LEFT, "b1", PERIOD | SEEN),
        (8000, Kind.CODE, "b2", {"right": True, "tries_left": 5, "way": "web"}),
    ]
    return sealed([Entry(NOON + at, kind, booking, d) for at, kind, booking, d in happened])


@pytest.fixture
def file(tmp_path: Path, stay: list[Sealed]) -> Path:
    """What was exported of it for b1."""
    path = tmp_path / "record.jsonl"
    path.write_text("".join(f"{line}\n" for line in excerpt(stay, booking="b1")))
    return path


def test_a_whole_record_is_said_to_be_whole(file: Path, stay: list[Sealed], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(file), "--key", KEY, "--head", str(stay[-1].head)]) == 0
    said = capsys.readouterr().out
    assert "13 entries (1 to 13), 2 of them hidden" in said
    assert str(stay[-1].head) in said


def test_a_changed_record_names_the_first_broken_entry(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(file.read_text().replace('"over_s":600', '"over_s":900'))
    assert main(["verify", str(file), "--key", KEY]) == 1
    assert "Entry 9 (line 9) was changed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--key", OTHER_HOUSE.sign_public], 1),
        (["--key", OTHER_HOUSE.sign_public, "--key", KEY], 0),
        (["--key", KEY, "--head", f"99:{'a' * 64}"], 1),
        (["--key", "short"], 2),
        (["--key", KEY, "--head", "nonsense"], 2),
        (["--key", KEY, "--plate", "MABC123"], 2),
        (["--key", KEY, "--plate", "m-abc 123", "--plate-key", to_text(PLATE_KEY)], 0),
        (["--key", KEY, "--plate", "MABC124", "--plate-key", to_text(PLATE_KEY)], 1),
        (["--key", KEY, "--plate", "MABC123", "--plate-key", to_text(b"x" * 32)], 1),
        (["--key", KEY, "--plate", "MABC123", "--plate-key", to_text(PLATE_KEY), "--booking", "b2"], 1),
    ],
)
def test_the_exit_code_says_whether_it_is_whole(file: Path, arguments: list[str], code: int) -> None:
    assert main(["verify", str(file), *arguments]) == code


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"hello\n"])
def test_what_is_no_record_is_no_whole_record(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    assert main(["verify", str(path), "--key", KEY]) in {1, 2}
    assert main(["verify", str(tmp_path / "missing"), "--key", KEY]) == 2


def test_a_stay_is_summed_up(stay: list[Sealed]) -> None:
    told = summary(stay, "b1")
    assert (told.start, told.end) == (PERIOD["start"], PERIOD["end"])
    assert (told.arrived, told.left) == ("2027-01-15T08:02:00Z", "2027-01-15T10:02:00Z")
    assert (told.stood_s, told.over_s) == (7200, 3720)
    assert len(told.happened) == 9
    assert "b2" not in json.dumps(told.document())


def test_a_stay_that_goes_on_is_over_for_as_long_as_it_was_last_seen(stay: list[Sealed]) -> None:
    told = summary(stay[:10], "b1")
    assert (told.left, told.stood_s, told.over_s) == (None, None, 600)


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "en",
            [
                "Booked from 2027-01-15 08:00:00 UTC to 2027-01-15 09:00:00 UTC.",
                "It left 1:02:00 after the end of the period.",
                "Decision (the plate): let in. 3 pictures, 2 for and 0 against the booked plate, likelihood 4.26",
                "binary_sensor.radar: occupied (2027-01-15 09:00:00 UTC)",
                "Command 7 to the barrier: down, because of: the plate.",
                "Moved by: the device itself.",
                "A wrong on-site code was given (web); 4 tries left.",
            ],
        ),
        ("de", ["Es fuhr 1:02:00 nach dem Ende des Zeitraums.", "Entscheidung (das Kennzeichen): einlassen."]),
    ],
)
def test_a_person_can_read_what_happened(
    file: Path, capsys: pytest.CaptureFixture[str], language: str, sentences: list[str]
) -> None:
    assert main(["show", str(file), "--booking", "b1", "--language", language]) == 0
    said = capsys.readouterr().out
    assert [each for each in sentences if each not in said] == []


def test_everything_is_shown_with_what_is_hidden_and_why_the_gate_did_it(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(file)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 13
    assert said[1].split() == ["2", "(hidden)"]
    assert "parked -> parked (OVERSTAYED)" in said[10]


def test_nothing_of_a_booking_is_said_to_be_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(file), "--booking", "b9"]) == 2
    assert "nothing of this booking" in capsys.readouterr().err


def test_it_runs_where_there_is_no_home_assistant(tmp_path: Path) -> None:
    (tmp_path / "homeassistant.py").write_text("raise ImportError('there is none')")
    (tmp_path / "record.jsonl").write_text("".join(f"{line}\n" for line in lines(3)))
    run = subprocess.run(
        [sys.executable, "-P", str(FOLDER / "record/__main__.py"), "verify", "record.jsonl", "--key", KEY],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "3 entries" in run.stdout


@pytest.mark.parametrize(
    "kind", [w.Decision, w.Cause, w.Position, w.Says, w.Rung, w.Notice, w.FaultKind], ids=lambda kind: kind.__name__
)
def test_every_word_of_the_gate_has_one_for_people(kind: type[StrEnum]) -> None:
    texts = json.loads((FOLDER / "translations/en.json").read_text())["common"]
    assert [each.value for each in kind if f"record_word_{each}" not in texts] == []


def test_every_kind_of_entry_has_its_sentence() -> None:
    texts = json.loads((FOLDER / "translations/en.json").read_text())["common"]
    told = {
        f"record_{kind.replace('.', '_')}" for kind in Kind if kind not in {Kind.TRANSITION, Kind.CODE, Kind.CAMERA}
    }
    assert told <= texts.keys()


def test_the_documentation_explains_every_kind_of_entry() -> None:
    page = (FOLDER.parents[1] / "docs/record.md").read_text()
    assert [kind.value for kind in Kind if f"`{kind}`" not in page] == []
