"""Which of the free spaces come first, and why, in words for the person who searched.

Everything that speaks for or against a space is put into one measure, metres of walking: people can check such a sum,
and each part of it comes with the answer. Spaces that are free for the whole period come before those that are not.

Pure: standard library only; randomness is an argument.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from operator import itemgetter
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
    """A candidate in its place on the list, with the reasons why it stands there."""

    candidate: Space
    walk_s: int
    reason: str
    because: tuple[Because, ...] = ()


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
    suitable = [(one, fit) for one in candidates if (fit := _fit(car, one.size)) is not _TOO_SMALL]
    if not suitable:
        return []
    usual = _usual_prices([one for one, _ in suitable])
    weighed = sorted([_weighed(one, fit, usual, wish) for one, fit in suitable], key=_ORDER)
    nearest_m = min([one.distance_m for one, _ in suitable])
    # Only those that are given are put into words: that is most of the work.
    return [_in_words(one, nearest_m=nearest_m) for one in islice(_shuffled(weighed, chance), most)]


# A candidate with what it is put in order by: whether it lacks something of what was asked for, its whole measure in
# metres, and its space, so that two that are equal always stand in the same order; then what moved it beside its
# distance. A plain tuple: one with names takes five times as long to make.
type _Weighed[Space] = tuple[bool, float, str, tuple[Because, ...], Space]
_ORDER = itemgetter(0, 1, 2)


def _weighed[Space: Candidate](
    candidate: Space, fit: Because | None, usual: Mapping[str, float], wish: Plug | None
) -> _Weighed[Space]:
    """Add up what speaks for and against a candidate; its distance counts to the last millimetre."""
    metres, lack = candidate.distance_m, candidate.lack
    moved = []
    if price := _price(candidate.price_minor, usual.get(candidate.currency, 0.0)):
        moved.append(price)
        metres += price.metres
    if fit is not None:
        moved.append(fit)
        metres += fit.metres
    if wish is not None:
        plug = _HAS_PLUG if serves(candidate.plug, wish) else _NO_PLUG
        moved.append(plug)
        metres += plug.metres
    if lack is not None and (part := _missing(lack)) is not None:
        moved.append(part)
        metres += part.metres
    return lack is not None, metres, candidate.space, tuple(moved), candidate


def _shuffled[Space](ordered: Sequence[_Weighed[Space]], chance: Chance) -> Iterator[_Weighed[Space]]:
    """Shuffle each run of candidates that are near-equal to the first of the run."""
    band = [ordered[0]]
    for one in ordered[1:]:
        first = band[0]
        if one[0] == first[0] and one[1] - first[1] <= NEAR_EQUAL_M:
            band.append(one)
        else:
            yield from _any_order(band, chance)
            band = [one]
    yield from _any_order(band, chance)


def _any_order[Item](band: Sequence[Item], chance: Chance) -> Sequence[Item]:
    return chance.sample(band, len(band)) if len(band) > 1 else band


def _in_words[Space: Candidate](one: _Weighed[Space], *, nearest_m: float) -> Ranked[Space]:
    _, _, _, moved, candidate = one
    distance_m = candidate.distance_m
    walk = walk_s(distance_m)
    on_foot = Because(Factor.DISTANCE, round(distance_m), f"{round(walk / 60) or 1} min on foot")
    standing = _lacking(candidate.lack) if candidate.lack is not None else _standing(distance_m - nearest_m)
    return Ranked(candidate, walk, f"{standing}; {on_foot.text}{_in_short(moved)}.", (on_foot, *moved))


def _usual_prices(candidates: Sequence[Candidate]) -> dict[str, float]:
    """Give the middle price of each currency: prices of different currencies are not compared."""
    prices: dict[str, list[int]] = {}
    for candidate in candidates:
        if candidate.price_minor is not None:
            prices.setdefault(candidate.currency, []).append(candidate.price_minor)
    return {currency: median(found) for currency, found in prices.items()}


@lru_cache(maxsize=4096)  # the same few prices come again and again: a third of the time
def _price(minor: int | None, usual: float) -> Because | None:
    """Weigh a price against the usual one here; what is within a tenth of it is the same to people."""
    if minor is None or usual <= 0:
        return None
    above = minor / usual - 1
    if abs(above) <= 0.1:  # noqa: PLR2004
        return None
    metres = round(max(-PRICE_MOST_M, min(PRICE_MOST_M, PRICE_M * above)))
    return Because(Factor.PRICE, metres, "cheaper than usual here" if metres < 0 else "dearer than usual here")


def _fit(car: Size | None, space: Size) -> Because | None:
    """Tell how the car fits into a space: nothing is to be said where the car is not known."""
    if car is None:
        return None
    mine, room = car.height_m, space.height_m
    if mine is not None and room is not None and mine > room:
        return _TOO_SMALL
    fit = _FITS
    for mine, room in ((car.length_m, space.length_m), (car.width_m, space.width_m)):
        if mine is not None and room is not None:
            if mine > room:
                return _TOO_SMALL
            if room - mine < TIGHT_SPARE_M:
                fit = _TIGHT
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


def _standing(further_m: float) -> str:
    if further_m <= 0:
        return "The nearest space that is free for the whole period"
    if further_m <= NEAR_EQUAL_M:
        return "About as near as the nearest, and free for the whole period"
    return f"Free for the whole period, {_metres(further_m)} further than the nearest"


@lru_cache(maxsize=4096)  # the same few things are said of most offers
def _in_short(moved: Sequence[Because]) -> str:
    """Tell the price and the plug in this order, and at last whether the car fits."""
    more = fit = ""
    for one in moved:
        if one.factor is Factor.FIT:
            fit = f", and {one.text}"
        elif one.factor is not Factor.PERIOD:
            more += f", {one.text}"
    return f"{more}{fit}"


def _metres(distance_m: float) -> str:
    return f"{max(10, round(distance_m / 10) * 10)} m"


def _spoken(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    days, hours = divmod(hours, 24)
    words = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count]
    return " ".join(words) or "0 min"
