"""The table: the core can do nothing else than what it says."""

from pathlib import Path

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.page import markdown
from custom_components.parkshare.gate.table import T, go
from custom_components.parkshare.gate.transition import GateError
from tests.gate.house import START


def test_the_core_cannot_take_a_transition_that_the_table_does_not_have() -> None:
    with pytest.raises(GateError, match="RAISES does not start from parked"):
        go(w.Gate(phase=w.Phase.PARKED), T.RAISES, START)
    with pytest.raises(GateError, match="ARMED_BY_WINDOW does not ask for CameraOff"):
        go(w.Gate(), T.ARMED_BY_WINDOW, START, w.CameraOff())


def test_a_transition_changes_the_phase_and_what_else_it_is_told_to() -> None:
    gate, _ = go(w.Gate(), T.ARMED_BY_WINDOW, START, near="b1")
    assert (gate.phase, gate.since, gate.because, gate.near) == (w.Phase.LOOKING, START, "ARMED_BY_WINDOW", "b1")


def test_the_page_about_the_gate_says_what_the_code_does() -> None:
    page = Path(__file__).parents[2] / "docs" / "gate.md"
    assert page.read_text() == markdown()
