"""Which states of the gate, and which transitions of its table, some run came through."""

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.table import T


class Covered:
    """Counts; a state is what decides the gate's answers, without times and names."""

    def __init__(self) -> None:
        self.steps = 0
        self.states: set[tuple[object, ...]] = set()
        self.transitions: set[str] = set()
        self.pairs: set[tuple[w.Phase, str]] = set()

    def add(self, before: w.Gate, after: w.Gate, intents: tuple[w.Intent, ...]) -> None:
        self.steps += 1
        self.states.add(_state(after))
        if intents or (after.because, after.since) != (before.because, before.since):
            self.transitions.add(after.because)
            self.pairs.add((before.phase, after.because))

    def __str__(self) -> str:
        return (
            f"{self.steps} steps, {len(self.states)} states, {len(self.transitions)} of {len(T)} transitions,"
            f" {len(self.pairs)} pairs of a phase and a transition"
        )


def _state(gate: w.Gate) -> tuple[object, ...]:
    """The phase, the fault, where the barrier is, and whatever else a rule of the gate asks about."""
    return (
        gate.phase,
        gate.fault and gate.fault.kind,
        gate.position,
        gate.rung,
        gate.armed_by,
        gate.right is not None,
        gate.arrived,
        gate.by_hand,
        gate.inhibited,
        gate.aborted,
        gate.ending_told is not None,
        gate.overstay_told is not None,
        gate.taken_told is not None,
        frozenset(said.says for said in gate.sources),
    )


COVERED = Covered()
