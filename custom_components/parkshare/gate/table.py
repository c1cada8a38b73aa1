"""Every transition of the gate, with what may cause it, where it leads, what it asks for, and why.

core.py can take no transition that is not here, and none in another way than it says here: `go` checks it.
docs/gate.md is generated from T (`python -m custom_components.parkshare.gate`).
"""

from dataclasses import dataclass, replace
from enum import Enum, unique
from typing import Any

from .words import (
    AdmissionDecided,
    BarrierSeen,
    Booted,
    CameraOff,
    CameraOn,
    FaultEnded,
    Gate,
    Halt,
    Intent,
    Judged,
    Move,
    Notify,
    OwnerLetsIn,
    OwnerRaises,
    Phase,
    RenterAway,
    RightsChanged,
    StayArrived,
    StayLeft,
    Tick,
)

type Step = tuple[Gate, tuple[Intent, ...]]


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table. Where `to` is None the phase stays. `told` empty: whatever made it true."""

    start: frozenset[Phase]
    to: Phase | None
    why: str
    told: tuple[type, ...] = ()
    asks: tuple[type, ...] = ()


class GateError(Exception):
    """The core tried a transition that the table does not have: a defect of ours."""


IDLE, LOOKING, LOWERING, ADMITTED = Phase.IDLE, Phase.LOOKING, Phase.LOWERING, Phase.ADMITTED
PARKED, LEAVING, WARNING, RAISING = Phase.PARKED, Phase.LEAVING, Phase.WARNING, Phase.RAISING


def _row(
    start: str, to: Phase | None, why: str, *, told: tuple[type, ...] = (), asks: tuple[type, ...] = ()
) -> Transition:
    """Make a row; start names phases, `any` all of them."""
    phases = frozenset(Phase) if start == "any" else frozenset(Phase(name) for name in start.split())
    return Transition(phases, to, why, told, asks)


@unique
class T(Enum):
    """The table."""

    ARMED_BY_POSITION = _row(
        "idle", LOOKING, "The renter is near, so the camera looks for their car.", asks=(CameraOn,)
    )
    ARMED_BY_HERE = _row("idle", LOOKING, "The renter says that they are here, so the camera looks.", asks=(CameraOn,))
    ARMED_BY_WINDOW = _row(
        "idle",
        LOOKING,
        "The booked time has come and nobody told that the renter is near, so the camera watches.",
        asks=(CameraOn,),
    )
    ARMED_BY_CAR = _row(
        "idle", LOOKING, "A car was sensed in a booked period, so the camera looks whose it is.", asks=(CameraOn,)
    )
    REFUSED = _row(
        "looking",
        LOOKING,
        "Another car stands there. The barrier stays as it is, the owner is told, the camera goes on looking.",
        told=(Judged,),
        asks=(AdmissionDecided, Notify),
    )
    GAVE_UP = _row(
        "looking",
        IDLE,
        "The time for looking is over without a match. The owner is told.",
        asks=(CameraOff, AdmissionDecided, Notify),
    )
    NOBODY_CAME = _row("looking", IDLE, "The time for looking is over and nobody came.", asks=(CameraOff,))
    RENTER_WENT = _row("looking", IDLE, "The renter drove away again.", told=(RenterAway,), asks=(CameraOff,))
    RIGHT_WITHDRAWN = _row("looking", IDLE, "The booking was taken back.", told=(RightsChanged,), asks=(CameraOff,))
    ADMITTED_BY_PLATE = _row(
        "looking",
        LOWERING,
        "The expected plate was read within the booked period.",
        told=(Judged,),
        asks=(AdmissionDecided, CameraOff, Move),
    )
    ADMITTED_WHILE_DOWN = _row(
        "looking",
        ADMITTED,
        "The expected plate was read; the barrier is already down.",
        told=(Judged,),
        asks=(AdmissionDecided, CameraOff),
    )
    ADMITTED_BUT_FAULTY = _row(
        "looking",
        IDLE,
        "The expected plate was read, but the barrier has a fault: a person must help.",
        told=(Judged,),
        asks=(AdmissionDecided, CameraOff, Notify),
    )
    OWNER_LET_IN = _row(
        "any",
        LOWERING,
        "The owner said: let in now.",
        told=(OwnerLetsIn,),
        asks=(AdmissionDecided, CameraOff, Move, FaultEnded),
    )
    OWNER_LET_IN_WHILE_DOWN = _row(
        "idle looking warning",
        ADMITTED,
        "The owner said: let in now; the barrier is already down and stays so.",
        told=(OwnerLetsIn,),
        asks=(AdmissionDecided, CameraOff, FaultEnded),
    )
    LOWERED = _row(
        "lowering", ADMITTED, "The barrier itself says that it is down.", told=(BarrierSeen,), asks=(Halt, FaultEnded)
    )
    LOWERED_FOR_STAY = _row(
        "lowering",
        PARKED,
        "The barrier is down; the car in the bay can leave.",
        told=(BarrierSeen,),
        asks=(Halt, FaultEnded),
    )
    LOWERED_FOR_SAFETY = _row(
        "lowering",
        PARKED,
        "The barrier is down again; the bay counts as taken until its sensors say otherwise.",
        told=(BarrierSeen,),
        asks=(Halt, StayArrived),
    )
    LOWERED_LATE = _row(
        "idle looking",
        ADMITTED,
        "The barrier answered late, but it is down.",
        told=(BarrierSeen,),
        asks=(CameraOff, FaultEnded),
    )
    LOWERED_BY_HAND = _row(
        "any", None, "Somebody lowered the barrier. It stays down until somebody raises it.", told=(BarrierSeen,)
    )
    RAISED_BY_HAND = _row("any", None, "Somebody raised the barrier. That is respected.", told=(BarrierSeen,))
    RAISED_BEFORE_ARRIVAL = _row(
        "admitted warning", IDLE, "Somebody raised the barrier. That is respected.", told=(BarrierSeen,)
    )
    ARRIVED = _row("admitted", PARKED, "A sensor sees the car in the bay.", asks=(StayArrived,))
    ARRIVED_UNSEEN = _row(
        "admitted", PARKED, "The bay has no sensor; the car had time enough to park.", told=(Tick,), asks=(StayArrived,)
    )
    ADMISSION_UNUSED = _row(
        "admitted", IDLE, "Nobody was seen to arrive. The end of a booking raises nothing.", asks=(Notify,)
    )
    BAY_CLEAR = _row("parked", LEAVING, "All sensors say that the bay is empty.")
    NOT_CLEAR = _row("leaving", PARKED, "A sensor sees a car, or is silent, which counts as a car.")
    LEFT = _row(
        "leaving", WARNING, "The bay stayed empty: the car has left. The barrier will rise soon.", asks=(StayLeft,)
    )
    LEFT_STAYS_DOWN = _row(
        "leaving",
        IDLE,
        "The car has left. The barrier stays down: raising it by itself would not be safe, or not wanted.",
        asks=(StayLeft, Notify),
    )
    LEFT_WHILE_UP = _row("leaving", IDLE, "The car has left; the barrier is not down.", asks=(StayLeft,))
    LEFT_UNSEEN = _row(
        "parked",
        IDLE,
        "The bay has no sensor, its booking is over and the next renter is here.",
        asks=(StayLeft,),
    )
    RAISES = _row(
        "warning",
        RAISING,
        "Two different sensors freshly see an empty bay, after the car left and the warning passed.",
        told=(),
        asks=(Move,),
    )
    WARNING_CAR = _row("warning", PARKED, "A car was seen before the barrier rose.", asks=(StayArrived,))
    WARNING_UNSURE = _row(
        "warning", IDLE, "A sensor fell silent or its word is too old: the barrier stays down.", asks=(Notify,)
    )
    WARNING_HAND = _row(
        "warning", IDLE, "Somebody moves the barrier, or it can't be seen: ours stays off.", told=(BarrierSeen,)
    )
    RAISED = _row(
        "raising",
        IDLE,
        "The barrier itself says that it is up.",
        told=(BarrierSeen,),
        asks=(Halt, StayLeft, FaultEnded),
    )
    RAISING_CAR = _row(
        "raising", LOWERING, "A car came, or a sensor fell silent, while the barrier rose: down again.", asks=(Move,)
    )
    REVERSED = _row(
        "raising", IDLE, "The barrier went down again without us. That is respected.", told=(BarrierSeen,), asks=(Halt,)
    )
    JAMMED_RAISING = _row(
        "raising",
        LOWERING,
        "Something blocks the barrier on its way up: down again, once, and a person is told.",
        told=(BarrierSeen,),
        asks=(Move, Notify),
    )
    JAMMED_LOWERING = _row(
        "lowering",
        IDLE,
        "Something blocks the barrier on its way down: it stays as it is, and a person is told.",
        told=(BarrierSeen,),
        asks=(Halt, Notify),
    )
    JAMMED_LOWERING_IN_STAY = _row(
        "lowering",
        PARKED,
        "Something blocks the barrier on its way down with a car in the bay: a person is told.",
        told=(BarrierSeen,),
        asks=(Halt, Notify),
    )
    JAM_SEEN = _row(
        "any", None, "The barrier says that it is blocked. A person is told.", told=(BarrierSeen,), asks=(Notify,)
    )
    COMMAND_FAILED = _row(
        "lowering raising",
        IDLE,
        "The barrier did not do it. Nothing is tried again by itself; a person is told.",
        asks=(Halt, Notify),
    )
    COMMAND_FAILED_IN_STAY = _row(
        "lowering raising",
        PARKED,
        "The barrier did not do it, with a car in the bay. A person is told.",
        asks=(Halt, Notify),
    )
    HEALED = _row("any", None, "The barrier answers again.", told=(BarrierSeen,), asks=(FaultEnded,))
    OWNER_RAISES = _row(
        "idle looking admitted parked leaving warning",
        RAISING,
        "The owner said: raise, and no sensor sees a car.",
        told=(OwnerRaises,),
        asks=(CameraOff, Move, FaultEnded),
    )
    BOOT_LOOKS_ON = _row(
        "looking lowering",
        LOOKING,
        "After a restart the camera looks anew; no old command is sent.",
        told=(Booted,),
        asks=(CameraOn,),
    )
    BOOT_FORGETS = _row(
        "looking lowering raising warning",
        IDLE,
        "A restart ends what was under way. Nothing moves because of it.",
        told=(Booted,),
        asks=(CameraOff,),
    )
    BOOT_STAY_GOES_ON = _row(
        "lowering raising leaving",
        PARKED,
        "After a restart the car counts as still there until its leaving is seen.",
        told=(Booted,),
        asks=(CameraOff,),
    )
    BOOT_RESUMES = _row(
        "idle admitted parked", None, "After a restart all is as it was.", told=(Booted,), asks=(CameraOff,)
    )


def go(gate: Gate, transition: T, now: float, *intents: Intent, **changes: Any) -> Step:
    """Take a transition; raises GateError where the table does not allow it so."""
    row = transition.value
    if gate.phase not in row.start:
        raise GateError(f"{transition.name} does not start from {gate.phase}")
    for intent in intents:
        if type(intent) not in row.asks:
            raise GateError(f"{transition.name} does not ask for {type(intent).__name__}")
    if row.to is not None:
        changes |= {"phase": row.to, "since": now}
    return replace(gate, because=transition.name, **changes), intents


def markdown() -> str:
    """Return docs/gate.md."""
    lines = [
        "# The gate: when the barrier moves",
        "",
        "<!-- Generated by `python -m custom_components.parkshare.gate`. Edit gate/table.py instead. -->",
        "",
        "One space is always in one of these phases: " + ", ".join(f"`{phase}`" for phase in Phase) + ".",
        "A fault is kept besides: while it stands, nothing moves but by the owner's hand.",
        "A sensor that is silent, unavailable or unknown counts as a car.",
        "",
        "| transition | from | to | told | asks for | because |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_line(transition) for transition in T]
    return "\n".join(lines) + "\n"


def _line(transition: T) -> str:
    row = transition.value
    start = "any" if row.start == frozenset(Phase) else ", ".join(phase for phase in Phase if phase in row.start)
    told = ", ".join(kind.__name__ for kind in row.told) or "whatever made it true"
    asks = ", ".join(kind.__name__ for kind in row.asks) or "nothing"
    return f"| `{transition.name}` | {start} | {row.to or 'the same'} | {told} | {asks} | {row.why} |"
