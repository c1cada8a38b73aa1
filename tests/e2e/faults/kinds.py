"""The faults: those of one lock, and those that hit the whole house."""

from enum import StrEnum

from tests.simulators.ground_lock import Fault


class Local(StrEnum):
    """What is wrong with one ground lock."""

    JAM_DOWN = "jam_down"
    JAM_UP = "jam_up"
    CAR_ENTERS = "car_enters"
    UNAVAILABLE = "unavailable"
    LATE = "late"
    LIES = "lies"
    CAMERA_DARK = "camera_dark"
    CAMERA_FROZEN = "camera_frozen"
    SENSOR_STUCK = "sensor_stuck"


class Whole(StrEnum):
    """What hits the house with all its locks."""

    BROKER_FORGETS = "broker_forgets"
    BROKER_KEEPS = "broker_keeps"
    KILL_LOOKING = "kill_looking"
    KILL_LOWERING = "kill_lowering"
    KILL_ADMITTED = "kill_admitted"
    KILL_PARKED = "kill_parked"
    KILL_LEAVING = "kill_leaving"
    KILL_WARNING = "kill_warning"
    KILL_RAISING = "kill_raising"
    CLOCK_FORWARD = "clock_forward"
    CLOCK_BACK = "clock_back"
    DST_SPRING = "dst_spring"
    DST_AUTUMN = "dst_autumn"


# What makes the clock of the house wrong.
HOUSE_CLOCK = (Whole.CLOCK_FORWARD, Whole.CLOCK_BACK)

type Kind = Local | Whole

WORDS: dict[Kind, str] = {
    Local.JAM_DOWN: "jam going down",
    Local.JAM_UP: "jam going up",
    Local.CAR_ENTERS: "car enters while rising",
    Local.UNAVAILABLE: "lock unavailable at arrival",
    Local.LATE: "lock answers 20 s late",
    Local.LIES: "lock lies (reports down, is up)",
    Local.CAMERA_DARK: "camera dark",
    Local.CAMERA_FROZEN: "camera freezes",
    Local.SENSOR_STUCK: "sensor stuck at “a car”",
    Whole.BROKER_FORGETS: "broker restarts, retained messages lost",
    Whole.BROKER_KEEPS: "broker restarts, retained messages kept",
    Whole.KILL_LOOKING: "hass killed while looking",
    Whole.KILL_LOWERING: "hass killed while lowering",
    Whole.KILL_ADMITTED: "hass killed while admitted",
    Whole.KILL_PARKED: "hass killed while parked",
    Whole.KILL_LEAVING: "hass killed while leaving",
    Whole.KILL_WARNING: "hass killed while warning",
    Whole.KILL_RAISING: "hass killed while raising",
    Whole.CLOCK_FORWARD: "clock jumps an hour forward",
    Whole.CLOCK_BACK: "clock jumps an hour back",
    Whole.DST_SPRING: "summer time begins in the booking",
    Whole.DST_AUTUMN: "summer time ends in the booking",
}

# What a lock of the simulators is told when the renter comes; the rest has its own moment in the visit.
AT_ARRIVAL: dict[Local, Fault] = {
    Local.JAM_DOWN: Fault.JAM_DOWN,
    Local.UNAVAILABLE: Fault.LOCK_GONE,
    Local.LATE: Fault.LATE,
    Local.LIES: Fault.LIES,
    Local.CAMERA_DARK: Fault.CAMERA_DARK,
    Local.CAMERA_FROZEN: Fault.CAMERA_FROZEN,
}
# What somebody has to repair before the car gets in; without a picture the owner's word is enough.
REPAIRED_AT_ARRIVAL = (Local.JAM_DOWN, Local.UNAVAILABLE, Local.LIES)


def parse(text: str) -> tuple[Kind, ...]:
    """Read "jam_down+sensor_stuck". Raises ValueError for a word that is no fault."""
    names: dict[str, Kind] = {kind.value: kind for kinds in (Local, Whole) for kind in kinds}
    parts = [part for part in text.split("+") if part and part != "none"]
    if unknown := [part for part in parts if part not in names]:
        raise ValueError(f"No such fault: {', '.join(unknown)}. There are: {', '.join(names)}")
    return tuple(names[part] for part in parts)
