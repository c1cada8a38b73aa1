"""The cars that were seen while another one was looked for: digests of their plates, never the plates."""

from collections import Counter

from custom_components.parkshare.recognition import Look, Reading, Verdict

from .evidence import LOOK_MAX_AGE
from .house_memory import HouseMemory
from .oddities import Digest


class Others:
    """What was surely read in the looks that do not speak for the booked plate."""

    def __init__(self, memory: HouseMemory) -> None:
        self._memory = memory
        self._seen: Counter[Digest] = Counter()
        self._nearest: Digest = b""
        self._nearest_at = 0.0

    def clear(self) -> None:
        """Another car is looked for."""
        self._seen.clear()
        self._nearest = b""

    def saw(self, verdict: Verdict, look: Look) -> None:
        """Take in a look and what followed from it."""
        if verdict.agreeing:
            self._nearest = b""
            return
        self._seen.update(self._memory.digests(look))
        if sure := [reading for reading in look.readings if self._memory.is_sure(reading)]:
            self._nearest = self._memory.digest(max(sure, key=_size).text)
            self._nearest_at = look.taken_at

    def most_seen(self) -> Digest:
        """Return the plate that was seen most often; empty for none."""
        return next((digest for digest, _ in self._seen.most_common(1)), b"")

    def nearest(self, now: float) -> Digest:
        """Return the nearest other car's plate in the newest look that showed one, now (UTC epoch s) not long ago."""
        return self._nearest if abs(now - self._nearest_at) <= LOOK_MAX_AGE else b""


def _size(reading: Reading) -> float:
    """Return how large a plate is in its picture: the nearest car has the largest."""
    if not reading.box:
        return 0.0
    xs, ys = zip(*reading.box, strict=True)
    return float((max(xs) - min(xs)) * (max(ys) - min(ys)))
