"""Which of the free spaces come first, and why, in words for the person who searched.

Everything that speaks for or against a space is put into one measure, metres of walking: people can check such a sum,
and each part of it comes with the answer. Spaces that are free for the whole period come before those that are not.

Pure: standard library only; randomness is an argument.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Protocol

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


@dataclass(frozen=True, slots=True)
class Candidate:
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


@dataclass(frozen=True, slots=True)
class Because:
    """One thing that moved a space on the list: by so many metres of walking, towards the end if above zero."""

    factor: Factor
    metres: int
    text: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate in its place on the list, with the reasons why it stands there."""

    candidate: Candidate
    walk_s: int
    reason: str
    because: tuple[Because, ...] = ()


def walk_s(distance_m: float) -> int:
    """Give the walking time in seconds for a straight-line distance in metres."""
    return round(distance_m * WALK_DETOUR / WALK_SPEED_MS)


def rank(
    candidates: Sequence[Candidate], *, car: Size | None, chance: Chance, wish: Plug | None = None
) -> list[Ranked]:
    """Put the spaces that the car fits into in order, best first; `wish` is a plug that would be welcome.

    Candidates that are near-equal are shuffled: 200 renters who ask for one place at once then need about a third of
    the attempts, because they don't all try for the same space.
    """
    suitable = [candidate for candidate in candidates if car is None or fits(car, candidate.size)]
    if not suitable:
        return []
    usual = _usual_prices(suitable)
    weighed = [(candidate, _because(candidate, usual=usual, car=car, wish=wish)) for candidate in suitable]
    weighed.sort(key=lambda one: (not one[0].whole, _metres_of(one), one[0].space))
    nearest_m = min(candidate.distance_m for candidate in suitable)
    return [
        Ranked(
            candidate,
            walk_s(candidate.distance_m),
            _reason(candidate, because, nearest_m=nearest_m, car=car),
            because,
        )
        for band in _bands(weighed)
        for candidate, because in chance.sample(band, len(band))
    ]


type _Weighed = tuple[Candidate, tuple[Because, ...]]


def _metres_of(one: _Weighed) -> float:
    """Add up what speaks for and against a candidate; its distance counts to the last millimetre."""
    candidate, because = one
    return candidate.distance_m + sum(reason.metres for reason in because if reason.factor is not Factor.DISTANCE)


def _bands(ordered: Sequence[_Weighed]) -> list[list[_Weighed]]:
    """Split candidates in order into runs that are near-equal to the first of the run."""
    bands: list[list[_Weighed]] = []
    for one in ordered:
        first = bands[-1][0] if bands else None
        if first is not None and one[0].whole == first[0].whole and _metres_of(one) - _metres_of(first) <= NEAR_EQUAL_M:
            bands[-1].append(one)
        else:
            bands.append([one])
    return bands


def _usual_prices(candidates: Sequence[Candidate]) -> dict[str, float]:
    """Give the middle price of each currency: prices of different currencies are not compared."""
    prices: dict[str, list[int]] = {}
    for candidate in candidates:
        if candidate.price_minor is not None:
            prices.setdefault(candidate.currency, []).append(candidate.price_minor)
    return {currency: median(found) for currency, found in prices.items()}


def _because(
    candidate: Candidate, *, usual: Mapping[str, float], car: Size | None, wish: Plug | None
) -> tuple[Because, ...]:
    minutes = max(1, round(walk_s(candidate.distance_m) / 60))
    found = [Because(Factor.DISTANCE, round(candidate.distance_m), f"{minutes} min on foot")]
    price = _price(candidate, usual.get(candidate.currency, 0.0))
    if price:
        found.append(Because(Factor.PRICE, price, "cheaper than usual here" if price < 0 else "dearer than usual here"))
    if car is not None:
        tight = _tight(car, candidate.size)
        found.append(
            Because(Factor.FIT, round(TIGHT_M) * tight, "your car fits, but it is tight" if tight else "your car fits")
        )
    if wish is not None:
        served = serves(candidate.plug, wish)
        found.append(
            Because(Factor.PLUG, -round(PLUG_M) * served, "it has the plug" if served else "it does not have the plug")
        )
    if candidate.part is not Part.WHOLE:
        missing = 1 - candidate.free_s / max(1, candidate.asked_s)
        found.append(Because(Factor.PERIOD, round(MISSING_M * missing), _part(candidate)))
    return tuple(found)


def _price(candidate: Candidate, usual: float) -> int:
    """Weigh a price against the usual one here; what is within a tenth of it is the same to people."""
    if candidate.price_minor is None or usual <= 0:
        return 0
    above = candidate.price_minor / usual - 1
    return round(max(-PRICE_MOST_M, min(PRICE_MOST_M, PRICE_M * above))) if abs(above) > 0.1 else 0  # noqa: PLR2004


def _tight(car: Size, space: Size) -> bool:
    pairs = ((car.length_m, space.length_m), (car.width_m, space.width_m))
    return any(mine is not None and room is not None and room - mine < TIGHT_SPARE_M for mine, room in pairs)


def _part(candidate: Candidate) -> str:
    free, asked = _spoken(candidate.free_s), _spoken(candidate.asked_s)
    return f"free for the {candidate.part} {free} of the {asked} that you asked for"


def _reason(candidate: Candidate, because: Sequence[Because], *, nearest_m: float, car: Size | None) -> str:
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
    said = {one.factor: one.text for one in because}
    more = [said[factor] for factor in (Factor.PRICE, Factor.PLUG) if factor in said]
    fit = f", and {said[Factor.FIT]}" if car is not None else ""
    return f"{why}; {', '.join([said[Factor.DISTANCE], *more])}{fit}."


def _metres(distance_m: float) -> str:
    return f"{max(10, round(distance_m / 10) * 10)} m"


def _spoken(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    days, hours = divmod(hours, 24)
    words = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count]
    return " ".join(words) or "0 min"
