"""What somebody is shown of a record: what concerns them, and of the rest only that it is there.

Pure: standard library only.
"""

from collections.abc import Sequence
from datetime import datetime
from math import inf

from .chain import Sealed
from .kinds import OF_THE_RECORD


def excerpt(
    entries: Sequence[Sealed], *, booking: str | None = None, start: float = -inf, end: float = inf
) -> list[str]:
    """Write the lines of a record, with everything hidden that does not belong to a booking or is not in a time.

    start and end are UTC epoch seconds, end is not in it. What happened between the first and the last entry of a
    booking without being anybody's belongs to it. What the record itself went through is always shown.
    """
    own = [number for number, entry in enumerate(entries) if entry.kind and entry.booking == booking]
    between = range(own[0], own[-1] + 1) if own else range(0)

    def shown(number: int, entry: Sealed) -> bool:
        if entry.kind in OF_THE_RECORD:
            return True
        concerns = booking is None or entry.booking == booking or (entry.booking is None and number in between)
        return concerns and start <= datetime.fromisoformat(entry.at).timestamp() < end

    return [entry.line(hidden=not shown(number, entry)) for number, entry in enumerate(entries)]
