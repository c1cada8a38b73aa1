"""What is told of a booking: to its house, and to its renter and the owner of its space."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson

from parkshare_backend.bookings.models import BookingRequest
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.http.models import to_base64url
from parkshare_backend.spaces.service import Space


def proposal(booking: Booking, space: Space) -> dict[str, Any]:
    """Give what a house is told of a booking: the `d` of `booking.proposed` and of each entry of a snapshot."""
    return {
        "booking": booking.id,
        "space": space.id,
        "revision": booking.revision,
        "state": booking.standing.state,
        "period": {"start": to_rfc3339(booking.period.start), "end": to_rfc3339(booking.period.end)},
        "sealed_plate": to_base64url(booking.sealed_plate),
        "renter": {"alias": _alias(booking.account, space.install)},
    }


def change(booking: Booking, *, cause: str, reason: str | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """Give what people are told: the `d` of `booking.changed`. It stays in their log, so it holds no phone number."""
    return {
        "booking": booking.id, "space": booking.space, "state": booking.standing.state, "near": booking.near,
        "overstay": booking.standing.overstay, "at_risk": booking.at_risk, "revision": booking.revision,
        "cause": cause, "reason": reason, **more,
    }  # fmt: skip


def content_hash(request: BookingRequest) -> bytes:
    """Give what tells the same request from another one with its id."""
    content = request.model_dump(mode="json", exclude={"id"})
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()


def _alias(account: str, install: str) -> str:
    """Give a name by which one house knows a renter again, and no other house does."""
    return f"Renter {sha256(f'{account}|{install}'.encode()).hexdigest()[:4].upper()}"
