"""Whether a record is as it was written: the first entry that is not, and what is wrong with it.

Pure: standard library only. The words of a report are for a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .chain import NOTHING, BadLineError, Genuine, Head, Sealed, parse
from .kinds import Kind


class Broken(StrEnum):
    """What can be wrong."""

    UNREADABLE = "unreadable"
    CHANGED = "changed"
    FOREIGN = "foreign"
    REMOVED = "removed"
    REORDERED = "reordered"
    FORKED = "forked"
    BEGINNING = "beginning"
    CUT = "cut"
    REWRITTEN = "rewritten"
    EMPTY = "empty"
    # Not wrong: what the known head speaks of is no longer kept.
    TOO_OLD = "too_old"


WORDS: Final = {
    Broken.UNREADABLE: "Line {line} is no entry of a record: it was changed, or is not complete.",
    Broken.CHANGED: "Entry {seq} (line {line}) was changed after it was written.",
    Broken.FOREIGN: "Entry {seq} (line {line}) is not signed by this house: it was put in or changed by somebody else.",
    Broken.REMOVED: "Before entry {seq} (line {line}) at least one entry was removed.",
    Broken.REORDERED: "Entry {seq} (line {line}) is not at its place, or is there twice.",
    Broken.FORKED: "Entry {seq} (line {line}) follows another entry than the one before it: history was written twice.",
    Broken.BEGINNING: "The record begins with entry {seq}, and the house did not sign that earlier ones were dropped.",
    Broken.CUT: "The record was cut at its end: it ends before the known head, entry {seq}.",
    Broken.REWRITTEN: "Entry {seq} is another one than the known head says: history was rewritten since.",
    Broken.EMPTY: "There is no entry.",
    Broken.TOO_OLD: "The known head, entry {seq}, is older than what is kept. What is kept is whole.",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What came of an examination. entries are those before the first broken one; line counts from 1."""

    entries: tuple[Sealed, ...]
    broken: Broken | None = None
    seq: int | None = None
    line: int | None = None

    @property
    def ok(self) -> bool:
        """Tell whether everything is as it was written, as far as anybody can tell."""
        return self.broken is None

    @property
    def head(self) -> str:
        """The head of what is whole; empty where nothing is."""
        return str(self.entries[-1].head) if self.entries else ""

    @property
    def words(self) -> str:
        """Say it to a person."""
        if self.broken:
            return WORDS[self.broken].format(seq=self.seq, line=self.line)
        hidden = sum(not entry.kind for entry in self.entries)
        left_out = f", {hidden} of them hidden" if hidden else ""
        first, last = self.entries[0], self.entries[-1]
        return f"The record is whole: {len(self.entries)} entries ({first.seq} to {last.seq}){left_out}."


def examine(lines: Sequence[str], genuine: Genuine, head: Head | None = None) -> Report:
    """Look at every entry, in order. head is one that was told to somebody else earlier."""
    entries: list[Sealed] = []
    for number, line in enumerate(lines, start=1):
        try:
            entry = parse(line)
        except BadLineError:
            return Report(tuple(entries), Broken.UNREADABLE, None, number)
        broken = _what_is_wrong(entry, entries[-1] if entries else None, lines[number:], genuine)
        if broken:
            return Report(tuple(entries), broken, entry.seq, number)
        entries.append(entry)
    if not entries:
        return Report((), Broken.EMPTY)
    whole = tuple(entries)
    if not _begins_well(whole):
        return Report((), Broken.BEGINNING, whole[0].seq, 1)
    return Report(whole) if head is None else _against(whole, head)


def _what_is_wrong(entry: Sealed, before: Sealed | None, rest: Sequence[str], genuine: Genuine) -> Broken | None:
    if not entry.whole():
        return Broken.CHANGED
    if not genuine(entry.message, entry.sig):
        return Broken.FOREIGN
    if before is None or (entry.seq == before.seq + 1 and entry.prev == before.hash):
        return None
    if entry.seq == before.seq + 1:
        return Broken.FORKED
    if entry.seq <= before.seq or any(f'"seq":{before.seq + 1},' in line for line in rest):
        return Broken.REORDERED
    return Broken.REMOVED


def _begins_well(entries: Sequence[Sealed]) -> bool:
    """Tell whether the first one is the first, or the house signed that it dropped what was before it."""
    first = entries[0]
    before = Head(first.seq - 1, first.prev)
    if before.seq == 0:
        return before.hash == NOTHING
    return any(entry.kind == Kind.CHECKPOINT and entry.d.get("upto") == str(before) for entry in entries)


def _against(entries: tuple[Sealed, ...], head: Head) -> Report:
    first, last = entries[0], entries[-1]
    if head == (first.seq - 1, first.prev):
        return Report(entries)
    if head.seq > last.seq:
        return Report(entries, Broken.CUT, head.seq)
    if head.seq < first.seq:
        # At its place stands what the house says it dropped; what was before that nobody can tell.
        return Report(entries, Broken.REWRITTEN if head.seq == first.seq - 1 else Broken.TOO_OLD, head.seq)
    known = entries[head.seq - first.seq]
    return Report(entries) if known.hash == head.hash else Report(entries, Broken.REWRITTEN, head.seq)
