"""What several transitions have in common: coming to rest, moving, parking, leaving."""

from dataclasses import replace

from .rules import stands
from .table import T, go
from .transition import Step
from .words import (
    ArmedBy,
    CameraOff,
    Command,
    Fault,
    FaultKind,
    Gate,
    Halt,
    Intent,
    Move,
    Notice,
    Notify,
    Position,
    StayArrived,
    StayLeft,
)

# Signs of somebody who stands at the space, not only somewhere near it.
SURE_SIGNS = (ArmedBy.HERE, ArmedBy.CAR)


def at_rest(gate: Gate) -> Gate:
    """Forget the approach or the stay, as IDLE does."""
    return replace(
        gate,
        right=None,
        arrived=False,
        armed_by=None,
        command=None,
        camera=False,
        stands_since=None,
        stands_until=0.0,
        rung=None,
        ending_told=None,
        overstay_told=None,
        disagree_told=False,
    )


def stands_there(gate: Gate, now: float, *, until: float) -> Gate:
    """Note a sign of somebody who waits to be let in; it is believed until then without another one."""
    since = gate.stands_since if stands(gate, now) else now
    return replace(gate, stands_since=since, stands_until=max(gate.stands_until, until))


def leaves(gate: Gate, now: float) -> tuple[Gate, tuple[StayLeft, ...]]:
    """Note that the car of the stay is gone; returns what to report."""
    if gate.right is None:
        return gate, ()
    booking = gate.right.booking
    return replace(gate, left=(*(each for each in gate.left if each != booking), booking)), (StayLeft(booking, now),)


def move(gate: Gate, transition: T, wish: Command, now: float, *intents: Intent) -> Step:
    """Take a transition that sends a command."""
    raised_at = now if wish.target is Position.UP else gate.raised_at
    sent = replace(gate, command=wish, last_command=wish, commands=wish.number, raised_at=raised_at)
    return go(sent, transition, now, *intents, Move(wish, transition.value.why))


def failed(gate: Gate, kind: FaultKind, now: float) -> Step:
    """Latch a fault: the command in flight came to nothing."""
    notices = () if gate.fault else (Notify(Notice.FAULT, gate.booking, kind),)
    gate = replace(gate, fault=gate.fault or Fault(kind, now))
    if gate.arrived:
        return go(replace(gate, command=None), T.COMMAND_FAILED_IN_STAY, now, Halt(), *notices)
    return go(at_rest(gate), T.COMMAND_FAILED, now, Halt(), *notices)


def stop_looking(gate: Gate, transition: T, now: float, *intents: Intent, **changes: bool) -> Step:
    """Camera off, and the start of this period arms it no more."""
    watched = gate.watched if gate.booking in gate.watched or not gate.booking else (*gate.watched, gate.booking)
    return go(replace(at_rest(gate), watched=watched), transition, now, CameraOff(), *intents, **changes)


def park(gate: Gate, transition: T, now: float, *intents: Intent) -> Step:
    """A car stands in the bay; report whose, if we know and have not yet."""
    arrived = (StayArrived(gate.right.booking, now),) if gate.right and not gate.arrived else ()
    # Who comes back within their period has not left for good.
    left = tuple(booking for booking in gate.left if booking != gate.booking)
    return go(replace(gate, arrived=True, command=None, left=left), transition, now, *intents, *arrived)
