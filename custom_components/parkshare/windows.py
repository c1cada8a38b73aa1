"""Windows: when a space is offered, as concrete UTC intervals made from the owner's calendar. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Final

DAY: Final = 24 * 3600.0  # s
AHEAD: Final = 28 * DAY  # s; how far ahead windows are published
MOST: Final = 1000  # windows that one space may publish


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open period, UTC epoch seconds."""

    start: float
    end: float


def moment(value: date | datetime, zone: tzinfo) -> float:
    """Bring the start or end of a calendar event to UTC epoch seconds.

    A date means its midnight in the zone; a time without a zone is the zone's. A time that the clock skips in spring
    counts as if the clock had not been changed yet (PEP 495, fold 0), so a window never becomes longer than drawn.
    """
    if not isinstance(value, datetime):
        value = datetime.combine(value, time.min)
    if value.tzinfo is None:
        value = value.replace(tzinfo=zone)
    return value.timestamp()


def merge(periods: Iterable[tuple[float, float]], *, start: float, end: float) -> list[Window]:
    """Cut periods to [start, end) and join those that touch or overlap. Empty and reversed ones vanish."""
    cut = sorted(
        (max(period_start, start), min(period_end, end))
        for period_start, period_end in periods
        if period_start < period_end
    )
    windows: list[Window] = []
    for window_start, window_end in cut:
        if window_end <= window_start:
            continue
        if windows and window_start <= windows[-1].end:
            windows[-1] = Window(windows[-1].start, max(windows[-1].end, window_end))
        else:
            windows.append(Window(window_start, window_end))
    return windows


def covers(windows: Sequence[Window], *, start: float, end: float) -> bool:
    """Tell whether one (merged) window holds the whole period."""
    return any(window.start <= start and end <= window.end for window in windows)
