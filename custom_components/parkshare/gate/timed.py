"""What becomes true by itself: after each input, and whenever a deadline comes.

RULES are asked in order until none of them has anything to do.
"""

from collections.abc import Callable
from dataclasses import replace

from .ends import bay_free, bay_taken, ends, sensors_disagree
from .ladder import helps, not_in
from .policy import GatePolicy
from .rules import all_clear, all_silent, command, current, find, may_look, may_raise, occupied, watch_from
from .steps import SURE_SIGNS, at_rest, failed, leaves, move, park, stands_there, stop_looking
from .table import T, go
from .transition import Step
from .words import (
    AdmissionDecided,
    Approach,
    ArmedBy,
    CameraOn,
    Cause,
    Decision,
    FaultKind,
    Gate,
    Notice,
    Notify,
    Phase,
    Position,
    Raising,
    Right,
)

ARMED: dict[ArmedBy, T] = {
    ArmedBy.POSITION: T.ARMED_BY_POSITION,
    ArmedBy.HERE: T.ARMED_BY_HERE,
    ArmedBy.WINDOW: T.ARMED_BY_WINDOW,
    ArmedBy.CAR: T.ARMED_BY_CAR,
    ArmedBy.VEHICLE: T.ARMED_BY_CAR,
}


def _command_is_overdue(gate: Gate, now: float, policy: GatePolicy) -> Step | None:
    if gate.phase not in (Phase.LOWERING, Phase.RAISING) or gate.command is None:
        return None
    if now < gate.command.expires_at + policy.command_grace:
        return None
    return failed(gate, FaultKind.NO_ANSWER, now)


def _looked_enough(gate: Gate, now: float, _policy: GatePolicy) -> Step | None:
    if gate.phase is not Phase.LOOKING or now < gate.armed_until or gate.right is None:
        return None
    somebody = gate.armed_by not in (ArmedBy.WINDOW, ArmedBy.VEHICLE) or gate.plate_seen
    if gate.refusal_told or not somebody:
        return stop_looking(gate, T.NOBODY_CAME, now)
    refused = gate.last_decision is Decision.REFUSE
    decision, notice = (Decision.REFUSE, Notice.REFUSED) if refused else (Decision.UNSURE, Notice.UNSURE)
    decided = AdmissionDecided(gate.right.booking, decision, Cause.PLATE, now)
    return stop_looking(gate, T.GAVE_UP, now, decided, Notify(notice, gate.right.booking))


def _arrives(gate: Gate, now: float, policy: GatePolicy) -> Step | None:
    if gate.phase is not Phase.ADMITTED:
        return None
    if occupied(gate) and gate.position is Position.DOWN:
        return park(gate, T.ARRIVED, now)
    if not gate.sources and now >= gate.since + policy.assume_arrived:
        return park(gate, T.ARRIVED_UNSEEN, now)
    over = now >= gate.right.end if gate.right else now >= gate.since + policy.unused_admission
    if gate.sources and over:
        return go(at_rest(gate), T.ADMISSION_UNUSED, now, Notify(Notice.STAYS_DOWN, gate.booking))
    return None


def _leaves(gate: Gate, now: float, policy: GatePolicy) -> Step | None:
    if gate.phase is Phase.PARKED and all_clear(gate):
        return go(gate, T.BAY_CLEAR, now)
    if gate.phase is Phase.LEAVING and not all_clear(gate):
        return go(gate, T.NOT_CLEAR, now)
    if gate.phase is Phase.LEAVING and now >= gate.since + policy.departure_debounce:
        return _left(gate, now, policy)
    return _leaves_unseen(gate, now, policy)


def _left(gate: Gate, now: float, policy: GatePolicy) -> Step:
    booking = gate.booking
    gate, told = leaves(gate, now)
    if gate.position is not Position.DOWN:
        return go(at_rest(gate), T.LEFT_WHILE_UP, now, *told)
    if may_raise(gate, now, policy):
        return go(at_rest(gate), T.LEFT, now, *told)
    if policy.raising is Raising.ASK:
        return go(at_rest(gate), T.LEFT_ASKS, now, *told, Notify(Notice.ASK_RAISE, booking))
    return go(at_rest(gate), T.LEFT_STAYS_DOWN, now, *told, Notify(Notice.STAYS_DOWN, booking))


def _leaves_unseen(gate: Gate, now: float, policy: GatePolicy) -> Step | None:
    """With no sensor that says anything, only the owner or the next renter's coming tells that the last one went."""
    if gate.phase is not Phase.PARKED or not all_silent(gate):
        return None
    # Nobody may be able to tell that the next renter comes: then the camera has to watch for them in their time.
    due = any(_watches(gate, right, now, policy) for right in gate.rights if right.booking != gate.booking)
    if (gate.approach or due) and (gate.right is None or now >= gate.right.end):
        gate, left = leaves(gate, now)
        return go(at_rest(gate), T.LEFT_UNSEEN, now, *left)
    end = gate.right.end + policy.grace if gate.right else gate.since + policy.unused_admission
    wanted = gate.position is not Position.UP and policy.raising is not Raising.NEVER
    if gate.sources or not wanted or gate.overstay_told == end or now < end:
        return None
    return go(gate, T.ASKS_UNSEEN, now, Notify(Notice.ASK_RAISE, gate.booking), overstay_told=end)


def _rises(gate: Gate, now: float, policy: GatePolicy) -> Step | None:
    if gate.phase is Phase.WARNING:
        if occupied(gate):
            return park(replace(gate, right=current(gate, now, policy)), T.WARNING_CAR, now)
        if not may_raise(gate, now, policy):
            return go(at_rest(gate), T.WARNING_UNSURE, now, Notify(Notice.STAYS_DOWN))
        if now >= gate.since + policy.raise_warning:
            return move(gate, T.RAISES, command(gate, Position.UP, Cause.CLEAR, now, policy), now)
    if gate.phase is Phase.RAISING and gate.sources and not all_clear(gate):
        gate = replace(gate, aborted=gate.aborted + 1)
        return move(gate, T.RAISING_CAR, command(gate, Position.DOWN, Cause.SAFETY, now, policy), now)
    return None


def _arms(gate: Gate, now: float, policy: GatePolicy) -> Step | None:
    # Also with a fault: nothing moves then, but somebody has to hear that a renter stands there.
    if gate.phase is not Phase.IDLE:
        return None
    approach = gate.approach
    if approach:
        right = find(gate.rights, approach.booking)
        gate = replace(gate, approach=None)
        if right and may_look(right, now, policy) and 0 <= now - approach.at <= policy.near_max_age:
            return _look(gate, right, approach.armed_by, now + policy.look_budget, now)
    for right in gate.rights:
        if not _watches(gate, right, now, policy):
            continue
        if gate.near == right.booking:
            # They came before their time.
            return _look(gate, right, ArmedBy.POSITION, max(now, right.start) + policy.look_budget, now)
        return _look(gate, right, ArmedBy.WINDOW, right.start + policy.watch, now)
    return None


def _watches(gate: Gate, right: Right, now: float, policy: GatePolicy) -> bool:
    """Tell whether the time alone arms the camera for this right."""
    return (
        right.booking not in gate.watched
        and may_look(right, now, policy)
        and watch_from(gate, right, policy) <= now < right.start + policy.watch
    )


def _look(gate: Gate, right: Right, armed_by: ArmedBy, until: float, now: float) -> Step:
    gate = replace(
        gate,
        right=right,
        armed_by=armed_by,
        armed_until=min(until, right.end),
        camera=True,
        last_decision=None,
        plate_seen=False,
        refusing_since=None,
        refusal_told=False,
        rung=None,
        stands_since=None,
        stands_until=0.0,
    )
    if armed_by in SURE_SIGNS:
        gate = stands_there(gate, now, until=gate.armed_until)
    return go(gate, ARMED[armed_by], now, CameraOn(right.booking))


RULES: tuple[Callable[[Gate, float, GatePolicy], Step | None], ...] = (
    _command_is_overdue,
    _looked_enough,
    helps,
    _arrives,
    not_in,
    ends,
    sensors_disagree,
    _leaves,
    _rises,
    bay_free,
    _arms,
    bay_taken,
)


def approach_is_old(approach: Approach | None, now: float, policy: GatePolicy) -> bool:
    """Tell whether a waiting fact is too old to arm anything."""
    return approach is not None and not 0 <= now - approach.at <= policy.near_max_age
