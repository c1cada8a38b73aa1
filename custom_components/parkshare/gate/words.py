"""The words of the gate: its phases, what it knows, what it is told, what it asks for.

Pure: standard library only. All times are UTC epoch seconds, all durations seconds.
"""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Where one space stands."""

    IDLE = "idle"
    LOOKING = "looking"
    LOWERING = "lowering"
    ADMITTED = "admitted"
    PARKED = "parked"
    LEAVING = "leaving"
    WARNING = "warning"
    RAISING = "raising"


class Position(StrEnum):
    """What the barrier's own entity says. Up blocks the bay."""

    UP = "up"
    DOWN = "down"
    MOVING = "moving"
    JAMMED = "jammed"
    UNKNOWN = "unknown"


class Says(StrEnum):
    """What one source says about the bay. A source that is silent, unavailable or unknown counts as a car."""

    OCCUPIED = "occupied"
    CLEAR = "clear"
    UNKNOWN = "unknown"


class ArmedBy(StrEnum):
    """Why the camera may look."""

    POSITION = "position"
    HERE = "here"
    WINDOW = "window"
    CAR = "car"


class Cause(StrEnum):
    """Why the barrier is asked to move."""

    PLATE = "plate"
    OWNER = "owner"
    SAFETY = "safety"
    CLEAR = "clear"


class Decision(StrEnum):
    """What the looks say about the car; the same words as the recognition's verdict."""

    ADMIT = "admit"
    REFUSE = "refuse"
    UNSURE = "unsure"


class FaultKind(StrEnum):
    """What is wrong with the barrier."""

    JAMMED = "jammed"
    NO_ANSWER = "no_answer"
    UNAVAILABLE = "unavailable"
    MISSING = "missing"


class Notice(StrEnum):
    """What a person is told, once."""

    REFUSED = "refused"
    UNSURE = "unsure"
    FAULT = "fault"
    ADMITTED_BUT_FAULTY = "admitted_but_faulty"
    STAYS_DOWN = "stays_down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """A booking's right to this space for start <= t < end; a grant without its plate, which the gate never sees."""

    booking: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Said:
    """What one source said last; seen_at is when it looked, not when we heard of it."""

    source: str
    says: Says
    seen_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One wish to move the barrier. Worth nothing from expires_at on, and never sent twice after a restart."""

    number: int
    target: Position
    cause: Cause
    booking: str | None
    issued_at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Fault:
    """Latched: as long as it stands, nothing moves by itself."""

    kind: FaultKind
    since: float


@dataclass(frozen=True, slots=True)
class Approach:
    """A fresh fact that waits until the gate is free to look: the renter of booking is near."""

    booking: str
    at: float
    armed_by: ArmedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """All that the gate knows. Everything but sources and seen times survives a restart (see codec.py)."""

    phase: Phase = Phase.IDLE
    since: float = 0.0
    # Name of the transition that led here (a member of table.T); its reason is in the table.
    because: str = ""
    rights: tuple[Right, ...] = ()
    # The right of the approach or of the stay; None for a car that the owner let in.
    right: Right | None = None
    arrived: bool = False
    # Bookings whose first watch is over: the start of their period does not arm the camera again.
    watched: tuple[str, ...] = ()
    near: str | None = None
    # Since when nobody can tell us that a renter is near; None while the backend can.
    unlinked_since: float | None = 0.0
    approach: Approach | None = None
    armed_by: ArmedBy | None = None
    armed_until: float = 0.0
    camera: bool = False
    last_decision: Decision | None = None
    plate_seen: bool = False
    refusing_since: float | None = None
    refusal_told: bool = False
    sources: tuple[Said, ...] = ()
    position: Position = Position.UNKNOWN
    # The last position that was up or down: shows a move that we did not ask for, also over a restart.
    stood: Position = Position.UNKNOWN
    command: Command | None = None
    last_command: Command | None = None
    commands: int = 0
    # Somebody lowered it themselves: it stays down until somebody raises it.
    by_hand: bool = False
    # After a restart nothing rises until a car was seen by this very run: an empty bay alone is no departure.
    inhibited: bool = True
    fault: Fault | None = None
    # Raises in a row that ended on the way up.
    aborted: int = 0

    @property
    def booking(self) -> str | None:
        """The booking of the approach or of the stay."""
        return self.right.booking if self.right else None


# What the gate is told.


@dataclass(frozen=True, slots=True)
class Booted:
    """Home Assistant started or the space was reloaded. sources are the names of the bay's sensors."""

    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A deadline came."""


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
    """The barrier's own entity reported."""

    position: Position


@dataclass(frozen=True, slots=True)
class CommandFailed:
    """The adapter gave up on a command."""

    number: int
    kind: FaultKind


@dataclass(frozen=True, slots=True)
class OwnerLetsIn:
    """The owner says: let in now."""


@dataclass(frozen=True, slots=True)
class OwnerRaises:
    """The owner says: raise."""


type Input = (
    Booted
    | Tick
    | RightsChanged
    | RenterNear
    | RenterAway
    | LinkSeen
    | SourceSeen
    | Judged
    | BarrierSeen
    | CommandFailed
    | OwnerLetsIn
    | OwnerRaises
)


# What the gate asks for.


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
class Notify:
    """Tell the owner, once."""

    notice: Notice
    booking: str | None = None
    fault: FaultKind | None = None


@dataclass(frozen=True, slots=True)
class FaultEnded:
    """The fault is over: take its notice away."""


type Intent = CameraOn | CameraOff | Move | Halt | AdmissionDecided | StayArrived | StayLeft | Notify | FaultEnded
