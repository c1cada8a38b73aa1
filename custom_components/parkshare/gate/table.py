"""Every transition of the gate, with what may cause it, where it leads, what it asks for, and why.

core.py can take no transition that is not here, and none in another way than it says here: `go` checks it.
docs/gate.md is generated from T (`python -m custom_components.parkshare.gate`).
"""

from enum import Enum, unique
from typing import Any

from . import words as w
from .transition import Step, row, take

IDLE, LOOKING, LOWERING, ADMITTED = w.Phase.IDLE, w.Phase.LOOKING, w.Phase.LOWERING, w.Phase.ADMITTED
PARKED, LEAVING, WARNING, RAISING = w.Phase.PARKED, w.Phase.LEAVING, w.Phase.WARNING, w.Phase.RAISING


@unique
class T(Enum):
    """The table."""

    ARMED_BY_POSITION = row(
        "idle", LOOKING, "The renter is near, so the camera looks for their car.", asks=(w.CameraOn,)
    )
    ARMED_BY_HERE = row("idle", LOOKING, "The renter says that they are here, so the camera looks.", asks=(w.CameraOn,))
    ARMED_BY_WINDOW = row(
        "idle",
        LOOKING,
        "The booked time has come and nobody told that the renter is near, so the camera watches.",
        asks=(w.CameraOn,),
    )
    ARMED_BY_CAR = row(
        "idle", LOOKING, "A car was sensed in a booked period, so the camera looks whose it is.", asks=(w.CameraOn,)
    )
    REFUSED = row(
        "looking",
        LOOKING,
        "Another car stands there. The barrier stays as it is, the owner is told, the camera goes on looking.",
        told=(w.Judged,),
        asks=(w.AdmissionDecided, w.Notify),
    )
    GAVE_UP = row(
        "looking",
        IDLE,
        "The time for looking is over without a match. The owner is told.",
        asks=(w.CameraOff, w.AdmissionDecided, w.Notify),
    )
    NOBODY_CAME = row("looking", IDLE, "The time for looking is over and nobody came.", asks=(w.CameraOff,))
    RENTER_WENT = row("looking", IDLE, "The renter drove away again.", told=(w.RenterAway,), asks=(w.CameraOff,))
    RIGHT_WITHDRAWN = row("looking", IDLE, "The booking was taken back.", told=(w.RightsChanged,), asks=(w.CameraOff,))
    ADMITTED_BY_PLATE = row(
        "looking",
        LOWERING,
        "The expected plate was read within the booked period.",
        told=(w.Judged,),
        asks=(w.AdmissionDecided, w.CameraOff, w.Move),
    )
    ADMITTED_BY_CODE = row(
        "idle looking",
        LOWERING,
        "The code that is shown at the space was given within the booked period.",
        told=(w.CodeGiven,),
        asks=(w.AdmissionDecided, w.CameraOff, w.Move),
    )
    HELP_HARDER = row(
        "looking", LOOKING, "The renter stands there and no plate admits: pictures with other settings.", asks=(w.Help,)
    )
    HELP_OWNER = row("looking", LOOKING, "Still no plate admits: the owner is asked, with the picture.", asks=(w.Help,))
    HELP_CODE = row(
        "looking", LOOKING, "Still nobody let the renter in: a code that is shown at the space does.", asks=(w.Help,)
    )
    HELP_CALL = row("looking", LOOKING, "Nothing helped so far: the renter is told whom to call.", asks=(w.Help,))
    OWNER_REFUSED = row(
        "looking",
        IDLE,
        "The owner said: not this car. The booked plate still opens, a code does not.",
        told=(w.OwnerRefuses,),
        asks=(w.CameraOff, w.AdmissionDecided),
    )
    ADMITTED_WHILE_DOWN = row(
        "idle looking",
        ADMITTED,
        "The renter is the right one; the barrier is already down.",
        told=(w.Judged, w.CodeGiven),
        asks=(w.AdmissionDecided, w.CameraOff),
    )
    ADMITTED_BUT_FAULTY = row(
        "idle looking",
        IDLE,
        "The renter is the right one, but the barrier has a fault: a person must help.",
        told=(w.Judged, w.CodeGiven),
        asks=(w.AdmissionDecided, w.CameraOff, w.Notify),
    )
    OWNER_LET_IN = row(
        "any",
        LOWERING,
        "The owner said: let in now.",
        told=(w.OwnerLetsIn,),
        asks=(w.AdmissionDecided, w.CameraOff, w.Move, w.FaultEnded),
    )
    OWNER_LET_IN_WHILE_DOWN = row(
        "idle looking warning",
        ADMITTED,
        "The owner said: let in now; the barrier is already down and stays so.",
        told=(w.OwnerLetsIn,),
        asks=(w.AdmissionDecided, w.CameraOff, w.FaultEnded),
    )
    OWNER_KEEPS_DOWN = row(
        "leaving",
        None,
        "The owner said: let in now, while the car leaves. The barrier stays down until somebody raises it.",
        told=(w.OwnerLetsIn,),
    )
    LOWERED = row(
        "lowering",
        ADMITTED,
        "The barrier itself says that it is down.",
        told=(w.BarrierSeen,),
        asks=(w.Halt, w.FaultEnded),
    )
    LOWERED_FOR_STAY = row(
        "lowering",
        PARKED,
        "The barrier is down; the car in the bay can leave.",
        told=(w.BarrierSeen,),
        asks=(w.Halt, w.FaultEnded),
    )
    LOWERED_FOR_SAFETY = row(
        "lowering",
        PARKED,
        "The barrier is down again; the bay counts as taken until its sensors say otherwise.",
        told=(w.BarrierSeen,),
        asks=(w.Halt, w.StayArrived),
    )
    LOWERED_LATE = row(
        "idle looking",
        ADMITTED,
        "The barrier answered late, but it is down.",
        told=(w.BarrierSeen,),
        asks=(w.CameraOff, w.FaultEnded),
    )
    LOWERED_BY_HAND = row(
        "any", None, "Somebody lowered the barrier. It stays down until somebody raises it.", told=(w.BarrierSeen,)
    )
    RAISED_BY_HAND = row("any", None, "Somebody raised the barrier. That is respected.", told=(w.BarrierSeen,))
    RAISED_BEFORE_ARRIVAL = row(
        "admitted warning", IDLE, "Somebody raised the barrier. That is respected.", told=(w.BarrierSeen,)
    )
    ARRIVED = row("admitted", PARKED, "A sensor sees the car in the bay.", asks=(w.StayArrived,))
    ARRIVED_UNSEEN = row(
        "admitted",
        PARKED,
        "The bay has no sensor; the car had time enough to park.",
        told=(w.Tick,),
        asks=(w.StayArrived,),
    )
    NOT_IN = row(
        "admitted",
        ADMITTED,
        "The barrier says that it is down, and no sensor sees the car come in. Perhaps it is not: a person must look.",
        asks=(w.Help, w.Notify),
    )
    ADMISSION_UNUSED = row(
        "admitted", IDLE, "Nobody was seen to arrive. The end of a booking raises nothing.", asks=(w.Notify,)
    )
    ENDS_SOON = row(
        "parked", PARKED, "The booked period is over soon: owner and renter are told.", asks=(w.StayEnding, w.Notify)
    )
    OVERSTAYED = row(
        "parked",
        PARKED,
        "The car stands there after its period and the grace. Nothing moves; owner, renter and the next one are told.",
        asks=(w.Overstayed, w.Notify),
    )
    SENSORS_DISAGREE = row(
        "parked",
        PARKED,
        "The sensors do not say the same, or one is silent. Nothing rises after this stay; the owner must look.",
        asks=(w.Notify,),
    )
    EXTENDED = row(
        "parked leaving", None, "The booking was made longer.", told=(w.RightsChanged,), asks=(w.StayExtended,)
    )
    BAY_TAKEN = row(
        "idle parked",
        None,
        "A car of no booking stands in the bay, and a booking needs it now or soon. A person must look.",
        asks=(w.BayTaken, w.Notify),
    )
    BAY_FREE = row("any", None, "The bay that was taken is free again.", asks=(w.BayFree,))
    BAY_CLEAR = row("parked", LEAVING, "All sensors say that the bay is empty.")
    NOT_CLEAR = row("leaving", PARKED, "A sensor sees a car, or is silent, which counts as a car.")
    LEFT = row(
        "leaving", WARNING, "The bay stayed empty: the car has left. The barrier will rise soon.", asks=(w.StayLeft,)
    )
    LEFT_STAYS_DOWN = row(
        "leaving",
        IDLE,
        "The car has left. The barrier stays down: raising it by itself would not be safe, or not wanted.",
        asks=(w.StayLeft, w.Notify),
    )
    LEFT_ASKS = row(
        "leaving",
        IDLE,
        "The car has left. The barrier stays down until the owner says raise: they want to be asked.",
        asks=(w.StayLeft, w.Notify),
    )
    LEFT_WHILE_UP = row("leaving", IDLE, "The car has left; the barrier is not down.", asks=(w.StayLeft,))
    LEFT_UNSEEN = row(
        "parked",
        IDLE,
        "The bay has no sensor, its booking is over and the next renter is here or due.",
        asks=(w.StayLeft,),
    )
    ASKS_UNSEEN = row(
        "parked",
        PARKED,
        "The bay has no sensor and its booking is over: the owner is asked whether the barrier may rise.",
        asks=(w.Notify,),
    )
    RAISES = row(
        "warning",
        RAISING,
        "Two different sensors freshly see an empty bay, after the car left and the warning passed.",
        told=(),
        asks=(w.Move,),
    )
    WARNING_CAR = row("warning", PARKED, "A car was seen before the barrier rose.", asks=(w.StayArrived,))
    WARNING_UNSURE = row(
        "warning", IDLE, "A sensor fell silent or its word is too old: the barrier stays down.", asks=(w.Notify,)
    )
    WARNING_HAND = row(
        "warning", IDLE, "Somebody moves the barrier, or it can't be seen: ours stays off.", told=(w.BarrierSeen,)
    )
    RAISED = row(
        "raising",
        IDLE,
        "The barrier itself says that it is up.",
        told=(w.BarrierSeen,),
        asks=(w.Halt, w.StayLeft, w.FaultEnded),
    )
    RAISING_CAR = row(
        "raising", LOWERING, "A car came, or a sensor fell silent, while the barrier rose: down again.", asks=(w.Move,)
    )
    ROSE_ALL_THE_SAME = row(
        "lowering",
        LOWERING,
        "The barrier came up although it was told to go down again: it obeyed late. A person must look at the car.",
        told=(w.BarrierSeen,),
        asks=(w.Notify,),
    )
    ROSE_LATE = row(
        "any",
        None,
        "The barrier came up long after it was told to, and a car is there. Nothing moves; a person must look.",
        told=(w.BarrierSeen,),
        asks=(w.Notify, w.FaultEnded),
    )
    REVERSED = row(
        "raising",
        IDLE,
        "The barrier went down again without us. That is respected.",
        told=(w.BarrierSeen,),
        asks=(w.Halt,),
    )
    REVERSED_IN_STAY = row(
        "raising",
        PARKED,
        "The barrier went down again without us, in a stay: the car counts as still there. That is respected.",
        told=(w.BarrierSeen,),
        asks=(w.Halt,),
    )
    JAMMED_RAISING = row(
        "raising",
        LOWERING,
        "Something blocks the barrier on its way up: down again, once, and a person is told.",
        told=(w.BarrierSeen,),
        asks=(w.Move, w.Notify),
    )
    JAMMED_LOWERING = row(
        "lowering",
        IDLE,
        "Something blocks the barrier on its way down: it stays as it is, and a person is told.",
        told=(w.BarrierSeen,),
        asks=(w.Halt, w.Notify),
    )
    JAMMED_LOWERING_IN_STAY = row(
        "lowering",
        PARKED,
        "Something blocks the barrier on its way down with a car in the bay: a person is told.",
        told=(w.BarrierSeen,),
        asks=(w.Halt, w.Notify),
    )
    JAM_SEEN = row(
        "any", None, "The barrier says that it is blocked. A person is told.", told=(w.BarrierSeen,), asks=(w.Notify,)
    )
    COMMAND_FAILED = row(
        "lowering raising",
        IDLE,
        "The barrier did not do it. Nothing is tried again by itself; a person is told.",
        asks=(w.Halt, w.Notify),
    )
    COMMAND_FAILED_IN_STAY = row(
        "lowering raising",
        PARKED,
        "The barrier did not do it, with a car in the bay. A person is told.",
        asks=(w.Halt, w.Notify),
    )
    HEALED = row("any", None, "The barrier answers again.", told=(w.BarrierSeen,), asks=(w.FaultEnded,))
    OWNER_RAISES = row(
        "idle looking admitted parked leaving warning",
        RAISING,
        "The owner said: raise, and no sensor sees a car.",
        told=(w.OwnerRaises,),
        asks=(w.CameraOff, w.Move, w.FaultEnded),
    )
    BOOT_LOOKS_ON = row(
        "looking lowering",
        LOOKING,
        "After a restart the camera looks anew; no old command is sent.",
        told=(w.Booted,),
        asks=(w.CameraOn,),
    )
    BOOT_FORGETS = row(
        "looking lowering raising warning",
        IDLE,
        "A restart ends what was under way. Nothing moves because of it; a barrier that was to rise is told of.",
        told=(w.Booted,),
        asks=(w.CameraOff, w.Notify),
    )
    BOOT_STAY_GOES_ON = row(
        "lowering raising leaving",
        PARKED,
        "After a restart the car counts as still there until its leaving is seen.",
        told=(w.Booted,),
        asks=(w.CameraOff,),
    )
    BOOT_RESUMES = row(
        "idle admitted parked", None, "After a restart all is as it was.", told=(w.Booted,), asks=(w.CameraOff,)
    )


def go(gate: w.Gate, transition: T, now: float, *intents: w.Intent, **changes: Any) -> Step:
    """Take a transition of the table."""
    return take(gate, transition.name, transition.value, now, *intents, **changes)
