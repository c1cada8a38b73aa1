"""What the gate asks for."""

from dataclasses import dataclass

from .kinds import Cause, Decision, FaultKind, Notice, Rung
from .knowledge import Command


@dataclass(frozen=True, slots=True)
class CameraOn:
    """Turn the camera on and look for the car of this booking."""

    booking: str


@dataclass(frozen=True, slots=True)
class CameraOff:
    """Stop looking and turn the camera off."""


@dataclass(frozen=True, slots=True)
class Move:
    """Move the barrier; one command at a time, a newer one replaces the older."""

    command: Command
    why: str


@dataclass(frozen=True, slots=True)
class Halt:
    """Forget the command in flight: no further try."""


@dataclass(frozen=True, slots=True)
class AdmissionDecided:
    """Record and report a decision."""

    booking: str | None
    decision: Decision
    by: Cause
    at: float


@dataclass(frozen=True, slots=True)
class StayArrived:
    """The car of the booking stands in the bay."""

    booking: str
    at: float


@dataclass(frozen=True, slots=True)
class StayLeft:
    """The car of the booking is gone."""

    booking: str
    at: float


@dataclass(frozen=True, slots=True)
class Help:
    """The renter of booking stands there and does not get in: take this rung of the ladder."""

    booking: str
    rung: Rung
    at: float


@dataclass(frozen=True, slots=True)
class StayEnding:
    """The period of the car in the bay is over soon."""

    booking: str
    at: float


@dataclass(frozen=True, slots=True)
class Overstayed:
    """The car of the booking stands in the bay after its period and the grace: the next one can't count on it."""

    booking: str
    at: float


@dataclass(frozen=True, slots=True)
class StayExtended:
    """What was told of the end of this stay is no longer so."""

    booking: str
    at: float


@dataclass(frozen=True, slots=True)
class BayTaken:
    """A car of no booking stands in the bay, and this booking needs it now or soon."""

    booking: str
    at: float


@dataclass(frozen=True, slots=True)
class BayFree:
    """The bay that was taken is free for this booking."""

    booking: str
    at: float


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell the owner, once."""

    notice: Notice
    booking: str | None = None
    fault: FaultKind | None = None


@dataclass(frozen=True, slots=True)
class FaultEnded:
    """The fault is over: take its notice away."""


type Intent = (
    CameraOn
    | CameraOff
    | Move
    | Halt
    | AdmissionDecided
    | StayArrived
    | StayLeft
    | StayEnding
    | Overstayed
    | StayExtended
    | BayTaken
    | BayFree
    | Help
    | Notify
    | FaultEnded
)
