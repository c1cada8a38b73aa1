"""What is told of a booking: to its house, and to its renter and the owner of its space."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson

from parkshare_backend.bookings.models import BookingRequest
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.http.models import to_base64url
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.service import Space


def proposal(booking: Booking, space: Space) -> dict[str, Any]:
    """Give what a house is told of a booking: the `d` of `booking.proposed` and of each entry of a snapshot.

    A period that the renter wants instead is proposed like any other: the house keeps the old one unless it agrees.
    """
    return {
        "booking": booking.id,
        "space": space.id,
        "revision": booking.revision,
        "state": booking.standing.state,
        "period": _wire(booking.wanted or booking.period),
        "sealed_plate": to_base64url(booking.sealed_plate),
        "renter": {"alias": alias(booking.account, space.install)},
    }


def request_for_owner(booking: Booking, space: Space) -> dict[str, Any]:
    """Give what a house is told of a booking that its owner must approve: the `d` of `booking.asked`."""
    return {
        "booking": booking.id,
        "space": space.id,
        "revision": booking.revision,
        "period": _wire(booking.period),
        "renter": {"alias": alias(booking.account, space.install)},
        "until": to_rfc3339(booking.answer_until or booking.period.start),
    }


def history(booking: Booking, *, reason: str | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the trail keeps of a change: how the booking stands after it, and why."""
    wanted = {"wanted": _wire(booking.wanted)} if booking.wanted else {}
    return {
        "state": booking.standing.state, "overstay": booking.standing.overstay, "at_risk": booking.at_risk,
        "revision": booking.revision, "period": _wire(booking.period), "reason": reason, **wanted, **more,
    }  # fmt: skip


def change(booking: Booking, *, cause: str, reason: str | None, more: Mapping[str, Any]) -> dict[str, Any]:
    """Give what people are told: the `d` of `booking.changed`. It stays in their log, so it holds no phone number."""
    return {
        "booking": booking.id, "space": booking.space, "state": booking.standing.state, "near": booking.near,
        "overstay": booking.standing.overstay, "at_risk": booking.at_risk, "revision": booking.revision,
        "cause": cause, "reason": reason, **more,
    }  # fmt: skip


def content_hash(request: BookingRequest) -> bytes:
    """Give what tells the same request from another one with its id."""
    # By hand, for pydantic's own takes a tenth of the time of a booking. What is hashed, and that a request without a
    # hold says nothing of one, is as in the first release: a repeat may come after an upgrade.
    content = {
        "period": {"start": to_rfc3339(request.period.start), "end": to_rfc3339(request.period.end)},
        "sealed_plate": to_base64url(request.sealed_plate),
        "space": request.space,
        "vehicle": request.vehicle.model_dump(mode="json") if request.vehicle else None,
    }
    if request.hold:
        content["hold"] = request.hold
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).digest()


def _wire(period: Period) -> dict[str, str]:
    return {"start": to_rfc3339(period.start), "end": to_rfc3339(period.end)}


def alias(account: str, install: str) -> str:
    """Give a name by which one house knows a renter again, and no other house does."""
    return f"Renter {sha256(f'{account}|{install}'.encode()).hexdigest()[:4].upper()}"
