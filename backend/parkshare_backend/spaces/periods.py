"""Half-open periods in UTC epoch seconds, and the windows in which a space is shared.

Pure: standard library only.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """From start until just before end, in UTC epoch seconds."""

    start: int
    end: int

    def overlaps(self, other: Period) -> bool:
        """Tell whether some second lies in both."""
        return self.start < other.end and other.start < self.end

    def covers(self, other: Period) -> bool:
        """Tell whether the other lies wholly within this one."""
        return self.start <= other.start and other.end <= self.end

    def contains(self, now: float) -> bool:
        """Tell whether now lies in the period."""
        return self.start <= now < self.end


def merge(periods: Iterable[Period]) -> list[Period]:
    """Join periods that overlap or touch, so that "free for the whole period" is a look at one window."""
    merged: list[Period] = []
    for period in sorted(periods):
        if merged and period.start <= merged[-1].end:
            merged[-1] = Period(merged[-1].start, max(merged[-1].end, period.end))
        else:
            merged.append(period)
    return merged
