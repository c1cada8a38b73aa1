"""What a record keeps in place of a plate: something that only who knows the plate and the booking's key can compare.

Pure: standard library only. Each booking has a key of its own, made from the space's: to open one tells nothing about
another, and the same car in two bookings looks like two cars. Without the key nobody can try all plates there are.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Final

KEY_BYTES: Final = 32
_PURPOSE: Final = b"parkshare/plate-commitment\x00"


def booking_key(space_key: bytes, booking: str) -> bytes:
    """Make the key of a booking."""
    return hmac.digest(space_key, _PURPOSE + booking.encode(), hashlib.sha256)


def commitment(key: bytes, plate: str, comparable: Callable[[str], str]) -> str:
    """Commit to a plate (hex); comparable brings it into the form in which plates are compared."""
    return hmac.new(key, comparable(plate).encode(), hashlib.sha256).hexdigest()
