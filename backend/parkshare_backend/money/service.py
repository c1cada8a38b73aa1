"""Money follows the bookings: in the transaction of each change, to where the terms say it belongs now."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from parkshare_backend.bookings import trail
from parkshare_backend.bookings.lifecycle import By, Cause, State, TransitionRefused
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.service import Bookings
from parkshare_backend.clock import Clock
from parkshare_backend.money import ledger, quotes
from parkshare_backend.money.ledger import Why
from parkshare_backend.money.models import Bill, PaymentAnswer, QuoteAnswer
from parkshare_backend.money.pricing import CREDITS, Pricing
from parkshare_backend.money.quote import Quote
from parkshare_backend.money.quotes import FixedQuote
from parkshare_backend.money.settlement import Provider
from parkshare_backend.money.shares import NOTHING, Deal, Held, due, movements
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.service import Space
from parkshare_backend.store.engine import ReadTx, Store, Tx

# They change what is known of a booking, never what it costs.
WITHOUT_COST = frozenset({Cause.GRANT_STORED, Cause.APPROVED})
ADDED = "added"
PAID = "paid"

log = structlog.get_logger()


class Money:
    """The money of all bookings."""

    def __init__(
        self, *, store: Store, bookings: Bookings, pricing: Pricing, providers: Sequence[Provider], clock: Clock
    ) -> None:
        self._store = store
        self._bookings = bookings
        self._pricing = pricing
        self._providers: Mapping[str, Provider] = {provider.name: provider for provider in providers}
        self._clock = clock

    def register(self) -> None:
        """Follow the bookings."""
        self._bookings.on_adding(self.adding)
        self._bookings.on_wish(self.wished)
        self._bookings.on_change(self.changed)

    async def adding(self, tx: Tx, booking: Booking, space: Space) -> bool:
        """Fix the quote of a new booking and set aside what it costs; False if it must be paid on a page first.

        Raises:
            Problem: CREDITS_MISSING or PAYMENT_OWED, and the booking is not made.

        """
        now = self._clock.now()
        quoted = self._pricing.quote(space.price_minor, space.currency, booking.period)
        await self._pricing.check(tx, booking.account, quoted)
        fixed = FixedQuote(
            booking=booking.id,
            n=0,
            at=now,
            renter=booking.account,
            owner=space.account,
            space=space.id,
            period=booking.period,
            price_minor=space.price_minor,
            tariff=self._pricing.tariff,
            quoted=quoted,
            provider=self._pricing.purses.provider,
        )
        await quotes.add(tx, fixed)
        provider = self._provider(fixed)
        if not await provider.begin(tx, booking.id, booking.account, quoted, at=now):
            return False
        await self._share_out(tx, fixed, Held(escrow_minor=quoted.total_minor), cause=ADDED, revision=booking.revision)
        return True

    async def wished(self, tx: Tx, booking: Booking, period: Period) -> None:
        """Raise Problem for a renter who can't pay what another period costs more."""
        fixed = await quotes.newest(tx, booking.id)
        if fixed is not None and fixed.price_minor:
            more = fixed.again(period).total_minor - fixed.quoted.total_minor
            if more > 0:
                await self._pricing.check(tx, booking.account, Quote((), more, fixed.quoted.currency))

    async def changed(self, tx: Tx, booking: Booking, cause: Cause) -> None:
        """Move the money of a booking to where it belongs after a change."""
        if cause in WITHOUT_COST:
            return
        fixed = await quotes.newest(tx, booking.id)
        if fixed is None or not fixed.price_minor:
            return
        now = self._clock.now()
        provider = self._provider(fixed)
        if await provider.waits(tx, booking.id):
            if not booking.live:
                await provider.drop(tx, booking.id, at=now)
            return
        if booking.period != fixed.period:
            again = fixed.again(booking.period)
            fixed = replace(fixed, n=fixed.n + 1, at=now, period=booking.period, quoted=again)
            await quotes.add(tx, fixed)
        wanted = due(
            _deal(fixed, booking),
            booking.standing.state,
            cause,
            at=_moment(booking, cause, now),
            agreed=cause is Cause.CANCELED and await _was_agreed(tx, booking.id),
        )
        await self._share_out(tx, fixed, wanted, cause=str(cause), revision=booking.revision)
        await provider.follow(tx, booking.id, fixed.renter, wanted.renter_pays, fixed.quoted.currency, at=now)

    async def _share_out(self, tx: Tx, fixed: FixedQuote, wanted: Held, *, cause: str, revision: int) -> None:
        """Write the difference between what the ledger has of a booking and what it must have."""
        # Of a booking that is being made there is nothing yet, so nobody has to look.
        have, n = (NOTHING, 0) if cause == ADDED else await ledger.held(tx, fixed.booking, fixed.owner)
        moves = movements(
            have,
            wanted,
            renter=ledger.person(fixed.renter),
            owner=ledger.person(fixed.owner),
            escrow=ledger.escrow(fixed.booking),
            fees=ledger.FEES,
        )
        why = Why(
            txn=f"{fixed.booking}:{n}", at=self._clock.now(), cause=cause, booking=fixed.booking, revision=revision
        )
        await ledger.write(tx, why, moves, fixed.quoted.currency)

    # What a payment that came, or did not come, changes (hosted.py).

    async def opened(self, tx: Tx, booking: str) -> None:
        """Tell the renter that there is a page now on which the booking is paid."""
        if (found := await self._bookings.get_with_space(tx, booking)) is not None:
            await self._bookings.tell(tx, *found, cause="payment-due", by=By.SERVER)

    async def paid(self, tx: Tx, booking: str, *, first: bool) -> None:
        """Let a booking go on whose payment came; give the payment back if it came too late."""
        fixed = await quotes.newest(tx, booking)
        found = await self._bookings.get_with_space(tx, booking)
        if fixed is not None and found is not None and first and found[0].live:
            wanted = Held(escrow_minor=fixed.quoted.total_minor)
            await self._share_out(tx, fixed, wanted, cause=PAID, revision=found[0].revision)
            await self._bookings.proceed(tx, *found, cause=PAID)
            return
        await self.recount(tx, booking)

    async def recount(self, tx: Tx, booking: str) -> None:
        """Let the provider collect or give back what its payments and the ledger differ in."""
        fixed = await quotes.newest(tx, booking)
        if fixed is not None:
            have, _ = await ledger.held(tx, booking, fixed.owner)
            await self._provider(fixed).follow(
                tx, booking, fixed.renter, have.renter_pays, fixed.quoted.currency, at=self._clock.now()
            )

    async def lapsed(self, tx: Tx, booking: str, *, reason: str) -> None:
        """Cancel a booking that was not paid in time."""
        found = await self._bookings.get_with_space(tx, booking)
        if found is None or not found[0].live:
            return
        try:
            await self._bookings.advance(tx, *found, Cause.CANCELED, reason=reason)
        except TransitionRefused as refused:
            log.info("money.too_late_to_cancel", booking=booking, state=refused.state)

    # What people see.

    async def bill(self, account: str, booking: Booking) -> Bill | None:
        """Give what a booking costs; None for one of a time before there was money."""
        async with self._store.read() as tx:
            return (await self.bills(tx, account, [booking])).get(booking.id)

    async def bills_of(self, account: str, bookings: Sequence[Booking]) -> dict[str, Bill]:
        """Give what these bookings cost."""
        async with self._store.read() as tx:
            return await self.bills(tx, account, bookings)

    async def bills(self, tx: ReadTx, account: str, bookings: Sequence[Booking]) -> dict[str, Bill]:
        """Give what these bookings cost; where their payment stands is for the renter only."""
        found = await quotes.newest_of(tx, [booking.id for booking in bookings])
        open_ones: dict[str, PaymentAnswer] = {}
        for name, provider in self._providers.items():
            asked = [fixed.booking for fixed in found.values() if fixed.provider == name and fixed.price_minor]
            if asked:
                open_ones |= await provider.payments(tx, asked)
        return {
            booking.id: Bill(
                QuoteAnswer.of(fixed.quoted),
                _payment(booking, fixed.quoted, open_ones.get(booking.id), renter=account == booking.account),
            )
            for booking in bookings
            if (fixed := found.get(booking.id))
        }

    def _provider(self, fixed: FixedQuote) -> Provider:
        # Of a provider that the operator has taken away, the books remain.
        return self._providers.get(fixed.provider) or self._providers[CREDITS]


def _moment(booking: Booking, cause: Cause, now: float) -> float:
    """Give when what decides about the money happened: nobody pays for a stay that nobody has seen."""
    if cause is Cause.UNHEARD:
        return booking.period.end
    return booking.left_at if cause is Cause.LEFT and booking.left_at is not None else now


async def _was_agreed(tx: ReadTx, booking: str) -> bool:
    """Tell whether the house had stored the grant: until then a renter goes free."""
    return any(entry.cause == Cause.GRANT_STORED for entry in await trail.read(tx, booking))


def _deal(fixed: FixedQuote, booking: Booking) -> Deal:
    return Deal(quoted=fixed.quoted, price_minor=fixed.price_minor, terms=booking.terms, period=fixed.period)


def _payment(booking: Booking, quoted: Quote, known: PaymentAnswer | None, *, renter: bool) -> PaymentAnswer:
    if known is not None:
        return known if renter else PaymentAnswer(state=known.state)
    if not quoted.total_minor:
        return PaymentAnswer(state="none")
    over = booking.standing.state not in {State.PENDING, State.RESERVED, State.ACTIVE}
    return PaymentAnswer(state="settled" if over else "held")
