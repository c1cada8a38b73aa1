"""The words of recognition: picture, reading, look, verdict, and what a reader is.

Standard library and numpy only. Plates are personal: no repr here shows one, since a repr ends in logs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

type Point = tuple[float, float]
type LogMatrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Region:
    """The part of a picture in which plates are looked for, as fractions of its width and height (0..1)."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0

    def __post_init__(self) -> None:
        """Raise ValueError for a region that is empty or reaches out of the picture."""
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise ValueError("region: must lie in the picture: left < right and top < bottom, all between 0 and 1.")


WHOLE: Final = Region()


class Effort(StrEnum):
    """How a picture is looked at. All but the usual one take more time: no closer look is saved for what moved."""

    USUAL = "usual"
    THOROUGH = "thorough"
    STRETCHED = "stretched"  # and its brightness spread: dark, glaring and foggy pictures
    LEVELLED = "levelled"  # and each place shown against its surroundings: a plate in shadow, or beside a lamp


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the camera, still encoded.

    content is a JPEG, PNG or WebP file; taken_at is UTC epoch seconds. camera names the view for as long as the reader
    runs (any text, empty for none): between pictures of one view a reader may look where something moved. effort is a
    wish: a reader that knows only one way to look reads it that way.
    """

    content: bytes = field(repr=False)
    taken_at: float
    region: Region = WHOLE
    camera: str = ""
    effort: Effort = Effort.USUAL


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
class Quality:
    """How good a picture is for reading plates, measured inside its region.

    width and height are of the whole picture (px); brightness is the mean and contrast the spread (5 % to 95 %) of
    its luma, both 0..1; sharpness is about 1 where edges are as steep as the pixels allow and falls to 0 with blur;
    glare is the part of the pixels that are blown out. What follows is of the likeliest plate, None where there is
    none: its width and height in px of the picture, and how far its line of text is turned (degrees, 0 is level).
    """

    width: int
    height: int
    brightness: float
    contrast: float
    sharpness: float
    glare: float
    plate_width: float | None = None
    plate_height: float | None = None
    plate_tilt: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What one picture gave: all its readings, likeliest plates first; none is an answer too.

    A reader that compares several pictures of one moment says with taken_at which one it read.
    """

    readings: tuple[Reading, ...]
    taken_at: float
    source: str = ""
    quality: Quality | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to be drawn into a picture for its owner: a box (corners in px of the picture) and words beside it.

    sure marks what was read as a plate; others are drawn fainter.
    """

    box: tuple[Point, ...]
    label: str = field(repr=False)
    sure: bool = True


class Decision(StrEnum):
    """What the looks say about the car in front of the camera."""

    ADMIT = "admit"
    REFUSE = "refuse"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to: is this the expected car?

    reason says why in plain words and never contains a plate; evidence says what it rests on, a short sentence each,
    for the owner. looks counts the pictures that were judged; agreeing and contrary count those that speak for and
    against; score is how much likelier the expected plate is than any other text in the best of them, by all readers
    together (natural logarithm: above 0 no other is likelier; None if nothing could be compared). best_at is when the
    picture was taken that decided, or came nearest to it; None if none shows anything.
    """

    decision: Decision
    reason: str
    looks: int
    agreeing: int = 0
    contrary: int = 0
    score: float | None = None
    best_at: float | None = None
    evidence: tuple[str, ...] = ()


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

    async def read_best(self, pictures: Sequence[Picture]) -> Look:
        """Read the best of some pictures of one moment, newest last; raises as read does.

        Which is best is the reader's own judgement; one that has none reads the newest.
        """

    async def stop(self) -> None:
        """Give everything back; may be called at any time and more than once."""
