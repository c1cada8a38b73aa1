"""The single words of the gate: its phases, and what may be said of a barrier, a bay, a car, a decision."""

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
    CAR = "car"  # a sensor of the bay sees one
    VEHICLE = "vehicle"  # one is seen on its way to the bay; it may pass by


class Cause(StrEnum):
    """Why the barrier is asked to move."""

    PLATE = "plate"
    OWNER = "owner"
    CODE = "code"
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
    TOO_LATE = "too_late"  # the time of a command was over before it could be sent


class Notice(StrEnum):
    """What a person is told, once."""

    REFUSED = "refused"
    UNSURE = "unsure"
    FAULT = "fault"
    ADMITTED_BUT_FAULTY = "admitted_but_faulty"
    STAYS_DOWN = "stays_down"
    ASK_RAISE = "ask_raise"
    ENDS_SOON = "ends_soon"
    OVERSTAY = "overstay"
    BAY_TAKEN = "bay_taken"
    NOT_IN = "not_in"
    SENSORS_DISAGREE = "sensors_disagree"
    ROSE = "rose"


class Rung(StrEnum):
    """The ladder of a renter who stands there and whose plate does not admit. Each rung keeps the ones before it."""

    HARDER = "harder"  # pictures with other settings
    OWNER = "owner"  # the owner is asked, with the picture
    CODE = "code"  # an on-site code opens
    CALL = "call"  # whom to call


class Raising(StrEnum):
    """What the owner wants when a car has left. There is no choice to raise on less than two clears."""

    AUTOMATIC = "automatic"
    ASK = "ask"
    NEVER = "never"
