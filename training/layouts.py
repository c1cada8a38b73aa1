"""How countries lay out their plates: what stands on them, in which shape and letters, and what else is there.

The countries are in layouts.toml.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from random import Random

_ALL = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Layout:
    """One family of plates.

    weight is how often it is drawn; aspect (width by height) and letter_height (part of the plate's height) are
    ranges, middle is where the line of text has its centre (part of the height); hands are kinds of letters
    (hands.KINDS), letters those that the country uses; extras name scenery; font_share is how often a font is used
    instead of a hand, dark how likely letters are darker than the ground, gap what is between letters (part of their
    width).
    """

    name: str
    weight: float
    patterns: tuple[str, ...]
    aspect: tuple[float, float]
    letter_height: tuple[float, float]
    middle: tuple[float, float]
    hands: tuple[str, ...]
    letters: str
    extras: tuple[str, ...]
    font_share: float
    dark: float
    gap: tuple[float, float]


def _read() -> tuple[Layout, ...]:
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    filled = [table["usual"] | layout for layout in table["layouts"]]
    return tuple(
        Layout(**{name: tuple(value) if isinstance(value, list) else value for name, value in layout.items()})
        for layout in filled
    )


LAYOUTS = _read()
_WEIGHTS = [layout.weight for layout in LAYOUTS]


def choose(random: Random) -> Layout:
    """Choose a layout, the frequent ones more often."""
    return random.choices(LAYOUTS, _WEIGHTS)[0]


def serial(layout: Layout, random: Random) -> str:
    """Make up what stands on a plate, separators (space - . | ~) included."""
    letters = layout.letters if random.random() < 0.8 else _ALL
    drawn = []
    for mark in random.choice(layout.patterns):
        if mark == "A":
            drawn.append(random.choice(letters))
        elif mark == "9":
            drawn.append(random.choice("0123456789"))
        elif mark == "*":
            drawn.append(random.choice("0123456789" + _ALL))
        else:
            drawn.append(mark)
    return "".join(drawn)
