"""Which of the free spaces come first, and why, in words for the person who searched.

Pure: standard library only; randomness is an argument.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from parkshare_backend.spaces.sizes import Size, fits

WALK_DETOUR = 1.3  # a walk along streets is about 1.3 times the straight line
WALK_SPEED_MS = 1.3  # a calm pace
NEAR_EQUAL_M = 50.0  # less than a minute of walking; simultaneous searchers are spread over such a band


class Chance(Protocol):
    """A source of randomness: random.Random, or one that a test owns."""

    def sample[Item](self, population: Sequence[Item], k: int) -> list[Item]:
        """Give k of the items in random order."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A space that is shared and free for the whole period."""

    space: str
    distance_m: float
    size: Size


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate in its place on the list, with the reason why it stands there."""

    candidate: Candidate
    walk_s: int
    reason: str


def walk_s(distance_m: float) -> int:
    """Give the walking time in seconds for a straight-line distance in metres."""
    return round(distance_m * WALK_DETOUR / WALK_SPEED_MS)


def rank(candidates: Sequence[Candidate], *, car: Size | None, chance: Chance) -> list[Ranked]:
    """Put the spaces that the car fits into in order, nearest first.

    Candidates that are near-equal in distance are shuffled: 200 renters who ask for one place at once then
    need about a third of the attempts, because they don't all try for the same space.
    """
    suitable = sorted(
        (candidate for candidate in candidates if car is None or fits(car, candidate.size)),
        key=lambda candidate: (candidate.distance_m, candidate.space),
    )
    if not suitable:
        return []
    nearest_m = suitable[0].distance_m
    return [
        Ranked(candidate, walk_s(candidate.distance_m), _reason(candidate, nearest_m=nearest_m, car=car))
        for band in _bands(suitable)
        for candidate in _shuffled(band, chance)
    ]


def _bands(ordered: Sequence[Candidate]) -> list[list[Candidate]]:
    """Split candidates in order of distance into runs that are near-equal to the first of the run."""
    bands: list[list[Candidate]] = []
    for candidate in ordered:
        if bands and candidate.distance_m - bands[-1][0].distance_m <= NEAR_EQUAL_M:
            bands[-1].append(candidate)
        else:
            bands.append([candidate])
    return bands


def _shuffled(band: list[Candidate], chance: Chance) -> list[Candidate]:
    return chance.sample(band, len(band))


def _reason(candidate: Candidate, *, nearest_m: float, car: Size | None) -> str:
    further_m = candidate.distance_m - nearest_m
    if further_m <= 0:
        why = "The nearest space that is free for the whole period"
    elif further_m <= NEAR_EQUAL_M:
        why = "About as near as the nearest, and free for the whole period"
    else:
        why = f"Free for the whole period, {_metres(further_m)} further than the nearest"
    minutes = max(1, round(walk_s(candidate.distance_m) / 60))
    fit = ", and your car fits" if car is not None else ""
    return f"{why}; {minutes} min on foot{fit}."


def _metres(distance_m: float) -> str:
    return f"{max(10, round(distance_m / 10) * 10)} m"
