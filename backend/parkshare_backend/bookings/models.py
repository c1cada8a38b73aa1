"""How bookings look on the wire: HTTP for renters and owners, the link for houses."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from parkshare_backend.bookings.lifecycle import By, State
from parkshare_backend.bookings.terms_wire import TermsAnswer
from parkshare_backend.http.cursors import Cursor
from parkshare_backend.http.models import Answer, Id, Request, SizedBytes, UtcTime, Whole
from parkshare_backend.money.models import PaymentAnswer, QuoteAnswer
from parkshare_backend.spaces.models import Heard, PeriodAnswer, PeriodBody, PlugAnswer, PointAnswer, VehicleBody

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
    hold: Id | None = None  # the hold under which the space was kept for this account


# The six digits at the space; people put a gap in the middle. What a renter's program shows opens nothing from afar.
CODE = r"^[0-9]{3}[ -]?[0-9]{3}$"


class CodeRequest(Request):
    """A code that the renter read at the site."""

    code: Annotated[str, StringConstraints(pattern=CODE)]

    def plain(self) -> str:
        """Give the code as houses compare it."""
        return self.code.replace(" ", "").replace("-", "")


class BookedSpace(Answer):
    """The space of a booking; where it is, only the renter of a live booking is told."""

    id: str
    name: str
    address: str | None
    position: PointAnswer | None
    access_notes: str | None
    plug: PlugAnswer | None


class HelpAnswer(Answer):
    """What is done for a renter who stands at the space and does not get in; all null for everybody else.

    rung: the camera tries harder, the owner is asked, a code from the site helps, or a call (phone is for the renter).
    code: how the last given code was; null until the house has answered.
    """

    rung: Literal["harder", "owner", "code", "call"] | None
    phone: str | None
    code: Literal["wrong", "right"] | None
    tries_left: int | None


class ExtendRequest(Request):
    """A later end."""

    end: UtcTime


class ChangeRequest(Request):
    """Another period."""

    period: PeriodBody


class ReleaseRequest(Request):
    """The end after which the space is not needed any more; without one, from now on."""

    end: UtcTime | None = None


class ReasonRequest(Request):
    """Why an owner says no; renters are told this word."""

    reason: Literal["own-use", "blocked", "broken", "other"] | None = None


class BookingAnswer(Answer):
    """A booking as its renter or the owner of its space sees it.

    waits_for: who is asked at the moment. wanted: the period that the renter wants instead, until the house answers.
    answer_until: when what waits for an answer lapses.
    """

    id: str
    space: BookedSpace
    state: State
    period: PeriodAnswer
    revision: int
    near: bool
    overstay: bool
    at_risk: bool
    help: HelpAnswer
    created_at: UtcTime
    terms: TermsAnswer
    waits_for: Literal["payment", "owner", "house"] | None
    answer_until: UtcTime | None
    wanted: PeriodAnswer | None
    quote: QuoteAnswer | None = None  # null: it was booked when nothing had a price yet
    payment: PaymentAnswer | None = None


class TakenBackAnswer(BookingAnswer):
    """A booking whose space the owner took back, and how often they did so in the last 90 days."""

    taken_back_90_days: int


class TrailEntry(Answer):
    """One thing that happened to a booking: who did it, and in `d` how the booking stood after it and why."""

    n: int
    at: UtcTime
    cause: str
    by: By
    d: dict[str, object]


class TrailAnswer(Answer):
    """Everything that happened to a booking, oldest first. Nothing in it is ever changed."""

    items: list[TrailEntry]


class BookingsQuery(Request):
    """Which bookings to list: those that the caller rents, or those on the caller's spaces."""

    role: Literal["renter", "owner"] = "renter"
    limit: Annotated[Whole, Field(ge=1, le=100)] = 20
    cursor: Cursor | None = None


class Answered(Heard):
    """The events `booking.approved` and `booking.declined`: what the owner said to their house."""

    booking: Id


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
    by: Literal["plate", "owner", "code"]
    at: UtcTime


def _usable_record(value: Any) -> Any:
    # A fact of a stay is worth more than the note that comes with it.
    return value if isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}:[0-9a-f]{64}", value) else None


class Stay(Heard):
    """The events of a stay and of the bay: `stay.arrived`, `stay.left`, `stay.overstayed`, `bay.taken` and the others.

    record is the head of the house's own signed record, `<number>:<SHA-256 in hexadecimal>`: kept where both sides read
    it, so that a record which is cut short later shows.
    """

    booking: Id
    at: UtcTime
    record: Annotated[str | None, BeforeValidator(_usable_record)] = None

    @property
    def told(self) -> dict[str, str]:
        """Give what people are told beside the fact."""
        return {"record": self.record} if self.record else {}


def _usable_phone(value: Any) -> Any:
    # Help without a number is better than no help.
    return value if isinstance(value, str) and re.fullmatch(r"[0-9 +()/.*#-]{3,32}", value) else None


class HelpOffered(Heard):
    """The event `help.offered`. phone comes with the rung "call" only, and only if the owner gave one."""

    booking: Id
    rung: Literal["harder", "owner", "code", "call"]
    at: UtcTime
    phone: Annotated[str | None, BeforeValidator(_usable_phone)] = None


class CodeChecked(Heard):
    """The event `code.checked`: what the house said to a code."""

    booking: Id
    right: bool
    tries_left: Annotated[Whole, Field(ge=0, le=100)]
    at: UtcTime
