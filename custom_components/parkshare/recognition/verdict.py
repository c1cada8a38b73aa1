"""The verdict: is the car in these pictures the expected one?

Pure: numpy only; no clock, no I/O. This is 1:1 verification of a known plate, not identification: each text of each
look is scored by the likelihood of the expected plate against that of what the reader would say itself and of the
expected plate's confusable neighbours. A match is evidence, not authentication: a printed photograph passes too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from .alphabet import CHARACTERS, COLUMN, CONFUSABLE, FOLDED
from .ctc import greedy, log_likelihoods
from .normalise import fold, normalise
from .types import Decision, Look, Reading, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictPolicy:
    """How much evidence is enough.

    Scores are natural-log likelihood ratios (0: the expected plate is the best reading). The defaults come from 444
    photographs of three countries by daylight: one look at -1 admits about nine of ten right cars and one in a
    thousand of the plates that differ in one random character; no other plate of the set passed even at -3.
    """

    admit_score: float = -1.0
    # Two looks that agree may each be worse; looks closer in time than this share their blur and glare.
    admit_score_two_looks: float = -3.0
    looks_apart_s: float = 0.3
    # From here on up a look may still show the expected plate, so it never counts against it.
    contrary_score: float = -8.0
    # A reading counts against the car only if the reader is sure of every character of it,
    contrary_confidence: float = 0.8
    # it differs in so many places (one is within a reader's usual errors),
    contrary_places: int = 2
    # and so many looks say the same. A camera that reads badly must not turn a guest away.
    contrary_looks: int = 2
    # Texts with fewer characters are stickers, slogans' ends and house numbers.
    shortest_text: int = 3
    # Without a matrix an exact text is all that we have; below this confidence it takes two looks.
    text_confidence: float = 0.8


DEFAULT_POLICY = VerdictPolicy()


# A score that low is no match under any policy, so neighbours need not be compared: most texts of a picture end here.
_FAR = -20.0


class _Side(Enum):
    FOR = "for"
    PERHAPS = "perhaps"
    AGAINST = "against"
    UNCLEAR = "unclear"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class _Evidence:
    side: _Side
    score: float | None
    taken_at: float
    contrary_text: str = ""


def judge(looks: Sequence[Look], expected: str, policy: VerdictPolicy = DEFAULT_POLICY) -> Verdict:
    """Say whether the looks show the expected plate: admit, refuse, or unsure with what to do about it."""
    plate = fold(normalise(expected))
    if not plate:
        return Verdict(Decision.UNSURE, "No plate is expected, so none can be recognised.", len(looks))
    distinct = _distinct(looks)
    evidence = [_weigh(look, plate, policy) for look in distinct]
    agreeing = [item for item in evidence if item.side in (_Side.FOR, _Side.PERHAPS)]
    contrary = _most_said([item for item in evidence if item.side is _Side.AGAINST])
    times = [item.taken_at for item in agreeing]
    if any(item.side is _Side.FOR for item in agreeing):
        decision, reason = Decision.ADMIT, "The plate was read clearly and is the expected one."
    elif times and max(times) - min(times) >= policy.looks_apart_s:
        decision, reason = Decision.ADMIT, f"{len(agreeing)} pictures agree on the expected plate."
    elif not agreeing and len(contrary) >= policy.contrary_looks:
        decision, reason = Decision.REFUSE, f"{len(contrary)} pictures clearly show another plate."
    elif not set(plate) <= set(CHARACTERS) and not agreeing:
        decision, reason = Decision.UNSURE, _UNKNOWN_CHARACTERS
    else:
        decision, reason = Decision.UNSURE, _what_is_missing(evidence, repeated=len(looks) - len(distinct))
    scores = [item.score for item in evidence if item.score is not None and np.isfinite(item.score)]
    return Verdict(decision, reason, len(looks), len(agreeing), len(contrary), max(scores, default=None))


_UNKNOWN_CHARACTERS = "The expected plate has characters that the reader does not know. Let the car in by hand."


def _what_is_missing(evidence: Sequence[_Evidence], *, repeated: int) -> str:
    """Say in plain words why it is not sure yet, and what would help."""
    if not evidence:
        return "There is no picture to judge."
    sides = {item.side for item in evidence}
    if sides == {_Side.NOTHING}:
        return "No plate can be seen. Check that the camera sees the car, its light and its focus."
    if _Side.PERHAPS in sides:
        reason = "One picture probably shows the expected plate; another one is needed to be sure."
    elif _Side.AGAINST in sides:
        reason = "One picture seems to show another plate; another one is needed to be sure."
    else:
        return "A plate can be seen, but not clearly enough to compare it."
    return f"{reason} The camera repeats its last picture." if repeated else reason


def score(reading: Reading, expected: str) -> float:
    """Score one reading: log P(expected) - log P(best other reading or neighbour), at most 0.

    Readings without a matrix score 0 where the text is the expected one, and minus infinity else.
    """
    return _score(reading, fold(normalise(expected)))


def _distinct(looks: Sequence[Look]) -> list[Look]:
    """Drop looks that repeat an earlier one to the last digit: a frozen camera sends one picture again and again."""
    seen: set[tuple[object, ...]] = set()
    distinct: list[Look] = []
    for look in sorted(looks, key=lambda look: look.taken_at):
        key = (look.source, *((r.text, r.confidences, r.box) for r in look.readings))
        if look.readings and key in seen:
            continue
        seen.add(key)
        distinct.append(look)
    return distinct


def _weigh(look: Look, plate: str, policy: VerdictPolicy) -> _Evidence:
    """Weigh one picture: its best text decides; other cars in the picture do not speak against the expected one."""
    plausible = [r for r in look.readings if len(normalise(r.text)) >= min(policy.shortest_text, len(plate))]
    if not plausible:
        return _Evidence(_Side.NOTHING, None, look.taken_at)
    best, reading = max(((_score(reading, plate), reading) for reading in plausible), key=lambda pair: pair[0])
    if best >= policy.admit_score and not _unsure_text(reading, policy):
        return _Evidence(_Side.FOR, best, look.taken_at)
    if best >= policy.admit_score_two_looks:
        return _Evidence(_Side.PERHAPS, best, look.taken_at)
    if best >= policy.contrary_score or any(places(plate, _text(r)) < policy.contrary_places for r in plausible):
        return _Evidence(_Side.UNCLEAR, best, look.taken_at)
    clean = [r for r in plausible if _is_clean(r, plate, policy)]
    if not clean:
        return _Evidence(_Side.UNCLEAR, best, look.taken_at)
    return _Evidence(_Side.AGAINST, best, look.taken_at, _text(max(clean, key=_area)))


def _unsure_text(reading: Reading, policy: VerdictPolicy) -> bool:
    """Tell whether a text without a matrix is too unsure to be believed at once; no confidence at all is unsure."""
    return reading.matrix is None and min(reading.confidences, default=0.0) < policy.text_confidence


def _most_said(contrary: list[_Evidence]) -> list[_Evidence]:
    """Keep those that say the same: readings that differ among themselves are a bad view, not another car."""
    groups: dict[str, list[_Evidence]] = {}
    for item in contrary:
        groups.setdefault(item.contrary_text, []).append(item)
    return max(groups.values(), key=len, default=[])


def _is_clean(reading: Reading, plate: str, policy: VerdictPolicy) -> bool:
    """Tell whether the reader is sure of a whole plate, so that it may speak against the expected one.

    Letters alone may be a brand or lettering on a lorry. Plates without any digit exist but are rare, and holding
    them for unclear is the safe side.
    """
    text = _text(reading)
    sure = min(reading.confidences, default=0.0) >= policy.contrary_confidence
    return sure and len(text) >= len(plate) - 1 and any(c.isdigit() for c in normalise(reading.text))


def _text(reading: Reading) -> str:
    return fold(normalise(reading.text))


def places(plate: str, text: str) -> int:
    """Count the fewest edits that turn plate into some part of text.

    What stands before and after costs nothing: a state's name or a seal read along is no other plate.
    """
    row = [0] * (len(text) + 1)
    for expected in plate:
        above, row[0] = row[0], row[0] + 1
        for column, seen in enumerate(text, start=1):
            best = min(row[column] + 1, row[column - 1] + 1, above + (seen != expected))
            above, row[column] = row[column], best
    return min(row)


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


def _score(reading: Reading, plate: str) -> float:
    if reading.matrix is None:
        return 0.0 if _text(reading) == plate else -np.inf
    if not set(plate) <= set(CHARACTERS):
        return -np.inf
    matrix = _folded(reading.matrix)
    best, _ = greedy(matrix)
    own, said = log_likelihoods(matrix, [[COLUMN[c] for c in plate], best]).tolist()
    if own - said < _FAR:
        return float(own - said)
    rivals = log_likelihoods(matrix, [[COLUMN[c] for c in other] for other in neighbours(plate)])
    return min(0.0, float(own - rivals.max(initial=said)))


def _folded(matrix: NDArray[np.floating]) -> NDArray[np.float64]:
    """Add the probabilities of characters that we do not tell apart, so that the pair does not split its vote."""
    folded = matrix.astype(np.float64)
    for twin, kept in FOLDED.items():
        folded[:, COLUMN[kept]] = np.logaddexp(folded[:, COLUMN[kept]], folded[:, COLUMN[twin]])
        folded[:, COLUMN[twin]] = -1e9
    return folded


def _area(reading: Reading) -> float:
    """Return the area of the box in square pixels (shoelace formula): the nearest car has the largest plate."""
    if len(reading.box) < 3:  # noqa: PLR2004 - a reader without boxes
        return 0.0
    x, y = np.array(reading.box, dtype=np.float64).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)
