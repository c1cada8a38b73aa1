"""When a booking must be looked at again although nobody asked, and what is due then.

Pure: no clock, no I/O. The database keeps the moment (`due_at`), so a restart loses nothing.
"""

from enum import StrEnum

from parkshare_backend.bookings.lifecycle import Cause, State
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.terms import noshow_at


class Due(StrEnum):
    """What time brings about."""

    LAPSE = "lapse"  # the owner has not answered
    WISH = "wish"  # the house has not answered a change of the period
    NO_SHOW = "no-show"
    END = "end"
    UNHEARD = "unheard"  # the house never told that the car left


CAUSES = {Due.LAPSE: Cause.LAPSED, Due.NO_SHOW: Cause.NO_SHOW, Due.END: Cause.ENDED, Due.UNHEARD: Cause.UNHEARD}
UNHEARD_AFTER_S = 7 * 86_400  # far longer than a house is away that will come back


def moments(booking: Booking) -> dict[Due, float]:
    """Give what time still brings to a booking, and when (UTC epoch seconds)."""
    found: dict[Due, float] = {}
    state = booking.standing.state
    if booking.answer_until is not None and booking.standing.waits_for_owner:
        found[Due.LAPSE] = booking.answer_until
    if booking.answer_until is not None and booking.wanted is not None:
        found[Due.WISH] = booking.answer_until
    if state is State.RESERVED:
        found[Due.NO_SHOW] = noshow_at(booking.terms, booking.period)
    ended = state is State.ACTIVE and booking.standing.overstay
    if booking.live and not ended:
        found[Due.END] = booking.period.end
    if state is State.ACTIVE:
        found[Due.UNHEARD] = booking.period.end + UNHEARD_AFTER_S
    return found


def next_look(booking: Booking) -> float | None:
    """Give when the sweep must look at a booking again; None: never."""
    return min(moments(booking).values(), default=None)


def due_now(booking: Booking, now: float) -> Due | None:
    """Give what is due first; at the same moment in the order of Due, with the end before the car's absence."""
    order = (Due.LAPSE, Due.WISH, Due.END, Due.NO_SHOW, Due.UNHEARD)
    due = [(at, order.index(what), what) for what, at in moments(booking).items() if at <= now]
    return min(due)[2] if due else None
