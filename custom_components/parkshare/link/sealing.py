"""Plates travel sealed: HPKE (RFC 9180) base mode to a space's X25519 key, bound to one booking.

The exact form is in docs/protocol/http.md; what the key beside the plate is for, in docs/protocol/codes.md.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from .keys import key_bytes, to_bytes, to_text

SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
PLAIN_BYTES: Final = 128  # padded, so that the length tells nothing
CODE_KEY_BYTES: Final = 16
SEALED_BYTES: Final = 32 + PLAIN_BYTES + 16  # enc, ciphertext, tag


class SealError(Exception):
    """Nothing could be sealed: the plate is too long, or the key is not one."""


class OpenError(Exception):
    """A sealed plate cannot be opened: another key, another booking, or not a sealed plate at all."""


def info(*, booking: str, space: str) -> bytes:
    """What the seal is bound to: opened under another booking or space, it is refused."""
    return f"parkshare/plate/v1|booking={booking}|space={space}".encode("ascii")


@dataclass(frozen=True, slots=True)
class Sealed:
    """What was sealed. code_key is what the renter's program makes its codes with; empty when it makes none."""

    plate: str = field(repr=False)
    code_key: str = field(default="", repr=False)


def pad(plate: str, code_key: str = "") -> bytes:
    """The plaintext: JSON, filled up with spaces to 128 bytes. Raises SealError when it does not fit."""
    content = {"plate": plate} | ({"code_key": code_key} if code_key else {})
    plain = json.dumps(content, ensure_ascii=False).encode()
    if len(plain) > PLAIN_BYTES:
        raise SealError("the plate is too long to be sealed")
    return plain.ljust(PLAIN_BYTES)


def unpad(plain: bytes) -> Sealed:
    """What a plaintext holds. Raises OpenError."""
    try:
        content: Any = json.loads(plain)
    except ValueError as err:
        raise OpenError("what was sealed is not JSON") from err
    plate = content.get("plate") if isinstance(content, dict) else None
    if not isinstance(plate, str) or not plate.strip():
        raise OpenError("what was sealed holds no plate")
    return Sealed(plate, _code_key(content.get("code_key", "")))


def _code_key(key: object) -> str:
    """Check the key beside a plate: one that is none would leave the renter with codes that never open."""
    try:
        if key == "" or (isinstance(key, str) and len(to_bytes(key)) == CODE_KEY_BYTES):
            return str(key)
    except ValueError:
        pass
    raise OpenError(f"the key for codes is {CODE_KEY_BYTES} bytes in base64url")


def seal(plate: str, *, key: str, booking: str, space: str, code_key: str = "") -> str:
    """Seal a plate to the public key of a space. Raises SealError."""
    try:
        public = X25519PublicKey.from_public_bytes(key_bytes(key))
        return to_text(SUITE.encrypt(pad(plate, code_key), public, info(booking=booking, space=space)))
    except (ValueError, UnicodeEncodeError) as err:
        raise SealError("the space's key is not usable") from err


def unseal(sealed: str, *, key: X25519PrivateKey, booking: str, space: str) -> Sealed:
    """Open a sealed plate. Raises OpenError."""
    try:
        content = to_bytes(sealed)
    except ValueError as err:
        raise OpenError("not base64url") from err
    if len(content) != SEALED_BYTES:
        raise OpenError(f"a sealed plate is {SEALED_BYTES} bytes, not {len(content)}")
    try:
        return unpad(SUITE.decrypt(content, key, info(booking=booking, space=space)))
    except (InvalidTag, ValueError, UnicodeEncodeError) as err:
        raise OpenError("sealed to another key or another booking") from err
