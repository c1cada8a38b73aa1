"""When the code is shown at a space: only while a booking is due. Nobody else needs it.

Pure: standard library only. Times are UTC epoch seconds.
"""

import math
from collections.abc import Sequence

from custom_components.parkshare.gate.knowledge import Right

from .rotating import PERIOD


def is_shown(rights: Sequence[Right], now: float, *, early: float) -> bool:
    """Tell whether a booking is due; early is how long before its start its renter may stand there (s)."""
    return any(right.start - early <= now < right.end for right in rights)


def next_change(rights: Sequence[Right], now: float, *, early: float) -> float | None:
    """Return when another picture is due: the next code, its beginning or its end; None while nothing is booked."""
    edges = [edge for right in rights for edge in (right.start - early, right.end) if edge > now]
    if is_shown(rights, now, early=early):
        edges.append((math.floor(now / PERIOD) + 1.0) * PERIOD)
    return min(edges, default=None)
