"""The words of recognition: picture, reading, look, verdict, and what a reader is.

Standard library and numpy only. Plates are personal: no repr here shows one, since a repr ends in logs.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

type Point = tuple[float, float]
type LogMatrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the camera, still encoded.

    content is a JPEG, PNG or WebP file; taken_at is UTC epoch seconds.
    """

    content: bytes = field(repr=False)
    taken_at: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at one plate-like text.

    text is what the reader would say (alphabet.CHARACTERS, no separators), confidences one figure in 0..1 for each
    of its characters, box the four corners in pixels of the picture (top left, top right, bottom right, bottom left
    of the text). matrix holds natural-log probabilities, T x (1 + len(alphabet.CHARACTERS)), column 0 the CTC blank;
    None where the reader gives texts only. taken_at is when the picture was taken (UTC epoch seconds).
    """

    text: str = field(repr=False)
    confidences: tuple[float, ...]
    box: tuple[Point, ...]
    matrix: LogMatrix | None = field(default=None, repr=False, compare=False)
    source: str = ""
    taken_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """What one picture gave: all its readings, best detected first; none is an answer too."""

    readings: tuple[Reading, ...]
    taken_at: float
    source: str = ""


class Decision(StrEnum):
    """What the looks say about the car in front of the camera."""

    ADMIT = "admit"
    REFUSE = "refuse"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to: is this the expected car?

    reason says why in plain words and never contains a plate. looks counts the pictures that were judged;
    agreeing and contrary count those that speak for and against; score is the best log-likelihood ratio of the
    expected plate against the best other reading (0 is perfect, None if nothing could be compared).
    """

    decision: Decision
    reason: str
    looks: int
    agreeing: int = 0
    contrary: int = 0
    score: float | None = None


class PlateError(ValueError):
    """A plate that nobody can have; the message names the field and says what to do."""

    field = "plate"


class ReaderError(Exception):
    """A reader could not read."""


class BadPicture(ReaderError):  # noqa: N818 - the words of the design
    """The bytes are not a picture that we are willing to open; another picture may do."""


class ReaderTimeout(ReaderError):  # noqa: N818 - the words of the design
    """The reader gave no answer, because it is too slow or it crashed; the next picture gets a new one."""


class ReaderUnavailable(ReaderError):  # noqa: N818 - the words of the design
    """The reader cannot work until somebody does something.

    reason says what happened, remedy what to do, both in plain words for the owner.
    """

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason} {remedy}")
        self.reason = reason
        self.remedy = remedy


class Reader(Protocol):
    """Turns a picture into readings. All methods are called from one event loop."""

    name: str

    async def start(self) -> None:
        """Warm up, so that the first picture is read quickly; raises ReaderUnavailable."""

    async def read(self, picture: Picture) -> Look:
        """Read one picture; raises BadPicture, ReaderTimeout or ReaderUnavailable."""

    async def stop(self) -> None:
        """Give everything back; may be called at any time and more than once."""
