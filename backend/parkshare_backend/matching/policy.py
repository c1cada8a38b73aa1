"""Which of the free spaces come first, and why, in words for the person who searched.

Everything that speaks for or against a space is put into one measure, metres of walking: people can check such a sum,
and each part of it comes with the answer. Spaces that are free for the whole period come before those that are not.

Pure: standard library only; randomness is an argument.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import lru_cache
from statistics import median
from typing import NamedTuple, Protocol

from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.plugs import Plug, serves
from parkshare_backend.spaces.sizes import Size

WALK_DETOUR = 1.3  # a walk along streets is about 1.3 times the straight line
WALK_SPEED_MS = 1.3  # a calm pace
NEAR_EQUAL_M = 50.0  # less than a minute of walking; simultaneous searchers are spread over such a band
PRICE_M = 200.0  # what twice the usual price nearby weighs: people walk about three minutes to halve a price
PRICE_MOST_M = 400.0
TIGHT_SPARE_M = 0.3  # less room than that beside or behind a car makes parking slow
TIGHT_M = 60.0
PLUG_M = 150.0  # what a plug is worth to somebody who would like one, and does not need it
MISSING_M = 1000.0  # for a period of which nothing would be free; half of it weighs half


class Chance(Protocol):
    """A source of randomness: random.Random, or one that a test owns."""

    def sample[Item](self, population: Sequence[Item], k: int) -> list[Item]:
        """Give k of the items in random order."""


class Part(StrEnum):
    """Which part of a period a space is free for."""

    WHOLE = "whole"
    FIRST = "first"  # until some time
    LAST = "last"  # from some time on


class Factor(StrEnum):
    """What spoke for or against a space."""

    DISTANCE = "distance"
    PRICE = "price"
    FIT = "fit"
    PLUG = "plug"
    PERIOD = "period"


# Tuples, because each search makes many: frozen dataclasses take two to three times as long.
class Lack(NamedTuple):
    """What a candidate lacks of what was asked for: `free` is only a part of `asked`, or it is beyond the radius."""

    free: Period
    asked: Period
    farther_m: float = 0.0  # how far beyond the radius that was asked for

    @property
    def part(self) -> Part:
        """Tell which part is free."""
        if self.free == self.asked:
            return Part.WHOLE
        return Part.FIRST if self.free.start == self.asked.start else Part.LAST


class Candidate(Protocol):
    """A space that is shared and free, as the index found it: nothing is copied to rank it."""

    @property
    def space(self) -> str:
        """Its id."""

    @property
    def distance_m(self) -> float:
        """How far it is in a straight line."""

    @property
    def size(self) -> Size:
        """Its size."""

    @property
    def price_minor(self) -> int | None:
        """Its price for an hour; None is not weighed."""

    @property
    def currency(self) -> str:
        """The currency of the price."""

    @property
    def plug(self) -> Plug | None:
        """Its plug."""

    @property
    def lack(self) -> Lack | None:
        """What it lacks; None for what was asked for: near enough, and free for the whole period."""


class Because(NamedTuple):
    """One thing that moved a space on the list: by so many metres of walking, towards the end if above zero."""

    factor: Factor
    metres: int
    text: str


class Ranked[Space: Candidate](NamedTuple):
    """A candidate in its place on the list, with the reasons why it stands there: its distance, and what moved it."""

    candidate: Space
    walk_s: int
    reason: str
    on_foot: str
    moved: tuple[Because, ...] = ()

    @property
    def because(self) -> tuple[Because, ...]:
        """Everything that gave it its place."""
        return Because(Factor.DISTANCE, round(self.candidate.distance_m), self.on_foot), *self.moved


class _Moved(NamedTuple):
    """What moved a candidate beside its distance: by so many metres, for these reasons, which in short are said so."""

    metres: int
    because: tuple[Because, ...]
    in_short: str


_FITS = Because(Factor.FIT, 0, "your car fits")
_TOO_SMALL = Because(Factor.FIT, 0, "your car does not fit")
_TIGHT = Because(Factor.FIT, round(TIGHT_M), "your car fits, but it is tight")
_HAS_PLUG = Because(Factor.PLUG, -round(PLUG_M), "it has the plug")
_NO_PLUG = Because(Factor.PLUG, 0, "it does not have the plug")


def walk_s(distance_m: float) -> int:
    """Give the walking time in seconds for a straight-line distance in metres."""
    return round(distance_m * WALK_DETOUR / WALK_SPEED_MS)


def rank[Space: Candidate](
    candidates: Iterable[Space],
    *,
    car: Size | None,
    chance: Chance,
    wish: Plug | None = None,
    most: int | None = None,
) -> list[Ranked[Space]]:
    """Put the spaces that the car fits into in order, best first, and give up to `most`.

    `wish` is a plug that would be welcome. Candidates that are near-equal are shuffled: 200 renters who ask for one
    place at once then need about a third of the attempts, because they don't all try for the same space.
    """
    suitable = []
    prices: dict[str, list[int]] = {}
    size = fit = None
    for one in candidates:
        if car is not None and one.size is not size:  # mostly it is that of the one before
            size = one.size
            fit = _fit(car, size)
        if fit is not _TOO_SMALL:
            minor, currency = one.price_minor, one.currency
            if minor is not None:
                prices.setdefault(currency, []).append(minor)
            suitable.append((one, one.distance_m, one.lack, minor, currency, fit))
    if not suitable:
        return []
    # Prices of different currencies are not compared.
    usual = {currency: median(found) for currency, found in prices.items()}
    weighed: list[_Weighed[Space]] = []
    for one, distance_m, lack, minor, currency, fit in suitable:
        plug = None if wish is None else _HAS_PLUG if serves(one.plug, wish) else _NO_PLUG
        moved = _moved(minor, usual.get(currency, 0.0), fit, plug)
        if lack is not None:
            moved = _with_part(moved, lack)
        weighed.append((lack is not None, distance_m + moved.metres, one.space, len(weighed), moved, distance_m, one))
    weighed.sort()
    nearest_m = min([distance_m for _, distance_m, *_ in suitable])
    # Only those that are given are put into words: that is most of the work.
    return [_in_words(one, nearest_m) for one in _shuffled(weighed, chance, most)[:most]]


# A candidate with what it is put in order by: whether it lacks something of what was asked for, its whole measure in
# metres, and its space, so that two that are equal always stand in the same order (and its number: what follows it is
# never compared); then what moved it, its distance to the last millimetre, and itself. A plain tuple: one with names
# takes five times as long to make.
type _Weighed[Space] = tuple[bool, float, str, int, _Moved, float, Space]


@lru_cache(maxsize=4096)  # of the few prices and sizes nearby the same comes again and again
def _moved(minor: int | None, usual: float, fit: Because | None, plug: Because | None) -> _Moved:
    """Add up what speaks for and against a candidate; the price and the plug are told first, the fit at last."""
    price = _price(minor, usual)
    because = tuple([one for one in (price, fit, plug) if one is not None])
    told = [f", {one.text}" for one in (price, plug) if one is not None]
    if fit is not None:
        told.append(f", and {fit.text}")
    return _Moved(sum([one.metres for one in because]), because, "".join(told))


def _with_part(moved: _Moved, lack: Lack) -> _Moved:
    part = _missing(lack)
    return moved if part is None else _Moved(moved.metres + part.metres, (*moved.because, part), moved.in_short)


def _shuffled[Space](ordered: Sequence[_Weighed[Space]], chance: Chance, most: int | None) -> list[_Weighed[Space]]:
    """Shuffle each run of candidates that are near-equal to the first of the run; no more runs than are needed."""
    given: list[_Weighed[Space]] = []
    begun, (lacks, first_m, *_) = 0, ordered[0]
    for n, (lacking, metres, *_) in enumerate(ordered):
        if metres - first_m > NEAR_EQUAL_M or lacking is not lacks:
            given += _any_order(ordered[begun:n], chance)
            if most is not None and n >= most:
                return given
            begun, lacks, first_m = n, lacking, metres
    given += _any_order(ordered[begun:], chance)
    return given


def _any_order[Item](band: Sequence[Item], chance: Chance) -> Sequence[Item]:
    return chance.sample(band, len(band)) if len(band) > 1 else band


def _in_words[Space: Candidate](one: _Weighed[Space], nearest_m: float) -> Ranked[Space]:
    _, _, _, _, (_, because, in_short), distance_m, candidate = one
    walk, further_m = walk_s(distance_m), distance_m - nearest_m
    on_foot = f"{round(walk / 60) or 1} min on foot"
    if (lack := candidate.lack) is not None:
        standing = _lacking(lack)
    elif further_m <= 0:
        standing = "The nearest space that is free for the whole period"
    elif further_m <= NEAR_EQUAL_M:
        standing = "About as near as the nearest, and free for the whole period"
    else:
        standing = f"Free for the whole period, {round(further_m / 10) * 10} m further than the nearest"
    return Ranked(candidate, walk, f"{standing}; {on_foot}{in_short}.", on_foot, because)


def _price(minor: int | None, usual: float) -> Because | None:
    """Weigh a price against the usual one here; what is within a tenth of it is the same to people."""
    if minor is None or usual <= 0:
        return None
    above = minor / usual - 1
    if abs(above) <= 0.1:  # noqa: PLR2004
        return None
    metres = round(max(-PRICE_MOST_M, min(PRICE_MOST_M, PRICE_M * above)))
    return Because(Factor.PRICE, metres, "cheaper than usual here" if metres < 0 else "dearer than usual here")


def _fit(car: Size, space: Size) -> Because:
    """Tell how the car fits into a space; what is not known of either is not compared."""
    fit = _FITS
    mine, room = car.height_m, space.height_m
    if mine is not None and room is not None and mine > room:
        return _TOO_SMALL
    mine, room = car.length_m, space.length_m
    if mine is not None and room is not None and room - mine < TIGHT_SPARE_M:
        if mine > room:
            return _TOO_SMALL
        fit = _TIGHT
    mine, room = car.width_m, space.width_m
    if mine is not None and room is not None and room - mine < TIGHT_SPARE_M:
        return _TOO_SMALL if mine > room else _TIGHT
    return fit


def _missing(lack: Lack) -> Because | None:
    """Weigh what is missing of the period."""
    if lack.part is Part.WHOLE:
        return None
    free_s, asked_s = lack.free.end - lack.free.start, lack.asked.end - lack.asked.start
    return Because(Factor.PERIOD, round(MISSING_M * (1 - free_s / max(1, asked_s))), _part(lack))


def _part(lack: Lack) -> str:
    free, asked = _spoken(lack.free.end - lack.free.start), _spoken(lack.asked.end - lack.asked.start)
    return f"free for the {lack.part} {free} of the {asked} that you asked for"


def _lacking(lack: Lack) -> str:
    beyond = f", {_metres(lack.farther_m)} beyond your radius" if lack.farther_m > 0 else ""
    why = "Free for the whole period" if lack.part is Part.WHOLE else _part(lack).capitalize()
    return f"{why}{beyond}"


def _metres(distance_m: float) -> str:
    return f"{max(10, round(distance_m / 10) * 10)} m"


def _spoken(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    days, hours = divmod(hours, 24)
    words = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count]
    return " ".join(words) or "0 min"
