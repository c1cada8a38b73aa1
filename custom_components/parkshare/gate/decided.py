"""Who is let in and who is not: by the plate, by a code, by the owner; and what a command came to."""

from dataclasses import replace

from .policy import GatePolicy
from .rules import command, current, find, may_lower, raise_refusal
from .steps import at_rest, failed, move, stands_there, stop_looking
from .table import T, go
from .transition import Step
from .words import (
    AdmissionDecided,
    CameraOff,
    Cause,
    CodeGiven,
    CommandFailed,
    Decision,
    FaultEnded,
    Gate,
    Intent,
    Judged,
    Notice,
    Notify,
    OwnerLetsIn,
    OwnerRaises,
    OwnerRefuses,
    Phase,
    Position,
)


def judged(gate: Gate, told: Judged, now: float, policy: GatePolicy) -> Step:
    """Take in what the looks say about the car."""
    right = gate.right
    max_age = policy.verdict_max_age if told.decision is Decision.ADMIT else policy.refusal_max_age
    stale = not -1.0 <= now - told.seen_at <= max_age
    if gate.phase is not Phase.LOOKING or gate.booking != told.booking or stale:
        return gate, ()
    gate = replace(gate, plate_seen=gate.plate_seen or told.plate_seen, last_decision=told.decision)
    if told.plate_seen:
        gate = stands_there(gate, now, until=now + policy.sign_lasts)
    if told.decision is Decision.ADMIT:
        # Too early: the camera goes on looking, and the next verdict within the period admits.
        return _admit(gate, Cause.PLATE, now, policy) if right and may_lower(gate, right, now, policy) else (gate, ())
    if told.decision is not Decision.REFUSE:
        return replace(gate, refusing_since=None), ()
    since = now if gate.refusing_since is None else gate.refusing_since
    gate = replace(gate, refusing_since=since)
    if gate.refusal_told or now - since < policy.refuse_settle:
        return gate, ()
    decided = AdmissionDecided(told.booking, Decision.REFUSE, Cause.PLATE, now)
    return go(gate, T.REFUSED, now, decided, Notify(Notice.REFUSED, told.booking), refusal_told=True)


def code_given(gate: Gate, told: CodeGiven, now: float, policy: GatePolicy) -> Step:
    """Let in whoever gave the right code, as long as the booking has its right and the owner has not said no."""
    right = find(gate.rights, told.booking)
    stale = not -1.0 <= now - told.seen_at <= policy.code_max_age
    free = gate.phase is Phase.IDLE or (gate.phase is Phase.LOOKING and gate.booking == told.booking)
    barred = told.booking in gate.barred
    if right is None or stale or barred or not free or not may_lower(gate, right, now, policy):
        return gate, ()
    return _admit(replace(gate, right=right), Cause.CODE, now, policy)


def _admit(gate: Gate, cause: Cause, now: float, policy: GatePolicy) -> Step:
    """Let in the renter of gate.right."""
    intents: list[Intent] = [AdmissionDecided(gate.booking, Decision.ADMIT, cause, now)]
    intents += [CameraOff()] if gate.camera else []
    gate = _watched(replace(gate, camera=False, approach=None, rung=None, stands_since=None))
    if gate.position is Position.DOWN:
        # Whatever else is wrong with the barrier, the renter can drive in.
        return go(gate, T.ADMITTED_WHILE_DOWN, now, *intents)
    if gate.fault:
        intents.append(Notify(Notice.ADMITTED_BUT_FAULTY, gate.booking, gate.fault.kind))
        return go(at_rest(gate), T.ADMITTED_BUT_FAULTY, now, *intents)
    transition = T.ADMITTED_BY_CODE if cause is Cause.CODE else T.ADMITTED_BY_PLATE
    return move(gate, transition, command(gate, Position.DOWN, cause, now, policy), now, *intents)


def _watched(gate: Gate) -> Gate:
    if gate.booking is None or gate.booking in gate.watched:
        return gate
    return replace(gate, watched=(*gate.watched, gate.booking))


def command_failed(gate: Gate, told: CommandFailed, now: float, _policy: GatePolicy) -> Step:
    """Latch a fault, if it is the command in flight that failed."""
    if gate.command is None or gate.command.number != told.number:
        return gate, ()
    return failed(gate, told.kind, now)


def owner_lets_in(gate: Gate, _told: OwnerLetsIn, now: float, policy: GatePolicy) -> Step:
    """Lower, whatever else: the owner's hand always wins."""
    down = gate.position is Position.DOWN
    if down and gate.phase is Phase.LEAVING:
        return go(replace(gate, by_hand=True), T.OWNER_KEEPS_DOWN, now)
    if down and gate.phase is Phase.PARKED:
        return gate, ()
    if not gate.arrived and gate.phase not in (Phase.ADMITTED, Phase.LOWERING):
        # Before anybody's time it is whom the camera looks for that stands there.
        gate = replace(gate, right=current(gate, now, policy) or gate.right)
    letting_out = gate.arrived
    intents: list[Intent] = [] if letting_out else [AdmissionDecided(gate.booking, Decision.ADMIT, Cause.OWNER, now)]
    intents += [CameraOff()] if gate.camera else []
    intents += [FaultEnded()] if gate.fault else []
    # Said again although the barrier says that it is down: it is not, and the person sees that.
    insist = down and gate.phase is Phase.ADMITTED
    gate = replace(_watched(gate), camera=False, fault=None, approach=None, rung=None)
    if down and gate.phase in (Phase.IDLE, Phase.LOOKING, Phase.WARNING):
        return go(gate, T.OWNER_LET_IN_WHILE_DOWN, now, *intents)
    wish = replace(command(gate, Position.DOWN, Cause.OWNER, now, policy), insist=insist)
    return move(gate, T.OWNER_LET_IN, wish, now, *intents)


def owner_refuses(gate: Gate, told: OwnerRefuses, now: float, policy: GatePolicy) -> Step:
    """Look no more, and let no code open for this booking; its own plate still does."""
    if find(gate.rights, told.booking) is None:
        return gate, ()
    # Kept beyond the right: a booking that is taken back and told of anew is no other one.
    others = tuple(booking for booking in gate.barred if booking != told.booking)
    gate = replace(gate, barred=(*others, told.booking)[-policy.barred_kept :])
    if gate.phase is not Phase.LOOKING or gate.booking != told.booking:
        return gate, ()
    decided = AdmissionDecided(told.booking, Decision.REFUSE, Cause.OWNER, now)
    return stop_looking(gate, T.OWNER_REFUSED, now, decided)


def owner_raises(gate: Gate, _told: OwnerRaises, now: float, policy: GatePolicy) -> Step:
    """Raise, unless a sensor sees a car or is silent."""
    if raise_refusal(gate):
        return gate, ()
    intents: list[Intent] = [CameraOff()] if gate.camera else []
    intents += [FaultEnded()] if gate.fault else []
    if not gate.arrived:
        gate = at_rest(gate)
    gate = replace(gate, camera=False, fault=None)
    return move(gate, T.OWNER_RAISES, command(gate, Position.UP, Cause.OWNER, now, policy), now, *intents)
