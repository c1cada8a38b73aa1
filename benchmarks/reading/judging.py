"""Right and wrong decisions over the photographs, one look each, at every level.

True accepts are of the photograph's own plate. False accepts: every other plate of the set; plates that differ in one
random character of the same class (15 for each, fixed seed); plates that differ in one character that readers are known
to confuse; and plates that have one character more, as a seal or a bolt read along would make them. Plates that a
camera cannot tell apart (O and 0, I and 1) are no errors, by design.
"""

import random
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.reading.photographs import Photo
from custom_components.parkshare.recognition import (
    POLICIES,
    Decision,
    Level,
    Look,
    VerdictPolicy,
    fold,
    judge,
    normalise,
)
from custom_components.parkshare.recognition.alphabet import COLUMN
from custom_components.parkshare.recognition.ctc import greedy, log_likelihoods
from custom_components.parkshare.recognition.scoring import Fit, fit, folded, neighbours, places_of

RANDOM_NEIGHBOURS = 15
KINDS = ("others", "random", "lookalike", "longer")
# No level admits a plate that every single reading holds for less likely than this.
LOWEST_LEAD = min(policy.lead_score for policy in POLICIES.values()) - 1e-6


@dataclass(frozen=True)
class Case:
    """A photograph and a plate that is expected: its own or a wrong one, and how its places fit."""

    photo: int
    kind: str
    plate: str
    fits: tuple[Fit, ...]
    decisions: dict[Level, Decision]

    def score(self, policy: VerdictPolicy) -> float:
        """Return the best score of those places that one reader alone comes near enough to."""
        return max((f.score for f in self.fits if f.lead is not None and f.lead >= policy.lead_score), default=-np.inf)


@dataclass
class Judged:
    """own has one case for each photograph, wrong those wrong plates that came near; pairs counts all of each kind."""

    photos: list[Photo]
    own: list[Case] = field(default_factory=list)
    wrong: list[Case] = field(default_factory=list)
    pairs: Counter[str] = field(default_factory=Counter)
    contrary: int = 0

    def accepted(self, level: Level, photos: set[int] | None = None) -> float:
        """Return the part of the own plates that one look admits."""
        cases = [case for case in self.own if photos is None or case.photo in photos]
        return sum(case.decisions[level] is Decision.ADMIT for case in cases) / max(1, len(cases))

    def falsely(self, level: Level, kind: str) -> list[Case]:
        """Return the wrong plates that one look admits."""
        return [case for case in self.wrong if case.kind == kind and case.decisions[level] is Decision.ADMIT]


def judge_all(photos: list[Photo]) -> Judged:
    """Judge every photograph against its own plate and against wrong ones."""
    chance = random.Random(7)
    judged = Judged(photos)
    for index, photo in enumerate(photos):
        own = fold(normalise(photo.plate))
        judged.own.append(_case(index, "own", photo.plate, photo.look))
        judged.contrary += judge([photo.look], photo.plate).contrary
        wrong = {
            "others": sorted({p.plate for p in photos if fold(normalise(p.plate)) != own}),
            "random": random_neighbours(photo.plate, chance),
            "lookalike": neighbours(own),
            "longer": longer(photo.plate),
        }
        for kind, plates in wrong.items():
            judged.pairs[kind] += len(plates)
            near = could_pass(photo.look, plates)
            judged.wrong += [_case(index, kind, plate, photo.look) for plate in plates if plate in near]
    return judged


def _case(index: int, kind: str, plate: str, look: Look) -> Case:
    expected = fold(normalise(plate))
    fits = tuple(fit(place, expected) for place in places_of(look.readings))
    decisions = {level: judge([look], plate, policy).decision for level, policy in POLICIES.items()}
    return Case(index, kind, plate, fits, decisions)


def could_pass(look: Look, plates: Sequence[str]) -> set[str]:
    """Keep the plates that some reading of a look comes near to; the others cannot be admitted at any level."""
    passing: set[str] = set()
    columns = [[COLUMN[c] for c in fold(normalise(plate)) if c in COLUMN] for plate in plates]
    for reading in look.readings:
        if reading.matrix is None:
            text = fold(normalise(reading.text))
            passing |= {plate for plate in plates if fold(normalise(plate)) == text}
            continue
        matrix = folded(reading.matrix)
        best, *scores = log_likelihoods(matrix, [greedy(matrix)[0], *columns])
        passing |= {plate for plate, score in zip(plates, scores, strict=True) if score - best >= LOWEST_LEAD}
    return passing


def random_neighbours(plate: str, chance: random.Random) -> list[str]:
    """Draw plates that differ in one character of the same class and can be told apart by a camera."""
    normalised = normalise(plate)
    drawn: list[str] = []
    while len(drawn) < RANDOM_NEIGHBOURS:
        at = chance.randrange(len(normalised))
        pool = string.digits if normalised[at].isdigit() else string.ascii_uppercase
        other = normalised[:at] + chance.choice(pool) + normalised[at + 1 :]
        if fold(other) != fold(normalised):
            drawn.append(other)
    return drawn


def longer(plate: str) -> list[str]:
    """List plates with one character more at the end or the start: those that bolts, seals and edges look like."""
    normalised = normalise(plate)
    return [normalised + more for more in "1C07LJ"] + [more + normalised for more in "1C07LJ"]


def confusions(photos: Sequence[Photo]) -> Counter[tuple[str, str]]:
    """Count which character was read for which, over the nearest text of each photograph ('' for left out or added)."""
    pairs: Counter[tuple[str, str]] = Counter()
    for photo in photos:
        plate = normalise(photo.plate)
        aligned = [_aligned(plate, text) for text in photo.texts]
        if aligned:
            pairs.update(min(aligned, key=len))
    return pairs


def _aligned(plate: str, text: str) -> list[tuple[str, str]]:
    """Return the fewest edits that make text of plate, as pairs of expected and read."""
    rows: list[list[list[tuple[str, str]]]] = [[[("", c) for c in text[:j]] for j in range(len(text) + 1)]]
    for i, expected in enumerate(plate, start=1):
        row = [[(c, "") for c in plate[:i]]]
        for j, read in enumerate(text, start=1):
            through = rows[-1][j - 1] + ([(expected, read)] if expected != read else [])
            row.append(min(through, rows[-1][j] + [(expected, "")], row[-1] + [("", read)], key=len))
        rows.append(row)
    return rows[-1][-1]
