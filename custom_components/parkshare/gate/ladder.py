"""The renter in the rain: what is tried, one after the other, for somebody whose plate does not admit."""

from .policy import GatePolicy
from .rules import next_rung, not_in_at, stands
from .table import T, go
from .transition import Step
from .words import Gate, Help, Notice, Notify, Phase, Rung

TAKES: dict[Rung, T] = {
    Rung.HARDER: T.HELP_HARDER,
    Rung.OWNER: T.HELP_OWNER,
    Rung.CODE: T.HELP_CODE,
    Rung.CALL: T.HELP_CALL,
}


def helps(gate: Gate, now: float, policy: GatePolicy) -> Step | None:
    """Take the next rung when it is due; only for somebody who still stands there."""
    due = next_rung(gate, policy)
    if due is None or gate.right is None or not stands(gate, now) or now < due[1]:
        return None
    rung = due[0]
    return go(gate, TAKES[rung], now, Help(gate.right.booking, rung, now), rung=rung)


def not_in(gate: Gate, now: float, policy: GatePolicy) -> Step | None:
    """Tell of a renter who was let in and does not come in: the barrier may say down and be up."""
    if gate.phase is not Phase.ADMITTED or not gate.sources or gate.rung is Rung.CALL or gate.right is None:
        return None
    if now < not_in_at(gate, now, policy):
        return None
    told = Help(gate.right.booking, Rung.CALL, now), Notify(Notice.NOT_IN, gate.right.booking)
    return go(gate, T.NOT_IN, now, *told, rung=Rung.CALL)
