"""Plates as people and cameras write them, made comparable.

Pure: standard library only. Country-blind on purpose: the house does not know where a guest's car comes from.
"""

# ruff: noqa: RUF001 - letters that look alike are what this module is about

import unicodedata
from typing import Final

from .alphabet import FOLDED
from .types import PlateError

SHORTEST_PLATE: Final = 2
# The longest that we know of has 10 (India); vanity plates and trade plates stay below 12 everywhere.
LONGEST_PLATE: Final = 12
LONGEST_INPUT: Final = 40  # characters as typed, separators included

# Letters of other scripts that are drawn like a Latin one. Countries with those scripts use just these on plates (so
# that the plates can be read abroad: Vienna Convention on Road Traffic, annex 2), and people type either.
_GREEK: Final = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True))
_CYRILLIC: Final = dict(zip("АВЕЅІЈКМНОРСТУҮХԚԜ", "ABESIJKMHOPCTYYXQW", strict=True))
# Letters that do not decompose into a base letter and a mark.
_OTHER: Final = {"Ø": "O", "Đ": "D", "Ł": "L", "Æ": "AE", "Œ": "OE", "ẞ": "SS", "İ": "I"}
_HOMOGLYPHS: Final = str.maketrans(_GREEK | _CYRILLIC | _OTHER)
_FOLD: Final = str.maketrans(FOLDED)

# What people put between the groups of a plate.
_SEPARATORS: Final = frozenset(" -‐‑‒–—―−_.·•∙・:;,/\\|'’`*+()[]°\t\u00a0\u200b\ufe0f")


def normalise(plate: str) -> str:
    """Bring a plate into the form for comparing: upper case, no separators, Latin where the glyph is Latin.

    NFKC first (full-width forms), then upper case, homoglyphs, and accents off (a camera seldom sees them). Letters
    and digits that have no Latin look stay as they are. What two readings of one plate may still differ in,
    O and 0, is left: see fold.
    """
    upper = unicodedata.normalize("NFKC", plate).upper().translate(_HOMOGLYPHS)
    # Upper case again after the marks are off: a few letters change case only then.
    bare = "".join(c for c in unicodedata.normalize("NFD", upper) if not unicodedata.combining(c))
    # Marks may have hidden a homoglyph (Ё, Ά), so once more, and recompose what is left (Hangul).
    latin = unicodedata.normalize("NFC", bare).upper().translate(_HOMOGLYPHS)
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in latin if c.isalnum())


def fold(normalised: str) -> str:
    """Merge the pairs that many countries draw alike (O, Q and 0; I and 1); only for comparing, never for showing."""
    return normalised.translate(_FOLD)


def same_plate(one: str, other: str) -> bool:
    """Tell whether two texts name one plate, as far as a camera could tell."""
    return fold(normalise(one)) == fold(normalise(other))


def check_plate(plate: str) -> str:
    """Return the plate for comparing, or raise PlateError saying what is wrong with it and what to do."""
    if not plate.strip():
        raise PlateError("plate: is empty. Enter the number plate of the car that will come.")
    if len(plate) > LONGEST_INPUT:
        raise PlateError(f"plate: is longer than {LONGEST_INPUT} characters. Enter only the number plate.")
    if any(not _belongs_on_a_plate(c) for c in unicodedata.normalize("NFKC", plate)):
        raise PlateError("plate: has characters that no plate has. Enter letters, digits, spaces and hyphens only.")
    normalised = normalise(plate)
    if not SHORTEST_PLATE <= len(normalised) <= LONGEST_PLATE:
        raise PlateError(
            f"plate: has {len(normalised)} letters and digits, a plate has {SHORTEST_PLATE} to {LONGEST_PLATE}. "
            "Enter it as it stands on the car."
        )
    return normalised


def _belongs_on_a_plate(character: str) -> bool:
    return character.isalnum() or character in _SEPARATORS or bool(unicodedata.combining(character))
