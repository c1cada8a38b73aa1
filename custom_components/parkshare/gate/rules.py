"""The questions that the gate asks before it does something. Each answers from what is known, and moves nothing."""

from enum import StrEnum

from .policy import GatePolicy
from .words import Cause, Command, Gate, Phase, Position, Raising, Right, Rung, Says


class RaiseRefusal(StrEnum):
    """Why the owner's "raise" is refused."""

    OCCUPIED = "occupied"
    UNKNOWN = "unknown"
    ALREADY_UP = "already_up"
    LOWERING = "lowering"
    RAISING = "raising"


def find(rights: tuple[Right, ...], booking: str | None) -> Right | None:
    """Return the right of a booking."""
    return next((right for right in rights if right.booking == booking), None)


def may_lower(gate: Gate, right: Right, now: float, policy: GatePolicy) -> bool:
    """Tell whether this right opens now: it still stands, in its period, and not in somebody else's."""
    others = (other for other in gate.rights if other.booking != right.booking)
    return (
        right in gate.rights
        and right.start - policy.early <= now < right.end
        and (right.start <= now or not any(other.start <= now < other.end for other in others))
    )


def current(gate: Gate, now: float, policy: GatePolicy) -> Right | None:
    """Return the right that opens now."""
    return next((right for right in gate.rights if may_lower(gate, right, now, policy)), None)


def may_look(right: Right, now: float, policy: GatePolicy) -> bool:
    """Tell whether the camera may look for this right's car now."""
    return right.start - max(policy.arm_early, policy.early) <= now < right.end


def watch_from(gate: Gate, right: Right, policy: GatePolicy) -> float:
    """Return from when on the camera watches without a fresh sign of the car.

    At once for a renter who is already near, soon when no phone could tell us, later otherwise.
    """
    early = right.start - max(policy.arm_early, policy.early)
    if gate.near == right.booking:
        return early
    if gate.unlinked_since is None:
        return right.start + policy.watch_delay
    return min(right.start + policy.watch_delay, max(early, gate.unlinked_since + policy.link_patience))


def stands(gate: Gate, now: float) -> bool:
    """Tell whether somebody surely stands there and waits to be let in."""
    return gate.stands_since is not None and now <= gate.stands_until


def next_rung(gate: Gate, policy: GatePolicy) -> tuple[Rung, float] | None:
    """Return the next rung of the ladder of the present approach, and when it is due; None where there is none."""
    if gate.phase is not Phase.LOOKING or gate.right is None or gate.stands_since is None:
        return None
    after = {
        Rung.HARDER: policy.harder_after,
        Rung.OWNER: policy.owner_after,
        Rung.CODE: policy.code_after,
        Rung.CALL: policy.call_after,
    }
    if gate.booking in gate.barred:
        # Asked before, and answered.
        del after[Rung.OWNER], after[Rung.CODE]
    taken = tuple(Rung).index(gate.rung) if gate.rung else -1
    left = (rung for rung in after if tuple(Rung).index(rung) > taken)
    # Who comes before their time has nothing to wait for yet.
    since = max(gate.stands_since, gate.right.start)
    return next(((rung, since + after[rung]) for rung in left), None)


def not_in_at(gate: Gate, now: float, policy: GatePolicy) -> float:
    """Return from when on it is odd that the car which was let in has not come in."""
    patience = policy.not_in_here_after if stands(gate, now) else policy.not_in_after
    # Who was let in before their time is helped from its start on.
    return max(gate.since, gate.right.start if gate.right else 0.0) + patience


def warn_at(right: Right, policy: GatePolicy) -> float:
    """Return when people are told that a stay ends soon; of a short one not before most of it is over."""
    return right.end - min(policy.warn_before, (right.end - right.start) / 4)


def threatened(gate: Gate, now: float, policy: GatePolicy) -> Right | None:
    """Return a booking that needs the bay in which a car of nobody stands, and whose people do not know yet."""
    return next(
        (
            right
            for right in gate.rights
            if right.booking not in gate.left
            and right.booking not in gate.taken_told
            and right.start - policy.protect_before <= now < right.end
            # In its own period and with the barrier up, what a sensor sees is rather the renter before the barrier.
            and (now < right.start or gate.position is Position.DOWN)
        ),
        None,
    )


def occupied(gate: Gate) -> bool:
    """Tell whether any source sees a car."""
    return any(said.says is Says.OCCUPIED for said in gate.sources)


def disagree(gate: Gate) -> bool:
    """Tell whether the sources do not all say the same, or one is silent."""
    return Says.UNKNOWN in (said.says for said in gate.sources) or len({said.says for said in gate.sources}) > 1


def all_silent(gate: Gate) -> bool:
    """Tell whether no source says anything; also where there is none."""
    return all(said.says is Says.UNKNOWN for said in gate.sources)


def all_clear(gate: Gate) -> bool:
    """Tell whether there are sources and all of them say that the bay is empty."""
    return bool(gate.sources) and all(said.says is Says.CLEAR for said in gate.sources)


def may_raise(gate: Gate, now: float, policy: GatePolicy) -> bool:
    """Tell whether the barrier may rise by itself: every source sees an empty bay, two of them lately.

    Raising under a car damages it, failing to raise costs a walk to the button: so silence, a fault, a restart since
    the car was seen, a barrier that somebody lowered by hand, raises that had to be broken off, and an owner who does
    not want it all keep it down.
    """
    fresh = {
        said.source
        for said in gate.sources
        if said.says is Says.CLEAR and 0 <= now - said.seen_at <= policy.clear_max_age
    }
    return (
        policy.raising is Raising.AUTOMATIC
        and gate.position is Position.DOWN
        and gate.fault is None
        and not gate.inhibited
        and not gate.by_hand
        and gate.aborted < policy.aborted_raises
        # Of sensors that said different things for so long one is broken: then two of them are one witness.
        and not gate.disagree_told
        and all_clear(gate)
        and len(fresh) >= max(2, policy.clears_to_raise)
    )


def raise_refusal(gate: Gate) -> RaiseRefusal | None:
    """Tell why the owner can't raise the barrier now, or None. A sensor that sees a car wins over the owner's word."""
    if gate.phase is Phase.LOWERING:
        return RaiseRefusal.LOWERING
    if gate.phase is Phase.RAISING:
        return RaiseRefusal.RAISING
    if occupied(gate):
        return RaiseRefusal.OCCUPIED
    if any(said.says is Says.UNKNOWN for said in gate.sources):
        return RaiseRefusal.UNKNOWN
    return RaiseRefusal.ALREADY_UP if gate.position is Position.UP else None


def command(gate: Gate, target: Position, cause: Cause, now: float, policy: GatePolicy) -> Command:
    """Make the next command."""
    valid = policy.lower_valid if target is Position.DOWN else policy.raise_valid
    return Command(
        number=gate.commands + 1,
        target=target,
        cause=cause,
        booking=gate.booking,
        issued_at=now,
        expires_at=now + valid,
        # It may be on its way up without a word, and still say that it is down.
        insist=cause is Cause.SAFETY,
    )


def may_carry_out(wish: Command, now: float) -> bool:
    """Tell whether a command is still worth carrying out. A clock that was set back does not make it young again."""
    return wish.issued_at - 1.0 <= now < wish.expires_at
