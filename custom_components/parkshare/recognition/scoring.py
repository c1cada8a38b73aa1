"""How well does what was read at one place of a picture fit the expected plate?

Pure: numpy only. Each reader gives every text a likelihood (ctc.py); several crops of one plate are one reader's
several guesses at how to cut it out, so they are averaged; different readers are different witnesses, so theirs are
multiplied. A reader that failed altogether says nothing, so each gives every text some small likelihood, its doubt.

    score(plate) = sum over readers of log(mean over crops P(plate) + doubt), less the same of the best other text

Other texts are what any of the readers would say there, and the expected plate's confusable neighbours.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .alphabet import CHARACTERS, COLUMN, CONFUSABLE, FOLDED, LATIN
from .ctc import greedy, log_likelihoods
from .normalise import fold, normalise
from .types import Reading

# A place that is so far from the expected plate is no match under any policy: most texts of a picture end here.
FAR: Final = -20.0
# A reader that knows fewer characters of the expected plate cannot speak for it.
FEWEST_KNOWN: Final = 5
# What a reader without a matrix is sure of at most and at least; the part of its doubt that confusable characters get.
SUREST_TEXT: Final = 0.98
LEAST_SURE: Final = 0.1
CONFUSABLE_PART: Final = 0.5
AGREES: Final = 5.0  # a reading whose own best text is at most e^5 times likelier leaves the plate possible
LEAST_GAIN: Final = 2.0  # how far above all readers' doubt a plate must be: what nobody supports is no match
CUT: Final = 2  # characters that a part of the plate lacks at least: one may be a plate with one character less
SAME_PLACE: Final = 0.7  # of a box's height; two middles that are nearer are of one text,
SAME_HEIGHT: Final = 1.6  # unless one is so much higher: a line of a two-line plate, and both lines

type Matrix = NDArray[np.float64]
type Columns = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Trait:
    """What is known of a reader.

    doubt is the log-likelihood that any text has from it at least: the log of how often it fails altogether. alphabet
    are the characters that it can say. weak: it may support a plate but not speak against one by itself.
    """

    doubt: float = -8.0
    alphabet: frozenset[str] = frozenset(CHARACTERS)
    weak: bool = False


_ANY: Final = Trait()
TRAITS: Final = {"own": Trait(doubt=-6.0, alphabet=frozenset(LATIN), weak=True)}


@dataclass(frozen=True, slots=True)
class Fit:
    """How the readings of one place fit the expected plate.

    score is that of all readers together (see above). The next three are the best of single readings against the best
    text of the same reading: lead of those with a matrix and all characters of the plate, part of those that lack
    some; text is how sure (0..1) a text without a matrix is that is exactly the plate. None where there is no such
    reading. judged are the readers that looked there, agreeing those whose own best reading leaves the plate possible.
    """

    score: float
    lead: float | None
    part: float | None
    text: float | None
    judged: frozenset[str]
    agreeing: frozenset[str]


def places_of(readings: Iterable[Reading]) -> list[list[Reading]]:
    """Sort the readings of one picture by place: what was read of one plate. A reading without a box is one alone."""
    places: list[tuple[NDArray[np.float64] | None, float, list[Reading]]] = []
    for reading in readings:
        if len(reading.box) < 4:  # noqa: PLR2004 - a reader without boxes
            places.append((None, 0.0, [reading]))
            continue
        corners = np.array(reading.box, dtype=np.float64)
        middle, height = corners.mean(axis=0), float(np.linalg.norm(corners[3] - corners[0]))
        for there, its_height, found in places:
            if there is None or max(height, its_height) > SAME_HEIGHT * min(height, its_height):
                continue
            if np.linalg.norm(there - middle) < SAME_PLACE * max(height, its_height):
                found.append(reading)
                break
        else:
            places.append((middle, height, [reading]))
    return [found for _, _, found in places]


def fit(place: Sequence[Reading], plate: str) -> Fit:
    """Compare what was read at one place with the expected plate (folded)."""
    witnesses = [witness for reading in place if (witness := _Witness.of(reading, plate)) is not None]
    judged = frozenset(each.source for each in witnesses)
    if not witnesses:
        return Fit(-np.inf, None, None, None, judged, judged)
    lead = max((each.lead for each in witnesses if each.matrix_read and each.whole), default=None)
    part = max((each.lead for each in witnesses if not each.whole), default=None)
    texts = [each.sure for each in witnesses if not each.matrix_read and each.whole and each.exact]
    nearest = max(each.lead for each in witnesses)
    together = nearest if nearest < FAR else _together(witnesses, plate)
    agreeing = frozenset(each.source for each in witnesses if each.exact or (each.matrix_read and each.lead >= -AGREES))
    return Fit(together, lead, part, max(texts, default=None), judged, agreeing)


@dataclass(frozen=True, slots=True)
class _Witness:
    """One reading, asked for one plate. lead is the plate against the reading's own best text, at most 0."""

    source: str
    matrix: Matrix
    alphabet: frozenset[str]
    best: Columns
    lead: float
    matrix_read: bool
    whole: bool
    exact: bool
    sure: float

    @classmethod
    def of(cls, reading: Reading, plate: str) -> _Witness | None:
        """Prepare a reading; None if it cannot speak of this plate."""
        text = fold(normalise(reading.text))
        alphabet = _alphabet(reading, text)
        known = tuple(COLUMN[c] for c in plate if c in alphabet)
        whole = len(known) == len(plate)
        if not known or (not whole and len(known) < FEWEST_KNOWN):
            return None
        matrix = folded(reading.matrix) if reading.matrix is not None else spoken(text, reading.confidences)
        best = tuple(greedy(matrix)[0])
        own, said = log_likelihoods(matrix, [known, best]).tolist()
        exact = text == "".join(c for c in plate if c in alphabet)
        sure = min(reading.confidences, default=0.0)
        lead = min(0.0, own - said)
        return cls(reading.source, matrix, alphabet, best, lead, reading.matrix is not None, whole, exact, sure)

    def likelihoods(self, texts: Sequence[Columns]) -> NDArray[np.float64]:
        """Return the log-likelihood of each text, of which characters that this reader lacks are left out."""
        known = {COLUMN[c] for c in self.alphabet}
        return log_likelihoods(self.matrix, [[c for c in text if c in known] for text in texts])


def _alphabet(reading: Reading, text: str) -> frozenset[str]:
    """Say what the reader of a reading can say; of a text without a matrix only what it says shows it."""
    alphabet = TRAITS.get(reading.source, _ANY).alphabet
    if reading.matrix is None and set(text) <= set(LATIN):
        return alphabet & frozenset(LATIN)
    return alphabet


def _together(witnesses: Sequence[_Witness], plate: str) -> float:
    columns = tuple(COLUMN.get(c, 0) for c in plate)
    others = {each.best for each in witnesses} | {tuple(COLUMN.get(c, 0) for c in each) for each in neighbours(plate)}
    texts = [columns, *sorted(others - {columns})]
    by_reader: dict[str, list[NDArray[np.float64]]] = {}
    for each in witnesses:
        by_reader.setdefault(each.source, []).append(each.likelihoods(texts))
    total = np.zeros(len(texts))
    for source, guesses in by_reader.items():
        mean = np.logaddexp.reduce(np.array(guesses), axis=0) - np.log(len(guesses))
        total += np.logaddexp(mean, TRAITS.get(source, _ANY).doubt)
    doubts = sum(TRAITS.get(source, _ANY).doubt for source in by_reader)
    if total[0] < doubts + LEAST_GAIN:
        return FAR
    rivals = [_is_rival(text, columns, witnesses) for text in texts[1:]]
    return float(total[0] - total[1:][rivals].max(initial=doubts))


def _is_rival(text: Columns, plate: Columns, witnesses: Sequence[_Witness]) -> bool:
    """Tell whether a text is another plate.

    A part of the expected plate is what a crop shows that cuts it. What differs only in characters that no reader here
    knows is the same to all of them.
    """
    if len(text) <= len(plate) - CUT and any(plate[at : at + len(text)] == text for at in range(len(plate))):
        return False
    for each in witnesses:
        known = {COLUMN[c] for c in each.alphabet}
        if [c for c in text if c in known] != [c for c in plate if c in known]:
            return True
    return False


def neighbours(plate: str) -> list[str]:
    """List the plates that differ from this folded one in one character that readers easily take for another."""
    found: dict[str, None] = {}
    for index, character in enumerate(plate):
        for group in CONFUSABLE:
            if character in group:
                for other in fold(group):
                    if other != character:
                        found[plate[:index] + other + plate[index + 1 :]] = None
    return list(found)


def spoken(text: str, confidences: Sequence[float]) -> Matrix:
    """Make the matrix that a reader without one might have had: its text, its doubt spread over other characters."""
    matrix = np.full((2 * len(text) + 1, 1 + len(CHARACTERS)), 1e-12)
    matrix[::2, 0] = 1
    for index, character in enumerate(text):
        step = 2 * index + 1
        sure = min(SUREST_TEXT, max(LEAST_SURE, confidences[index] if index < len(confidences) else 0.0))
        alike = sorted({c for group in CONFUSABLE if character in group for c in fold(group)} - {character})
        matrix[step, : 1 + len(LATIN)] = (1 - sure) * (1 - CONFUSABLE_PART) / len(LATIN)
        for other in alike:
            matrix[step, COLUMN[other]] += (1 - sure) * CONFUSABLE_PART / len(alike)
        if character in COLUMN:
            matrix[step, COLUMN[character]] = sure
    return folded(np.log(matrix / matrix.sum(axis=1, keepdims=True)))


def folded(matrix: NDArray[np.floating]) -> Matrix:
    """Add the probabilities of characters that we do not tell apart, so that the pair does not split its vote."""
    folded = matrix.astype(np.float64)
    for twin, kept in FOLDED.items():
        folded[:, COLUMN[kept]] = np.logaddexp(folded[:, COLUMN[kept]], folded[:, COLUMN[twin]])
        folded[:, COLUMN[twin]] = -1e9
    return folded
