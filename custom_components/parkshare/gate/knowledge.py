"""What the gate knows. Pure: standard library only. All times are UTC epoch seconds, all durations seconds."""

from dataclasses import dataclass

from .kinds import ArmedBy, Cause, Decision, FaultKind, Phase, Position, Rung, Says


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
    # A person sees that the barrier is not where it says it is: send it all the same.
    insist: bool = False


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
    # Since when somebody surely stands there, and until when that is believed without another sign.
    stands_since: float | None = None
    stands_until: float = 0.0
    # How far the ladder is.
    rung: Rung | None = None
    # Bookings whose car the owner refused: no code opens for them, and the owner is not asked again.
    barred: tuple[str, ...] = ()
    # For which end of the stay it was told that it comes, and that it is over: an extension is told anew.
    ending_told: float | None = None
    overstay_told: float | None = None
    # Bookings whose car has left: what stands in the bay then is another's.
    left: tuple[str, ...] = ()
    # Since when some sensors of a parked car say clear and others do not; told once a stay.
    disagree_since: float | None = None
    disagree_told: bool = False
    # Since when a sensor sees a car of no booking, and the bookings for which that was told.
    taken_since: float | None = None
    taken_told: tuple[str, ...] = ()
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
    # When the barrier was last told to rise: a lock may obey late.
    raised_at: float = 0.0
    # Raises in a row that ended on the way up.
    aborted: int = 0

    @property
    def booking(self) -> str | None:
        """The booking of the approach or of the stay."""
        return self.right.booking if self.right else None
