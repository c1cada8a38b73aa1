"""A booking as people see it."""

from typing import Literal

from parkshare_backend import keys
from parkshare_backend.bookings.help import Help
from parkshare_backend.bookings.lifecycle import State
from parkshare_backend.bookings.models import BookedSpace, BookingAnswer, HelpAnswer
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.terms_wire import TermsAnswer
from parkshare_backend.http.context import Context
from parkshare_backend.money.models import Bill
from parkshare_backend.spaces.models import PeriodAnswer, PlugAnswer, PointAnswer
from parkshare_backend.spaces.service import Space


async def shown(ctx: Context, booking: Booking, space: Space) -> BookingAnswer:
    """Show a booking to the caller, with what it costs."""
    bill = await ctx.app[keys.MONEY].bill(ctx.account, booking)
    return render(booking, space, viewer=ctx.account, bill=bill)


def render(booking: Booking, space: Space, *, viewer: str, bill: Bill | None = None) -> BookingAnswer:
    """Show a booking; where the space is, only the renter is told, and only while the booking lives."""
    discloses = viewer == booking.account and booking.live
    return BookingAnswer(
        id=booking.id,
        space=BookedSpace(
            id=space.id,
            name=space.name,
            address=space.address if discloses else None,
            position=PointAnswer.of(space.place) if discloses else None,
            access_notes=space.access_notes if discloses else None,
            plug=PlugAnswer.of(space.plug),
        ),
        state=booking.standing.state,
        period=PeriodAnswer.of(booking.period),
        revision=booking.revision,
        near=booking.near,
        overstay=booking.standing.overstay,
        at_risk=booking.at_risk,
        help=_help(booking.help, with_phone=discloses),
        created_at=booking.created_at,
        terms=TermsAnswer.of(booking.terms),
        waits_for=_waits_for(booking),
        answer_until=booking.answer_until,
        wanted=PeriodAnswer.of(booking.wanted) if booking.wanted else None,
        quote=bill.quote if bill else None,
        payment=bill.payment if bill else None,
    )


def _help(known: Help, *, with_phone: bool) -> HelpAnswer:
    return HelpAnswer.model_validate(
        {
            "rung": known.rung,
            "phone": known.phone if with_phone else None,
            "code": known.code,
            "tries_left": known.tries_left,
        }
    )


def _waits_for(booking: Booking) -> Literal["payment", "owner", "house"] | None:
    if booking.unpaid and booking.live:
        return "payment"
    if booking.standing.waits_for_owner:
        return "owner"
    asked = booking.standing.state is State.PENDING or booking.wanted is not None
    return "house" if asked else None
