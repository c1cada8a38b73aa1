"""What is odd about the cars that the spaces of a house see.

One is refused again and again, one stands already elsewhere, one comes while the bay is taken.
Pure: standard library only, time comes in. A plate is here only as a digest under a key that nobody keeps.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

type Digest = bytes


class OddityKind(StrEnum):
    """What is odd; also the event type of the space."""

    TRIES_AGAIN = "tries_again"
    SEEN_ELSEWHERE = "seen_elsewhere"
    CAR_WHILE_TAKEN = "car_while_taken"


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something that the owner of a space is told once for a booking. other is the space where the car stands."""

    kind: OddityKind
    space: str
    booking: str
    other: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OddityPolicy:
    """From when on something is odd."""

    # So many refusals of one car within so long (s), at any space of the house.
    refusals: int = 3
    refusals_within: float = 86_400.0
    # A single reading may be wrong in just the wrong way, so it takes so many within so long (s).
    sightings: int = 2
    sightings_within: float = 60.0


@dataclass(frozen=True, slots=True)
class _Stay:
    booking: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class _Note:
    space: str
    digest: Digest
    at: float


NOTES_KEPT = 256


class Oddities:
    """The memory of one house, for one run: after a restart it begins anew."""

    def __init__(self, policy: OddityPolicy | None = None) -> None:
        self._policy = policy or OddityPolicy()
        self._stays: dict[str, _Stay] = {}
        self._refused: deque[_Note] = deque(maxlen=NOTES_KEPT)
        self._sighted: deque[_Note] = deque(maxlen=NOTES_KEPT)
        self._told: deque[Oddity] = deque(maxlen=NOTES_KEPT)

    def parked(self, space: str, booking: str, digest: Digest) -> None:
        """The car of a booking, with this plate, stands in a space."""
        self._stays[space] = _Stay(booking, digest)

    def left(self, space: str) -> None:
        """No car of a booking stands in a space."""
        self._stays.pop(space, None)

    def refused(self, space: str, booking: str, digest: Digest, now: float) -> list[Oddity]:
        """The car of a plate that is not the booked one was refused for good."""
        self._refused.append(_Note(space, digest, now))
        since = now - self._policy.refusals_within
        times = sum(note.digest == digest and note.at >= since for note in self._refused)
        return self._once(Oddity(OddityKind.TRIES_AGAIN, space, booking)) if times >= self._policy.refusals else []

    def admitted(self, space: str, digest: Digest) -> list[Oddity]:
        """The car of the booked plate was let in: its plate is beyond doubt, so once is enough."""
        return self._elsewhere(space, [digest])

    def seen(self, space: str, digests: Iterable[Digest], now: float) -> list[Oddity]:
        """Some plates were read in one picture of a space."""
        sure = [digest for digest in dict.fromkeys(digests) if self._sighted_again(_Note(space, digest, now))]
        return self._elsewhere(space, sure) + self._while_taken(space, sure)

    def _sighted_again(self, note: _Note) -> bool:
        self._sighted.append(note)
        since = note.at - self._policy.sightings_within
        same = [old for old in self._sighted if (old.space, old.digest) == (note.space, note.digest)]
        return sum(old.at >= since for old in same) >= self._policy.sightings

    def _elsewhere(self, space: str, digests: Iterable[Digest]) -> list[Oddity]:
        """Told for the booking whose car stands there: its plate is now at two places."""
        found = []
        for digest in digests:
            for other, stay in self._stays.items():
                if other != space and stay.digest == digest:
                    found += self._once(Oddity(OddityKind.SEEN_ELSEWHERE, space, stay.booking, other))
        return found

    def _while_taken(self, space: str, digests: Iterable[Digest]) -> list[Oddity]:
        """A camera that faces the bay goes on reading the car that stands in it: that one is not odd."""
        stay = self._stays.get(space)
        if stay is None or all(digest == stay.digest for digest in digests):
            return []
        return self._once(Oddity(OddityKind.CAR_WHILE_TAKEN, space, stay.booking))

    def _once(self, oddity: Oddity) -> list[Oddity]:
        if oddity in self._told:
            return []
        self._told.append(oddity)
        return [oddity]
