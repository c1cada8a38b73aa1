"""The newest few pictures of a camera while it is being looked through, and when their owner must hear that they fail.

Pure: time comes in with every word; nothing here waits or calls out.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from custom_components.parkshare.recognition.types import Picture

MOST_PICTURES: Final = 4  # about one second of a car that rolls up
MOST_BYTES: Final = 24_000_000


class Burst:
    """Pictures that wait to be read, newest last. Only the newest few stay, by count and by their bytes together."""

    def __init__(self, *, most: int = MOST_PICTURES, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._pictures: deque[Picture] = deque()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._pictures)

    def add(self, picture: Picture) -> None:
        """Add the newest one. It stays whatever its size; older ones make room."""
        self._pictures.append(picture)
        while len(self._pictures) > self._most or (len(self._pictures) > 1 and self._bytes() > self._most_bytes):
            self._pictures.popleft()

    def take(self) -> tuple[Picture, ...]:
        """Take all of them, oldest first."""
        taken = tuple(self._pictures)
        self._pictures.clear()
        return taken

    def newest(self, suits: Callable[[Picture], bool]) -> Picture | None:
        """Return the newest picture that suits, and leave it here."""
        return next((picture for picture in reversed(self._pictures) if suits(picture)), None)

    def _bytes(self) -> int:
        return sum(len(picture.content) for picture in self._pictures)


class Fault(StrEnum):
    """Why there is no picture to read."""

    SILENT = "silent"
    FROZEN = "frozen"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a camera's pictures; words say more where the reader did (never a plate)."""

    fault: Fault
    words: str = ""


class Streak:
    """Failures without a good picture between them. One glitch is nobody's business, many are the owner's.

    How patient (s): a camera that wakes needs its time for the first picture, a slow one for a new one; what comes and
    is no picture gets no better by waiting.
    """

    FAILURES: Final = 3
    PATIENCE: Final = {Fault.SILENT: 12.0, Fault.FROZEN: 45.0, Fault.UNUSABLE: 2.0}

    def __init__(self) -> None:
        self._first: float | None = None
        self._failures = 0
        self._trouble: Trouble | None = None

    def failed(self, trouble: Trouble, now: float) -> Trouble | None:
        """Count a failure at now (s, any steady clock); returns the trouble once it is worth telling."""
        if self._first is None:
            self._first = now
        self._failures += 1
        # What is not a picture, shown again and again, is not a frozen camera: the bytes themselves are the trouble.
        if self._trouble is None or self._trouble.fault is not Fault.UNUSABLE or trouble.fault is Fault.UNUSABLE:
            self._trouble = trouble
        patience = self.PATIENCE[self._trouble.fault]
        return self._trouble if self._failures >= self.FAILURES and now - self._first >= patience else None

    def good(self) -> None:
        """A picture was read: all is forgotten."""
        self._first, self._failures, self._trouble = None, 0, None
