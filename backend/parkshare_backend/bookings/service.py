"""Booking a space: checked, claimed and told to the house in one transaction."""

from dataclasses import replace
from hashlib import sha256

import structlog

from parkshare_backend.bookings import claims, rows
from parkshare_backend.bookings.claims import Kind
from parkshare_backend.bookings.due import CAUSES, Due, due_now, next_look
from parkshare_backend.bookings.facts import content_hash
from parkshare_backend.bookings.help import Help
from parkshare_backend.bookings.life import Life
from parkshare_backend.bookings.lifecycle import By, Cause, Standing, TransitionRefused
from parkshare_backend.bookings.models import BookingRequest
from parkshare_backend.bookings.periods import period_faults
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.terms import PATIENCE_S, approval_until, faults
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.holds import rows as holds
from parkshare_backend.http.problems import INVALID_REQUEST, NOT_FOUND, FieldProblem, Problem, define
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.service import Space
from parkshare_backend.spaces.sizes import Size, fits
from parkshare_backend.store.engine import ReadTx, Tx
from parkshare_backend.store.outbox import install_audience

EARLY_S = 30 * 60  # how long before the period a renter may be near
LATE_S = 15 * 60  # how long after it a fix still belongs to the booking
SWEEP_BATCH = 200

ID_REUSED = define(
    "id-reused", 409, "The id was used for another booking",
    "A booking id belongs to one booking. Make a new id, seal the plate to it, and book again.",
)  # fmt: skip
NOT_OFFERED = define(
    "not-offered", 409, "The space is not offered for the whole period",
    "The owner shares the space in other periods, or stopped sharing it. Search again.",
)  # fmt: skip
OWN_SPACE = define(
    "own-space", 409, "The space is your own",
    "Nobody needs a booking for their own space. Choose another one.",
)  # fmt: skip
DOES_NOT_FIT = define(
    "does-not-fit", 409, "The car does not fit",
    "The car is larger than the space. Choose another offer.",
)  # fmt: skip
NOT_ON_THESE_TERMS = define(
    "not-on-these-terms", 409, "The owner's terms do not allow this",
    "Each space has its own terms: how long and how far ahead it is let, until when a booking may change. The fields "
    "say which one is in the way.",
)  # fmt: skip
OWNER_REFUSED = define(
    "owner-refused", 409, "The owner has said no",
    "The owner of the space has refused you for this period. Choose another space, or another period.",
)  # fmt: skip
NOT_POSSIBLE_NOW = define(
    "not-possible-now", 409, "The booking does not allow that now",
    "The booking is over, or its car stands on the space, or it is too early. Look at its state and period.",
)  # fmt: skip

log = structlog.get_logger()


class Bookings(Life):
    """The bookings of all renters."""

    async def book(self, account: str, request: BookingRequest) -> tuple[Booking, Space, bool]:
        """Book; the last of the answer is false if the same request was booked before."""
        async with self._store.write() as tx:
            hashed = content_hash(request)
            known = await rows.get(tx, request.id)
            if known is not None:
                if known.account != account or known.content_hash != hashed:
                    raise Problem(ID_REUSED, pointer="/id")
                return known, await self._space_of(tx, known), False
            period = request.period.period()
            self.check_period(period)
            car = request.vehicle.size() if request.vehicle else Size()
            space = await self.bookable(tx, account, space=request.space, period=period, car=car)
            booking = self._new(account, request.id, space, period, request.sealed_plate, hashed, car)
            now = self._clock.now()
            if request.hold is not None:
                await holds.use(tx, account, request.hold, space.id, now=now)
            await claims.take(tx, kind=Kind.BOOKING, holder=booking.id, space=space.id, period=period, now=now)
            return await self._add(tx, booking, space), space, True

    async def book_held(
        self, tx: Tx, *, standby: str, account: str, booking: str, space: Space, period: Period, sealed_plate: bytes
    ) -> Booking | None:
        """Make a booking of the space that is held for a standby; None if the hold is gone.

        The window is checked again all the same: the owner of the space may have changed it since.
        """
        if await rows.get(tx, booking) is not None:
            raise Problem(ID_REUSED, pointer="/booking")
        if not await self._spaces.offered(tx, space.id, period):
            raise Problem(NOT_OFFERED)
        if not await claims.hand_over(tx, standby=standby, booking=booking, now=self._clock.now()):
            return None
        hashed = sha256(sealed_plate).digest()
        return await self._add(tx, self._new(account, booking, space, period, sealed_plate, hashed, Size()), space)

    async def cancel(self, account: str, booking: str) -> tuple[Booking, Space]:
        """Give a booking back; the space is free for others at once."""
        async with self._store.write() as tx:
            found, space = await self._find(tx, account, booking, renter_only=True)
            try:
                changed = await self.advance(tx, found, space, Cause.CANCELED)
            except TransitionRefused:
                detail = f"The booking is {found.standing.state}. Only one that waits for its car can be canceled."
                raise Problem(NOT_POSSIBLE_NOW, detail) from None
            return changed, space

    async def here(self, account: str, booking: str) -> tuple[Booking, Space]:
        """Hear the renter say that they are at the space: arms the camera without a position."""
        async with self._store.write() as tx:
            found, space = await self._find(tx, account, booking, renter_only=True)
            now = self._clock.now()
            if not found.live:
                raise Problem(NOT_POSSIBLE_NOW, f"The booking is {found.standing.state}. Book again.")
            if now < found.period.start - EARLY_S:
                opens = to_rfc3339(found.period.start - EARLY_S)
                raise Problem(NOT_POSSIBLE_NOW, f"It is too early: the space can be opened from {opens} on.")
            if now >= found.period.end:
                raise Problem(NOT_POSSIBLE_NOW, "The booked period is over. Book again.")
            return await self.renter_near(tx, found, space, at=now, source="here"), space

    async def renter_near(self, tx: Tx, booking: Booking, space: Space, *, at: float, source: str) -> Booking:
        """Tell the house that the renter is near."""
        near = replace(booking, near=True)
        await rows.change(tx, booking.id, near=1)
        fact = {"booking": booking.id, "space": space.id, "at": to_rfc3339(at), "source": source}
        await self._outbox.append(tx, install_audience(space.install), "renter.near", fact)
        await self.tell(tx, near, space, cause="renter-near")
        return near

    async def renter_away(self, tx: Tx, booking: Booking, space: Space, *, at: float) -> None:
        """Tell the house that the renter went away."""
        await rows.change(tx, booking.id, near=0)
        fact = {"booking": booking.id, "space": space.id, "at": to_rfc3339(at)}
        await self._outbox.append(tx, install_audience(space.install), "renter.away", fact)
        await self.tell(tx, replace(booking, near=False), space, cause="renter-away")

    async def sweep(self, now: float) -> int:
        """Do to bookings what time brings about (due.py); give how many there were."""
        async with self._store.read() as tx:
            if not await rows.due(tx, now, limit=1):
                return 0
        async with self._store.write() as tx:
            over = await rows.due(tx, now, limit=SWEEP_BATCH)
            for booking in over:
                await self._settle(tx, booking, now)
            await rows.forget_old_no_shows(tx, now)
        log.info("bookings.swept", settled=len(over))
        return len(over)

    async def _settle(self, tx: Tx, booking: Booking, now: float) -> None:
        space, due = await self._space_of(tx, booking), due_now(booking, now)
        if due is Due.WISH:
            await self.drop_wish(tx, booking, space, by=By.SERVER, reason="unanswered")
        elif due is not None:
            await self.advance(tx, booking, space, CAUSES[due], reason="unanswered" if due is Due.LAPSE else None)
        else:
            await rows.change(tx, booking.id, due_at=next_look(booking))

    def check_period(self, period: Period) -> None:
        """Raise Problem for a period that nobody can book."""
        against = period_faults(period, now=self._clock.now())
        if against:
            raise Problem(INVALID_REQUEST, errors=tuple(FieldProblem(one.pointer, one.detail) for one in against))

    async def bookable(self, tx: ReadTx, account: str, *, space: str, period: Period, car: Size) -> Space:
        """Give the space if the account may book it for the period, whoever else may have it; raise Problem if not.

        Bookings and holds ask this, in their own transaction: the owner may be changing windows at this moment.
        """
        known = await self._spaces.get_offered(tx, space, period)
        if known is None or known[0].withdrawn:
            raise Problem(NOT_FOUND, "There is no such space. Search again.", pointer="/space")
        found, offered = known
        if found.account == account:
            raise Problem(OWN_SPACE, pointer="/space")
        if not fits(car, found.size):
            raise Problem(DOES_NOT_FIT, pointer="/vehicle")
        if not offered:
            raise Problem(NOT_OFFERED, pointer="/period")
        against = faults(found.terms, period, self._clock.now(), patience_s=PATIENCE_S)
        if against:
            raise Problem(NOT_ON_THESE_TERMS, errors=tuple(FieldProblem(one.pointer, one.detail) for one in against))
        if await rows.refused(tx, account, period, space=found.id):
            raise Problem(OWNER_REFUSED, pointer="/space")
        return found

    async def refused_by_owners(self, tx: ReadTx, account: str, period: Period) -> set[str]:
        """Give the spaces whose owner said no to this renter for some part of the period; nobody offers them again."""
        return await rows.refused(tx, account, period)

    def _new(
        self, account: str, booking: str, space: Space, period: Period, sealed_plate: bytes, hashed: bytes, car: Size
    ) -> Booking:
        now = self._clock.now()
        asks = space.terms.by_owner
        return Booking(
            id=booking,
            account=account,
            space=space.id,
            period=period,
            standing=Standing(waits_for_owner=asks),
            near=False,
            revision=1,
            sealed_plate=sealed_plate,
            content_hash=hashed,
            created_at=now,
            car=car,
            at_risk=False,
            help=Help(),
            ending_at=None,
            terms=space.terms,
            answer_until=approval_until(space.terms, period, asked_at=now) if asks else None,
        )
