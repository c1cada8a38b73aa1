"""What the barrier's own entity says, and what follows: confirmed, late, moved by hand, blocked."""

from dataclasses import replace

from .policy import GatePolicy
from .rules import command, current, find, occupied
from .steps import at_rest, leaves, move, park
from .table import T, go
from .transition import Step
from .words import (
    BarrierSeen,
    CameraOff,
    Cause,
    Command,
    Fault,
    FaultEnded,
    FaultKind,
    Gate,
    Halt,
    Intent,
    Notice,
    Notify,
    Phase,
    Position,
    StayLeft,
)

DEFINITE = (Position.UP, Position.DOWN)
# A fault that is over as soon as the barrier shows where it stands; a jam waits for a person.
HEALS_WHEN_SEEN = (FaultKind.UNAVAILABLE, FaultKind.MISSING, FaultKind.TOO_LATE)
HEALS_WHEN_DONE = (*HEALS_WHEN_SEEN, FaultKind.NO_ANSWER)


def barrier_seen(gate: Gate, told: BarrierSeen, now: float, policy: GatePolicy) -> Step:
    """Take in what the barrier says of itself."""
    before, stood = gate.position, gate.stood
    gate = replace(gate, position=told.position, stood=told.position if told.position in DEFINITE else stood)
    match told.position:
        case Position.JAMMED:
            return (gate, ()) if before is Position.JAMMED else _jammed(gate, now, policy)
        case Position.DOWN:
            if _is_stale(gate, before, told):
                return gate, ()
            return _down(gate, before, stood, now, policy)
        case Position.UP:
            return _up(gate, before, stood, now, policy)
        case _:
            if gate.phase is Phase.WARNING:
                return go(at_rest(gate), T.WARNING_HAND, now)
            return gate, ()


def _is_stale(gate: Gate, before: Position, told: BarrierSeen) -> bool:
    """Tell whether "down" is only what it said before it was sent up and down again: silent, it may be rising."""
    sent = gate.command
    safety = gate.phase is Phase.LOWERING and sent is not None and sent.cause is Cause.SAFETY
    return safety and before is Position.DOWN and told.done != gate.commands


def _jammed(gate: Gate, now: float, policy: GatePolicy) -> Step:
    # Another fault may stand already; that it is blocked is news all the same.
    known = gate.fault is not None and gate.fault.kind is FaultKind.JAMMED
    notices = () if known else (Notify(Notice.FAULT, gate.booking, FaultKind.JAMMED),)
    gate = replace(gate, fault=Fault(FaultKind.JAMMED, now))
    match gate.phase:
        case Phase.RAISING:
            wish = command(gate, Position.DOWN, Cause.SAFETY, now, policy)
            return move(gate, T.JAMMED_RAISING, wish, now, *notices)
        case Phase.LOWERING if gate.arrived:
            return go(replace(gate, command=None), T.JAMMED_LOWERING_IN_STAY, now, Halt(), *notices)
        case Phase.LOWERING:
            return go(at_rest(gate), T.JAMMED_LOWERING, now, Halt(), *notices)
        case Phase.WARNING:
            gate, _ = go(at_rest(gate), T.WARNING_HAND, now)
    return go(gate, T.JAM_SEEN, now, *notices)


def _down(gate: Gate, before: Position, stood: Position, now: float, policy: GatePolicy) -> Step:
    match gate.phase:
        case Phase.LOWERING:
            return _lowered(gate, now, policy)
        case Phase.RAISING:
            # It says down from before it began to rise, or it turned back.
            return _reversed(gate, now) if before is Position.MOVING else (gate, ())
    late = gate.last_command
    if (
        stood is not Position.DOWN
        and late
        and late.target is Position.DOWN
        and gate.phase in (Phase.IDLE, Phase.LOOKING)
    ):
        gate = replace(gate, last_command=None)
        if _answers_late(late, now, policy):
            return _lowered_late(gate, late.booking, now)
    gate, healed = _heal(gate, HEALS_WHEN_SEEN)
    if stood is Position.UP:
        return go(replace(gate, by_hand=True), T.LOWERED_BY_HAND, now)[0], healed
    return go(gate, T.HEALED, now, *healed) if healed else (gate, ())


def _reversed(gate: Gate, now: float) -> Step:
    gate = replace(gate, by_hand=True)
    if gate.arrived:
        # Perhaps because the car is still there: the stay goes on until its leaving is seen.
        return go(replace(gate, command=None), T.REVERSED_IN_STAY, now, Halt())
    return go(at_rest(gate), T.REVERSED, now, Halt())


def _answers_late(late: Command, now: float, policy: GatePolicy) -> bool:
    """Tell whether the barrier did, after we gave up, what we had asked for to let a car in."""
    return late.cause is not Cause.SAFETY and 0 <= now - late.issued_at <= policy.late_answer


def _lowered(gate: Gate, now: float, policy: GatePolicy) -> Step:
    safety = gate.command is not None and gate.command.cause is Cause.SAFETY
    gate = replace(gate, command=None, last_command=None, by_hand=False)
    if safety:
        # Whose car made us come down again is known only if a sensor sees one.
        if not gate.arrived:
            gate = replace(gate, right=current(gate, now, policy) if occupied(gate) else None)
        return park(gate, T.LOWERED_FOR_SAFETY, now, Halt())
    gate, healed = _heal(gate, HEALS_WHEN_DONE)
    return go(gate, T.LOWERED_FOR_STAY if gate.arrived else T.LOWERED, now, Halt(), *healed)


def _lowered_late(gate: Gate, booking: str | None, now: float) -> Step:
    gate, healed = _heal(gate, HEALS_WHEN_DONE)
    off = (CameraOff(),) if gate.camera else ()
    gate = replace(gate, right=find(gate.rights, booking), camera=False, by_hand=False)
    return go(gate, T.LOWERED_LATE, now, *off, *healed)


def _up(gate: Gate, before: Position, stood: Position, now: float, policy: GatePolicy) -> Step:
    match gate.phase:
        case Phase.RAISING:
            left: tuple[StayLeft, ...] = ()
            if gate.arrived:
                gate, left = leaves(gate, now)
            gate, healed = _heal(replace(gate, last_command=None, by_hand=False, aborted=0), HEALS_WHEN_DONE)
            return go(at_rest(gate), T.RAISED, now, Halt(), *left, *healed)
        case Phase.LOWERING:
            turned_back = gate.command is not None and gate.command.cause is Cause.SAFETY
            if turned_back and before is not Position.UP:
                return go(gate, T.ROSE_ALL_THE_SAME, now, Notify(Notice.ROSE, gate.booking))
            return gate, ()
        case Phase.ADMITTED | Phase.WARNING:
            return go(replace(at_rest(gate), by_hand=False), T.RAISED_BEFORE_ARRIVAL, now)
    return _up_unasked(gate, stood, now, policy)


def _up_unasked(gate: Gate, stood: Position, now: float, policy: GatePolicy) -> Step:
    gate, healed = _heal(gate, HEALS_WHEN_SEEN)
    if stood is Position.DOWN and occupied(gate) and 0 <= now - gate.raised_at <= policy.late_answer:
        # Whether it is under the car or before it nobody can tell from here, so nothing moves.
        return go(gate, T.ROSE_LATE, now, Notify(Notice.ROSE, gate.booking), *healed)
    if stood is Position.DOWN:
        return go(replace(gate, by_hand=False, aborted=0), T.RAISED_BY_HAND, now)[0], healed
    return go(gate, T.HEALED, now, *healed) if healed else (gate, ())


def _heal(gate: Gate, kinds: tuple[FaultKind, ...]) -> tuple[Gate, tuple[Intent, ...]]:
    if gate.fault and gate.fault.kind in kinds:
        return replace(gate, fault=None), (FaultEnded(),)
    return gate, ()
