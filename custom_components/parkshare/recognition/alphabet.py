"""The characters that readings and plates are compared in.

Pure: standard library only. The order is part of the format of a reading's matrix: column 0 is the CTC blank,
column 1 + i is CHARACTERS[i].
"""

import string
from typing import Final

LATIN: Final = string.digits + string.ascii_uppercase
# The province characters of mainland China (GA 36-2018) and the special ones that stand at the end of a plate.
CHINESE: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼" + "使领警学港澳挂试超临"
CHARACTERS: Final = LATIN + CHINESE
COLUMN: Final = {character: column for column, character in enumerate(CHARACTERS, start=1)}

# On most plates in the world the two of a pair are one and the same glyph, or a country uses only one of them, so no
# reader can tell them apart (measured: folding them lifts exact readings of whole crops from 88 to 95 %, most of it
# on European plates). D, B/8, S/5 and Z/2 do differ on plates: they are left to the likelihood.
FOLDED: Final = {"O": "0", "Q": "0", "I": "1"}

# Characters that readers take for each other although plates draw them differently (confusions seen on photographs).
CONFUSABLE: Final = (
    "0D", "8B", "5S", "2Z", "6G", "4A", "17T", "UV", "CG", "VY", "B3", "8S", "0C", "7Z", "UJ", "MN", "HN", "HM",
    "FP", "PR", "EF", "KX", "1J", "1L", "VW", "36", "86", "9G", "38", "0G", "L1",
)  # fmt: skip
