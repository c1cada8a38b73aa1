"""What a full disk, a power cut, a damaged file, time and other spaces do to the record; the way out goes on."""

import asyncio
import errno
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.link.keys import HouseKeys
from custom_components.parkshare.record import Record, async_remove_record
from custom_components.parkshare.record.book import KEPT_FOR, Book
from custom_components.parkshare.record.chain import Entry, Sealed
from custom_components.parkshare.record.kinds import Kind
from custom_components.parkshare.record.proof import verify

KEYS = HouseKeys.generate()
PLATE = "MABC123"


class Full:
    """A disk that is full, or hangs, when a test says so."""

    def __init__(self) -> None:
        self.full = False
        self._write = Book.write

    def write(self, book: Book, entries: Any, now: float) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._write(book, entries, now)


@pytest.fixture
def disk() -> Iterator[Full]:
    disk = Full()
    with patch.object(Book, "write", autospec=True, side_effect=disk.write):
        yield disk


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    entry = MockConfigEntry(domain=DOMAIN)
    entry.add_to_hass(hass)
    return entry


type MakeRecord = Callable[..., Record]


@pytest.fixture
async def make(hass: HomeAssistant, entry: MockConfigEntry) -> AsyncIterator[MakeRecord]:
    made: list[Record] = []

    def make(space: str = "space-1", keys: HouseKeys = KEYS) -> Record:
        plate_of = {"b1": PLATE}.get
        made.append(Record(hass, entry, space, f"Bay {space}", keys, plate_of=plate_of, level="balanced"))
        return made[-1]

    yield make
    for record in made:
        await record.async_stop()


@pytest.fixture
async def record(make: MakeRecord) -> Record:
    record = make()
    await record.async_load()
    return record


def happened(name: str, kind: Kind = Kind.COMMAND) -> list[Entry]:
    return [Entry(dt_util.utcnow().timestamp(), kind, "b1", {"name": name})]


def files_of(hass: HomeAssistant) -> list[Path]:
    return list(Path(hass.config.path(".storage")).glob("*record.space-1*"))


async def kept(record: Record) -> tuple[Sealed, ...]:
    export = await record.async_export()
    assert verify(export.lines, *export.keys, head=export.head).ok
    return export.entries


def issue(hass: HomeAssistant, kind: str, space: str = "space-1") -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, f"{kind}_{space}")


async def test_a_full_disk_is_told_once_and_a_gap_is_noted_when_it_can_be_written_again(
    hass: HomeAssistant, record: Record, disk: Full, caplog: pytest.LogCaptureFixture
) -> None:
    assert await record.async_note(happened("before"))
    disk.full = True
    for name in ("one", "two"):
        assert not await record.async_note(happened(name))
    assert issue(hass, "record_not_written").translation_placeholders == {
        "space": "Bay space-1",
        "reason": "No space left on device",
    }
    assert caplog.text.count("cannot be written") == 1
    head = record.head
    disk.full = False
    assert await record.async_note(happened("after"))
    assert record.head != head
    assert issue(hass, "record_not_written") is None
    entries = await kept(record)
    assert [entry.d.get("name") for entry in entries[1:]] == ["before", None, "one", "two", "after"]
    assert (entries[2].kind, entries[2].d["late"], entries[2].d["lost"]) == (Kind.GAP, 3, 0)


async def test_what_does_not_fit_into_memory_either_is_counted_as_lost(
    record: Record, disk: Full, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.parkshare.record.writer.MOST_WAITING", 5)
    disk.full = True
    for number in range(8):
        await record.async_note(happened(str(number)))
    disk.full = False
    assert await record.async_write()
    entries = await kept(record)
    assert [entry.d.get("name") for entry in entries[2:]] == ["3", "4", "5", "6", "7"]
    assert (entries[1].d["late"], entries[1].d["lost"]) == (5, 3)


async def test_a_disk_that_hangs_is_not_waited_for_and_gets_everything_in_order_later(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.parkshare.record.writer.PATIENCE", 0.01)
    goes_on, write = asyncio.Event(), record._hass.async_add_executor_job

    async def hang(target: Any, *arguments: Any) -> Any:
        await goes_on.wait()
        return await write(target, *arguments)

    monkeypatch.setattr(record._hass, "async_add_executor_job", hang)
    for name in ("one", "two", "three"):
        assert not await record.async_note(happened(name))
    assert record.is_behind
    goes_on.set()
    monkeypatch.setattr("custom_components.parkshare.record.writer.PATIENCE", 5.0)
    await record._hass.async_block_till_done()
    assert await record.async_write()
    assert [entry.d.get("name") for entry in await kept(record)][1:] == ["one", "two", "three"]


async def test_a_disk_that_cannot_even_be_read_at_the_start_is_told_and_tried_again(
    hass: HomeAssistant, make: MakeRecord
) -> None:
    record = make()
    with patch.object(Book, "open", side_effect=OSError(errno.EIO, "Input/output error")):
        await record.async_load()
        assert not await record.async_note(happened("one"))
        assert issue(hass, "record_not_written")
    assert await record.async_note(happened("two"))
    assert issue(hass, "record_not_written") is None
    assert [entry.kind for entry in await kept(record)] == [Kind.START, Kind.GAP, Kind.COMMAND, Kind.COMMAND]


async def test_a_defect_of_the_record_does_not_reach_the_gate(record: Record, caplog: pytest.LogCaptureFixture) -> None:
    before, after = w.Gate(), w.Gate(position=w.Position.DOWN)
    record.note(before, after, w.BarrierSeen(w.Position.DOWN), [], 0.0, hand=object())
    assert "could not be recorded" in caplog.text
    assert await record.async_note(happened("after"))
    assert [entry.d.get("name") for entry in await kept(record)][1:] == ["after"]


async def test_half_a_line_after_a_power_cut_is_cut_off_by_the_next_run(record: Record, make: MakeRecord) -> None:
    await record.async_note(happened("before"))
    with record._book._path.open("ab") as file:
        file.write(b'{"at":"2026-')
    again = make()
    await again.async_load()
    await again.async_note(happened("after"))
    assert [entry.kind for entry in await kept(again)] == [Kind.START, Kind.COMMAND, Kind.CUT, Kind.COMMAND]


async def test_a_damaged_record_starts_anew_and_a_person_is_told_where_the_old_one_is(
    hass: HomeAssistant, record: Record, make: MakeRecord
) -> None:
    await record.async_note(happened("before"))
    path = record._book._path
    path.write_text(path.read_text().replace("before", "forged"))
    again = make()
    await again.async_load()
    await again.async_note(happened("after"))
    assert issue(hass, "record_damaged").translation_placeholders["file"] == "parkshare.record.space-1.damaged"
    assert path.with_suffix(".damaged").exists()
    entries = await kept(again)
    assert (entries[0].d["why"], entries[0].d["broken"]) == ("damaged", "changed")
    await again.async_stop()
    assert issue(hass, "record_damaged") is None


async def test_a_house_with_a_new_key_goes_on_and_exports_both(record: Record, make: MakeRecord) -> None:
    await record.async_note(happened("before"))
    again = make(keys=HouseKeys.generate())
    await again.async_load()
    await again.async_note(happened("after"))
    assert len((await again.async_export()).keys) == 2
    assert [entry.kind for entry in await kept(again)][2] == Kind.KEY


async def test_old_entries_go_with_the_day(hass: HomeAssistant, record: Record) -> None:
    old = dt_util.utcnow().timestamp() - KEPT_FOR - 86400
    with patch("custom_components.parkshare.record.writer.now", return_value=old):
        await record.async_note([Entry(old, Kind.COMMAND, "b0", {"name": "old"})])
    await record.async_note(happened("new"))
    head = record.head
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(days=1, seconds=1))
    await hass.async_block_till_done()
    entries = await kept(record)
    assert [entry.kind for entry in entries] == [Kind.COMMAND, Kind.CHECKPOINT]
    assert verify([entry.line() for entry in entries], KEYS.sign_public, head=head).ok


async def test_a_record_that_is_too_large_drops_its_oldest_at_once(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("writer", "book"):
        monkeypatch.setattr(f"custom_components.parkshare.record.{place}.LARGEST", 5000)
    for number in range(40):
        await record.async_note(happened(str(number)))
    assert record._book._path.stat().st_size < 5500
    entries = await kept(record)
    assert "39" in {entry.d.get("name") for entry in entries}


async def test_the_records_of_two_spaces_know_nothing_of_each_other(make: MakeRecord) -> None:
    one, two = make("space-1"), make("space-2")
    for each in (one, two):
        await each.async_load()
    await one.async_note(happened("one"))
    await two.async_note(happened("two"))
    await one.async_note(happened("one"))
    assert [entry.d.get("name") for entry in await kept(one)][1:] == ["one", "one"]
    assert [entry.d.get("name") for entry in await kept(two)][1:] == ["two"]
    assert one.head != two.head


async def test_the_same_plate_looks_different_in_each_space(make: MakeRecord) -> None:
    found = []
    for record in (make("space-1"), make("space-2"), make("space-1")):
        await record.async_load()
        decided = w.AdmissionDecided("b1", w.Decision.ADMIT, w.Cause.OWNER, 0.0)
        record.note(w.Gate(), w.Gate(), w.OwnerLetsIn(), [decided], dt_util.utcnow().timestamp())
        await record.async_write()
        found.append(next(entry.d["plate"] for entry in await kept(record) if entry.kind == Kind.DECISION))
    assert found[0] != found[1]
    assert found[0] == found[2]
    assert PLATE not in "".join(found)


async def test_nothing_is_left_of_the_record_of_a_space_that_is_gone(
    hass: HomeAssistant, record: Record, hass_storage: dict[str, Any]
) -> None:
    await record.async_note(happened("one"))
    await record.async_stop()
    key = "parkshare.record_key.space-1"
    assert files_of(hass)
    assert key in hass_storage
    await async_remove_record(hass, "space-1")
    assert files_of(hass) == []
    assert key not in hass_storage
