"""What the gate is told."""

from dataclasses import dataclass

from .kinds import ArmedBy, Decision, FaultKind, Position, Says
from .knowledge import Right


@dataclass(frozen=True, slots=True)
class Booted:
    """Home Assistant started or the space was reloaded. sources are the names of the bay's sensors."""

    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A deadline came."""


@dataclass(frozen=True, slots=True)
class ClockSet:
    """The clock of the house was set: it shows by so many seconds more than it would have."""

    by: float


@dataclass(frozen=True, slots=True)
class RightsChanged:
    """The grants of this space are now these."""

    rights: tuple[Right, ...]


@dataclass(frozen=True, slots=True)
class RenterNear:
    """A fact from the backend; at is when it became true there."""

    booking: str
    at: float
    armed_by: ArmedBy


@dataclass(frozen=True, slots=True)
class RenterAway:
    """The renter left the fence."""

    booking: str


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """The backend can tell us about renters, or no longer."""

    up: bool


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """A sensor of the bay reported."""

    source: str
    says: Says
    seen_at: float


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict over the looks of this approach. plate_seen: the camera saw some plate at all."""

    booking: str
    decision: Decision
    seen_at: float
    plate_seen: bool


@dataclass(frozen=True, slots=True)
class BarrierSeen:
    """The barrier's own entity reported. done is the number of the command that the adapter has carried out by now."""

    position: Position
    done: int | None = None


@dataclass(frozen=True, slots=True)
class CommandFailed:
    """The adapter gave up on a command."""

    number: int
    kind: FaultKind


@dataclass(frozen=True, slots=True)
class CarSensed:
    """Something that watches the way to the bay saw a car come; seen_at is when."""

    seen_at: float


@dataclass(frozen=True, slots=True)
class CodeGiven:
    """The right on-site code of this booking was given; seen_at is when. A wrong one never comes here."""

    booking: str
    seen_at: float


@dataclass(frozen=True, slots=True)
class OwnerLetsIn:
    """The owner says: let in now. by is their Home Assistant user, where that is known; here and below."""

    by: str | None = None


@dataclass(frozen=True, slots=True)
class OwnerRefuses:
    """The owner says: not this car."""

    booking: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class OwnerRaises:
    """The owner says: raise."""

    by: str | None = None


type Input = (
    Booted
    | Tick
    | ClockSet
    | RightsChanged
    | RenterNear
    | RenterAway
    | LinkSeen
    | SourceSeen
    | Judged
    | BarrierSeen
    | CommandFailed
    | CarSensed
    | CodeGiven
    | OwnerLetsIn
    | OwnerRefuses
    | OwnerRaises
)
