"""The record of one space on disk: a file of lines that only grows, but for what is too old.

Blocking: for a thread beside the event loop, one call at a time. No Home Assistant here. Each change of the file is on
disk on return, or OSError is raised and the file is as it was.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from custom_components.parkshare.link.keys import BadKeyError, HouseKeys

from .chain import START, BadLineError, Entry, Head, Sealed, parse, seal
from .examine import Broken, Report, examine
from .kinds import Kind
from .proof import genuine_for

KEPT_FOR: Final = 90 * 86400.0  # s; a dispute over a stay is begun within weeks
LARGEST: Final = 5 * 1024 * 1024  # bytes
SIGNATURES_AT_START: Final = 200
LEFT_BY_SIZE: Final = 0.8  # of the largest, so that a full one is not rewritten with each entry
NAME_KEYS: Final = tuple(f'"kind":"{kind}"' for kind in (Kind.START, Kind.KEY, Kind.CHECKPOINT))
PRUNE_EVERY: Final = 86400.0  # s


class _ShorterError(Exception):
    """The file lost what was written to it."""


@dataclass(frozen=True, slots=True)
class Opened:
    """How the file was found; damaged says what was wrong, None for a whole or a new one. notes are to be written."""

    damaged: Broken | None = None
    notes: tuple[Entry, ...] = ()


class Book:
    """The record of one space."""

    def __init__(self, path: Path, space: str, keys: HouseKeys) -> None:
        self.head = START
        self.size = 0
        self._path = path
        self._space = space
        self._house = keys
        # All public keys with which something in the file is signed.
        self.public_keys: tuple[str, ...] = (keys.sign_public,)
        self._pruned_at = 0.0
        self._why: dict[str, Any] = {"why": "new"}

    @property
    def damaged_path(self) -> Path:
        """Where a damaged file is kept; the one before it is given up."""
        return self._path.with_suffix(".damaged")

    def open(self, now: float) -> Opened:
        """Go on where the file ends; call once, first. Raises OSError.

        What a power cut left half-written is cut off with the next write, a damaged file is put aside.
        """
        content = self._path.read_bytes() if self._path.exists() else b""
        whole, newline, half = content.rpartition(b"\n")
        lines = _lines(whole) if newline else []
        keys = (*_keys_in(lines), self._house.sign_public)
        report = _examined(lines, keys)
        if lines and not report.ok:
            self._put_aside(report)
            return Opened(report.broken)
        if not report.entries:
            self._why = {"why": "cut"} if half else self._why
            return Opened()
        self._take_up(report, keys, len(content) - len(half))
        notes: list[Entry] = []
        if half:
            notes.append(Entry(now, Kind.CUT, None, {"bytes": len(half)}))
        if keys[:-1][-1:] != (self._house.sign_public,):
            notes.append(Entry(now, Kind.KEY, None, {"key": self._house.sign_public}))
        return Opened(notes=tuple(notes))

    def write(self, entries: Sequence[Entry], now: float) -> None:
        """Put entries behind the others. Raises OSError; then none of them is in the file."""
        try:
            self._append(self._sealed(entries, now))
        except _ShorterError:
            # Somebody put another file there while we ran: what follows begins a new chain and says so.
            self._put_aside(Report((), Broken.CUT))
            self._append(self._sealed(entries, now))

    def prune(self, now: float) -> bool:
        """Drop what is too old or too much, at most once a day for its age; tells whether something was."""
        if self.size <= LARGEST and 0 <= now - self._pruned_at < PRUNE_EVERY:
            return False
        lines = self.lines()
        dropped = _too_old(lines, now - KEPT_FOR)
        left = sum(len(line.encode()) + 1 for line in lines[dropped:])
        if left > LARGEST:
            while left > LARGEST * LEFT_BY_SIZE:
                left -= len(lines[dropped].encode()) + 1
                dropped += 1
        if not dropped:
            return False
        upto = str(parse(lines[dropped - 1]).head)
        d = {"upto": upto, "dropped": dropped, "keys": list(self.public_keys)}
        checkpoint = seal(Entry(now, Kind.CHECKPOINT, None, d), self.head, self._house.prove)
        self._replace([*lines[dropped:], checkpoint.line()])
        self.head, self._pruned_at = checkpoint.head, now
        return True

    def lines(self) -> list[str]:
        """Return all that is kept."""
        whole, newline, _ = self._path.read_bytes()[: self.size].rpartition(b"\n") if self.size else (b"", b"", b"")
        return _lines(whole) if newline else []

    def _take_up(self, report: Report, keys: tuple[str, ...], size: int) -> None:
        self.head, self.size = report.entries[-1].head, size
        self.public_keys = tuple(dict.fromkeys(keys))
        self._pruned_at = max(
            (_time(entry.at) for entry in report.entries if entry.kind == Kind.CHECKPOINT), default=0.0
        )

    def _put_aside(self, report: Report) -> None:
        if self._path.exists():
            self._path.replace(self.damaged_path)
        before = report.head or (str(self.head) if self.head != START else None)
        self._why = {"why": "damaged", "broken": str(report.broken), "before": before}
        self.head, self.size, self.public_keys = START, 0, (self._house.sign_public,)

    def _sealed(self, entries: Sequence[Entry], now: float) -> list[Sealed]:
        if self.head == START:
            d = {"space": self._space, "key": self._house.sign_public} | self._why
            entries = [Entry(now, Kind.START, None, d), *entries]
        sealed: list[Sealed] = []
        head = self.head
        for entry in entries:
            sealed.append(seal(entry, head, self._house.prove))
            head = sealed[-1].head
        return sealed

    def _append(self, sealed: Sequence[Sealed]) -> None:
        if not sealed:
            return
        content = "".join(f"{entry.line()}\n" for entry in sealed).encode()
        self._path.parent.mkdir(exist_ok=True)
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            if (there := os.fstat(file).st_size) < self.size:
                raise _ShorterError
            if there > self.size:
                # Left by a write of ours that did not come to its end.
                os.ftruncate(file, self.size)
            _write(file, content, self.size)
        finally:
            os.close(file)
        if not self.size:
            _sync_folder(self._path.parent)
        self.head, self.size = sealed[-1].head, self.size + len(content)
        self.public_keys = tuple(dict.fromkeys((*self.public_keys, self._house.sign_public)))

    def _replace(self, lines: Sequence[str]) -> None:
        content = "".join(f"{line}\n" for line in lines).encode()
        unfinished = self._path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        try:
            file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                _write(file, content, 0)
            finally:
                os.close(file)
            unfinished.replace(self._path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        _sync_folder(self._path.parent)
        self.size = len(content)


def _write(file: int, content: bytes, at: int) -> None:
    """Write everything from a place on and wait for the disk; on OSError nothing of it is left in the file."""
    try:
        done = 0
        while done < len(content):
            done += os.pwrite(file, content[done:], at + done)
        os.fsync(file)
    except OSError:
        with suppress(OSError):
            os.ftruncate(file, at)
        raise


def _sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _lines(content: bytes) -> list[str]:
    """Split into lines; what is no text becomes something that no entry has."""
    return content.decode("utf-8", "surrogateescape").split("\n")


def _examined(lines: Sequence[str], keys: Sequence[str]) -> Report:
    """Examine a file of ours for damage: every hash, and the signatures of the newest.

    A signature takes longer than all else, and Home Assistant's start would wait for thousands of them.
    """
    older = iter(range(len(lines) - SIGNATURES_AT_START))
    try:
        genuine = genuine_for(*keys)
    except BadKeyError:
        return Report((), Broken.CHANGED)
    return examine(lines, lambda message, sig: next(older, None) is not None or genuine(message, sig))


def _keys_in(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the public keys that a file names, in the order in which they came to be used.

    Only good for finding damage: whoever wants to know who signed takes the key from elsewhere.
    """
    keys: list[str] = []
    for line in lines:
        if not any(named in line for named in NAME_KEYS):
            continue
        with suppress(BadLineError):
            entry = parse(line)
            if entry.kind in (Kind.START, Kind.KEY):
                keys.append(str(entry.d.get("key")))
            elif entry.kind == Kind.CHECKPOINT:
                keys += [str(key) for key in entry.d.get("keys", ())]
    return tuple(keys)


def _too_old(lines: Sequence[str], limit: float) -> int:
    """Return how many lines at the beginning are older than a time."""
    for number, line in enumerate(lines):
        if _time(parse(line).at) >= limit:
            return number
    return len(lines)


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def end_of(head: Head) -> str:
    """Write a head for whoever is told it; empty where there is no entry."""
    return "" if head == START else str(head)
