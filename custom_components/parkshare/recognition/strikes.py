"""When a reader that fails again and again should rest. Pure: the time comes with every call."""

from collections import deque
from typing import Final

STRIKES: Final = 3
WINDOW_S: Final = 600.0


class Strikes:
    """Failures of one reader: three within ten minutes, and it rests until the first of them is ten minutes old."""

    def __init__(self) -> None:
        self._at: deque[float] = deque(maxlen=STRIKES)

    def strike(self, now: float) -> None:
        """Count a failure; now is monotonic (s)."""
        self._at.append(now)

    def forgive(self) -> None:
        """Begin anew: somebody has done something about it."""
        self._at.clear()

    def out(self, now: float) -> bool:
        """Tell whether the reader should rest."""
        return len(self._at) == STRIKES and now - self._at[0] < WINDOW_S
