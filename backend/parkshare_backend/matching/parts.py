"""Which part of a period a space is free for, where it is not free for the whole.

Pure: standard library only.
"""

from collections.abc import Iterable

from parkshare_backend.spaces.periods import Period

SHORTEST_PART_S = 15 * 60  # a part shorter than that helps nobody
USEFUL_SHARE = 0.5  # of the period


def useful_s(period: Period) -> int:
    """Give how long a part of the period must be to be worth offering."""
    length = period.end - period.start
    return max(SHORTEST_PART_S, round(length * USEFUL_SHARE))


def free_part(period: Period, windows: Iterable[Period], taken: Iterable[Period]) -> Period | None:
    """Give the longest free part that begins or ends with the period; None when no useful one is free.

    A part in the middle is left out: who comes and goes at other times searches for them. Windows must not touch each
    other; the periods that are taken may.
    """
    free = [
        Period(max(window.start, period.start), min(window.end, period.end))
        for window in windows
        if window.overlaps(period)
    ]
    for one in taken:
        free = [
            rest
            for whole in free
            for rest in (
                (Period(whole.start, min(whole.end, one.start)), Period(max(whole.start, one.end), whole.end))
                if one.overlaps(whole)
                else (whole,)
            )
            if rest.start < rest.end
        ]
    at_an_end = [part for part in free if part.start == period.start or part.end == period.end]
    longest = max(at_an_end, key=lambda part: (part.end - part.start, -part.start), default=None)
    return longest if longest is not None and longest.end - longest.start >= useful_s(period) else None
