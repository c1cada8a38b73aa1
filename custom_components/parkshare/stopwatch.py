"""How long each part of an admission took."""

from itertools import pairwise
from time import monotonic
from typing import Final


class Stopwatch:
    """When things of one admission happened, on the monotonic clock. Only differences leave it."""

    ORDER: Final = ("fact", "camera", "picture", "reading", "verdict", "command", "confirmed")

    def __init__(self) -> None:
        self._marks: dict[str, float] = {}

    def start(self, *marks: str) -> None:
        """Begin anew, with these marks at this moment."""
        self._marks = dict.fromkeys(marks, monotonic())

    def mark(self, name: str) -> None:
        """Take the time of something; the last one counts."""
        self._marks[name] = monotonic()

    def mark_first(self, name: str) -> None:
        """Take the time of something unless it has one."""
        self._marks.setdefault(name, monotonic())

    def milliseconds(self) -> dict[str, int]:
        """Return the way from each mark to the next one that exists, and all of it as `total`."""
        known: list[tuple[str, float]] = []
        for name in reversed(self.ORDER):
            # What comes later in the order came later in time too, or it was not on this way: another camera's picture.
            if (at := self._marks.get(name)) is not None and (not known or at <= known[0][1]):
                known.insert(0, (name, at))
        parts = {
            f"{earlier}_to_{later}": round((end - begin) * 1000) for (earlier, begin), (later, end) in pairwise(known)
        }
        return parts | ({"total": round((known[-1][1] - known[0][1]) * 1000)} if len(known) > 1 else {})
