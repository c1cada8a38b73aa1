"""Reading number plates: readers, and the verdict over what they read. Knows nothing of Home Assistant."""

from .embedded import EmbeddedReader
from .normalise import check_plate, fold, normalise, same_plate
from .types import (
    BadPicture,
    Decision,
    Look,
    Picture,
    PlateError,
    Reader,
    ReaderError,
    ReaderTimeout,
    ReaderUnavailable,
    Reading,
    Verdict,
)
from .verdict import DEFAULT_POLICY, VerdictPolicy, judge

__all__ = [
    "DEFAULT_POLICY",
    "BadPicture",
    "Decision",
    "EmbeddedReader",
    "Look",
    "Picture",
    "PlateError",
    "Reader",
    "ReaderError",
    "ReaderTimeout",
    "ReaderUnavailable",
    "Reading",
    "Verdict",
    "VerdictPolicy",
    "check_plate",
    "fold",
    "judge",
    "normalise",
    "same_plate",
]
