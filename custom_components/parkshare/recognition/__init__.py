"""Reading number plates: readers, and the verdict over what they read. Knows nothing of Home Assistant."""

from .embedded import EmbeddedReader
from .levels import DEFAULT_POLICY, POLICIES, Level, VerdictPolicy
from .normalise import check_plate, fold, normalise, same_plate
from .types import (
    WHOLE,
    BadPicture,
    Decision,
    Effort,
    Look,
    Mark,
    Picture,
    PlateError,
    Quality,
    Reader,
    ReaderError,
    ReaderTimeout,
    ReaderUnavailable,
    Reading,
    Region,
    Verdict,
)
from .verdict import judge

__all__ = [
    "DEFAULT_POLICY",
    "POLICIES",
    "WHOLE",
    "BadPicture",
    "Decision",
    "Effort",
    "EmbeddedReader",
    "Level",
    "Look",
    "Mark",
    "Picture",
    "PlateError",
    "Quality",
    "Reader",
    "ReaderError",
    "ReaderTimeout",
    "ReaderUnavailable",
    "Reading",
    "Region",
    "Verdict",
    "VerdictPolicy",
    "check_plate",
    "fold",
    "judge",
    "normalise",
    "same_plate",
]
