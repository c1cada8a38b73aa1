"""What kinds of entries a record has. Pure: standard library only."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What an entry tells of."""

    # Of the record itself.
    START = "start"
    KEY = "key"
    CHECKPOINT = "checkpoint"
    GAP = "gap"
    CUT = "cut"
    REPEATED = "repeated"
    # Of the space.
    BOOT = "boot"
    CLOCK = "clock"
    TRANSITION = "transition"
    DECISION = "decision"
    COMMAND = "command"
    COMMAND_FAILED = "command.failed"
    BARRIER = "barrier"
    FAULT = "fault"
    FAULT_ENDED = "fault.ended"
    CAMERA = "camera"
    HELP = "help"
    ANSWER = "answer"
    CODE = "code"
    TOLD = "told"
    ARRIVED = "stay.arrived"
    LEFT = "stay.left"
    ENDING = "stay.ending"
    OVERSTAYED = "stay.overstayed"
    EXTENDED = "stay.extended"
    TAKEN = "bay.taken"
    FREE = "bay.free"


# They say what the record itself went through, and are never hidden.
OF_THE_RECORD: Final = frozenset({Kind.START, Kind.KEY, Kind.CHECKPOINT, Kind.GAP, Kind.CUT})
