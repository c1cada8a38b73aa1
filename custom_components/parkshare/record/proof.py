"""Checking a record with the public keys of the house. cryptography does the work."""

from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from custom_components.parkshare.link.keys import key_bytes, to_bytes, to_text

from .chain import Genuine, Head
from .examine import Report, examine


def genuine_for(*public_keys: str) -> Genuine:
    """Make what tells whether one of these keys signed a message. Raises BadKeyError for what is no key.

    A house that was paired again has a new key; what it wrote before is signed with the old one.
    """
    keys = [Ed25519PublicKey.from_public_bytes(key_bytes(key)) for key in public_keys]

    def genuine(message: bytes, sig: str) -> bool:
        try:
            signature = to_bytes(sig)
        except ValueError:
            return False
        # One signature has one spelling: the last character of base64 has bits that say nothing.
        return to_text(signature) == sig and any(_signed(key, signature, message) for key in keys)

    return genuine


def verify(lines: Sequence[str], *public_keys: str, head: str | None = None) -> Report:
    """Examine a record. Raises BadKeyError or ValueError for a key or a head that is none."""
    return examine(lines, genuine_for(*public_keys), Head.parse(head) if head else None)


def _signed(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
