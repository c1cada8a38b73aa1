"""The renter in the rain: what is tried, one after the other, for somebody whose plate does not admit."""

from .policy import GatePolicy
from .rules import next_rung, stands
from .table import T, go
from .transition import Step
from .words import Gate, Help, Rung

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
