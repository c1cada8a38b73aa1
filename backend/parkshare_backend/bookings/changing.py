"""Which changes of a booked period are possible, and what they need.

Pure: no clock, no I/O.
"""

from parkshare_backend.bookings.lifecycle import State
from parkshare_backend.bookings.periods import PeriodFault, period_faults
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.terms import MINUTE_S, PATIENCE_S, faults
from parkshare_backend.spaces.periods import Period

ANSWER_S = 10 * MINUTE_S  # the least that a house has to answer a change


def extends(period: Period, wanted: Period) -> bool:
    """Tell whether the other period only ends later."""
    return wanted.start == period.start and wanted.end > period.end


def shortens(period: Period, wanted: Period) -> bool:
    """Tell whether the other period only ends earlier: nobody needs to be asked for that."""
    return wanted.start == period.start and wanted.end < period.end


def added(period: Period, wanted: Period) -> list[Period]:
    """Give the parts of the other period that were not booked yet."""
    before = Period(wanted.start, min(wanted.end, period.start))
    after = Period(max(wanted.start, period.end), wanted.end)
    return [part for part in (before, after) if part.start < part.end]


def answer_until(period: Period, wanted: Period, *, now: float) -> float:
    """Give when a change that the house has not answered is off: when one of the two periods needs it settled."""
    settled = period.end if wanted.start == period.start else min(period.start, wanted.start)
    return max(settled, now + ANSWER_S)


def why_not_extend(booking: Booking, wanted: Period, *, now: float) -> str | list[PeriodFault]:
    """Tell why a booking cannot end later: a state that forbids it, or faults of the end; empty: nothing is against."""
    state = booking.standing.state
    if state not in (State.RESERVED, State.ACTIVE):
        return f"The booking is {state}. Only one that the house has agreed to can be extended."
    if booking.wanted is not None:
        return "The house has not answered the last change yet. Wait for its answer."
    if state is State.RESERVED and now >= booking.period.end:
        return "The booked period is over. Book again."
    if wanted.end <= max(booking.period.end, now):
        return [PeriodFault("/period/end", "The new end is not after the old one. Choose a later end.")]
    return [
        *period_faults(wanted, now=min(now, wanted.start)),
        *(fault for fault in faults(booking.terms, wanted, 0.0) if fault.pointer == "/period/end"),
    ]


def why_not_move(booking: Booking, wanted: Period, *, now: float) -> str | list[PeriodFault]:
    """Tell why a booking cannot have another period; empty: nothing is against."""
    state = booking.standing.state
    if state is not State.RESERVED:
        return f"The booking is {state}. Only a reserved one, whose car is still to come, can be changed."
    if booking.wanted is not None:
        return "The house has not answered the last change yet. Wait for its answer."
    if not wanted.overlaps(booking.period):
        detail = "The new period has nothing in common with the old one. Book it, and cancel this booking."
        return [PeriodFault("/period", detail)]
    against = period_faults(wanted, now=now)
    return against or faults(booking.terms, wanted, now, patience_s=PATIENCE_S)


def why_not_release(booking: Booking, end: int | None, *, now: float) -> str | list[PeriodFault]:
    """Tell why the rest of a booking cannot be given back; empty: nothing is against. end None: from now on."""
    state, period = booking.standing.state, booking.period
    if booking.wanted is not None:
        return "The house has not answered the last change yet. Wait for its answer."
    if state not in (State.RESERVED, State.ACTIVE) or not period.contains(now):
        return f"The booking is {state}. The rest can be given back while its period lasts; before it, cancel."
    if end is None:
        return "" if state is State.ACTIVE else "The car has not come. Cancel the booking, or say an end."
    if end <= now:
        return [PeriodFault("/end", "The end is in the past. Choose one from now on.")]
    if end >= period.end:
        return [PeriodFault("/end", "The end is not before the booked one. Choose an earlier end, or extend.")]
    return ""
