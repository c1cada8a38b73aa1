"""What renters and owners want of bookings that are there: longer, shorter, moved, approved, taken back."""

import math
from dataclasses import dataclass

import structlog

from parkshare_backend.accounts.installs import Install
from parkshare_backend.bookings import changing, rows
from parkshare_backend.bookings.lifecycle import Cause, TransitionRefused
from parkshare_backend.bookings.models import Answered
from parkshare_backend.bookings.periods import PeriodFault
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.service import NOT_OFFERED, NOT_ON_THESE_TERMS, NOT_POSSIBLE_NOW, Bookings
from parkshare_backend.bookings.terms import may_change, may_take_back
from parkshare_backend.clock import Clock, to_rfc3339
from parkshare_backend.http.conditional import Precondition
from parkshare_backend.http.problems import INVALID_REQUEST, NOT_FOUND, FieldProblem, Problem
from parkshare_backend.link.service import LinkService, check
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.service import Space, Spaces
from parkshare_backend.store.engine import Store, Tx

COUNTED_S = 90 * 24 * 3600  # for so long a space that was taken back counts for its owner

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A booking whose space its owner took back, and how often they have done so lately."""

    booking: Booking
    space: Space
    times: int


class Wishes:
    """Changes of bookings that people ask for."""

    def __init__(self, *, store: Store, bookings: Bookings, spaces: Spaces, clock: Clock) -> None:
        self._store = store
        self._bookings = bookings
        self._spaces = spaces
        self._clock = clock

    def register(self, link: LinkService) -> None:
        """Take over the answers that owners give in their house."""
        link.on_event("booking.approved", self._approved)
        link.on_event("booking.declined", self._declined)

    async def extend(self, account: str, booking: str, end: float) -> tuple[Booking, Space]:
        """Ask for a later end; it is the renter's when the house has agreed."""
        async with self._store.write() as tx:
            found, space = await self._bookings.of_renter(tx, account, booking)
            now = self._clock.now()
            wanted = Period(found.period.start, math.floor(end))
            if found.wanted == wanted:
                return found, space
            _refuse(changing.why_not_extend(found, wanted, now=now), below="/end")
            return await self._wish(tx, found, space, wanted), space

    async def move(self, account: str, booking: str, wanted: Period, *, seen: Precondition) -> tuple[Booking, Space]:
        """Ask for another period before the car has come."""
        async with self._store.write() as tx:
            found, space = await self._bookings.of_renter(tx, account, booking)
            seen.check(found.revision)
            now = self._clock.now()
            if wanted in (found.period, found.wanted):
                return found, space
            _refuse(changing.why_not_move(found, wanted, now=now))
            if not may_change(found.terms, found.period, now):
                minutes = found.terms.change_until_minutes
                raise Problem(NOT_ON_THESE_TERMS, f"It could be changed until {minutes} minutes before its start.")
            if changing.shortens(found.period, wanted):
                return await self._bookings.advance(tx, found, space, Cause.SHORTENED, period=wanted), space
            return await self._wish(tx, found, space, wanted), space

    async def release(self, account: str, booking: str, end: float | None) -> tuple[Booking, Space]:
        """Give back the rest of a period, from an end or from now on."""
        async with self._store.write() as tx:
            found, space = await self._bookings.of_renter(tx, account, booking)
            now = self._clock.now()
            until = None if end is None else math.floor(end)
            if until == found.period.end:
                return found, space
            _refuse(changing.why_not_release(found, until, now=now))
            shorter = Period(found.period.start, max(until or math.ceil(now), found.period.start + 1))
            if shorter == found.period:
                return found, space
            return await self._bookings.advance(tx, found, space, Cause.SHORTENED, period=shorter), space

    async def approve(self, account: str, booking: str) -> tuple[Booking, Space]:
        """Agree to a booking as the owner of its space."""
        async with self._store.write() as tx:
            found, space = await self._of_owner(tx, account, booking)
            return await self._owners(tx, found, space, Cause.APPROVED), space

    async def decline(self, account: str, booking: str, reason: str | None) -> tuple[Booking, Space]:
        """Say no to a booking as the owner of its space."""
        async with self._store.write() as tx:
            found, space = await self._of_owner(tx, account, booking)
            return await self._owners(tx, found, space, Cause.DECLINED, reason=reason), space

    async def take_back(self, account: str, booking: str, reason: str | None) -> TakenBack:
        """Take the space back before the car comes; the renter is told what else is free."""
        async with self._store.write() as tx:
            found, space = await self._of_owner(tx, account, booking)
            now = self._clock.now()
            if found.waiting and not may_take_back(found.terms, found.period, now):
                notice = found.terms.take_back_minutes
                detail = f"It is too late: a space can be taken back until {notice} minutes before the start."
                raise Problem(NOT_ON_THESE_TERMS, detail)
            changed = await self._owners(tx, found, space, Cause.TAKEN_BACK, reason=reason)
            owned = await self._spaces.ids_of_account(tx, account)
            times = await rows.taken_back(tx, owned, since=now - COUNTED_S)
            return TakenBack(changed, space, times)

    async def _wish(self, tx: Tx, booking: Booking, space: Space, wanted: Period) -> Booking:
        for part in changing.added(booking.period, wanted):
            if not await self._spaces.offered(tx, space.id, part):
                raise Problem(NOT_OFFERED, pointer="/period")
        until = changing.answer_until(booking.period, wanted, now=self._clock.now())
        return await self._bookings.wish(tx, booking, space, wanted, until=until)

    async def _of_owner(self, tx: Tx, account: str, booking: str) -> tuple[Booking, Space]:
        found = await self._bookings.get_with_space(tx, booking)
        if found is None or found[1].account != account:
            raise Problem(NOT_FOUND)
        return found

    async def _owners(
        self, tx: Tx, booking: Booking, space: Space, cause: Cause, *, reason: str | None = None
    ) -> Booking:
        try:
            return await self._bookings.advance(tx, booking, space, cause, reason=reason)
        except TransitionRefused:
            state, start = booking.standing.state, to_rfc3339(booking.period.start)
            detail = f"The booking is {state} and starts at {start}. Look at its state again."
            raise Problem(NOT_POSSIBLE_NOW, detail) from None

    async def _approved(self, tx: Tx, install: Install, _at: float, d: dict[str, object]) -> None:
        await self._heard(tx, install, d, Cause.APPROVED)

    async def _declined(self, tx: Tx, install: Install, _at: float, d: dict[str, object]) -> None:
        await self._heard(tx, install, d, Cause.DECLINED)

    async def _heard(self, tx: Tx, install: Install, d: dict[str, object], cause: Cause) -> None:
        booking, space = await self._bookings.of_house(tx, install, check(Answered, d).booking)
        try:
            await self._bookings.advance(tx, booking, space, cause)
        except TransitionRefused as refused:
            log.info("bookings.answer_too_late", booking=booking.id, state=refused.state, cause=refused.cause)


def _refuse(against: str | list[PeriodFault], *, below: str | None = None) -> None:
    """Raise the problem for what is against a change; below: the one field of the request, where it is no period."""
    if isinstance(against, str) and against:
        raise Problem(NOT_POSSIBLE_NOW, against)
    if against:
        faults = [one for one in against if isinstance(one, PeriodFault)]
        raise Problem(INVALID_REQUEST, errors=tuple(FieldProblem(below or one.pointer, one.detail) for one in faults))
