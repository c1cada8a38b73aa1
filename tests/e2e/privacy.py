"""What must not be read anywhere after a run - plates, places, codes, keys, tokens - and the search for it.

A finding names what was found and where, never the thing itself: what this prints may be shown around.
"""

import base64
import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate

from tests.simulators.track import Place

from .traces import Trace

NEAR = 200  # characters within which a latitude and a longitude are one place
PLACE_DECIMALS = 4  # of a degree: 11 m; a blurred place is right to 2 or 3
SHORTEST_SECRET = 8
SEPARATOR = r"[-\s._·]?"
BETWEEN = "\n\0\n"  # between two pieces: nothing that is looked for goes over it


class Kind(StrEnum):
    """The kinds of what must not be found."""

    PLATE = "plate"
    PLACE = "place"
    SPACE = "place of a space"
    CODE = "code"
    SECRET = "secret"
    PHONE = "phone number"
    PAIRING = "pairing code"


@dataclass(frozen=True, slots=True)
class Needle:
    """One thing that must not be found; what names it without telling it."""

    what: str
    kind: Kind
    pattern: re.Pattern[str] = field(repr=False)
    # What must stand close by for it to count.
    beside: re.Pattern[str] | None = field(default=None, repr=False)

    def found_in(self, text: str) -> Iterator[int]:
        """Give where in a text it begins."""
        for match in self.pattern.finditer(text):
            around = text[max(0, match.start() - NEAR) : match.end() + NEAR]
            if self.beside is None or self.beside.search(around):
                yield match.start()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was found; times is how often in this place."""

    what: str
    where: str
    times: int = 1

    def __str__(self) -> str:
        """Say it to a person."""
        return f"{self.what} in {self.where}" + (f" ({self.times} times)" if self.times > 1 else "")


@dataclass(frozen=True, slots=True)
class Source:
    """Some of what a run left behind.

    but names kinds that belong there by its nature, of_entities kinds that belong to the states of some entities;
    why says so to people. published are texts that everybody may know, and that are overlooked.
    """

    name: str
    traces: Iterable[Trace]
    but: Collection[Kind] = ()
    published: Collection[str] = ()
    why: str = ""


@dataclass
class Search:
    """A search, with all that was looked through and found."""

    needles: Sequence[Needle]
    # The owner's place is what these entities are for; they are Home Assistant's, not ours.
    places_of: Collection[str] = ()
    findings: list[Finding] = field(default_factory=list)
    searched: list[str] = field(default_factory=list)
    pieces: int = 0
    characters: int = 0
    exempt: list[str] = field(default_factory=list)

    def through(self, source: Source) -> None:
        """Search one source."""
        traces = list(source.traces)
        text = BETWEEN.join(trace.text for trace in traces)
        starts = list(accumulate((len(trace.text) + len(BETWEEN) for trace in traces), initial=0))
        for known in source.published:
            text = text.replace(known, "_" * len(known))
        found: Counter[tuple[str, str]] = Counter()
        for needle in self.needles:
            if needle.kind in source.but:
                continue
            for position in needle.found_in(text):
                trace = traces[bisect_right(starts, position) - 1]
                if needle.kind is Kind.PLACE and trace.entity in self.places_of:
                    continue
                found[needle.what, trace.where] += 1
        self.findings += [Finding(what, where, times) for (what, where), times in found.items()]
        self.searched.append(source.name)
        self.pieces += len(traces)
        self.characters += len(text)
        if source.why:
            self.exempt.append(f"{source.name}: {source.why}")

    def told(self) -> Iterator[str]:
        """Say to people what was looked for, where, and what was left out."""
        kinds = Counter(needle.kind for needle in self.needles)
        yield "looked for, of each kind: " + ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items()))
        yield f"in {self.pieces} pieces, {self.characters / 1e6:.1f} MB: " + ", ".join(dict.fromkeys(self.searched))
        if self.places_of:
            yield f"left out: the owner's place in {', '.join(sorted(self.places_of))}, Home Assistant's own"
        for line in dict.fromkeys(self.exempt):
            yield f"left out: {line}"


def plate(text: str, *, whose: str) -> Needle:
    """Look for a plate in any writing: with other separators or none, in small letters."""
    characters = [re.escape(character) for character in text if character.isalnum()]
    large = SEPARATOR.join(characters)
    # In small letters only as a word of its own: the middle of a hash may read like one.
    small = rf"(?<![0-9A-Za-z]){large.lower()}(?![0-9A-Za-z])"
    return Needle(f"the plate of {whose}", Kind.PLATE, re.compile(f"{large}|{small}"))


def place(at: Place, *, whose: str, kind: Kind = Kind.PLACE) -> Needle:
    """Look for a place: both coordinates close to each other, right to PLACE_DECIMALS."""
    latitude, longitude = (_coordinate(value) for value in at)
    return Needle(f"a place of {whose}", kind, re.compile(latitude), re.compile(longitude))


def _coordinate(value: float) -> str:
    """Write a pattern for a coordinate that was rounded or cut to PLACE_DECIMALS, or is longer."""
    step = 10**PLACE_DECIMALS
    rounded = {f"{value:.{PLACE_DECIMALS}f}", f"{int(value * step) / step:.{PLACE_DECIMALS}f}"}
    # A zero at the end is not written by everybody.
    forms = {_escape(form) for form in rounded} | {_escape(form.rstrip("0")) + r"(?!\d)" for form in rounded}
    return "|".join(sorted(forms))


def _escape(number: str) -> str:
    """Match a number that is not the end of a longer one; its digits come first, which is quick to search for."""
    return rf"{re.escape(number)}(?<![\d.]{re.escape(number)})"


def secret(text: str, *, what: str) -> Needle:
    """Look for a token or key as it is, and for the bytes of one in the other base64 and in hex."""
    if len(text) < SHORTEST_SECRET:
        raise ValueError(f"{what} is too short to be looked for as it is")
    forms = {text, text.rstrip("=")}
    forms |= {form.translate(str.maketrans("-_", "+/")) for form in forms}
    if re.fullmatch(r"[\w-]{43}=?", text):  # 32 bytes
        forms.add(base64.urlsafe_b64decode(text.rstrip("=") + "=").hex())
    return Needle(what, Kind.SECRET, re.compile("|".join(sorted(map(re.escape, forms)))))


def code(text: str, *, what: str, kind: Kind = Kind.CODE) -> Needle:
    """Look for a code as a word of its own: six digits are also the middle of many numbers."""
    text = re.escape(text)
    return Needle(what, kind, re.compile(rf"{text}(?<![\w.:-]{text})(?![\w-])"))


def phone(number: str, *, whose: str) -> Needle:
    """Look for a phone number, in groups or not."""
    digits = SEPARATOR.join(re.escape(digit) for digit in number if digit.isdigit())
    return Needle(f"the phone number of {whose}", Kind.PHONE, re.compile(rf"(?<!\d){digits}(?!\d)"))


# Tokens of any origin, by their shape: the backend's, those of Home Assistant, and whatever stands after "Bearer".
SHAPES = (
    Needle("a token of the backend", Kind.SECRET, re.compile(r"pks_[\w-]{20,}")),
    Needle("a token of Home Assistant", Kind.SECRET, re.compile(r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),
    Needle("a header with a token", Kind.SECRET, re.compile(r"[Bb]earer [\w.~+/-]{16,}")),
    Needle("a secret in an address", Kind.SECRET, re.compile(r"[?&](?:token|authSig|access_token)=[\w.~+/-]{8,}")),
    Needle("a device code", Kind.SECRET, re.compile(r"device_code\W{1,5}[\w-]{16,}")),
)


def secrets_in(content: object, *, of: str, keys: Collection[str]) -> Iterator[Needle]:
    """Give the secrets in a JSON file that keeps them by need: the texts under these keys."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key in keys and isinstance(value, str) and len(value) >= SHORTEST_SECRET:
                yield secret(value, what=f"{key} of {of}")
            else:
                yield from secrets_in(value, of=of, keys=keys)
    elif isinstance(content, list):
        for value in content:
            yield from secrets_in(value, of=of, keys=keys)


def parsed(text: str) -> object:
    """Read JSON that may be JSON lines."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
