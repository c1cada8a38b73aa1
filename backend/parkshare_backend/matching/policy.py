"""Which of the free spaces come first, and why, in words for the person who searched.

Everything that speaks for or against a space is put into one measure, metres of walking: people can check such a sum,
and each part of it comes with the answer. Spaces that are free for the whole period come before those that are not.

Pure: standard library only; randomness is an argument.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from statistics import median
from typing import NamedTuple, Protocol

from parkshare_backend.spaces.plugs import Plug, serves
from parkshare_backend.spaces.sizes import Size, fits

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


# Tuples, because twenty candidates are weighed for each search: frozen dataclasses take two to three times as long.
class Candidate(NamedTuple):
    """A space that is shared and free, for the whole period or a part of it.

    distance_m is the straight line. price_minor is that of an hour, None is not weighed. farther_m: how far beyond the
    radius that was asked for. free_s of asked_s seconds are free.
    """

    space: str
    distance_m: float
    size: Size
    price_minor: int | None = None
    currency: str = ""
    plug: Plug | None = None
    farther_m: float = 0.0
    part: Part = Part.WHOLE
    free_s: int = 0
    asked_s: int = 0

    @property
    def whole(self) -> bool:
        """Tell whether the space is what was asked for: near enough, and free for the whole period."""
        return self.part is Part.WHOLE and self.farther_m <= 0


class Because(NamedTuple):
    """One thing that moved a space on the list: by so many metres of walking, towards the end if above zero."""

    factor: Factor
    metres: int
    text: str


class Ranked(NamedTuple):
    """A candidate in its place on the list, with the reasons why it stands there."""

    candidate: Candidate
    walk_s: int
    reason: str
    because: tuple[Because, ...] = ()


_FITS = Because(Factor.FIT, 0, "your car fits")
_TIGHT = Because(Factor.FIT, round(TIGHT_M), "your car fits, but it is tight")
_HAS_PLUG = Because(Factor.PLUG, -round(PLUG_M), "it has the plug")
_NO_PLUG = Because(Factor.PLUG, 0, "it does not have the plug")


def walk_s(distance_m: float) -> int:
    """Give the walking time in seconds for a straight-line distance in metres."""
    return round(distance_m * WALK_DETOUR / WALK_SPEED_MS)


def rank(
    candidates: Sequence[Candidate],
    *,
    car: Size | None,
    chance: Chance,
    wish: Plug | None = None,
    most: int | None = None,
) -> list[Ranked]:
    """Put the spaces that the car fits into in order, best first, and give up to `most`.

    `wish` is a plug that would be welcome. Candidates that are near-equal are shuffled: 200 renters who ask for one
    place at once then need about a third of the attempts, because they don't all try for the same space.
    """
    suitable = [candidate for candidate in candidates if car is None or fits(car, candidate.size)]
    if not suitable:
        return []
    usual = _usual_prices(suitable)
    weighed = sorted([_weighed(candidate, usual=usual, car=car, wish=wish) for candidate in suitable], key=_order)
    nearest_m = min(candidate.distance_m for candidate in suitable)
    # Only those that are given are put into words: that is most of the work.
    return [_in_words(one, nearest_m=nearest_m) for one in islice(_shuffled(weighed, chance), most)]


class _Weighed(NamedTuple):
    """A candidate, its whole measure in metres, and what moved it beside its distance."""

    candidate: Candidate
    whole: bool
    metres: float
    moved: tuple[Because, ...]


def _weighed(candidate: Candidate, *, usual: Mapping[str, float], car: Size | None, wish: Plug | None) -> _Weighed:
    """Add up what speaks for and against a candidate; its distance counts to the last millimetre."""
    moved = _moved(candidate, usual=usual, car=car, wish=wish)
    metres = candidate.distance_m + sum([reason.metres for reason in moved])
    return _Weighed(candidate, candidate.whole, metres, moved)


def _order(one: _Weighed) -> tuple[bool, float, str]:
    return not one.whole, one.metres, one.candidate.space


def _shuffled(ordered: Sequence[_Weighed], chance: Chance) -> Iterator[_Weighed]:
    """Shuffle each run of candidates that are near-equal to the first of the run."""
    band = [ordered[0]]
    for one in ordered[1:]:
        first = band[0]
        if one.whole == first.whole and one.metres - first.metres <= NEAR_EQUAL_M:
            band.append(one)
        else:
            yield from _any_order(band, chance)
            band = [one]
    yield from _any_order(band, chance)


def _any_order(band: Sequence[_Weighed], chance: Chance) -> Sequence[_Weighed]:
    return chance.sample(band, len(band)) if len(band) > 1 else band


def _in_words(one: _Weighed, *, nearest_m: float) -> Ranked:
    candidate = one.candidate
    walk = walk_s(candidate.distance_m)
    because = (_on_foot(round(candidate.distance_m), max(1, round(walk / 60))), *one.moved)
    return Ranked(candidate, walk, _reason(candidate, because, nearest_m=nearest_m), because)


@lru_cache(maxsize=4096)
def _on_foot(metres: int, minutes: int) -> Because:
    return Because(Factor.DISTANCE, metres, f"{minutes} min on foot")


def _usual_prices(candidates: Sequence[Candidate]) -> dict[str, float]:
    """Give the middle price of each currency: prices of different currencies are not compared."""
    prices: dict[str, list[int]] = {}
    for candidate in candidates:
        if candidate.price_minor is not None:
            prices.setdefault(candidate.currency, []).append(candidate.price_minor)
    return {currency: median(found) for currency, found in prices.items()}


def _moved(
    candidate: Candidate, *, usual: Mapping[str, float], car: Size | None, wish: Plug | None
) -> tuple[Because, ...]:
    found = []
    if price := _price(candidate.price_minor, usual.get(candidate.currency, 0.0)):
        found.append(price)
    if car is not None:
        found.append(_TIGHT if _tight(car, candidate.size) else _FITS)
    if wish is not None:
        found.append(_HAS_PLUG if serves(candidate.plug, wish) else _NO_PLUG)
    if candidate.part is not Part.WHOLE:
        missing = 1 - candidate.free_s / max(1, candidate.asked_s)
        found.append(Because(Factor.PERIOD, round(MISSING_M * missing), _part(candidate)))
    return tuple(found)


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


def _tight(car: Size, space: Size) -> bool:
    return _leaves_little(car.length_m, space.length_m) or _leaves_little(car.width_m, space.width_m)


def _leaves_little(mine: float | None, room: float | None) -> bool:
    return mine is not None and room is not None and room - mine < TIGHT_SPARE_M


def _part(candidate: Candidate) -> str:
    free, asked = _spoken(candidate.free_s), _spoken(candidate.asked_s)
    return f"free for the {candidate.part} {free} of the {asked} that you asked for"


def _reason(candidate: Candidate, because: Sequence[Because], *, nearest_m: float) -> str:
    further_m = candidate.distance_m - nearest_m
    if candidate.part is not Part.WHOLE:
        why = _part(candidate).capitalize()
        if candidate.farther_m > 0:
            why += f", {_metres(candidate.farther_m)} beyond your radius"
    elif candidate.farther_m > 0:
        why = f"Free for the whole period, {_metres(candidate.farther_m)} beyond your radius"
    elif further_m <= 0:
        why = "The nearest space that is free for the whole period"
    elif further_m <= NEAR_EQUAL_M:
        why = "About as near as the nearest, and free for the whole period"
    else:
        why = f"Free for the whole period, {_metres(further_m)} further than the nearest"
    return f"{why}; {_in_short(because)}."


def _in_short(because: Sequence[Because]) -> str:
    """Tell the distance, the price and the plug in this order, and at last whether the car fits."""
    more = fit = ""
    for one in because[1:]:
        if one.factor is Factor.FIT:
            fit = f", and {one.text}"
        elif one.factor is not Factor.PERIOD:
            more += f", {one.text}"
    return f"{because[0].text}{more}{fit}"


def _metres(distance_m: float) -> str:
    return f"{max(10, round(distance_m / 10) * 10)} m"


def _spoken(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    days, hours = divmod(hours, 24)
    words = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count]
    return " ".join(words) or "0 min"
