"""How bookings look on the wire: HTTP for renters and owners, the link for houses."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from parkshare_backend.bookings.lifecycle import State
from parkshare_backend.http.models import Answer, Id, Request, SizedBytes, UtcTime, Whole
from parkshare_backend.spaces.models import Heard, PeriodAnswer, PeriodBody, PointAnswer, VehicleBody

# HPKE: 32 bytes of encapsulated key, 128 of padded plaintext, 16 of tag. The backend can't open it.
SEALED_PLATE_BYTES = 176
SealedPlate = Annotated[bytes, SizedBytes(SEALED_PLATE_BYTES)]


class BookingRequest(Request):
    """A booking that a client wants; it chooses the id, because the plate is sealed to it."""

    id: Id
    space: Id
    period: PeriodBody
    sealed_plate: SealedPlate
    vehicle: VehicleBody | None = None


class BookedSpace(Answer):
    """The space of a booking; where it is, only the renter of a live booking is told."""

    id: str
    name: str
    address: str | None
    position: PointAnswer | None
    access_notes: str | None


class BookingAnswer(Answer):
    """A booking as its renter or the owner of its space sees it."""

    id: str
    space: BookedSpace
    state: State
    period: PeriodAnswer
    revision: int
    near: bool
    overstay: bool
    created_at: UtcTime


class BookingsQuery(Request):
    """Which bookings to list: those that the caller rents, or those on the caller's spaces."""

    role: Literal["renter", "owner"] = "renter"
    limit: Annotated[Whole, Field(ge=1, le=100)] = 20
    cursor: Id | None = None


class ChangesQuery(Request):
    """Which changes to list: those after `after`, oldest first."""

    after: Annotated[Whole, Field(ge=0, le=2**53)] = 0
    limit: Annotated[Whole, Field(ge=1, le=500)] = 100


class Change(Answer):
    """One thing that happened; clients ignore kinds that they don't know."""

    q: int
    t: str
    at: UtcTime
    d: dict[str, object]


class Changes(Answer):
    """What happened, in order; ask again after `next`."""

    items: list[Change]
    next: int


class GrantStored(Heard):
    """The event `grant.stored`."""

    booking: Id
    revision: Annotated[Whole, Field(ge=1)]


class GrantRefused(Heard):
    """The event `grant.refused`. The reason may be a word of a newer house."""

    booking: Id
    revision: Annotated[Whole, Field(ge=1)]
    reason: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class AdmissionDecided(Heard):
    """The event `admission.decided`."""

    booking: Id
    decision: Literal["admit", "refuse", "unsure"]
    by: Literal["plate", "owner"]
    at: UtcTime


class Stay(Heard):
    """The events `stay.arrived` and `stay.left`."""

    booking: Id
    at: UtcTime
