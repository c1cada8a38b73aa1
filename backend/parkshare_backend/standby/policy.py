"""Which free space an owner gets while a renter stands on theirs.

Pure: standard library only. The simplest correct form: one owner at a time, the nearest space that is free
for the rest of the renter's period. Optimal assignment of several owners at once is a later step behind
the same question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from parkshare_backend.spaces.sizes import Size, fits

# What an owner who hasn't told us their car is taken to drive: most cars, without mirrors.
ORDINARY_CAR = Size(length_m=5.0, width_m=2.1, height_m=2.0)


class NoStandby(StrEnum):
    """Why an owner gets no standby."""

    NOTHING_FREE = "nothing-free-nearby"
    NOTHING_FITS = "nothing-fits"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A space that is shared and free for the rest of the period; distance_m is measured from the owner's own space."""

    space: str
    distance_m: float
    size: Size


def needed_size(home: Size) -> Size:
    """Give the size that a standby must have for an owner whose own space has the size `home`.

    The owner's car fits into their own space, and is most likely no larger than an ordinary car: the smaller of
    both, in each direction.
    """
    return Size(
        length_m=_smaller(home.length_m, ORDINARY_CAR.length_m),
        width_m=_smaller(home.width_m, ORDINARY_CAR.width_m),
        height_m=_smaller(home.height_m, ORDINARY_CAR.height_m),
    )


def choose(candidates: Sequence[Candidate], *, home_space: str, home_size: Size) -> Candidate | NoStandby:
    """Choose the nearest space that fits, never the owner's own booked one; or say why there is none."""
    others = [candidate for candidate in candidates if candidate.space != home_space]
    if not others:
        return NoStandby.NOTHING_FREE
    needed = needed_size(home_size)
    suitable = [candidate for candidate in others if fits(needed, candidate.size)]
    if not suitable:
        return NoStandby.NOTHING_FITS
    return min(suitable, key=lambda candidate: (candidate.distance_m, candidate.space))


def _smaller(home: float | None, ordinary: float | None) -> float | None:
    return ordinary if home is None else home if ordinary is None else min(home, ordinary)
