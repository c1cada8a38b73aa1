"""Texts that prove something: bearer tokens and the two codes of a pairing. Pure; randomness is handed in.

A token is `pks_` + 43 characters of base64url (32 random bytes) + 6 characters of a CRC-32. The prefix lets
scanners find a leaked token, the checksum lets the server refuse a mistyped one without asking the database.
Only a SHA-256 of a token or device code is stored: with 256 random bits there is nothing to guess.
"""

import base64
import hashlib
import re
import zlib

from parkshare_backend.clock import Random

TOKEN_PREFIX = "pks_"  # noqa: S105 - the public part of every token
TOKEN_PATTERN = re.compile(r"pks_[A-Za-z0-9_-]{49}")
# RFC 8628 section 6.1: no vowels, so no words; 20 letters, 8 of them: 34.5 bits.
CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
CODE_LENGTH = 8


def make_token(random: Random) -> str:
    """Make a bearer token."""
    body = TOKEN_PREFIX + _base64url(random.randbytes(32))
    return body + _checksum(body)


def is_token(text: str) -> bool:
    """Tell whether a text is a token that some server may have made: shape and checksum."""
    return bool(TOKEN_PATTERN.fullmatch(text)) and _checksum(text[:-6]) == text[-6:]


def make_device_code(random: Random) -> str:
    """Make the secret with which a house asks for the end of its pairing."""
    return _base64url(random.randbytes(32))


def make_user_code(random: Random) -> str:
    """Make the code that a person reads and types, like WDJB-MJHT."""
    letters = "".join(random.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def read_user_code(text: str) -> str | None:
    """Read a user code as people type it (case, spaces and hyphens do not matter); None when it is none."""
    letters = re.sub(r"[\s-]", "", text).upper()
    if len(letters) != CODE_LENGTH or not set(letters) <= set(CODE_LETTERS):
        return None
    return f"{letters[:4]}-{letters[4:]}"


def hash_secret(text: str) -> bytes:
    """Give what is stored of a token or device code."""
    return hashlib.sha256(text.encode()).digest()


def fingerprint(sign_key: bytes, seal_key: bytes) -> str:
    """Show two public keys as 20 hexadecimal digits in groups that people can compare.

    80 bits of SHA-256 over both keys: finding other keys with the same ones is out of reach for as long as a
    pairing lives. The house shows the same text.
    """
    digits = hashlib.sha256(sign_key + seal_key).hexdigest()[:20].upper()
    return "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _checksum(body: str) -> str:
    return _base64url(zlib.crc32(body.encode()).to_bytes(4, "big"))
