"""The record of one space: what happened there, signed, at the house.

What is recorded is in entries.py, how it is chained in chain.py, the queue before the disk in writer.py, the file in
book.py, who is shown what in excerpt.py.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from secrets import token_bytes
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import STORAGE_DIR

from custom_components.parkshare.const import DOMAIN, LOGGER
from custom_components.parkshare.durable import DurableStore, NotStoredError
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.link.keys import HouseKeys, to_bytes, to_text
from custom_components.parkshare.recognition import Look, Verdict, fold, normalise

from .book import Book, end_of
from .chain import Entry, Sealed, parse
from .commitment import KEY_BYTES, booking_key, commitment
from .entries import Beside, Hand, Judgement, code_entry, entries_of
from .excerpt import excerpt
from .writer import Writer, now

VERSION: Final = 1


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
        self._space_id = space_id
        self._title = title
        self._plate_of = plate_of
        self._level = level
        self._book = Book(_path(hass, space_id), space_id, keys)
        self._writer = Writer(hass, entry, space_id, title, self._book)
        self._space_key: bytes | None = None
        self._judgement: Judgement | None = None

    # Life

    async def async_load(self) -> None:
        """Go on where the last run ended."""
        self._space_key = await self._async_space_key()
        await self._writer.async_start()

    async def async_stop(self) -> None:
        """Write what is left."""
        await self._writer.async_stop()

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
        try:
            beside = Beside(hand=hand, by=by, judgement=self._judgement, plate=self._committed(decided))
            self._writer.add(entries_of(before, after, told, intents, now, beside))
        except Exception:  # noqa: BLE001 - a defect of the record's is no reason to keep a car in or out
            LOGGER.exception("What happened at %s could not be recorded", self._title)

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
        self._writer.add([code_entry(booking, now(), right=right, tries_left=tries_left, way=way)])

    @property
    def is_behind(self) -> bool:
        """Tell whether something waits for the disk."""
        return self._writer.is_behind

    @property
    def head(self) -> str:
        """The head of what is on disk, "<seq>:<hash>"; empty as long as there is nothing."""
        return end_of(self._book.head)

    async def async_note(self, entries: Iterable[Entry]) -> bool:
        """Take in entries and write them."""
        self._writer.add(entries)
        return await self.async_write()

    async def async_write(self) -> bool:
        """Put on disk what was taken in; returns whether all of it is there now. Never raises, nor waits for long."""
        return await self._writer.async_write()

    # What somebody asks for

    async def async_export(
        self, *, booking: str | None = None, start: float = -inf, end: float = inf, plate: bool = False
    ) -> Export:
        """Return the record; all that is not asked for is hidden. plate: with the key to the booking's plate.

        Raises OSError, and BadLineError where somebody changed the file since the start.
        """
        await self.async_write()
        lines, head = await self._writer.async_lines()
        key = booking_key(self._space_key, booking) if plate and booking and self._space_key else None

        def shown() -> Export:
            entries = [parse(line) for line in lines]
            left = excerpt(entries, booking=booking, start=start, end=end)
            return Export(
                lines=left,
                entries=tuple(parse(line) for line in left),
                head=end_of(head),
                keys=self._book.public_keys,
                plate_key=to_text(key) if key else None,
            )

        return await self._hass.async_add_executor_job(shown)

    # The plate

    def _committed(self, booking: str | None) -> str | None:
        """Commit to the booked plate."""
        if booking is None or self._space_key is None or not (plate := self._plate_of(booking)):
            return None
        return commitment(booking_key(self._space_key, booking), plate, comparable)

    async def _async_space_key(self) -> bytes | None:
        """Return the key of the space, made on first use; None where it cannot be kept: then nothing is committed."""
        store = _key_store(self._hass, self._space_id)
        try:
            with suppress(KeyError, TypeError, ValueError):
                if stored := await store.async_load():
                    return to_bytes(stored["key"])
        except HomeAssistantError:
            LOGGER.exception("The key for the plates in the record of %s cannot be read", self._title)
            return None
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
