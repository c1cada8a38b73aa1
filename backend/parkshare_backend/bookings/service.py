"""Booking a space: checked, claimed and told to the house in one transaction."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

import structlog

from parkshare_backend.bookings import claims, rows
from parkshare_backend.bookings.claims import Kind
from parkshare_backend.bookings.facts import change, content_hash, proposal
from parkshare_backend.bookings.help import Help
from parkshare_backend.bookings.lifecycle import Cause, Standing, State, TransitionRefused, advance
from parkshare_backend.bookings.lookup import BookingLookup
from parkshare_backend.bookings.models import BookingRequest
from parkshare_backend.bookings.periods import period_faults
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.clock import Clock, to_rfc3339
from parkshare_backend.http.problems import INVALID_REQUEST, NOT_FOUND, FieldProblem, Problem, define
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.service import Space, Spaces
from parkshare_backend.spaces.sizes import Size, fits
from parkshare_backend.store.engine import Store, Tx
from parkshare_backend.store.outbox import Outbox, account_audience, install_audience

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
NOT_POSSIBLE_NOW = define(
    "not-possible-now", 409, "The booking does not allow that now",
    "The booking is over, or its car stands on the space, or it is too early. Look at its state and period.",
)  # fmt: skip

type Listener = Callable[[Tx, Booking, Cause], Awaitable[None]]

log = structlog.get_logger()


class Bookings(BookingLookup):
    """The bookings of all renters."""

    def __init__(self, *, store: Store, outbox: Outbox, spaces: Spaces, clock: Clock) -> None:
        super().__init__(store=store, spaces=spaces)
        self._outbox = outbox
        self._clock = clock
        self._listeners: list[Listener] = []
        self._added: list[Callable[[Tx, Space], Awaitable[None]]] = []

    def on_change(self, listener: Listener) -> None:
        """Call this in the transaction in which the state of a booking changes, after the change."""
        self._listeners.append(listener)

    def on_added(self, call: Callable[[Tx, Space], Awaitable[None]]) -> None:
        """Call this in the transaction in which a space gets a new booking."""
        self._added.append(call)

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
            self._check_period(period)
            space = await self._bookable(tx, account, request, period)
            car = request.vehicle.size() if request.vehicle else Size()
            booking = self._new(account, request.id, space, period, request.sealed_plate, hashed, car)
            await claims.take(
                tx, kind=Kind.BOOKING, holder=booking.id, space=space.id, period=period, now=self._clock.now()
            )
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

    async def advance(
        self,
        tx: Tx,
        booking: Booking,
        space: Space,
        cause: Cause,
        *,
        at: float | None = None,
        reason: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Booking:
        """Let something happen to a booking, with all that follows: claim, facts for house and people, listeners.

        Raises:
            TransitionRefused: it can't happen in this state.

        """
        now = self._clock.now()
        standing = advance(booking.standing, cause, at=now if at is None else at, end=booking.period.end)
        over_now = booking.period.end <= now
        if standing == booking.standing:
            if over_now and cause is Cause.ENDED:
                await rows.change(tx, booking.id, due_at=None)
            return booking
        withdrawn = booking.live and standing.state is State.CANCELED
        unanswered = booking.standing.state is State.PENDING and cause is Cause.ENDED
        changed = replace(
            booking,
            standing=standing,
            near=booking.near and standing.holds_space,
            revision=booking.revision + (withdrawn or unanswered),
        )
        if not changed.waiting:
            changed = replace(changed, at_risk=False, help=Help())
        if booking.live and not changed.live:
            await claims.release(tx, Kind.BOOKING, booking.id)
        elif changed.live and not booking.live and not over_now:
            # What is told late about a period that is over takes nothing from anybody.
            await claims.take(tx, kind=Kind.BOOKING, holder=booking.id, space=space.id, period=booking.period, now=now)
        await rows.change(
            tx, booking.id, state=standing.state, overstay=int(standing.overstay), near=int(changed.near),
            revision=changed.revision, due_at=booking.period.end if changed.live and cause is not Cause.ENDED else None,
        )  # fmt: skip
        await rows.note(tx, changed)
        if withdrawn or unanswered:
            fact = {
                "booking": booking.id, "space": space.id, "revision": changed.revision,
                "reason": "renter" if withdrawn else "unanswered",
            }  # fmt: skip
            await self._outbox.append(tx, install_audience(space.install), "booking.canceled", fact)
        await self.tell(tx, changed, space, cause=str(cause), reason=reason, more=more)
        for listener in self._listeners:
            await listener(tx, changed, cause)
        return changed

    async def note(
        self,
        tx: Tx,
        booking: Booking,
        space: Space,
        *,
        cause: str,
        more: Mapping[str, Any] | None = None,
        for_renter: Mapping[str, Any] | None = None,
    ) -> None:
        """Write what changed beside the state of a booking, and tell people."""
        await rows.note(tx, booking)
        await self.tell(tx, booking, space, cause=cause, more=more, for_renter=for_renter)

    async def propose_again(self, tx: Tx, space: Space) -> None:
        """Tell the live bookings of a space to the house that took it over; what was said to the old one is lost."""
        for booking in await rows.live_on_spaces(tx, [space.id]):
            await self._outbox.append(tx, install_audience(space.install), "booking.proposed", proposal(booking, space))

    async def sweep(self, now: float) -> int:
        """Settle the bookings whose period is over; give how many there were."""
        async with self._store.read() as tx:
            if not await rows.due(tx, now, limit=1):
                return 0
        async with self._store.write() as tx:
            over = await rows.due(tx, now, limit=SWEEP_BATCH)
            for booking in over:
                await self.advance(tx, booking, await self._space_of(tx, booking), Cause.ENDED)
        log.info("bookings.swept", settled=len(over))
        return len(over)

    def _check_period(self, period: Period) -> None:
        faults = period_faults(period, now=self._clock.now())
        if faults:
            raise Problem(INVALID_REQUEST, errors=tuple(FieldProblem(fault.pointer, fault.detail) for fault in faults))

    async def _bookable(self, tx: Tx, account: str, request: BookingRequest, period: Period) -> Space:
        """Check in the transaction of the booking, since the owner may be changing windows at this moment."""
        space = await self._spaces.get(tx, request.space)
        if space is None or space.withdrawn:
            raise Problem(NOT_FOUND, "There is no such space. Search again.", pointer="/space")
        if space.account == account:
            raise Problem(OWN_SPACE, pointer="/space")
        if request.vehicle is not None and not fits(request.vehicle.size(), space.size):
            raise Problem(DOES_NOT_FIT, pointer="/vehicle")
        if not await self._spaces.offered(tx, space.id, period):
            raise Problem(NOT_OFFERED, pointer="/period")
        return space

    def _new(
        self, account: str, booking: str, space: Space, period: Period, sealed_plate: bytes, hashed: bytes, car: Size
    ) -> Booking:
        return Booking(
            id=booking,
            account=account,
            space=space.id,
            period=period,
            standing=Standing(),
            near=False,
            revision=1,
            sealed_plate=sealed_plate,
            content_hash=hashed,
            created_at=self._clock.now(),
            car=car,
            at_risk=False,
            help=Help(),
            ending_at=None,
        )

    async def _add(self, tx: Tx, booking: Booking, space: Space) -> Booking:
        await rows.add(tx, booking)
        await self._outbox.append(tx, install_audience(space.install), "booking.proposed", proposal(booking, space))
        await self.tell(tx, booking, space, cause="proposed")
        for call in self._added:
            await call(tx, space)
        return await rows.get(tx, booking.id) or booking

    async def tell(
        self,
        tx: Tx,
        booking: Booking,
        space: Space,
        *,
        cause: str,
        reason: str | None = None,
        more: Mapping[str, Any] | None = None,
        for_renter: Mapping[str, Any] | None = None,
    ) -> None:
        """Tell the renter and the owner of the space what happened; `more` says it closer, `for_renter` to one only."""
        fact = change(booking, cause=cause, reason=reason, more=more or {})
        for account in {booking.account, space.account}:
            told = {**fact, **(for_renter or {})} if account == booking.account else fact
            await self._outbox.append(tx, account_audience(account), "booking.changed", told)
