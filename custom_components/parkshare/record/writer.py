"""The queue before the disk: what happened waits here until it is written, in order, and a person hears when it is not.

Nothing here raises because of the disk, nor waits for it for long: the way out of a bay never waits for a record.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util

from custom_components.parkshare.const import DOMAIN, LOGGER
from custom_components.parkshare.link.facts import format_time

from .book import LARGEST, Book
from .chain import BadLineError, Entry, Head, canonical
from .kinds import Kind
from .thrift import Thrift

NOT_WRITTEN: Final = "record_not_written"
DAMAGED: Final = "record_damaged"
# A disk that takes longer does not hold up the barrier: the entry is written when it can be.
PATIENCE: Final = 2.0  # s
MOST_WAITING: Final = 500  # entries
PRUNE_EVERY: Final = timedelta(days=1)


class Writer:
    """What is still to be written into the book of one space."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any], space_id: str, title: str, book: Book) -> None:
        self._hass = hass
        self._entry = entry
        self._space_id = space_id
        self._title = title
        self._book = book
        self._thrift = Thrift()
        self._open = False
        self._waiting: deque[Entry] = deque()
        self._lost = 0
        self._failing_since: float | None = None
        self._in_order = asyncio.Lock()
        self._work: asyncio.Task[None] | None = None
        self._outlasted = False
        self._ends: list[CALLBACK_TYPE] = []

    async def async_start(self) -> None:
        """Go on where the last run ended, and drop what is too old, now and every day."""
        async with self._in_order:
            with suppress(OSError):
                await self._async_open()
        await self._async_prune()
        self._ends.append(async_track_time_interval(self._hass, self._async_prune, PRUNE_EVERY))

    async def async_stop(self) -> None:
        """Write what is left; what was said of the disk goes with it."""
        while self._ends:
            self._ends.pop()()
        self._waiting += self._thrift.rest(now())
        await self.async_write()
        for kind in (NOT_WRITTEN, DAMAGED):
            ir.async_delete_issue(self._hass, DOMAIN, f"{kind}_{self._space_id}")

    @property
    def is_behind(self) -> bool:
        """Tell whether something waits for the disk."""
        return bool(self._waiting)

    @callback
    def add(self, entries: Iterable[Entry]) -> None:
        """Take entries in. Raises BadLineError for what can't be written: it would stop all behind it."""
        sifted = self._thrift.sift(entries)
        for entry in sifted:
            canonical(entry.d)
        self._waiting += sifted
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self._lost += 1

    async def async_write(self) -> bool:
        """Put on disk what was taken in; returns whether all of it is there now. Never raises, nor waits for long."""
        if self._work is None or self._work.done():
            if not self._waiting:
                return self._failing_since is None
            self._outlasted = False
            name = f"parkshare {self._title} record"
            self._work = self._entry.async_create_task(self._hass, self._async_write_all(), name, eager_start=True)
        if self._outlasted:
            return False
        await asyncio.wait([self._work], timeout=PATIENCE)
        self._outlasted = not self._work.done()
        return not self._outlasted and self._failing_since is None

    async def async_lines(self) -> tuple[list[str], Head]:
        """Return all that is on disk, and where it has to end. Raises OSError."""
        async with self._in_order:
            return await self._hass.async_add_executor_job(self._book.lines), self._book.head

    async def _async_open(self) -> None:
        """Open the file; call in order. Raises OSError."""
        if self._open:
            return
        try:
            opened = await self._hass.async_add_executor_job(self._book.open, now())
        except OSError as err:
            self._failed(err)
            raise
        self._open = True
        self._waiting.extendleft(reversed(opened.notes))
        if opened.damaged:
            LOGGER.error("The record of %s was damaged (%s) and starts anew", self._title, opened.damaged)
            self._tell(DAMAGED, ir.IssueSeverity.WARNING, file=self._book.damaged_path.name)

    async def _async_write_all(self) -> None:
        async with self._in_order:
            with suppress(OSError):
                await self._async_open()
            while self._open and self._waiting:
                batch, at, lost = tuple(self._waiting), now(), self._lost
                try:
                    await self._hass.async_add_executor_job(self._book.write, [*self._gap(len(batch), at), *batch], at)
                except OSError as err:
                    self._failed(err)
                    return
                # While it was written, the oldest may have been given up because more came than there is room for.
                self._written(len(batch), self._lost - lost)
            if self._book.size > LARGEST:
                await self._async_drop_old()

    def _written(self, count: int, given_up: int) -> None:
        for _ in range(count - given_up):
            self._waiting.popleft()
        self._lost = max(0, given_up - count)
        if self._failing_since is not None:
            self._failing_since = None
            ir.async_delete_issue(self._hass, DOMAIN, f"{NOT_WRITTEN}_{self._space_id}")

    def _gap(self, late: int, at: float) -> list[Entry]:
        """Say that nothing could be written for a while: late entries follow, lost ones do not."""
        if self._failing_since is None and not self._lost:
            return []
        since = format_time(round(at if self._failing_since is None else self._failing_since, 3))
        return [Entry(at, Kind.GAP, None, {"why": "disk", "since": since, "late": late, "lost": self._lost})]

    def _failed(self, err: OSError) -> None:
        if self._failing_since is not None:
            return
        self._failing_since = now()
        LOGGER.error("The record of %s cannot be written: %s", self._title, err.strerror)
        self._tell(NOT_WRITTEN, ir.IssueSeverity.ERROR, reason=err.strerror or type(err).__name__)

    def _tell(self, kind: str, severity: ir.IssueSeverity, **words: str) -> None:
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            f"{kind}_{self._space_id}",
            is_fixable=False,
            severity=severity,
            translation_key=kind,
            translation_placeholders={"space": self._title} | words,
        )

    async def _async_prune(self, _now: datetime | None = None) -> None:
        async with self._in_order:
            await self._async_drop_old()

    async def _async_drop_old(self) -> None:
        """Drop what is too old or too much; call in order."""
        try:
            if self._open and await self._hass.async_add_executor_job(self._book.prune, now()):
                LOGGER.debug("Old entries of the record of %s are gone", self._title)
        except (OSError, BadLineError) as err:
            # Nothing of it is lost: it is tried again with the next entry, or the next day.
            LOGGER.warning("Old entries of the record of %s cannot be dropped: %s", self._title, err)


def now() -> float:
    """Return the time (UTC epoch seconds)."""
    return dt_util.utcnow().timestamp()
