"""What each input changes at once. What then becomes true by itself is in timed.py."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .decided import code_given, command_failed, judged, owner_lets_in, owner_raises, owner_refuses
from .policy import GatePolicy
from .rules import current, find, may_look, occupied
from .seen import barrier_seen
from .steps import SURE_SIGNS, at_rest, stands_there, stop_looking
from .table import T, go
from .transition import Step
from .words import (
    Approach,
    ArmedBy,
    BarrierSeen,
    Booted,
    CameraOff,
    CameraOn,
    CarSensed,
    Cause,
    ClockSet,
    CodeGiven,
    CommandFailed,
    Gate,
    Judged,
    LinkSeen,
    Notice,
    Notify,
    OwnerLetsIn,
    OwnerRaises,
    OwnerRefuses,
    Phase,
    Position,
    RenterAway,
    RenterNear,
    RightsChanged,
    Said,
    Says,
    SourceSeen,
    StayExtended,
    Tick,
)

CLOCKS_DIFFER = 60.0  # s; a backend's clock may be so far ahead of ours


def _booted(gate: Gate, told: Booted, now: float, policy: GatePolicy) -> Step:
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
    asked = gate.last_command.cause if gate.last_command else None
    lowers_for_renter = gate.phase is Phase.LOWERING and asked in (Cause.PLATE, Cause.CODE)
    if gate.right and gate.armed_by and (gate.phase is Phase.LOOKING or lowers_for_renter):
        right = find(gate.rights, gate.right.booking)
        if right and may_look(right, now, policy) and now < gate.armed_until:
            # Who was asked before the restart can answer no more, so the ladder begins anew.
            gate = replace(gate, camera=True, rung=None, stands_since=None, stands_until=0.0)
            if gate.armed_by in SURE_SIGNS:
                gate = stands_there(gate, now, until=gate.armed_until)
            return go(gate, T.BOOT_LOOKS_ON, now, CameraOn(right.booking))
    if gate.phase in (Phase.IDLE, Phase.ADMITTED, Phase.PARKED):
        return go(replace(gate, camera=False), T.BOOT_RESUMES, now, *off)
    if gate.arrived:
        return go(replace(gate, camera=False), T.BOOT_STAY_GOES_ON, now, *off)
    # It was about to rise, and will not by itself any more: the bay may stand open until somebody looks.
    rose = gate.phase in (Phase.WARNING, Phase.RAISING) or (gate.phase is Phase.LOWERING and asked is Cause.SAFETY)
    stays_down = (Notify(Notice.STAYS_DOWN),) if rose else ()
    return go(at_rest(gate), T.BOOT_FORGETS, now, *off, *stays_down)


def _tick(gate: Gate, _told: Tick | ClockSet, _now: float, _policy: GatePolicy) -> Step:
    return gate, ()


def _rights_changed(gate: Gate, told: RightsChanged, now: float, _policy: GatePolicy) -> Step:
    bookings = {right.booking for right in told.rights}
    gate = replace(
        gate,
        rights=tuple(sorted(told.rights, key=lambda right: (right.start, right.booking))),
        watched=tuple(booking for booking in gate.watched if booking in bookings),
        left=tuple(booking for booking in gate.left if booking in bookings),
        near=gate.near if gate.near in bookings else None,
    )
    right = find(gate.rights, gate.booking)
    if right:
        # Changed while under way: the same booking, so the same approach or stay.
        gate = replace(gate, right=right, armed_until=min(gate.armed_until, right.end))
        told_for = max(gate.ending_told or 0.0, gate.overstay_told or 0.0)
        if 0 < told_for < right.end and gate.phase in (Phase.PARKED, Phase.LEAVING):
            extended = StayExtended(right.booking, now)
            return go(gate, T.EXTENDED, now, extended, ending_told=None, overstay_told=None)
        return gate, ()
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
    if gate.booking == told.booking and gate.phase in (Phase.LOWERING, Phase.ADMITTED, Phase.PARKED, Phase.LEAVING):
        # They are let in: nothing to look for. Who says again that they are there may stand before a barrier that is
        # not down, see ladder.py.
        here_again = gate.phase is Phase.ADMITTED and told.armed_by is ArmedBy.HERE
        return (stands_there(gate, now, until=now + policy.look_budget) if here_again else gate), ()
    return replace(gate, approach=Approach(told.booking, min(told.at, now), told.armed_by)), ()


def _link_seen(gate: Gate, told: LinkSeen, now: float, _policy: GatePolicy) -> Step:
    if told.up:
        return replace(gate, unlinked_since=None), ()
    return replace(gate, unlinked_since=now if gate.unlinked_since is None else gate.unlinked_since), ()


def _looks_on(gate: Gate, armed_by: ArmedBy, now: float, policy: GatePolicy) -> Gate:
    """A new sign of the car: look for longer, and faster."""
    end = gate.right.end if gate.right else now
    until = min(end, max(gate.armed_until, now + policy.look_budget))
    gate = replace(gate, armed_by=armed_by, armed_until=until)
    return stands_there(gate, now, until=until) if armed_by in SURE_SIGNS else gate


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
    # Of a time to come: it was said before the clock was set back, and nobody knows how long before.
    said = Said(told.source, told.says, told.seen_at if told.seen_at <= now else 0.0)
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


def _car_sensed(gate: Gate, told: CarSensed, now: float, policy: GatePolicy) -> Step:
    if not -CLOCKS_DIFFER <= now - told.seen_at <= policy.near_max_age:
        return gate, ()
    if gate.phase is Phase.LOOKING:
        # It comes; that it stands there is for the bay's own sensors and the camera to say.
        known = gate.armed_by if gate.armed_by in SURE_SIGNS else ArmedBy.VEHICLE
        until = min(gate.right.end if gate.right else now, max(gate.armed_until, now + policy.look_budget))
        return replace(gate, armed_by=known, armed_until=until), ()
    right = current(gate, now, policy)
    if gate.phase is Phase.IDLE and right:
        gate = replace(gate, approach=Approach(right.booking, now, ArmedBy.VEHICLE))
    return gate, ()


HANDLERS: dict[type, Callable[[Gate, Any, float, GatePolicy], Step]] = {
    Booted: _booted,
    Tick: _tick,
    ClockSet: _tick,  # core.py has moved the gate's times by then
    RightsChanged: _rights_changed,
    RenterNear: _renter_near,
    RenterAway: _renter_away,
    LinkSeen: _link_seen,
    SourceSeen: _source_seen,
    Judged: judged,
    BarrierSeen: barrier_seen,
    CommandFailed: command_failed,
    OwnerLetsIn: owner_lets_in,
    CarSensed: _car_sensed,
    CodeGiven: code_given,
    OwnerRefuses: owner_refuses,
    OwnerRaises: owner_raises,
}
