"""How standbys look on the wire: HTTP for owners, the link for their houses."""

from typing import Annotated, Literal

from parkshare_backend.bookings.models import SealedPlate
from parkshare_backend.http.models import Answer, Id, Request, SizedBytes, UtcTime
from parkshare_backend.spaces.models import SEAL_KEY_BYTES, Heard, PeriodAnswer, PointAnswer


class OwnerMoved(Heard):
    """The events `owner.near` and `owner.away`."""

    space: Id
    at: UtcTime


class StandbyAcceptHeard(Heard):
    """The request `standby.accept`: the house chose the booking's id and sealed the owner's plate to it."""

    standby: Id
    booking: Id
    sealed_plate: SealedPlate


class StandbyDeclineHeard(Heard):
    """The request `standby.decline`."""

    standby: Id


class StandbyAccept(Request):
    """Accept a standby: a new booking id, and the owner's plate sealed to it and to the offered space."""

    booking: Id
    sealed_plate: SealedPlate


class StandbySpace(Answer):
    """The space that was found, with all that is needed to go there while the standby lives; null once it is over."""

    id: str
    name: str
    address: str | None
    position: PointAnswer | None
    seal_key: Annotated[bytes, SizedBytes(SEAL_KEY_BYTES)]


class StandbyAnswer(Answer):
    """A standby as its owner sees it; `booking` is the renter's, `accepted_booking` the owner's own."""

    id: str
    booking: str
    home_space: str
    space: StandbySpace
    period: PeriodAnswer
    state: Literal["offered", "accepted", "booked", "declined", "expired", "canceled"]
    distance_m: int
    walk_s: int
    expires_at: UtcTime
    accepted_booking: str | None


class Standbys(Answer):
    """The latest standbys, newest first."""

    items: list[StandbyAnswer]
