"""What each input changes at once. What then becomes true by itself is in timed.py."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .policy import GatePolicy
from .rules import command, current, find, may_look, may_lower, occupied, raise_refusal
from .seen import barrier_seen
from .table import Step, T, go
from .timed import at_rest, failed, move, stop_looking
from .words import (
    AdmissionDecided,
    Approach,
    ArmedBy,
    BarrierSeen,
    Booted,
    CameraOff,
    CameraOn,
    Cause,
    CommandFailed,
    Decision,
    FaultEnded,
    Gate,
    Intent,
    Judged,
    LinkSeen,
    Notice,
    Notify,
    OwnerLetsIn,
    OwnerRaises,
    Phase,
    Position,
    RenterAway,
    RenterNear,
    RightsChanged,
    Said,
    Says,
    SourceSeen,
    Tick,
)

CLOCKS_DIFFER = 60.0  # s; a backend's clock may be so far ahead of ours


def _booted(gate: Gate, told: Booted, now: float, _policy: GatePolicy) -> Step:
    gate = replace(
        gate,
        sources=tuple(Said(source, Says.UNKNOWN, 0.0) for source in told.sources),
        position=Position.UNKNOWN,
        inhibited=True,
        unlinked_since=now,
        command=None,
        approach=None,
    )
    off = (CameraOff(),) if gate.camera else ()
    lowers_for_plate = gate.phase is Phase.LOWERING and gate.last_command and gate.last_command.cause is Cause.PLATE
    if gate.right and (gate.phase is Phase.LOOKING or lowers_for_plate):
        right = find(gate.rights, gate.right.booking)
        if right and now < gate.armed_until and not gate.fault:
            return go(replace(gate, camera=True), T.BOOT_LOOKS_ON, now, CameraOn(right.booking))
    if gate.phase in (Phase.IDLE, Phase.ADMITTED, Phase.PARKED):
        return go(replace(gate, camera=False), T.BOOT_RESUMES, now, *off)
    if gate.arrived:
        return go(replace(gate, camera=False), T.BOOT_STAY_GOES_ON, now, *off)
    return go(at_rest(gate), T.BOOT_FORGETS, now, *off)


def _tick(gate: Gate, _told: Tick, _now: float, _policy: GatePolicy) -> Step:
    return gate, ()


def _rights_changed(gate: Gate, told: RightsChanged, now: float, _policy: GatePolicy) -> Step:
    bookings = {right.booking for right in told.rights}
    gate = replace(
        gate,
        rights=tuple(sorted(told.rights, key=lambda right: (right.start, right.booking))),
        watched=tuple(booking for booking in gate.watched if booking in bookings),
        near=gate.near if gate.near in bookings else None,
    )
    right = find(gate.rights, gate.booking)
    if right:
        # Changed while under way: the same booking, so the same approach or stay.
        return replace(gate, right=right, armed_until=min(gate.armed_until, right.end)), ()
    if gate.phase is Phase.LOOKING:
        return stop_looking(gate, T.RIGHT_WITHDRAWN, now)
    return gate, ()


def _renter_near(gate: Gate, told: RenterNear, now: float, policy: GatePolicy) -> Step:
    right = find(gate.rights, told.booking)
    if right is None or not -CLOCKS_DIFFER <= now - told.at <= policy.near_max_age:
        return gate, ()
    gate = replace(gate, near=told.booking)
    if not may_look(right, now, policy):
        return gate, ()
    if gate.phase is Phase.LOOKING and gate.booking == told.booking:
        return _looks_on(gate, told.armed_by, now, policy), ()
    return replace(gate, approach=Approach(told.booking, min(told.at, now), told.armed_by)), ()


def _link_seen(gate: Gate, told: LinkSeen, now: float, _policy: GatePolicy) -> Step:
    if told.up:
        return replace(gate, unlinked_since=None), ()
    return replace(gate, unlinked_since=now if gate.unlinked_since is None else gate.unlinked_since), ()


def _looks_on(gate: Gate, armed_by: ArmedBy, now: float, policy: GatePolicy) -> Gate:
    """A new sign of the car: look for longer, and faster."""
    end = gate.right.end if gate.right else now
    until = min(end, max(gate.armed_until, now + policy.look_budget))
    return replace(gate, armed_by=armed_by, armed_until=until)


def _renter_away(gate: Gate, told: RenterAway, now: float, _policy: GatePolicy) -> Step:
    if gate.approach and gate.approach.booking == told.booking:
        gate = replace(gate, approach=None)
    if gate.near == told.booking:
        gate = replace(gate, near=None)
    by_renter = gate.armed_by in (ArmedBy.POSITION, ArmedBy.HERE)
    if gate.phase is Phase.LOOKING and gate.booking == told.booking and by_renter and not occupied(gate):
        # Not yet "watched": as long as the first watch lasts, the camera goes on for whoever comes.
        return go(at_rest(gate), T.RENTER_WENT, now, CameraOff())
    return gate, ()


def _source_seen(gate: Gate, told: SourceSeen, now: float, policy: GatePolicy) -> Step:
    before = next((said for said in gate.sources if said.source == told.source), None)
    if before is None:
        return gate, ()
    said = Said(told.source, told.says, min(told.seen_at, now))
    gate = replace(gate, sources=tuple(said if item is before else item for item in gate.sources))
    if told.says is not Says.OCCUPIED:
        return gate, ()
    gate = replace(gate, inhibited=False)
    # Only a car that newly comes is a sign: one that stands there since the last look would arm for ever.
    if before.says is Says.OCCUPIED:
        return gate, ()
    if gate.phase is Phase.LOOKING:
        return _looks_on(gate, ArmedBy.CAR, now, policy), ()
    right = current(gate, now, policy)
    if gate.phase is Phase.IDLE and right:
        gate = replace(gate, approach=Approach(right.booking, now, ArmedBy.CAR))
    return gate, ()


def _judged(gate: Gate, told: Judged, now: float, policy: GatePolicy) -> Step:
    right = gate.right
    max_age = policy.verdict_max_age if told.decision is Decision.ADMIT else policy.refusal_max_age
    stale = not -1.0 <= now - told.seen_at <= max_age
    if gate.phase is not Phase.LOOKING or gate.booking != told.booking or stale:
        return gate, ()
    gate = replace(gate, plate_seen=gate.plate_seen or told.plate_seen, last_decision=told.decision)
    if told.decision is Decision.ADMIT:
        # Too early: the camera goes on looking, and the next verdict within the period admits.
        return _admit(gate, now, policy) if right and may_lower(gate, right, now, policy) else (gate, ())
    if told.decision is not Decision.REFUSE:
        return replace(gate, refusing_since=None), ()
    since = now if gate.refusing_since is None else gate.refusing_since
    gate = replace(gate, refusing_since=since)
    if gate.refusal_told or now - since < policy.refuse_settle:
        return gate, ()
    decided = AdmissionDecided(told.booking, Decision.REFUSE, Cause.PLATE, now)
    return go(gate, T.REFUSED, now, decided, Notify(Notice.REFUSED, told.booking), refusal_told=True)


def _admit(gate: Gate, now: float, policy: GatePolicy) -> Step:
    decided = AdmissionDecided(gate.booking, Decision.ADMIT, Cause.PLATE, now)
    if gate.fault:
        notice = Notify(Notice.ADMITTED_BUT_FAULTY, gate.booking, gate.fault.kind)
        return stop_looking(gate, T.ADMITTED_BUT_FAULTY, now, decided, notice)
    gate = replace(gate, camera=False)
    if gate.position is Position.DOWN:
        return go(_watched(gate), T.ADMITTED_WHILE_DOWN, now, decided, CameraOff())
    wish = command(gate, Position.DOWN, Cause.PLATE, now, policy)
    return move(_watched(gate), T.ADMITTED_BY_PLATE, wish, now, decided, CameraOff())


def _watched(gate: Gate) -> Gate:
    if gate.booking is None or gate.booking in gate.watched:
        return gate
    return replace(gate, watched=(*gate.watched, gate.booking))


def _command_failed(gate: Gate, told: CommandFailed, now: float, _policy: GatePolicy) -> Step:
    if gate.command is None or gate.command.number != told.number:
        return gate, ()
    return failed(gate, told.kind, now)


def _owner_lets_in(gate: Gate, _told: OwnerLetsIn, now: float, policy: GatePolicy) -> Step:
    down = gate.position is Position.DOWN
    if down and gate.phase in (Phase.ADMITTED, Phase.PARKED, Phase.LEAVING):
        return gate, ()
    if not gate.arrived and gate.phase not in (Phase.ADMITTED, Phase.LOWERING):
        gate = replace(gate, right=current(gate, now, policy))
    letting_out = gate.arrived
    intents: list[Intent] = [] if letting_out else [AdmissionDecided(gate.booking, Decision.ADMIT, Cause.OWNER, now)]
    intents += [CameraOff()] if gate.camera else []
    intents += [FaultEnded()] if gate.fault else []
    gate = replace(_watched(gate), camera=False, fault=None, approach=None)
    if down and gate.phase in (Phase.IDLE, Phase.LOOKING, Phase.WARNING):
        return go(gate, T.OWNER_LET_IN_WHILE_DOWN, now, *intents)
    return move(gate, T.OWNER_LET_IN, command(gate, Position.DOWN, Cause.OWNER, now, policy), now, *intents)


def _owner_raises(gate: Gate, _told: OwnerRaises, now: float, policy: GatePolicy) -> Step:
    if raise_refusal(gate):
        return gate, ()
    intents: list[Intent] = [CameraOff()] if gate.camera else []
    intents += [FaultEnded()] if gate.fault else []
    if not gate.arrived:
        gate = at_rest(gate)
    gate = replace(gate, camera=False, fault=None)
    return move(gate, T.OWNER_RAISES, command(gate, Position.UP, Cause.OWNER, now, policy), now, *intents)


HANDLERS: dict[type, Callable[[Gate, Any, float, GatePolicy], Step]] = {
    Booted: _booted,
    Tick: _tick,
    RightsChanged: _rights_changed,
    RenterNear: _renter_near,
    RenterAway: _renter_away,
    LinkSeen: _link_seen,
    SourceSeen: _source_seen,
    Judged: _judged,
    BarrierSeen: barrier_seen,
    CommandFailed: _command_failed,
    OwnerLetsIn: _owner_lets_in,
    OwnerRaises: _owner_raises,
}
