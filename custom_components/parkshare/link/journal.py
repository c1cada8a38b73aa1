"""What the link must find again after a restart: how far it heard, and what it has still to tell.

Kept through an injected storage, so that this file knows no Home Assistant and tests need no disk.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from typing import Any, Final, Protocol
from uuid import uuid7

from .protocol import Event

MOST_PENDING: Final = 1000  # events; some weeks without a backend, and a file that is still written in a moment
# Of these only the last counts for the backend: how a space is, not how it was.
SUPERSEDED: Final = "space.state"
# What bookings hang on is kept however long it takes.
NEEDED: Final = ("grant.", "stay.")
REMEMBERED_IDS: Final = 256  # more than a server may have unacknowledged; catches a repeat under a new number


class Storage(Protocol):
    """One document on disk. async_save returns only when it is there, and raises when it is not."""

    async def async_load(self) -> dict[str, Any] | None:
        """Read it, None if there is none."""

    async def async_save(self, data: dict[str, Any]) -> None:
        """Replace it."""


class Journal:
    """Both sequences of one link. Nothing is told as done before it is on disk."""

    def __init__(self, storage: Storage, *, install: str, new_id: Callable[[], object] = uuid7) -> None:
        self._storage = storage
        self._install = install
        self._new_id = new_id
        self.epoch = ""
        self.got = 0
        self.last = 0
        self._pending: deque[Event] = deque()
        self._ids: deque[str] = deque(maxlen=REMEMBERED_IDS)
        self._told = 0  # the last number that may have reached the backend: up to here, no number means anything else

    async def load(self) -> None:
        """Read what was stored. Call once, first.

        After pairing again the backend counts anew for the new install: what is still to be told is numbered anew.
        """
        if not (stored := await self._storage.async_load()):
            return
        pending = [Event(**event) for event in stored["pending"]]
        self._ids.extend(stored["ids"])
        if stored["install"] == self._install:
            self.epoch, self.got, self.last = stored["epoch"], stored["got"], stored["last"]
            self._told = self.last
            self._pending = deque(pending)
        else:
            self._number(pending, after=0)

    @property
    def pending(self) -> tuple[Event, ...]:
        """Our events that the backend has not acknowledged, in order."""
        return tuple(self._pending)

    def after(self, q: int, *, within: int) -> Event | None:
        """Our next event after a number, if it is among the first within that are pending."""
        place = bisect_right(self._pending, q, key=lambda event: event.q)
        return self._pending[place] if place < min(within, len(self._pending)) else None

    def telling(self, q: int) -> None:
        """Note that an event is about to be sent: from now on its number is taken."""
        self._told = max(self._told, q)

    def is_repeat(self, event: Event) -> bool:
        """Tell whether an event of the backend was handled before, by its number or by its id."""
        return event.q <= self.got or event.id in self._ids

    async def append(self, t: str, d: dict[str, Any], *, at: str) -> Event:
        """Write down an event of ours. On return it is on disk and will arrive."""
        self._make_room(t, d)
        event = Event(self.last + 1, str(self._new_id()), t, at, d)
        self.last = event.q
        self._pending.append(event)
        await self._save()
        return event

    async def received(self, event: Event, *, epoch: str) -> None:
        """Note that an event of the backend has had its effect."""
        self.epoch = epoch
        self.got = max(self.got, event.q)
        if event.id not in self._ids:
            self._ids.append(event.id)
        await self._save()

    async def snapped(self, *, epoch: str, q: int) -> None:
        """Note that a whole snapshot has had its effect. A new epoch counts anew, so got may become smaller."""
        self.epoch, self.got = epoch, q
        await self._save()

    def acknowledged(self, q: int) -> None:
        """Drop what the backend has.

        Not written at once: after a crash the backend says in ready how far it got, and this happens again.
        """
        while self._pending and self._pending[0].q <= q:
            self._pending.popleft()

    async def align(self, got: int) -> None:
        """Agree with the backend on what it has of ours.

        When it has more than we ever numbered, our disk was put back to an older state: what is pending gets new
        numbers after the backend's, or it would be taken for repeats. Ids stay, so nothing counts twice.
        """
        if got > self.last:
            self._number(self._pending, after=got)
            await self._save()
        else:
            self.acknowledged(got)

    def _make_room(self, t: str, d: dict[str, Any]) -> None:
        """Drop what a new event makes old, and when there is too much, the oldest that nothing hangs on.

        Only what was never sent is numbered anew; else there is a gap, which the backend takes as lost.
        """
        told = [event for event in self._pending if event.q <= self._told]
        fresh = [event for event in self._pending if event.q > self._told]
        left = [e for e in fresh if not (t == e.t == SUPERSEDED and e.d.get("space") == d.get("space"))]
        if len(left) < len(fresh):
            self._number(left, after=fresh[0].q - 1)
            self._pending.extendleft(reversed(told))
        if len(self._pending) >= MOST_PENDING:
            old = next((event for event in self._pending if not event.t.startswith(NEEDED)), None)
            if old is not None:
                self._pending.remove(old)

    def _number(self, events: Iterable[Event], *, after: int) -> None:
        self._pending = deque(replace(event, q=after + place) for place, event in enumerate(events, start=1))
        self.last = after + len(self._pending)
        self._told = after

    async def _save(self) -> None:
        await self._storage.async_save(
            {
                "install": self._install,
                "epoch": self.epoch,
                "got": self.got,
                "last": self.last,
                "pending": [asdict(event) for event in self._pending],
                "ids": list(self._ids),
            }
        )
