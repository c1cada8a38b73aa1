"""A booking after something happened to it.

Pure: no clock, no I/O.
"""

from dataclasses import replace

from parkshare_backend.bookings.help import Help
from parkshare_backend.bookings.lifecycle import Cause, Standing, State
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.spaces.periods import Period


def after(booking: Booking, standing: Standing, cause: Cause, period: Period, *, at: float) -> Booking:
    """Give the booking as it is after something happened to it."""
    live = standing.holds_space
    withdrawn = booking.live and (
        standing.state is State.CANCELED
        or cause in (Cause.DECLINED, Cause.LAPSED)
        or (booking.standing.state is State.PENDING and cause is Cause.ENDED)
    )
    moved = period != booking.period
    settled = moved or not live or cause is Cause.APPROVED
    changed = replace(
        booking,
        standing=standing,
        period=period,
        near=booking.near and live,
        revision=booking.revision + (withdrawn or cause is Cause.SHORTENED),
        wanted=None if settled else booking.wanted,
        answer_until=None if settled else booking.answer_until,
        arrived_at=at if cause is Cause.ARRIVED else booking.arrived_at,
        left_at=at if cause is Cause.LEFT else booking.left_at,
    )
    return changed if changed.waiting else replace(changed, at_risk=False, help=Help())
