"""Reading number plates: readers, and the verdict over what they read. Knows nothing of Home Assistant."""

from .embedded import EmbeddedReader
from .normalise import check_plate, fold, normalise, same_plate
from .types import (
    WHOLE,
    BadPicture,
    Decision,
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
from .verdict import DEFAULT_POLICY, VerdictPolicy, judge

__all__ = [
    "DEFAULT_POLICY",
    "WHOLE",
    "BadPicture",
    "Decision",
    "EmbeddedReader",
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
