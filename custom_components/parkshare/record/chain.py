"""The chain of a record: each entry names the hash of the one before it and is signed.

So none can be changed, left out or moved without being seen.
Pure: standard library only; signing and checking come in as functions. One entry is one line of canonical JSON: keys
sorted, no spaces, UTF-8, no fractions of numbers (two programs write those differently; figures with a point are text).
hash is SHA-256 (hex) of the entry without hash and sig; what is signed is seq, prev and hash, in the pre-authentication
encoding of DSSE. So an entry can be hidden from somebody whom it does not concern: what is left of it still links.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

from custom_components.parkshare.link.facts import format_time
from custom_components.parkshare.link.protocol import pae

VERSION: Final = 1
PAYLOAD_TYPE: Final = "parkshare/record+json"
# Before the first entry.
NOTHING: Final = "0" * 64
_HEX: Final = frozenset("0123456789abcdef")
LONGEST_LINE: Final = 64 * 1024  # bytes; ours have some hundred
SHOWN: Final = frozenset({"v", "seq", "at", "kind", "booking", "d", "prev", "hash", "sig"})
HIDDEN: Final = frozenset({"v", "seq", "prev", "hash", "sig"})

_written = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode

type Sign = Callable[[bytes], str]
type Genuine = Callable[[bytes, str], bool]


class BadLineError(ValueError):
    """A line is no entry of a record."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened; at is UTC epoch seconds, d holds JSON without fractions of numbers."""

    at: float
    kind: str
    booking: str | None
    d: Mapping[str, Any]


class Head(NamedTuple):
    """The end of a chain: whoever was told it can see later whether anything before it was changed."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "<seq>:<hash>". Raises ValueError."""
        seq, _, digest = text.strip().partition(":")
        if not (seq.isascii() and seq.isdecimal()) or len(digest) != len(NOTHING) or set(digest) - _HEX:
            raise ValueError("a head is <number>:<64 hexadecimal digits>")
        return cls(int(seq), digest)


START: Final = Head(0, NOTHING)


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry in its chain. kind is empty for a hidden one."""

    seq: int
    prev: str
    hash: str
    sig: str
    at: str = ""
    kind: str = ""
    booking: str | None = None
    d: Mapping[str, Any] = field(default_factory=dict)

    @property
    def head(self) -> Head:
        """The head of a chain that ends here."""
        return Head(self.seq, self.hash)

    @property
    def message(self) -> bytes:
        """What is signed."""
        return _message(self.seq, self.prev, self.hash)

    def whole(self) -> bool:
        """Tell whether the hash is that of what is said; for a hidden one nobody can tell."""
        return not self.kind or self.hash == _digest(
            seq=self.seq, at=self.at, kind=self.kind, booking=self.booking, d=self.d, prev=self.prev
        )

    def line(self, *, hidden: bool = False) -> str:
        """Write it as a line; hidden: without what happened."""
        links = {"v": VERSION, "seq": self.seq, "prev": self.prev, "hash": self.hash, "sig": self.sig}
        if hidden or not self.kind:
            return _written(links)
        return _written(links | {"at": self.at, "kind": self.kind, "booking": self.booking, "d": self.d})


def canonical(value: Any) -> str:
    """Write JSON in the one way in which we write it. Raises BadLineError for what has none."""
    _check(value)
    return _written(value)


def seal(entry: Entry, after: Head, sign: Sign) -> Sealed:
    """Put an entry behind a head. Raises BadLineError for one that cannot be written."""
    _check(entry.d)
    seq, at = after.seq + 1, format_time(round(entry.at, 3))
    digest = _digest(seq=seq, at=at, kind=entry.kind, booking=entry.booking, d=entry.d, prev=after.hash)
    sig = sign(_message(seq, after.hash, digest))
    return Sealed(seq, after.hash, digest, sig, at, entry.kind, entry.booking, entry.d)


def parse(line: str) -> Sealed:
    """Read a line. Raises BadLineError for one that we would have written otherwise."""
    if len(line) > LONGEST_LINE:
        raise BadLineError("longer than any entry")
    try:
        line.encode()
        value = json.loads(line, parse_float=_no_number, parse_constant=_no_number)
        if not isinstance(value, dict) or _written(value) != line or not _is_ours(value):
            raise BadLineError("not written as an entry is")
        return _sealed(value)
    except (KeyError, ValueError, RecursionError) as err:
        raise BadLineError("no entry of a record") from err


def _no_number(text: str) -> None:
    raise BadLineError(f"{text} is not written in a record")


def _sealed(value: dict[str, Any]) -> Sealed:
    links = value["seq"], value["prev"], value["hash"], value["sig"]
    if value.keys() == HIDDEN and _are(links, int, str, str, str):
        return Sealed(*links)
    said = value.get("at"), value.get("kind"), value.get("d")
    booking = value.get("booking")
    known = _are(links, int, str, str, str) and _are(said, str, str, dict) and isinstance(booking, str | None)
    if value.keys() != SHOWN or not known or not value["kind"]:
        raise BadLineError("not the fields of an entry")
    return Sealed(*links, value["at"], value["kind"], booking, value["d"])


def _is_ours(value: dict[str, Any]) -> bool:
    """Tell whether it is of this version. In Python, true is 1."""
    return type(value.get("v")) is int and value["v"] == VERSION


def _are(values: tuple[Any, ...], *kinds: type) -> bool:
    """Tell whether values have exactly these types; true is no number here."""
    return all(type(value) is kind for value, kind in zip(values, kinds, strict=True))


def _digest(**said: Any) -> str:
    return hashlib.sha256(_written({"v": VERSION} | said).encode()).hexdigest()


def _message(seq: int, prev: str, digest: str) -> bytes:
    return pae(PAYLOAD_TYPE, _written({"v": VERSION, "seq": seq, "prev": prev, "hash": digest}).encode())


def _check(value: Any) -> None:
    match value:
        case None | bool() | int():
            return
        case str():
            try:
                value.encode()
            except UnicodeEncodeError as err:
                raise BadLineError("text that is none") from err
        case Mapping():
            for key, item in value.items():
                if not isinstance(key, str):
                    raise BadLineError("a key is text")
                _check(key)
                _check(item)
        case list() | tuple():
            for item in value:
                _check(item)
        case _:
            raise BadLineError(f"{type(value).__name__} is not written in a record")
