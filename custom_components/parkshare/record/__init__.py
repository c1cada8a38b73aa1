"""The record of one space: what happened there, signed, at the house.

Here is only what needs Home Assistant: the queue before the disk, and telling a person when it cannot be written. What
is recorded is in entries.py, how it is chained in chain.py, the file in book.py, who is shown what in excerpt.py.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_bytes
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util import dt as dt_util

from custom_components.parkshare.const import DOMAIN, LOGGER
from custom_components.parkshare.durable import DurableStore, NotStoredError
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.link.facts import format_time
from custom_components.parkshare.link.keys import HouseKeys, to_bytes, to_text
from custom_components.parkshare.recognition import Look, Verdict, fold, normalise

from .book import LARGEST, Book, end_of
from .chain import Entry, Sealed, parse
from .commitment import KEY_BYTES, booking_key, commitment
from .entries import Beside, Hand, Judgement, code_entry, entries_of
from .excerpt import excerpt
from .kinds import Kind
from .thrift import Thrift

NOT_WRITTEN: Final = "record_not_written"
DAMAGED: Final = "record_damaged"
VERSION: Final = 1
# A disk that takes longer does not hold up the barrier: the entry is written when it can be.
PATIENCE: Final = 2.0  # s
MOST_WAITING: Final = 500  # entries
PRUNE_EVERY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What somebody is given: lines, their head, the public keys of the house, and the key to one booking's plate."""

    lines: list[str]
    entries: tuple[Sealed, ...]
    head: str
    keys: tuple[str, ...]
    plate_key: str | None


class Record:
    """The record of one space. plate_of gives the plate of a booking that is granted, level how sure a verdict is.

    Nothing here raises because of the disk: the way out of a bay never waits for a record.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        space_id: str,
        title: str,
        keys: HouseKeys,
        *,
        plate_of: Callable[[str], str | None],
        level: str,
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._space_id = space_id
        self._title = title
        self._plate_of = plate_of
        self._level = level
        self._book = Book(_path(hass, space_id), space_id, keys)
        self._thrift = Thrift()
        self._open = False
        self._waiting: deque[Entry] = deque()
        self._lost = 0
        self._failing_since: float | None = None
        self._in_order = asyncio.Lock()
        self._writer: asyncio.Task[None] | None = None
        self._outlasted = False
        self._space_key: bytes | None = None
        self._judgement: Judgement | None = None
        self._ends: list[CALLBACK_TYPE] = []

    # Life

    async def async_load(self) -> None:
        """Go on where the last run ended."""
        self._space_key = await self._async_space_key()
        async with self._in_order:
            with suppress(OSError):
                await self._async_open()
        await self._async_prune()
        self._ends.append(async_track_time_interval(self._hass, self._async_prune, PRUNE_EVERY))

    async def async_stop(self) -> None:
        """Write what is left; what it says of the disk goes with it."""
        while self._ends:
            self._ends.pop()()
        self._waiting += self._thrift.rest(_now())
        await self.async_write()
        for kind in (NOT_WRITTEN, DAMAGED):
            ir.async_delete_issue(self._hass, DOMAIN, f"{kind}_{self._space_id}")

    # What happens

    @callback
    def note(
        self,
        before: w.Gate,
        after: w.Gate,
        told: w.Input | None,
        intents: Sequence[w.Intent],
        now: float,
        *,
        hand: Hand | None = None,
        by: str | None = None,
    ) -> None:
        """Take in a step of the gate; async_write puts it on disk. by is the user who answered, hand who moved it."""
        if any(isinstance(intent, w.CameraOn) for intent in intents):
            self._judgement = None
        decided = next((intent.booking for intent in intents if isinstance(intent, w.AdmissionDecided)), None)
        beside = Beside(hand=hand, by=by, judgement=self._judgement, plate=self._committed(decided))
        self._add(entries_of(before, after, told, intents, now, beside))

    @callback
    def judged(self, verdict: Verdict, look: Look, seen_at: float) -> None:
        """Keep the figures of the last verdict, for a decision that rests on it. No text of a reading is kept."""
        readers = {
            *(self._judgement.readers if self._judgement else ()),
            *(r.source for r in look.readings if r.source),
        }
        self._judgement = Judgement(
            readers=tuple(sorted(readers)),
            looks=verdict.looks,
            agreeing=verdict.agreeing,
            contrary=verdict.contrary,
            score=verdict.score,
            level=self._level,
            seen_at=seen_at,
        )

    @callback
    def code_tried(self, booking: str, *, right: bool, tries_left: int, way: str) -> None:
        """Take in that an on-site code was tried; way is how it came (web, shown, keypad). Never the code."""
        self._add([code_entry(booking, _now(), right=right, tries_left=tries_left, way=way)])

    @property
    def is_behind(self) -> bool:
        """Tell whether something waits for the disk."""
        return bool(self._waiting)

    @property
    def head(self) -> str:
        """The head of what is on disk, "<seq>:<hash>"; empty as long as there is nothing."""
        return end_of(self._book.head)

    async def async_note(self, entries: Iterable[Entry]) -> bool:
        """Take in entries and write them."""
        self._add(entries)
        return await self.async_write()

    async def async_write(self) -> bool:
        """Put on disk what was taken in; returns whether all of it is there now. Never raises, nor waits for long."""
        if self._writer is None or self._writer.done():
            if not self._waiting:
                return self._failing_since is None
            self._outlasted = False
            work, name = self._async_write_all(), f"parkshare {self._title} record"
            self._writer = self._entry.async_create_task(self._hass, work, name, eager_start=True)
        if self._outlasted:
            return False
        await asyncio.wait([self._writer], timeout=PATIENCE)
        self._outlasted = not self._writer.done()
        return not self._outlasted and self._failing_since is None

    # What somebody asks for

    async def async_export(
        self, *, booking: str | None = None, start: float | None = None, end: float | None = None, plate: bool = False
    ) -> Export:
        """Return the record; all that is not asked for is hidden. plate: with the key to the booking's plate.

        Raises OSError.
        """
        await self.async_write()
        async with self._in_order:
            lines = await self._hass.async_add_executor_job(self._book.lines)
            head, keys = self.head, self._book.public_keys
        entries = await self._hass.async_add_executor_job(lambda: tuple(map(parse, lines)))
        times = {name: format_time(at) for name, at in (("start", start), ("end", end)) if at is not None}
        shown = excerpt(entries, booking=booking, **times)
        key = booking_key(self._space_key, booking) if plate and booking and self._space_key else None
        return Export(
            lines=shown,
            entries=tuple(parse(line) for line in shown),
            head=head,
            keys=keys,
            plate_key=to_text(key) if key else None,
        )

    # The disk

    def _add(self, entries: Iterable[Entry]) -> None:
        self._waiting += self._thrift.sift(entries)
        while len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self._lost += 1

    async def _async_open(self) -> None:
        """Open the file; call in order. Raises OSError."""
        if self._open:
            return
        try:
            opened = await self._hass.async_add_executor_job(self._book.open, _now())
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
                batch, now, lost = tuple(self._waiting), _now(), self._lost
                try:
                    await self._hass.async_add_executor_job(
                        self._book.write, [*self._gap(len(batch), now), *batch], now
                    )
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

    def _gap(self, late: int, now: float) -> list[Entry]:
        """Say that nothing could be written for a while: late entries follow, lost ones do not."""
        if self._failing_since is None and not self._lost:
            return []
        since = format_time(round(now if self._failing_since is None else self._failing_since, 3))
        return [Entry(now, Kind.GAP, None, {"why": "disk", "since": since, "late": late, "lost": self._lost})]

    def _failed(self, err: OSError) -> None:
        if self._failing_since is not None:
            return
        self._failing_since = _now()
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

    async def _async_prune(self, _now_of_timer: datetime | None = None) -> None:
        async with self._in_order:
            await self._async_drop_old()

    async def _async_drop_old(self) -> None:
        """Drop what is too old or too much; call in order."""
        try:
            if self._open and await self._hass.async_add_executor_job(self._book.prune, _now()):
                LOGGER.debug("Old entries of the record of %s are gone", self._title)
        except OSError as err:
            # Nothing of it is lost: it is tried again with the next entry, or the next day.
            LOGGER.warning("Old entries of the record of %s cannot be dropped: %s", self._title, err.strerror)

    # The plate

    def _committed(self, booking: str | None) -> str | None:
        """Commit to the booked plate."""
        if booking is None or self._space_key is None or not (plate := self._plate_of(booking)):
            return None
        return commitment(booking_key(self._space_key, booking), plate, comparable)

    async def _async_space_key(self) -> bytes | None:
        """Return the key of the space, made on first use; None where it cannot be kept: then nothing is committed."""
        store = _key_store(self._hass, self._space_id)
        with suppress(KeyError, TypeError, ValueError):
            if stored := await store.async_load():
                return to_bytes(stored["key"])
        key = token_bytes(KEY_BYTES)
        try:
            await store.async_save({"key": to_text(key)})
        except NotStoredError:
            LOGGER.exception("The key for the plates in the record of %s could not be stored", self._title)
            return None
        return key


def comparable(plate: str) -> str:
    """Bring a plate into the form to which a record commits: as a camera would compare it."""
    return fold(normalise(plate))


async def async_remove_record(hass: HomeAssistant, space_id: str) -> None:
    """Delete the record of a space: it is gone."""
    path = _path(hass, space_id)

    def remove() -> None:
        for suffix in (".jsonl", ".damaged", ".unfinished"):
            path.with_suffix(suffix).unlink(missing_ok=True)

    try:
        await hass.async_add_executor_job(remove)
    except OSError as err:
        LOGGER.warning("The record of a space that is gone could not be deleted: %s", err.strerror)
    await _key_store(hass, space_id).async_remove()


def _path(hass: HomeAssistant, space_id: str) -> Path:
    return Path(hass.config.path(STORAGE_DIR, f"{DOMAIN}.record.{space_id}.jsonl"))


def _key_store(hass: HomeAssistant, space_id: str) -> DurableStore:
    return DurableStore(hass, VERSION, f"record_key.{space_id}")


def _now() -> float:
    return dt_util.utcnow().timestamp()
