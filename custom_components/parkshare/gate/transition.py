"""What a transition is, and the one way to take it."""

from dataclasses import dataclass, replace
from typing import Any

from .words import Gate, Intent, Phase

type Step = tuple[Gate, tuple[Intent, ...]]


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table. Where `to` is None the phase stays. `told` empty: whatever made it true."""

    start: frozenset[Phase]
    to: Phase | None
    why: str
    told: tuple[type, ...] = ()
    asks: tuple[type, ...] = ()


class GateError(Exception):
    """The core tried a transition that the table does not have: a defect of ours."""


def row(
    start: str, to: Phase | None, why: str, *, told: tuple[type, ...] = (), asks: tuple[type, ...] = ()
) -> Transition:
    """Make a row; start names phases, `any` all of them."""
    phases = frozenset(Phase) if start == "any" else frozenset(Phase(name) for name in start.split())
    return Transition(phases, to, why, told, asks)


def take(gate: Gate, name: str, transition: Transition, now: float, *intents: Intent, **changes: Any) -> Step:
    """Take a transition; raises GateError where the table does not allow it so."""
    if gate.phase not in transition.start:
        raise GateError(f"{name} does not start from {gate.phase}")
    for intent in intents:
        if type(intent) not in transition.asks:
            raise GateError(f"{name} does not ask for {type(intent).__name__}")
    if transition.to is not None and transition.to is not gate.phase:
        changes |= {"phase": transition.to, "since": now}
    return replace(gate, because=name, **changes), intents
