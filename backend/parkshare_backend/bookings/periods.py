"""Which periods can be searched and booked.

Pure: standard library only. A refusal names the field and what to do about it.
"""

from dataclasses import dataclass

from parkshare_backend.spaces.periods import Period

PAST_TOLERANCE_S = 60  # a form that was filled in a moment ago may still say "from now on"
SHORTEST_S = 5 * 60
LONGEST_S = 14 * 24 * 3600
HORIZON_S = 28 * 24 * 3600  # houses publish windows for 28 days


@dataclass(frozen=True, slots=True)
class PeriodFault:
    """One thing that is wrong with a period: pointer is the JSON pointer of the field in the request."""

    pointer: str
    detail: str


def period_faults(period: Period, *, now: float) -> list[PeriodFault]:
    """Tell what is wrong with a period that somebody wants to search or book; an empty list means that it is fine."""
    length = period.end - period.start
    if length <= 0:
        return [PeriodFault("/period/end", "The end is not after the start. Choose a later end.")]
    faults = []
    if period.start < now - PAST_TOLERANCE_S:
        faults.append(PeriodFault("/period/start", "The start is in the past. Choose a start from now on."))
    if period.end > now + HORIZON_S:
        faults.append(
            PeriodFault(
                "/period/end",
                "The period ends more than 28 days ahead. Spaces are offered for 28 days; choose an earlier one.",
            )
        )
    if length < SHORTEST_S:
        faults.append(PeriodFault("/period/end", "The period is shorter than 5 minutes. Choose a later end."))
    if length > LONGEST_S:
        faults.append(
            PeriodFault("/period/end", "The period is longer than 14 days. Choose an earlier end, or book twice.")
        )
    return faults
