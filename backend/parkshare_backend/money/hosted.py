"""Paying on a hosted page: what is due with the provider, done piece by piece, and what its webhook tells.

Nothing is said to the network inside a transaction. Each piece of work is a row: taken up for a minute, done, and its
result written; a server that dies in between leaves a row that is due again, and the Idempotency-Key makes the second
time the same as the first. What the provider tells may come twice, late, early or never: each event counts once, what
is decided is decided from the row, and when a page's time is over the provider is asked before anybody loses a booking.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

import structlog

from parkshare_backend.clock import Clock
from parkshare_backend.http.problems import Problem, define
from parkshare_backend.money import due
from parkshare_backend.money.checkout import Charge, Checkout, CheckoutError, Refund, to_provider
from parkshare_backend.money.due import Settlement
from parkshare_backend.money.models import PaymentAnswer
from parkshare_backend.money.outcomes import Outcomes
from parkshare_backend.money.pricing import CHECKOUT
from parkshare_backend.money.quote import Quote
from parkshare_backend.store.engine import ReadTx, Store, Tx

# How long the provider keeps a page: it asks for half an hour to 24 hours from when it makes it, and the same request
# again must name the same time. A first payment has less time; then we close the page ourselves.
PAGE_S = 23 * 3600
LEAST_PAGE_S = 3600
MAX_PAGES = 12  # of one booking: after so many days that nobody paid, the operator must talk to the renter
MAX_TRIES = 12  # with the back-off below some ten hours
BACK_OFF_S, LONGEST_BACK_OFF_S = 5.0, 3600.0
BATCH = 50
GRACE_S = 60.0  # by which a page of the provider lives longer than we wait for it

NOT_PAYABLE = define(
    "not-payable", 409, "The checkout cannot take this amount",
    "The payment provider cannot take such an amount in this currency. Choose another space, or ask its owner for "
    "another price.",
)  # fmt: skip

log = structlog.get_logger()


class HostedCheckout:
    """The payment provider whose pages people pay on."""

    name = CHECKOUT

    def __init__(self, *, store: Store, clock: Clock, api: Checkout, outcomes: Outcomes, minutes: int) -> None:
        self._store = store
        self._clock = clock
        self._api = api
        self.outcomes = outcomes
        self._kicked = asyncio.Event()
        self._working = asyncio.Lock()  # one piece of work at a time: the provider limits how fast it is asked
        self._pay_within_s = minutes * 60

    # In the transaction of the booking's change.

    async def begin(self, tx: Tx, booking: str, renter: str, quoted: Quote, *, at: float) -> bool:
        """Let the booking wait for its payment, if it costs anything."""
        if not quoted.total_minor:
            return True
        try:
            to_provider(quoted.total_minor, quoted.currency)
        except CheckoutError as error:
            raise Problem(NOT_PAYABLE, f"The booking cannot be paid: {error.reason}. Choose another space.") from None
        charge = due.new(
            booking, 0, renter, "charge", amount_minor=quoted.total_minor, currency=quoted.currency,
            first=True, due_at=at, until=at + self._pay_within_s, created_at=at,
        )  # fmt: skip
        await due.add(tx, charge)
        tx.after_commit(self._kicked.set)
        return False

    async def waits(self, tx: ReadTx, booking: str) -> bool:
        """Tell whether the first payment has not come."""
        rows = await due.of_bookings(tx, [booking])
        return any(row.first and row.state != "done" for row in rows)

    async def drop(self, tx: Tx, booking: str, *, at: float) -> None:
        """Give up the pages of a booking that is over; they are closed at the provider by and by."""
        for row in await due.of_bookings(tx, [booking]):
            if row.kind == "charge" and row.state in {"due", "open"}:
                await due.change(tx, row.id, state="expired", url=None, due_at=at if row.session else None, tries=0)
        tx.after_commit(self._kicked.set)

    async def follow(self, tx: Tx, booking: str, renter: str, pays_minor: int, currency: str, *, at: float) -> None:
        """Make pages for what is owed, close those that are not, give back what was paid too much."""
        rows = await due.of_bookings(tx, [booking])
        done = [row for row in rows if row.kind == "charge" and row.state == "done"]
        back = sum(row.amount_minor for row in rows if row.kind == "refund" and row.counts)
        asked = [row for row in rows if row.kind == "charge" and row.state in {"due", "open", "given-up"}]
        missing = pays_minor - sum(row.amount_minor for row in done) + back
        if missing == sum(row.amount_minor for row in asked):
            return
        tx.after_commit(self._kicked.set)
        for row in asked:
            await due.change(tx, row.id, state="expired", url=None, due_at=at if row.session else None, tries=0)
        more: dict[str, Any] = {"currency": currency, "first": False, "due_at": at, "created_at": at}
        if missing > 0:
            until = at + PAGE_S
            pages = [row for row in rows if row.kind == "charge"]
            if len(pages) >= MAX_PAGES:
                log.error("money.never_paid", booking=booking)
                more |= {"due_at": None}
            charge = due.new(booking, len(rows), renter, "charge", amount_minor=missing, until=until, **more)
            await due.add(tx, charge)
            if len(pages) >= MAX_PAGES:
                await due.change(tx, charge.id, state="given-up", error="never paid")
            return
        await self._give_back(tx, rows, -missing, renter, **more)

    async def _give_back(self, tx: Tx, rows: list[Settlement], excess: int, renter: str, **more: Any) -> None:
        number = len(rows)
        for row in reversed([row for row in rows if row.kind == "charge" and row.state == "done"]):
            given = sum(other.amount_minor for other in rows if other.kind == "refund" and other.payment == row.payment)
            part = min(excess, row.amount_minor - given)
            if part > 0:
                await due.add(
                    tx, due.new(row.booking, number, renter, "refund", amount_minor=part, payment=row.payment, **more)
                )
                number, excess = number + 1, excess - part

    async def payments(self, tx: ReadTx, bookings: Collection[str]) -> dict[str, PaymentAnswer]:
        """Tell which payments are open, owed or failed."""
        found: dict[str, PaymentAnswer] = {}
        for row in await due.of_bookings(tx, bookings):
            if row.state == "given-up":
                found[row.booking] = PaymentAnswer(state="failed")
            elif row.kind == "charge" and row.state in {"due", "open"}:
                found[row.booking] = PaymentAnswer(
                    state="open" if row.first else "owed", url=row.url, until=row.until if row.first else None
                )
        return found

    # What is due with the provider.

    async def sweep(self, now: float) -> int:
        """Do what is due; give how much it was."""
        async with self._working:
            async with self._store.read() as tx:
                if not await due.anything(tx, now):
                    return 0
            count = 0
            while count < BATCH and await self._next(now):
                count += 1
            return count

    async def run(self) -> None:
        """Do at once what a transaction has just made due; what that misses, the sweep finds."""
        while True:
            await self._kicked.wait()
            self._kicked.clear()
            await self.sweep(self._clock.now())

    async def _next(self, now: float) -> bool:
        work = await self._write(lambda tx: due.take(tx, now))
        if work is None:
            return False
        try:
            await self._do(work, now)
        except CheckoutError as error:
            await self._failed(work, error, now)
        return True

    async def _do(self, work: Settlement, now: float) -> None:
        if work.kind == "refund":
            await self._refund(work)
        elif work.state == "due" and now < min(work.until or now, work.created_at + PAGE_S - LEAST_PAGE_S):
            await self._open(work)
        else:
            await self._over(work)

    async def _open(self, work: Settlement) -> None:
        page = await self._api.open(
            Charge(
                settlement=work.id,
                key=_key(work),
                amount_minor=work.amount_minor,
                currency=work.currency,
                title="Parking",
                until=int(work.created_at + PAGE_S + GRACE_S),
            )
        )

        async def keep(tx: Tx) -> None:
            known = await due.get(tx, work.id)
            # Open already: another server did the same, while this one stood still for longer than its minute.
            if known is None or known.state in {"done", "open"}:
                return
            if known.state == "due":
                await due.change(tx, work.id, state="open", session=page.id, url=page.url, due_at=work.until, tries=0)
                await self.outcomes.books.opened(tx, work.booking)
            else:  # the booking is over since
                await due.change(tx, work.id, session=page.id, due_at=self._clock.now(), tries=0)

        await self._write(keep)

    async def _over(self, work: Settlement) -> None:
        """End a page: its time is over, or its booking. Who has paid at the last moment has paid."""
        page = await self._api.expire(work.session) if work.session else None
        if page is not None and page.state == "paid":
            await self._write(lambda tx: self.outcomes.paid(tx, work.id, page))
        else:
            await self._write(lambda tx: self.outcomes.expired(tx, work.id))

    async def _refund(self, work: Settlement) -> None:
        await self._api.refund(
            Refund(
                settlement=work.id,
                key=_key(work),
                payment=work.payment or "",
                amount_minor=work.amount_minor,
                currency=work.currency,
            )
        )
        await self._write(lambda tx: self.outcomes.refunded(tx, work.id))

    async def _failed(self, work: Settlement, error: CheckoutError, now: float) -> None:
        tries = work.tries + 1
        if not error.lasting and tries < MAX_TRIES:
            wait = min(BACK_OFF_S * 2 ** (tries - 1), LONGEST_BACK_OFF_S)
            await self._write(lambda tx: due.change(tx, work.id, due_at=now + wait, error=error.reason))
            log.info("money.again_later", settlement=work.id, reason=error.reason, wait_s=wait)
            return
        log.error("money.given_up", settlement=work.id, booking=work.booking, kind=work.kind, reason=error.reason)
        await self._write(lambda tx: self.outcomes.given_up(tx, work.id, error.reason))

    async def _write[Result](self, work: Callable[[Tx], Awaitable[Result]]) -> Result:
        """Do one step in the database, again if another transaction came first; the network is not asked anew."""

        async def once() -> Result:
            async with self._store.write() as tx:
                return await work(tx)

        return await self._store.again(once)

    async def close(self) -> None:
        """Close the connections to the provider."""
        await self._api.close()


def _key(work: Settlement) -> str:
    return work.booking if work.n == 0 else f"{work.booking}:{work.n}"
