"""The gate of one space: which intents follow from what is known.

Pure: standard library only. Time comes in with every input; nothing here waits, logs or calls out. The promises:
the barrier goes down only for a right in its period with an admitting verdict or the on-site code, by the owner's
hand, or back down because it was rising towards a car; it goes up by itself only on two fresh, different "clear"s
after the car left.
"""

from dataclasses import replace

from .clock import clock_set, nothing_ahead
from .ends import noted
from .policy import DEFAULT_POLICY, GatePolicy
from .rules import next_rung, not_in_at, warn_at, watch_from
from .timed import RULES, approach_is_old
from .told import HANDLERS
from .transition import GateError, Step
from .words import ArmedBy, ClockSet, Gate, Input, Intent, Phase

MAX_ROUNDS = 8  # the longest honest chain is three: clear, left, warning


def step(gate: Gate, told: Input, now: float, policy: GatePolicy = DEFAULT_POLICY) -> Step:
    """Take in one input: the new state, and what is to be done, in this order."""
    if isinstance(told, ClockSet):
        # Before all else: what is cut off at the present can't be moved with the clock any more.
        gate = clock_set(gate, told.by)
    gate = nothing_ahead(gate, now, policy)
    if approach_is_old(gate.approach, now, policy):
        gate = replace(gate, approach=None)
    gate, intents = HANDLERS[type(told)](gate, told, now, policy)
    done: list[Intent] = list(intents)
    for _ in range(MAX_ROUNDS):
        gate = noted(gate, now)
        taken = next((step for rule in RULES if (step := rule(gate, now, policy))), None)
        if taken is None:
            return gate, tuple(done)
        gate, intents = taken
        done += intents
    raise GateError(f"the gate does not come to rest after {type(told).__name__} in {gate.phase}")


def deadline(gate: Gate, now: float, policy: GatePolicy = DEFAULT_POLICY) -> float | None:
    """Return when the gate wants its next Tick, if ever."""
    times = [watch_from(gate, right, policy) for right in gate.rights]
    # Nothing moves at the end of a booking, but what is shown changes.
    times += [right.end for right in gate.rights]
    if gate.disagree_since is not None:
        times.append(gate.disagree_since + policy.disagree_after)
    if gate.taken_since is not None:
        times.append(gate.taken_since + policy.taken_settle)
        times += [right.start - policy.protect_before for right in gate.rights]
    times += _deadlines_of_phase(gate, now, policy)
    return min((time for time in times if time > now), default=None)


def _deadlines_of_phase(gate: Gate, now: float, policy: GatePolicy) -> list[float]:
    times: list[float] = []
    match gate.phase:
        case Phase.LOOKING:
            rung = next_rung(gate, policy)
            times = [gate.armed_until] + ([rung[1]] if rung else [])
        case Phase.ADMITTED:
            over = gate.right.end if gate.right else gate.since + policy.unused_admission
            times = [gate.since + policy.assume_arrived, not_in_at(gate, now, policy), over]
        case Phase.PARKED if gate.right:
            times = [warn_at(gate.right, policy), gate.right.end, gate.right.end + policy.grace]
        case Phase.PARKED:
            times = [gate.since + policy.unused_admission]
        case Phase.LEAVING:
            times = [gate.since + policy.departure_debounce]
        case Phase.WARNING:
            times = [gate.since + policy.raise_warning]
        case Phase.LOWERING | Phase.RAISING if gate.command:
            times = [gate.command.expires_at + policy.command_grace]
    return times


def look_pace(gate: Gate, policy: GatePolicy = DEFAULT_POLICY) -> float:
    """Return how long to wait between two pictures: often with a sign of a car, seldom while only watching."""
    judging = gate.refusing_since is not None and not gate.refusal_told
    return policy.watch_pace if gate.armed_by is ArmedBy.WINDOW and not judging else policy.look_pace


def overstays(gate: Gate, now: float) -> bool:
    """Tell whether a booked car stands in the bay after its period."""
    return gate.phase in (Phase.PARKED, Phase.LEAVING) and gate.right is not None and now >= gate.right.end
