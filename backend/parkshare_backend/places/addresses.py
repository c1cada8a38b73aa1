"""What of the address of a space may be searched, and how words are compared.

Pure: standard library only. An address is private until the space is booked: see `areas.py` for what is shown of it.
"""

import re
import unicodedata
from dataclasses import dataclass

MAX_WORDS = 20  # of a query or an address; more are a mistake or an attack
MAX_WORD = 40  # characters
POSTCODE_DIGITS = 5
_WORD = re.compile(r"[^\W_]+")
_PARTS = re.compile(r"[,;\n]+")


@dataclass(frozen=True, slots=True)
class Address:
    """An address without what tells one house: the street as a person writes it, and the rest (the town)."""

    street: str
    town: str

    @property
    def words(self) -> str:
        """The words to search by, folded, with a space between them."""
        return " ".join(folded(f"{self.street} {self.town}"))

    @property
    def street_key(self) -> str:
        """The same for every spelling of the street in this town."""
        return " ".join(folded(self.street)) + "|" + self.town_key

    @property
    def town_key(self) -> str:
        """The same for every spelling of the town."""
        return " ".join(folded(self.town))


def read_address(text: str) -> Address:
    """Take the house number, and everything else with a digit, out of an address.

    A number of five digits that does not stand in the first part stays: it is a postcode there.
    """
    parts = [_without_numbers(part, first=not index) for index, part in enumerate(_PARTS.split(text))]
    named = [part for part in parts if part]
    return Address(named[0], ", ".join(named[1:])) if named else Address("", "")


def folded(text: str) -> list[str]:
    """Give the words of a text without case, accents and signs, so that `Café` is found by `cafe`."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(char))
    return [word[:MAX_WORD] for word in _WORD.findall(plain)[:MAX_WORDS]]


def _without_numbers(part: str, *, first: bool) -> str:
    kept = [
        word
        for word in part.split()
        if not any(char.isnumeric() for char in word)
        or (not first and word.isascii() and word.isdigit() and len(word) == POSTCODE_DIGITS)
    ]
    words = [word for word in kept if _WORD.search(word)]
    # A part that is nothing but a number was one house, wherever it stands.
    return " ".join(words) if any(not word.isdigit() for word in words) else ""
