"""The file of a record: what a power cut, a full disk, a swapped file and the years do to it."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from custom_components.parkshare.link.keys import HouseKeys
from custom_components.parkshare.record.book import KEPT_FOR, Book
from custom_components.parkshare.record.chain import Sealed, parse
from custom_components.parkshare.record.examine import Broken
from custom_components.parkshare.record.kinds import Kind
from custom_components.parkshare.record.proof import verify
from tests.record.history import HOUSE, NOON, OTHER_HOUSE, entry

KEY = HOUSE.sign_public


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.jsonl"


@pytest.fixture
def book(path: Path) -> Book:
    """A record with three entries behind its start."""
    book = opened(path)
    book.write([entry(number) for number in range(3)], NOON)
    return book


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Little room."""
    monkeypatch.setattr("custom_components.parkshare.record.book.LARGEST", 4000)
    return 4000


def opened(path: Path, keys: HouseKeys = HOUSE, now: float = NOON) -> Book:
    book = Book(path, "space-1", keys)
    found = book.open(now)
    assert found.damaged is None
    if found.notes:
        book.write(found.notes, now)
    return book


def entries(path: Path) -> list[Sealed]:
    return [parse(line) for line in path.read_text().removesuffix("\n").split("\n")]


def kinds(path: Path) -> list[str]:
    return [each.kind for each in entries(path)]


def whole(path: Path, *keys: str, head: str | None = None) -> bool:
    return verify([each.line() for each in entries(path)], *(keys or (KEY,)), head=head).ok


def test_a_new_record_begins_with_the_space_and_the_key_that_signs(book: Book, path: Path) -> None:
    first = entries(path)[0]
    assert (first.seq, first.kind) == (1, Kind.START)
    assert first.d == {"space": "space-1", "key": KEY, "why": "new"}
    assert whole(path, head=str(book.head))


def test_the_next_run_goes_on_with_the_chain(book: Book, path: Path) -> None:
    again = opened(path)
    assert again.head == book.head
    again.write([entry(9)], NOON)
    assert whole(path, head=str(book.head))
    assert kinds(path).count(Kind.START) == 1


@pytest.mark.parametrize("half", [b'{"at":"2027', b"\0" * 40, b"{\xff", b'{"v":1}'])
def test_what_a_power_cut_left_half_written_is_cut_off_and_noted(book: Book, path: Path, half: bytes) -> None:
    with path.open("ab") as file:
        file.write(half)
    opened(path)
    assert whole(path, head=str(book.head))
    assert entries(path)[-1].kind == Kind.CUT
    assert entries(path)[-1].d == {"bytes": len(half)}


def test_a_power_cut_in_the_very_first_entry_leaves_a_record_that_says_so(path: Path) -> None:
    path.write_bytes(b'{"at":"20')
    opened(path).write([entry(0)], NOON)
    assert whole(path)
    assert entries(path)[0].d["why"] == "cut"


def test_a_power_cut_at_any_byte_of_a_write_loses_nothing_that_was_there_before(book: Book, path: Path) -> None:
    before = path.read_bytes()
    head = str(book.head)
    book.write([entry(7), entry(8)], NOON)
    after = path.read_bytes()
    for length in range(len(before), len(after), 5):
        path.write_bytes(after[:length])
        again = opened(path)
        again.write([entry(9)], NOON)
        assert whole(path, head=head)
        assert entries(path)[-1].d["name"] == "T9"


@pytest.mark.parametrize(
    ("spoil", "broken"),
    [
        (lambda content: content.replace(b'"T1"', b'"T7"'), Broken.CHANGED),
        (lambda content: b"\n".join(content.split(b"\n")[1:]), Broken.BEGINNING),
        (lambda content: b"\n".join([*content.split(b"\n")[:1], *content.split(b"\n")[2:]]), Broken.REMOVED),
        (lambda content: content[:200] + b"\0" * 100 + content[300:], Broken.UNREADABLE),
        (lambda content: b"\xff\xfe\n" + content, Broken.UNREADABLE),
    ],
)
def test_a_damaged_record_is_put_aside_and_a_new_one_says_so(
    book: Book, path: Path, spoil: Callable[[bytes], bytes], broken: Broken
) -> None:
    spoiled = spoil(path.read_bytes())
    path.write_bytes(spoiled)
    again = Book(path, "space-1", HOUSE)
    assert again.open(NOON).damaged is broken
    again.write([entry(9)], NOON)
    assert whole(path)
    assert entries(path)[0].d["why"] == "damaged"
    assert entries(path)[0].d["broken"] == broken
    assert again.damaged_path.read_bytes() == spoiled


def test_a_file_that_was_swapped_while_we_ran_begins_anew_and_names_the_head_before(book: Book, path: Path) -> None:
    before = str(book.head)
    path.unlink()
    book.write([entry(9)], NOON)
    assert whole(path)
    assert entries(path)[0].d["before"] == before
    assert [each.kind for each in entries(path)] == [Kind.START, Kind.TRANSITION]


def test_a_write_that_fails_half_way_leaves_the_file_as_it_was_and_the_next_one_follows(book: Book, path: Path) -> None:
    before, write = path.read_bytes(), os.pwrite

    def full(file: int, content: bytes, at: int) -> int:
        if at > len(before):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, content[:50], at)

    with patch("os.pwrite", full), pytest.raises(OSError, match="No space"):
        book.write([entry(8)], NOON)
    assert path.read_bytes() == before
    book.write([entry(9)], NOON)
    assert whole(path)
    assert entries(path)[-1].d["name"] == "T9"


def test_half_an_entry_that_could_not_even_be_taken_back_is_cut_off_with_the_next_write(book: Book, path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"at":')
    book.write([entry(9)], NOON)
    assert whole(path)
    assert len(entries(path)) == 5


def test_a_house_that_was_paired_again_says_from_where_on_it_signs_anew(book: Book, path: Path) -> None:
    again = opened(path, OTHER_HOUSE)
    assert entries(path)[-1].kind == Kind.KEY
    assert again.public_keys == (KEY, OTHER_HOUSE.sign_public)
    assert whole(path, *again.public_keys, head=str(book.head))
    opened(path, OTHER_HOUSE)
    assert kinds(path).count(Kind.KEY) == 1


def test_what_is_older_than_ninety_days_goes_and_the_rest_still_verifies(path: Path) -> None:
    book = opened(path)
    for day in range(5):
        book.write([entry(day * 24 * 60)], NOON)
    head = str(book.head)
    later = NOON + KEPT_FOR + 2.5 * 86400
    assert book.prune(later)
    kept = entries(path)
    assert [each.d.get("name") for each in kept] == ["T4320", "T5760", None]
    assert kept[-1].kind == Kind.CHECKPOINT
    assert whole(path, head=head)
    assert whole(path, head=str(book.head))
    assert opened(path).head == book.head


def test_a_beginning_that_somebody_else_dropped_is_found_after_a_checkpoint_too(path: Path) -> None:
    book = opened(path)
    for day in range(5):
        book.write([entry(day * 24 * 60)], NOON)
    book.prune(NOON + KEPT_FOR + 2.5 * 86400)
    lines = [each.line() for each in entries(path)]
    assert verify(lines, KEY).ok
    assert verify(lines[1:], KEY).broken is Broken.BEGINNING


def test_old_entries_go_at_most_once_a_day_also_over_restarts(path: Path) -> None:
    book = opened(path)
    for minute in range(0, 60, 20):
        book.write([entry(minute)], NOON)
    assert book.prune(NOON + KEPT_FOR + 60)
    assert not book.prune(NOON + KEPT_FOR + 3600)
    assert not opened(path).prune(NOON + KEPT_FOR + 3600)
    assert book.prune(NOON + KEPT_FOR + 60 + 86400)


def test_when_everything_is_too_old_only_the_checkpoint_is_left(book: Book, path: Path) -> None:
    head = str(book.head)
    assert book.prune(NOON + 2 * KEPT_FOR)
    assert kinds(path) == [Kind.CHECKPOINT]
    assert whole(path, head=head)
    book.write([entry(9)], NOON)
    assert whole(path, head=head)


def test_a_record_never_grows_beyond_its_size(path: Path, small: int) -> None:
    book = opened(path)
    for number in range(60):
        book.write([entry(number)], NOON)
        book.prune(NOON + number * 60)
        assert path.stat().st_size <= small + 500
    assert whole(path)
    assert entries(path)[-1].d.get("name", "T59") == "T59"


def test_pruning_that_cannot_be_written_leaves_everything_as_it_was(book: Book, path: Path) -> None:
    before, head = path.read_bytes(), book.head
    with patch("os.fsync", side_effect=OSError(errno.EIO, "broken")), pytest.raises(OSError, match="broken"):
        book.prune(NOON + 2 * KEPT_FOR)
    assert path.read_bytes() == before
    assert book.head == head
    book.write([entry(9)], NOON)
    assert whole(path)
