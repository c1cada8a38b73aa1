"""One look, weighed: what does it say for the expected plate, or against it?

Pure: numpy only. A look's best place decides: other cars in the picture do not speak against the expected one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from .levels import VerdictPolicy
from .normalise import fold, normalise
from .scoring import TRAITS, Fit, Trait, fit, places_of
from .types import Look, Reading

MOST_LONGER = 2  # characters that another plate may have more than the expected one; one less is near enough, too


class Worth(IntEnum):
    """What a look says for the expected plate; each kind may do all that the lower ones may."""

    NOTHING = 0
    PART = 1  # supports a look that another reader made
    SECOND = 2  # admits with a look of another reader
    PROBABLE = 3  # admits with any other independent look
    CLEAR = 4  # admits alone


@dataclass(frozen=True, slots=True)
class Sight:
    """One look with what its best place is worth; fit is that place's, None where no text could be a plate.

    other_plate is what the look clearly shows instead of the expected plate (folded), empty where it does not.
    """

    taken_at: float
    worth: Worth
    fit: Fit | None
    other_plate: str = ""

    @property
    def strength(self) -> tuple[int, float]:
        """What sights are compared by, the strongest being the greatest."""
        return (self.worth, self.fit.score if self.fit is not None else -np.inf)


def weigh(look: Look, plate: str, policy: VerdictPolicy) -> Sight:
    """Weigh one picture against the expected plate (folded)."""
    plausible = [r for r in look.readings if len(normalise(r.text)) >= min(policy.shortest_text, len(plate))]
    fits = [fit(place, plate) for place in places_of(plausible)]
    sights = [Sight(look.taken_at, _worth(found, policy), found) for found in fits]
    best = max(sights, key=lambda sight: sight.strength, default=Sight(look.taken_at, Worth.NOTHING, None))
    if best.worth or any(_possible(found, policy) for found in fits):
        return best
    return Sight(look.taken_at, Worth.NOTHING, best.fit, _other_plate(plausible, plate, policy))


def _worth(found: Fit, policy: VerdictPolicy) -> Worth:
    enough = policy.admit_score_two_readers if len(found.judged) > 1 else policy.admit_score
    read = found.lead is not None and found.lead >= policy.lead_score
    if _is_clear(found, enough, policy, read=read):
        return Worth.CLEAR
    worth = Worth.NOTHING
    if found.score >= enough - policy.two_looks_ease:
        if read:
            worth = Worth.PROBABLE
        elif found.text is not None:
            worth = Worth.PROBABLE if policy.text_alone else Worth.SECOND
        elif found.part is not None and found.part >= policy.lead_score:
            worth = Worth.PROBABLE if policy.part_alone else Worth.PART
    return worth


def _is_clear(found: Fit, enough: float, policy: VerdictPolicy, *, read: bool) -> bool:
    """Tell whether one look is enough: read well by all readers together, or told surely by one that gives texts."""
    if found.score >= enough and (read or (found.text is not None and len(found.agreeing) > 1)):
        return True
    told = policy.text_alone and len(found.judged) == 1
    return told and found.text is not None and found.text >= policy.text_confidence


def _possible(found: Fit, policy: VerdictPolicy) -> bool:
    """Tell whether what was read at a place may still be the expected plate."""
    return any(value is not None and value >= policy.contrary_score for value in (found.score, found.lead, found.part))


def _other_plate(plausible: Sequence[Reading], plate: str, policy: VerdictPolicy) -> str:
    """Return the plate that a look clearly shows instead, of several the nearest car's; empty if there is none."""
    if any(places(plate, _text(reading)) < policy.contrary_places for reading in plausible):
        return ""
    clean = [reading for reading in plausible if _is_clean(reading, plate, policy)]
    return _text(max(clean, key=_area)) if clean else ""


def _is_clean(reading: Reading, plate: str, policy: VerdictPolicy) -> bool:
    """Tell whether the reader is sure of a whole plate, so that it may speak against the expected one.

    Much shorter is half a plate, much longer a sentence or the camera's clock. Letters alone may be a brand or
    lettering on a lorry; plates without any digit exist but are rare, and holding them for unclear is the safe side.
    """
    text = _text(reading)
    sure = min(reading.confidences, default=0.0) >= policy.contrary_confidence
    digits = any(c.isdigit() for c in normalise(reading.text))
    whole = -1 <= len(text) - len(plate) <= MOST_LONGER
    return sure and digits and whole and not TRAITS.get(reading.source, Trait()).weak


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


def _area(reading: Reading) -> float:
    """Return the area of the box in square pixels (shoelace formula): the nearest car has the largest plate."""
    if len(reading.box) < 3:  # noqa: PLR2004 - a reader without boxes
        return 0.0
    x, y = np.array(reading.box, dtype=np.float64).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)
