"""The two codes of a minute: the one at the space that the renter types, and the one that the renter shows the camera.

Pure: standard library and pyotp. Both are TOTP (RFC 6238) with a period of a minute; this minute's code is right and
the last one's. A code may be given again: it lets the same booking in, which is in already. The exact form for other
programs is in docs/protocol/codes.md.
"""

import base64
from typing import Final, NamedTuple

from pyotp import HOTP
from pyotp.utils import strings_equal

from custom_components.parkshare.gate.grant import Grant

PERIOD: Final = 60  # s; long enough to read six digits, walk to the car, and type them
ONSITE_DIGITS: Final = 6
# What the plate readers take for none of the others (recognition.alphabet.CONFUSABLE), nor draw like it.
SIGNS: Final = "23459CDEHKLRTUWY"
SHOWN_LENGTH: Final = 8
ALL_DIGITS: Final = 10  # the 31 bits of RFC 4226 section 5.3, in decimal
KEY_BYTES: Final = 16


class OnsiteCode(NamedTuple):
    """The code at the space; it is taken until valid_until (UTC epoch seconds)."""

    code: str
    valid_until: float


def onsite_code(secret: str, now: float) -> OnsiteCode:
    """Return the code of this minute; secret is base32."""
    period = _period(now)
    return OnsiteCode(_onsite(secret, period), float((period + 2) * PERIOD))


def is_onsite_code(secret: str, given: str, now: float) -> bool:
    """Tell whether somebody who gave this has been at the space a moment ago."""
    return _is_one_of(given, [_onsite(secret, period) for period in _taken(now)])


def shown_codes(grant: Grant, now: float) -> tuple[str, ...]:
    """Return what the renter of a grant may show to the camera now; nothing when their program gave no key."""
    return tuple(_shown(grant.code_key, period) for period in _taken(now)) if grant.code_key else ()


def is_shown_code(grant: Grant, given: str, now: float) -> bool:
    """Tell whether this is what the renter's own program shows now."""
    return _is_one_of(given, shown_codes(grant, now))


def tidy(given: str) -> str:
    """Bring what a person typed into the form of a code: groups and small letters are how people write."""
    return "".join(each for each in given if each.isalnum()).upper()


def _period(now: float) -> int:
    # Not pyotp's TOTP: it counts through local time without a zone, and is an hour off when the clocks go back.
    return max(0, int(now // PERIOD))


def _taken(now: float) -> tuple[int, int]:
    # A machine without a clock of its own starts in 1970, before which nothing is counted.
    return _period(now), max(0, _period(now) - 1)


def _onsite(secret: str, period: int) -> str:
    return str(HOTP(secret, digits=ONSITE_DIGITS).at(period))


def _shown(key: str, period: int) -> str:
    raw = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
    number = int(HOTP(base64.b32encode(raw).decode(), digits=ALL_DIGITS).at(period))
    places = range(SHOWN_LENGTH - 1, -1, -1)
    return "".join(SIGNS[number // len(SIGNS) ** place % len(SIGNS)] for place in places)


def _is_one_of(given: str, codes: list[str] | tuple[str, ...]) -> bool:
    # All are compared, each in a time that does not tell how much of it was right.
    equal = [strings_equal(tidy(given), code) for code in codes]
    return any(equal)
