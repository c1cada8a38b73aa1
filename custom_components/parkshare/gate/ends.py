"""The end of a stay, and a car of nobody in the bay. Nothing here moves the barrier: people are told."""

from dataclasses import replace

from .policy import GatePolicy
from .rules import all_clear, disagree, find, occupied, threatened, warn_at
from .table import T, go
from .transition import Step
from .words import BayFree, BayTaken, Gate, Notice, Notify, Overstayed, Phase, StayEnding


def ends(gate: Gate, now: float, policy: GatePolicy) -> Step | None:
    """Tell before and after the end of a stay, each once for one end."""
    right = gate.right
    # Only a car that is seen overstays: a sensor that is silent keeps the barrier down, and accuses nobody.
    if gate.phase is not Phase.PARKED or right is None or not occupied(gate):
        return None
    if now >= right.end + policy.grace and gate.overstay_told != right.end:
        told = Overstayed(right.booking, now), Notify(Notice.OVERSTAY, right.booking)
        return go(gate, T.OVERSTAYED, now, *told, overstay_told=right.end)
    if warn_at(right, policy) <= now < right.end and gate.ending_told != right.end:
        told_early = StayEnding(right.booking, now), Notify(Notice.ENDS_SOON, right.booking)
        return go(gate, T.ENDS_SOON, now, *told_early, ending_told=right.end)
    return None


def sensors_disagree(gate: Gate, now: float, policy: GatePolicy) -> Step | None:
    """Tell, once a stay, that one of the sensors must be wrong."""
    since = gate.disagree_since
    if gate.phase is not Phase.PARKED or gate.disagree_told or since is None or now < since + policy.disagree_after:
        return None
    return go(gate, T.SENSORS_DISAGREE, now, Notify(Notice.SENSORS_DISAGREE, gate.booking), disagree_told=True)


def noted(gate: Gate, now: float) -> Gate:
    """Note since when sensors disagree about a parked car, and since when a car of nobody stands in the bay."""
    odd = gate.phase is Phase.PARKED and disagree(gate)
    disagree_since = (now if gate.disagree_since is None else gate.disagree_since) if odd else None
    taken_since = _taken_since(gate, now)
    if (disagree_since, taken_since) == (gate.disagree_since, gate.taken_since):
        return gate
    return replace(gate, disagree_since=disagree_since, taken_since=taken_since)


def _taken_since(gate: Gate, now: float) -> float | None:
    if not occupied(gate):
        return None
    if gate.phase is Phase.LOOKING:
        # Whose it is, is just being looked at.
        return gate.taken_since
    of_nobody = gate.phase is Phase.IDLE or (gate.phase is Phase.PARKED and gate.right is None)
    return (now if gate.taken_since is None else gate.taken_since) if of_nobody else None


def bay_taken(gate: Gate, now: float, policy: GatePolicy) -> Step | None:
    """Tell, once for each booking that needs the bay now or soon, that somebody else has it."""
    if gate.phase not in (Phase.IDLE, Phase.PARKED) or gate.taken_since is None:
        return None
    right = threatened(gate, now, policy)
    if right is None or now < gate.taken_since + policy.taken_settle:
        return None
    told = BayTaken(right.booking, now), Notify(Notice.BAY_TAKEN, right.booking)
    return go(gate, T.BAY_TAKEN, now, *told, taken_told=(*gate.taken_told, right.booking))


def bay_free(gate: Gate, now: float, _policy: GatePolicy) -> Step | None:
    """Take back what was told: the bay is empty, or it is the booking's own car that stands there."""
    free = tuple(
        booking
        for booking in gate.taken_told
        if all_clear(gate) or (gate.arrived and gate.booking == booking) or find(gate.rights, booking) is None
    )
    if not free:
        return None
    left = tuple(booking for booking in gate.taken_told if booking not in free)
    return go(gate, T.BAY_FREE, now, *(BayFree(booking, now) for booking in free), taken_told=left)
