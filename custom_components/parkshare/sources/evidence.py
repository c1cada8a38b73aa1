"""What a text that another program read is worth: a look with one reading, which has no matrix.

Pure. The verdict compares such a reading by its exact (folded) text, and believes it alone only if every character is
sure enough (VerdictPolicy.text_confidence); a less sure one needs another look that agrees.
"""

from enum import StrEnum
from typing import Final

from custom_components.parkshare.recognition.normalise import LONGEST_INPUT, LONGEST_PLATE, SHORTEST_PLATE, normalise
from custom_components.parkshare.recognition.types import Look, Point, Reading

# What a source without scores is taken to be sure of when its owner believes it: above the verdict's text_confidence,
# below what a reader says that sees each character.
BELIEVED: Final = 0.9
# What a text without a score is taken to be sure of else: below text_confidence of every level, so it never counts
# alone; but enough to agree with another witness (with less, the verdict takes a plate of ten characters for no match).
UNSCORED: Final = 0.55


class Scored(StrEnum):
    """What a source's score is a figure of."""

    PLATE = "plate"  # of the whole plate: holds for each of its characters
    MEAN = "mean"  # of the mean of its characters, so the worst of them may be far below


def plate_text(text: str) -> str | None:
    """Return a plate as readings have it, None for what cannot be one."""
    if len(text) > LONGEST_INPUT:
        return None
    plate = normalise(text)
    return plate if SHORTEST_PLATE <= len(plate) <= LONGEST_PLATE else None


def weakest(score: float, length: int, scored: Scored) -> float:
    """Return how sure the least sure of so many characters is at least.

    Of a mean, all the doubt may lie with one character, and in misread plates most of it does: 1 - length * (1 - mean)
    keeps as many true readings and lets as few misread ones through as the true minimum (docs/sources.md: figures).
    """
    sure = score if scored is Scored.PLATE else 1.0 - length * (1.0 - score)
    return min(1.0, max(0.0, sure))


def look_of(
    plate: str,
    confidence: float,
    *,
    source: str,
    taken_at: float,
    box: tuple[Point, ...] = (),
) -> Look:
    """Make the look of one text; plate as plate_text gives it, confidence that of its weakest character."""
    reading = Reading(plate, (confidence,) * len(plate), box, source=source, taken_at=taken_at)
    return Look((reading,), taken_at, source)
