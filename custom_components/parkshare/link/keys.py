"""The two key pairs of a house: Ed25519 to prove itself, X25519 to open what is sealed to it.

Made at pairing, inside Home Assistant; the private halves never leave it. Text is base64url without padding.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

KEY_BYTES = 32


class BadKeyError(ValueError):
    """A key is not 32 bytes in base64url."""


def to_text(value: bytes) -> str:
    """Write bytes as base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def to_bytes(text: str) -> bytes:
    """Read base64url without padding. Raises ValueError for anything else."""
    if "=" in text:
        raise ValueError("base64url has no padding here")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as err:
        raise ValueError("not base64url") from err


def key_bytes(text: str) -> bytes:
    """Read a key. Raises BadKeyError."""
    try:
        key = to_bytes(text)
    except ValueError as err:
        raise BadKeyError("a key is 32 bytes in base64url") from err
    if len(key) != KEY_BYTES:
        raise BadKeyError(f"a key is 32 bytes, not {len(key)}")
    return key


@dataclass(frozen=True, slots=True)
class HouseKeys:
    """Both key pairs."""

    sign: Ed25519PrivateKey
    seal: X25519PrivateKey

    @classmethod
    def generate(cls) -> Self:
        """Make new ones."""
        return cls(Ed25519PrivateKey.generate(), X25519PrivateKey.generate())

    @classmethod
    def from_text(cls, *, sign: str, seal: str) -> Self:
        """Read the stored private keys. Raises BadKeyError."""
        return cls(
            Ed25519PrivateKey.from_private_bytes(key_bytes(sign)), X25519PrivateKey.from_private_bytes(key_bytes(seal))
        )

    def private_text(self) -> tuple[str, str]:
        """The private keys (sign, seal) for storing. Keep them off logs and diagnostics."""
        return to_text(self.sign.private_bytes_raw()), to_text(self.seal.private_bytes_raw())

    @property
    def sign_public(self) -> str:
        """The key the backend checks our proofs with."""
        return to_text(self.sign.public_key().public_bytes_raw())

    @property
    def seal_public(self) -> str:
        """The key that plates are sealed to."""
        return to_text(self.seal.public_key().public_bytes_raw())

    @property
    def fingerprint(self) -> str:
        """What a person compares on both screens."""
        return fingerprint(self.sign_public, self.seal_public)

    def prove(self, message: bytes) -> str:
        """Sign."""
        return to_text(self.sign.sign(message))


def fingerprint(sign_key: str, seal_key: str) -> str:
    """Name a pair of public keys: 10 bytes of SHA-256 over both, in groups a person can compare."""
    digest = hashlib.sha256(key_bytes(sign_key) + key_bytes(seal_key)).hexdigest()[:20].upper()
    return "-".join(digest[index : index + 4] for index in range(0, len(digest), 4))
