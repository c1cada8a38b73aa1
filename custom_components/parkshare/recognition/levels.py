"""How much evidence is enough: the policy of the verdict, and the three levels that an owner chooses from.

Pure: standard library only. Each level's figures are those of one look at each of 229 photographs by daylight, both
readers (benchmarks/recognition.py): right plates admitted; then falsely admitted: of 51,754 pairs with another plate of
the set, of plates with one random character changed, with one changed to a lookalike, with one more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Level(StrEnum):
    """How sure the house wants to be."""

    STRICT = "strict"
    BALANCED = "balanced"
    LENIENT = "lenient"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictPolicy:
    """How much evidence is enough. The defaults are those of the balanced level.

    Scores are natural logarithms: how much likelier the expected plate is than any other text, by all readers of one
    place in a picture taken together (scoring.py). At 0 another text is as likely as the expected plate, at -3 twenty
    times likelier. That may still admit: the expected car is the one that was announced, any other plate is one of
    millions that could stand there. What holds the thresholds up are plates that differ in one character only.
    """

    # One reader, one look.
    admit_score: float = -1.0
    # Two different readers looked at the same place: what both say is in the score, and a misreading of one is seldom
    # the other's. They count more than two looks of one reader, whose mistakes repeat.
    admit_score_two_readers: float = -4.0
    # Two looks that agree may each be worse by so much; looks closer in time than this share their blur and glare, and
    # looks at the same picture are one look. Looks of different readers need no time between them.
    two_looks_ease: float = 2.0
    looks_apart_s: float = 0.3
    # Whoever else agrees, one reader alone must come so near to the expected plate: the score of one reading against
    # the best text of the same reading.
    lead_score: float = -3.0
    # A reader that gives texts only is believed alone (one look) if the text is exact and each of its characters so
    # sure; text_alone off: only together with another reader, however often it says the same.
    text_alone: bool = True
    text_confidence: float = 0.8
    # A reader that lacks characters of the expected plate (a province, say) is asked for the others. On: that may
    # admit without a reader that knows them all, in two looks; off: it only supports another.
    part_alone: bool = False
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


POLICIES: Final[Mapping[Level, VerdictPolicy]] = MappingProxyType({
    # 94.8 %; 0, 0 %, 0.06 %, 0 %
    Level.STRICT: VerdictPolicy(
        admit_score=0.0,
        admit_score_two_readers=0.0,
        two_looks_ease=1.0,
        lead_score=-1.0,
        text_alone=False,
        text_confidence=0.9,
    ),
    # 97.4 %; 0, 0.03 %, 0.65 %, 0.04 %
    Level.BALANCED: VerdictPolicy(),
    # 98.3 %; 0, 0.20 %, 1.75 %, 1.16 %
    Level.LENIENT: VerdictPolicy(
        admit_score=-3.0,
        admit_score_two_readers=-8.0,
        lead_score=-5.0,
        text_confidence=0.6,
        part_alone=True,
    ),
})  # fmt: skip
DEFAULT_POLICY: Final = POLICIES[Level.BALANCED]
