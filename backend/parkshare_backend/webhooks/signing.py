"""The signatures of Standard Webhooks (standardwebhooks.com, version 1): HMAC-SHA256. Pure.

What is signed is `<webhook-id>.<webhook-timestamp>.<body>`; the key is the secret's base64 after `whsec_`. While a
secret is being changed there are two signatures, so a receiver may check with either.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable

PREFIX = "whsec_"
KEY_BYTES = 32  # the scheme asks for 24 to 64


def make_secret(key: bytes) -> str:
    """Write a key as the scheme has it."""
    return PREFIX + base64.b64encode(key).decode()


def signed_headers(*, message: str, at: float, body: bytes, secrets: Iterable[str]) -> dict[str, str]:
    """Give the three headers of a delivery; at is UTC epoch seconds."""
    timestamp = str(int(at))
    signed = f"{message}.{timestamp}.".encode() + body
    return {
        "webhook-id": message,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
