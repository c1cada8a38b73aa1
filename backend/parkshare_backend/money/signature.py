"""The signature of a payment provider's events: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>...]`.

Pure: standard library only. v1 is HMAC-SHA256 over `<t>.<body>` with the endpoint's secret. While a secret is exchanged
there is one v1 for each, so any may fit; other schemes (v0) are passed over, else somebody could choose the weakest.
"""

import hmac
from hashlib import sha256

TOLERANCE_S = 300  # how old an event's signature may be: older ones are replayed, or a clock is wrong


class SignatureError(ValueError):
    """The event is not from the provider, or not from now; the message says which."""


def sign(body: bytes, secret: str, at: int) -> str:
    """Give the header for a body that is sent at `at` (UTC seconds)."""
    return f"t={at},v1={_mac(body, secret, str(at))}"


def check(header: str, body: bytes, secret: str, *, now: float) -> None:
    """Raise SignatureError unless the header proves that this body was sent by the provider just now."""
    at, given = "", []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            at = value
        elif name == "v1":
            given.append(value)
    if not (at.isascii() and at.isdigit() and len(at) <= 12) or not given:  # noqa: PLR2004 - the year 33658
        raise SignatureError("The header Stripe-Signature is missing, or not like t=...,v1=...")
    expected = _mac(body, secret, at)
    if not any(hmac.compare_digest(expected.encode(), value.encode()) for value in given):
        raise SignatureError("The signature does not fit the body. Check the secret of the webhook.")
    if abs(now - int(at)) > TOLERANCE_S:
        raise SignatureError("The signature is too old, or the clock of the server is wrong.")


def _mac(body: bytes, secret: str, at: str) -> str:
    return hmac.new(secret.encode(), at.encode() + b"." + body, sha256).hexdigest()
