"""How a plate is spelled: is that round glyph an O or a zero, that bar an I or a one?

Pure: standard library only. On many plates the two are one and the same shape, so no reader can know; but most
countries say where letters stand and where digits. Only for what people are shown: the verdict folds the twins and
never asks here, so a layout that is missing or wrong lets nobody in and keeps nobody out.
"""

import itertools
import math
import re
from collections.abc import Sequence
from functools import cache
from typing import Final

from .alphabet import CHINESE

TWINS: Final = {"0": "O", "O": "0", "1": "I", "I": "1", "Q": "0"}
LONGEST: Final = 12  # characters; what is longer is no plate
# How much a reader's own choice between twins is worth at most, as a chance: it is often sure and wrong.
BELIEVED: Final = 0.8

# What one character of a layout may be. Countries that draw O and 0 alike often leave I, O and Q out of their letters.
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PLAIN: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"
_CLASSES: Final = {
    "L": _LETTERS,
    "K": _PLAIN,
    "D": "0123456789",
    "A": _PLAIN + "0123456789",
    "C": CHINESE,
}

# Country or state, its cars in millions (to the order of magnitude), its layouts: L letter, K letter but I, O, Q,
# D digit, A letter or digit but I and O, C Chinese character, [..] one of these; {a,b} repeats. From the countries'
# own registration rules, current series first; vanity plates have no layout.
LAYOUTS: Final[tuple[tuple[str, float, tuple[str, ...]], ...]] = (
    ("Albania", 0.6, ("KKDDDKK",)),
    ("Austria", 5, ("L{1,2}D{1,5}K{1,3}",)),
    ("Belarus", 3, ("DDDD[ABEIKMHOPCTX][ABEIKMHOPCTX][012345678]",)),
    ("Belgium", 6, ("DKKKDDD", "KKKDDD", "DDDKKK")),
    ("Bosnia", 1, ("LDDLDDD",)),
    ("Bulgaria", 3, ("L{1,2}DDDDLL",)),
    ("Croatia", 2, ("LLD{3,4}L{1,2}",)),
    ("Cyprus", 0.6, ("LLLDDD",)),
    ("Czechia", 6, ("DKDDDDD", "DKKDDDD")),
    ("Denmark", 3, ("KKDDDDD",)),
    ("Estonia", 0.8, ("DDDLLL",)),
    ("Finland", 3, ("LLLD{1,3}",)),
    ("France", 40, ("KKDDDKK", "D{2,4}K{2,3}DD")),
    ("Germany", 50, ("L{2,5}D{1,4}", "L{2,5}D{1,3}[EH]")),
    ("Greece", 5, ("LLLDDDD",)),
    ("Hungary", 4, ("LLLDDD", "LLLLDDD")),
    ("Iceland", 0.3, ("LLLDD", "LLDDD")),
    ("Ireland", 2, ("DD[12][CDGLTW]D{1,5}", "DD[12][CDKLMORTW][ADEHKLMNOSWXY]D{1,5}", "DD[CDGLTW]D{1,5}")),
    ("Italy", 40, ("KKDDDKK",)),
    ("Kosovo", 0.4, ("[0][1234567]DDDKK",)),
    ("Latvia", 0.8, ("LLD{1,4}",)),
    ("Lithuania", 1.5, ("LLLDDD",)),
    ("Luxembourg", 0.4, ("KKDDDD",)),
    ("Malta", 0.3, ("LLLDDD",)),
    ("Moldova", 1, ("LLLDDD",)),
    ("Montenegro", 0.2, ("LLLLDDD",)),
    ("Netherlands", 9, ("KKDDDK", "KDDDKK", "KKKDDK", "DKKKDD", "DDKKKD", "DDKKKK", "KKKKDD", "DDKKDD", "KKDDKK")),
    ("North Macedonia", 0.5, ("LLDDDDLL",)),
    ("Norway", 3, ("KKDDDDD",)),
    ("Poland", 25, ("L{2,3}DDDDD", "LLDDDDK", "LLDDDKK", "LLDKDDD", "LLDKKDD", "LLLKDDD", "LLLDDKK", "LLLDKDD",
                    "LLLDDKD", "LLLDKKD", "LLLKKDD", "LLLDDDDK", "LLLDDDKK")),
    ("Portugal", 5, ("LLDDLL", "DDLLDD", "DDDDLL", "LLDDDD")),
    ("Romania", 7, ("LLDDLLL", "LDDLLL", "LDDDLLL")),
    ("Russia", 45, ("LDDDLLD{2,3}",)),
    ("Serbia", 2, ("LLD{3,4}LL",)),
    ("Slovakia", 3, ("LLDDDLL",)),
    ("Slovenia", 1.2, ("LLDDLLL", "LLLLDDD", "LLDDDLL", "LLLDDDL", "LLLDLDD")),
    ("Spain", 25, ("DDDDKKK", "L{1,2}DDDDKK", "L{1,2}DDDDK")),
    ("Sweden", 5, ("KKKDDD", "KKKDDK")),
    ("Switzerland", 5, ("LLD{1,6}",)),
    ("Turkey", 15, ("DDLD{4,5}", "DDLLD{3,4}", "DDLLLD{2,3}")),
    ("Ukraine", 10, ("LLDDDDLL",)),
    ("United Kingdom", 35, ("LLDDLLL", "LD{1,3}LLL", "LLLD{1,3}L", "L{2,3}D{1,4}")),
    ("Alabama", 5, ("DDLD{3,4}", "DLDDDD", "DKDDKDD", "DDKDDKD")),
    ("Arizona", 6, ("KKKDDDD", "KKKKDD", "LLKDKLK")),
    ("California", 30, ("DLLLDDD", "DLDDDDD")),
    ("Canada, Alberta", 3, ("KKKDDDD", "KKKDDD")),
    ("Canada, British Columbia", 3, ("KKDDDK", "DDDKKK", "KKKDDD", "LLDDDL")),
    ("Canada, Ontario", 9, ("LLLLDDD",)),
    ("Canada, Quebec", 5, ("KDDKKK", "DDDKKK", "KKKDDD")),
    ("Colorado", 5, ("LLLDDD", "DDDLLL", "LLLLDD")),
    ("Connecticut", 3, ("LLDDDDD", "DDDLLL", "DLLLLD")),
    ("Florida", 17, ("LLLLDD", "LLLDDD", "DDDLLL", "LDDDLL", "LDDLLL", "LLDDDL")),
    ("Georgia, US", 9, ("LLLDDDD",)),
    ("Illinois", 10, ("L{1,2}D{5,6}", "LDDDDDD", "DDDDDDD")),
    ("Indiana", 5, ("DDDL{1,3}", "DDDDL", "DDDDLL")),
    ("Kansas", 2.5, ("DDDLLL", "DDDDLLL")),
    ("Kentucky", 4, ("DDDLLL", "LDLDDD")),
    ("Louisiana", 4, ("LLLDDD", "DDDLLL")),
    ("Maryland", 4, ("DKKDDDD", "LLLDDD", "DLLLDD")),
    ("Massachusetts", 5, ("DLLDDD", "DDDLLD", "DDLLDD", "DLLLDD", "DDDDLL", "LLDDD")),
    ("Michigan", 8, ("LLLDDDD", "DLLLDD", "LLLDDD")),
    ("Minnesota", 5, ("DDDLLL", "LLLDDD")),
    ("Mississippi", 2, ("LLLDDD", "LLLDDDD")),
    ("Missouri", 5, ("LLDLDL", "DLLDDD", "LLDLDD")),
    ("Nevada", 2.5, ("DDDLDD", "LLLDDD", "DDDLLL", "DDLDDD")),
    ("New Jersey", 6, ("LDDLLL", "LLLDDL")),
    ("New York", 11, ("LLLDDDD",)),
    ("North Carolina", 8, ("LLLDDDD",)),
    ("Ohio", 10, ("LLLDDDD",)),
    ("Oklahoma", 3, ("DDDLLL", "LLLDDD")),
    ("Oregon", 4, ("DDDLLL", "LLLDDD")),
    ("Pennsylvania", 11, ("LLLDDDD",)),
    ("South Carolina", 4, ("LLLDDD", "DDDLLL", "DDDDLL")),
    ("Tennessee", 6, ("LDDDDL", "LDDLDL", "LLLDDDD", "DDDLLL")),
    ("Texas", 22, ("LLLDDDD", "LLDLDDD", "LDDLLL", "LLLDDD", "DDDLLL")),
    ("Virginia", 7, ("LLLDDDD",)),
    ("Washington", 6, ("LLLDDDD", "DDDLLL")),
    ("Wisconsin", 5, ("LLLDDDD", "DDDLLL")),
    ("Argentina", 15, ("LLDDDLL", "LLLDDD")),
    ("Bolivia", 2, ("DDDDLLL",)),
    ("Brazil", 60, ("LLLDDDD", "LLLDLDD")),
    ("Chile", 5, ("LLLLDD", "LLDDDD")),
    ("Colombia", 6, ("LLLDDD",)),
    ("Ecuador", 2.5, ("LLLD{3,4}",)),
    ("Mexico", 40, ("KKKDDDK", "KKKDDDD", "KDDDKKK", "DDDKKK", "KKDDDDD")),
    ("Paraguay", 1.5, ("LLLLDDD", "LLLDDD")),
    ("Peru", 3, ("LDLDDD", "LLLDDD", "LDDDDD")),
    ("Uruguay", 1, ("LLLDDDD",)),
    ("Venezuela", 4, ("LLDDDLL", "LLDDDLL")),
    ("Australia", 15, ("LLLDDL", "DLLDLL", "LLLDDD", "DDDLLL", "LLDDLL", "LDDDLLL", "DLLLDDD")),
    ("New Zealand", 4, ("LLLDDD",)),
    ("China", 250, ("CLAAAAA", "CLAAAAAA", "CLAAAAC")),
    ("Hong Kong", 0.7, ("KKD{1,4}",)),
    ("India", 60, ("LLDDLLDDDD", "LLDDLDDDD", "LLDDLLLDDDD", "LLDLLDDDD")),
    ("Indonesia", 20, ("L{1,2}D{1,4}L{1,3}",)),
    ("Israel", 4, ("DDDDDDD", "DDDDDDDD")),
    ("Malaysia", 15, ("KKKD{1,4}", "LKKD{1,4}L")),
    ("Philippines", 5, ("LLLD{3,4}",)),
    ("Singapore", 0.7, ("LLLD{1,4}L",)),
    ("Vietnam", 5, ("DDLD{4,5}", "DDLDD{4,5}")),
    ("Kenya", 2, ("LLLDDDL",)),
    ("Nigeria", 10, ("LLLDDDLL",)),
    ("South Africa", 8, ("LLDDLLLL", "LLLDDDLL", "LLD{3,6}")),
)  # fmt: skip


def spelled(text: str, confidences: Sequence[float] = ()) -> str:
    """Choose the likelier of O and 0, I and 1 (and 0 instead of Q) at each place, by the layouts that the text fits.

    text is normalised (see normalise); confidences are the reader's, one for each character, or none. Layouts weigh
    by the cars that have them and by how few plates each allows; the reader's own choice counts too. A text that fits
    no layout, has none of the twins or is all digits (plates and house numbers that no layout tells from a letter's
    bar) comes back as it is.
    """
    places = [index for index, character in enumerate(text) if character in TWINS]
    if not places or len(text) > LONGEST or text.isdigit():
        return text
    best, choice = -math.inf, text
    for spelling in _spellings(text):
        fit = _fit(spelling)
        if fit <= 0:
            continue
        value = math.log(fit)
        for index in places:
            sure = min(BELIEVED, confidences[index]) if len(confidences) == len(text) else BELIEVED
            value += math.log(max(sure, 1 - BELIEVED) if spelling[index] == text[index] else 1 - sure)
        # Ties go to what was read: it comes first.
        if value > best:
            best, choice = value, spelling
    return choice


def _spellings(text: str) -> list[str]:
    options = [(character, TWINS[character]) if character in TWINS else (character,) for character in text]
    return ["".join(choice) for choice in itertools.product(*options)]


def _fit(text: str) -> float:
    """Return how many cars (millions) a plate chosen at random by the layouts would be this one on; 0: none fits."""
    return sum(weight for pattern, weight in _layouts_of(len(text)) if pattern.fullmatch(text))


@cache
def _layouts_of(length: int) -> tuple[tuple[re.Pattern[str], float], ...]:
    """Return the layouts of so many characters, each with its cars per possible plate."""
    found: list[tuple[re.Pattern[str], float]] = []
    for _, cars, layouts in LAYOUTS:
        expanded = [plain for layout in layouts for plain in _expanded(layout)]
        for classes in expanded:
            if len(classes) == length:
                ways = math.prod(len(allowed) for allowed in classes)
                pattern = re.compile("".join(f"[{allowed}]" for allowed in classes))
                found.append((pattern, cars / len(expanded) / ways))
    return tuple(found)


def _expanded(layout: str) -> list[list[str]]:
    """Write the repeats of a layout out: each result is one list of the characters allowed at each place."""
    parts = re.findall(r"([LKDAC]|\[[A-Z0-9]+\])(?:\{(\d),(\d)\})?", layout)
    choices = []
    for symbol, least, most in parts:
        allowed = _CLASSES.get(symbol) or symbol.strip("[]")
        choices.append([[allowed] * count for count in range(int(least or 1), int(most or 1) + 1)])
    return [list(itertools.chain.from_iterable(choice)) for choice in itertools.product(*choices)]
