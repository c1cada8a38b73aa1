"""What keeps a record small when something flaps: of what repeats itself only so much is written, the rest is counted.

Pure: standard library only; the time is that of the entries.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from custom_components.parkshare.link.facts import format_time

from .chain import Entry
from .kinds import OF_THE_RECORD, Kind

# A sensor that flaps every second would push out in an hour what is to be kept for months. An honest stay has each
# transition a few times.
AT_ONCE: Final = 20
ANEW_AFTER: Final = 900.0  # s for one more
# Each of these is written, whatever happens.
ALWAYS: Final = OF_THE_RECORD | {Kind.BOOT, Kind.DECISION, Kind.COMMAND, Kind.COMMAND_FAILED, Kind.REPEATED}
NAMES: Final = ("name", "is", "answer", "notice", "rung", "fault", "on", "way")
MOST_REMEMBERED: Final = 200

type Alike = tuple[str, str, str | None]


@dataclass(slots=True)
class _Allowance:
    left: float
    at: float
    times: int = 0
    first: float = 0.0
    last: float = 0.0


class Thrift:
    """What was written lately of one space."""

    def __init__(self) -> None:
        self._allowances: dict[Alike, _Allowance] = {}

    def sift(self, entries: Iterable[Entry]) -> list[Entry]:
        """Return what is to be written; what was left out before is counted in an entry in front of it."""
        written: list[Entry] = []
        for entry in entries:
            right_code = entry.kind == Kind.CODE and entry.d.get("right")
            if entry.kind in ALWAYS or right_code or self._allows(entry):
                written += [*self.rest(entry.at), entry]
        return written

    def rest(self, now: float) -> list[Entry]:
        """Return the counts of what was left out so far."""
        told: list[Entry] = []
        for (kind, name, booking), allowance in self._allowances.items():
            if allowance.times:
                d: dict[str, Any] = {"of": kind, "name": name, "times": allowance.times}
                d |= {"from": format_time(round(allowance.first, 3)), "to": format_time(round(allowance.last, 3))}
                told.append(Entry(now, Kind.REPEATED, booking, d))
                allowance.times = 0
        return told

    def _allows(self, entry: Entry) -> bool:
        name = next((str(entry.d[name]) for name in NAMES if name in entry.d), "")
        allowance = self._allowances.setdefault((entry.kind, name, entry.booking), _Allowance(AT_ONCE, entry.at))
        allowance.left = min(AT_ONCE, allowance.left + max(0.0, entry.at - allowance.at) / ANEW_AFTER)
        allowance.at = entry.at
        if allowance.left >= 1:
            allowance.left -= 1
            self._forget_old_ones()
            return True
        allowance.first = allowance.first if allowance.times else entry.at
        allowance.times += 1
        allowance.last = entry.at
        return False

    def _forget_old_ones(self) -> None:
        while len(self._allowances) > MOST_REMEMBERED:
            oldest = min((alike for alike in self._allowances), key=lambda alike: self._allowances[alike].at)
            if self._allowances[oldest].times:
                return
            del self._allowances[oldest]
