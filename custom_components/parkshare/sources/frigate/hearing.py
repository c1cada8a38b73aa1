"""What of Frigate's messages counts, in one armed phase of one camera. Pure: no clock, no wire.

Frigate tells one object's plate again and again, and since 0.17 it tells the best of all its reads so far: messages of
one object are no independent votes. So each text of an object is told once, and again only while that one reading
alone is sure; then always as the very same reading, which the verdict counts once.
"""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Final

from custom_components.parkshare.recognition.types import Look
from custom_components.parkshare.sources.evidence import UNSCORED, Scored, look_of, plate_text, weakest
from custom_components.parkshare.sources.freshness import Pace, Stale, taken_at

from .messages import ObjectSeen, PlateRead, Stats

READING_MAX_AGE: Final = (
    10.0  # s from the reading to its message; reading takes Frigate up to some seconds on a slow CPU
)
# A plate is often read before its car is in the bay. So long it waits for Frigate to say that the object is there.
WAIT_FOR_ZONE: Final = 30.0  # s
OBJECTS_KEPT: Final = 64  # a street has a few at a time; more is a flood
TEXTS_KEPT: Final = 32  # of one object: a plate is misread in a few ways


@dataclass(slots=True)
class _Tracked:
    """What is known of one object: where it is, and what was told of each of its texts."""

    zones: frozenset[str] = frozenset()
    told: OrderedDict[str, float] = field(default_factory=OrderedDict)
    waiting: Look | None = None


class Hearing:
    """Turns messages into looks. All times that come in and go out are of our clock, but for those of messages."""

    def __init__(self, camera: str, zones: frozenset[str], *, source: str, armed_at: float, sure: float) -> None:
        """Listen to one camera; with zones only to objects in one of them. sure: what the verdict believes alone."""
        self._camera = camera
        self._zones = zones
        self._source = source
        self.armed_at = armed_at
        self._sure = sure
        self._objects: OrderedDict[str, _Tracked] = OrderedDict()
        self.ahead = 0.0
        self.clock_is_off = False
        self._pace = Pace()

    def clock(self, said_at: float, heard_at: float) -> None:
        """Take how far Frigate's clock is ahead of ours."""
        self.ahead = said_at - heard_at

    def alive(self, stats: Stats, heard_at: float) -> bool:
        """Take a sign of life; tells whether the camera gives pictures."""
        self.clock(stats.at, heard_at)
        return stats.fps.get(self._camera, 0.0) > 0

    def plate(self, read: PlateRead, heard_at: float) -> Look | None:
        """Take a plate; returns the look that it is, None if it does not count."""
        if read.camera != self._camera or (plate := plate_text(read.plate)) is None:
            return None
        at = taken_at(read.at, heard_at=heard_at, armed_at=self.armed_at, max_age=READING_MAX_AGE, ahead=self.ahead)
        if isinstance(at, Stale):
            self.clock_is_off = at is Stale.FUTURE or self._pace.is_live(read.at, heard_at)
            return None
        tracked = self._tracked(read.object_id)
        confidence = UNSCORED if read.score is None else weakest(read.score, len(plate), Scored.MEAN)
        known = tracked.told.get(plate)
        if known is not None and max(known, confidence) < self._sure:
            return None
        if known is None or known < self._sure:
            known = confidence
        tracked.told[plate] = known
        if len(tracked.told) > TEXTS_KEPT:
            tracked.told.popitem(last=False)
        look = look_of(plate, known, source=self._source, taken_at=at, box=read.box)
        if self._zones and not self._zones & tracked.zones:
            tracked.waiting = look
            return None
        return look

    def object(self, seen: ObjectSeen, heard_at: float) -> Look | None:
        """Take where an object is; returns a look if its plate was only waiting for that."""
        if seen.camera != self._camera:
            return None
        tracked = self._tracked(seen.object_id)
        tracked.zones = seen.zones
        look = self.plate(seen.plate, heard_at) if seen.plate else None
        waiting, there = tracked.waiting, bool(self._zones & tracked.zones)
        if seen.ended:
            self._objects.pop(seen.object_id, None)
        if look is None and waiting and there:
            tracked.waiting = None
            if heard_at - waiting.taken_at <= WAIT_FOR_ZONE:
                return _now(waiting, heard_at)
        return look

    def _tracked(self, object_id: str) -> _Tracked:
        tracked = self._objects.setdefault(object_id, _Tracked())
        self._objects.move_to_end(object_id)
        if len(self._objects) > OBJECTS_KEPT:
            self._objects.popitem(last=False)
        return tracked


def _now(look: Look, at: float) -> Look:
    """Make a look speak of the moment in which the car was seen in the bay: the object is tracked without a gap."""
    readings = tuple(replace(reading, taken_at=at) for reading in look.readings)
    return replace(look, readings=readings, taken_at=at)
