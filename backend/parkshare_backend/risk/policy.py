"""Which bookings are at risk when a car stands where theirs is to stand.

Pure: standard library only.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

REACH_S = 2 * 3600  # whoever comes later than that: the car will most likely be gone by then


class Kind(StrEnum):
    """Whose car is in the way."""

    OVERSTAY = "overstay"  # that of a booking whose period is over
    TAKEN = "taken"  # one of nobody; the house names the booking that needs the space


@dataclass(frozen=True, slots=True)
class Hindrance:
    """A car that is in the way now. booking is the one that overstays, or the one whose space is taken."""

    kind: Kind
    booking: str


@dataclass(frozen=True, slots=True)
class Coming:
    """A booking that waits for its car; times in UTC epoch seconds."""

    booking: str
    start: float
    end: float


def at_risk(hindrances: Collection[Hindrance], coming: Sequence[Coming], *, now: float) -> set[str]:
    """Give the bookings of one space that are at risk, of those that wait for their car.

    An overstay threatens the next one only: by the time of the one after it, somebody has done something about it.
    """
    to_come = sorted((one for one in coming if one.end > now), key=lambda one: one.start)
    taken = {hindrance.booking for hindrance in hindrances if hindrance.kind is Kind.TAKEN}
    found = {one.booking for one in to_come if one.booking in taken}
    overstays = any(hindrance.kind is Kind.OVERSTAY for hindrance in hindrances)
    if overstays and to_come and to_come[0].start <= now + REACH_S:
        found.add(to_come[0].booking)
    return found
