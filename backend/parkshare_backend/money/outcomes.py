"""What came of a charge or a refund: told by the provider's webhook, or found out by asking it."""

import json
from typing import Any, Protocol

import orjson
import structlog

from parkshare_backend.clock import Clock
from parkshare_backend.http.problems import Problem, define
from parkshare_backend.money import due, ledger, signature
from parkshare_backend.money.checkout import Session, read_session
from parkshare_backend.money.due import Settlement
from parkshare_backend.money.ledger import Why
from parkshare_backend.money.pricing import CHECKOUT
from parkshare_backend.money.shares import Movement
from parkshare_backend.store.engine import Store, Tx

BAD_SIGNATURE = define(
    "bad-signature", 400, "The event is not signed",
    "The event was not signed by the payment provider, or not just now. Check the webhook's secret and the clock.",
)  # fmt: skip
log = structlog.get_logger()


class Books(Protocol):
    """What a payment changes beside itself: the service implements it."""

    async def opened(self, tx: Tx, booking: str) -> None:
        """Tell the renter that there is a page now."""

    async def paid(self, tx: Tx, booking: str, *, first: bool) -> None:
        """Go on with a booking whose payment came."""

    async def lapsed(self, tx: Tx, booking: str, *, reason: str) -> None:
        """Cancel a booking that nobody paid."""

    async def recount(self, tx: Tx, booking: str) -> None:
        """Collect or give back what the ledger and the provider differ in."""


class Outcomes:
    """Writes what came of it, and tells the books."""

    books: Books

    def __init__(self, *, store: Store, clock: Clock, secret: str) -> None:
        self._store = store
        self._clock = clock
        self._secret = secret

    async def hear(self, body: bytes, header: str) -> None:
        """Hear an event of the provider. Raises Problem BAD_SIGNATURE for one that is not proven to be its."""
        now = self._clock.now()
        try:
            signature.check(header, body, self._secret, now=now)
            event = orjson.loads(body)
            name, kind, said = str(event["id"]), str(event["type"]), event["data"]["object"]
        except signature.SignatureError as error:
            raise Problem(BAD_SIGNATURE, str(error)) from None
        except json.JSONDecodeError, KeyError, TypeError:
            raise Problem(BAD_SIGNATURE, "The body is not an event of the payment provider.") from None
        async with self._store.write() as tx:
            if await due.heard(tx, name, now):
                await self._hear(tx, kind, said)

    async def _hear(self, tx: Tx, kind: str, said: dict[str, Any]) -> None:
        if kind in {"checkout.session.completed", "checkout.session.async_payment_succeeded"}:
            page = read_session(said)
            if page.state == "paid" and page.settlement:
                await self.paid(tx, page.settlement, page)
        elif kind in {"checkout.session.expired", "checkout.session.async_payment_failed"}:
            await self.expired(tx, str(said.get("client_reference_id")))
        elif kind in {"refund.failed", "refund.updated", "charge.refund.updated"} and said.get("status") == "failed":
            await self._refund_failed(tx, str((said.get("metadata") or {}).get("settlement")))

    async def paid(self, tx: Tx, settlement: str, page: Session) -> None:
        """Go on with what was paid on a page; once, whoever tells it."""
        known = await due.get(tx, settlement)
        if known is None or known.kind != "charge":
            log.info("money.not_ours", settlement=settlement)  # another system uses the same account
            return
        if known.state == "done":
            return
        if (page.amount_minor, page.currency) != (known.amount_minor, known.currency) or page.payment is None:
            log.error("money.other_amount", settlement=known.id, booking=known.booking)
            await due.change(tx, known.id, state="given-up", due_at=None, error="another amount was paid")
            await self.lapsed(tx, known)
            return
        late = known.state not in {"open", "due"}
        await due.change(tx, known.id, state="done", session=page.id, payment=page.payment, url=None, due_at=None)
        moves = [Movement(ledger.clearing(CHECKOUT), ledger.person(known.account), known.amount_minor)]
        await ledger.write(tx, self._why(known, "paid"), moves, known.currency)
        await self.books.paid(tx, known.booking, first=known.first and not late)

    async def expired(self, tx: Tx, settlement: str) -> None:
        """Go on without what nobody paid."""
        known = await due.get(tx, settlement)
        if known is None or known.kind != "charge" or known.state in {"done", "given-up"}:
            return
        before = known.state
        await due.change(tx, known.id, state="expired", url=None, due_at=None)
        if before == "expired":
            return
        if known.first:
            await self.books.lapsed(tx, known.booking, reason="unpaid")
        else:
            await self.books.recount(tx, known.booking)

    async def _refund_failed(self, tx: Tx, settlement: str) -> None:
        known = await due.get(tx, settlement)
        if known is None or known.kind != "refund" or known.state != "done":
            return
        log.error("money.refund_failed", settlement=known.id, booking=known.booking)
        await due.change(tx, known.id, state="given-up", error="the refund failed at the provider")
        moves = [Movement(ledger.clearing(CHECKOUT), ledger.person(known.account), known.amount_minor)]
        await ledger.write(tx, self._why(known, "returned"), moves, known.currency)

    def _why(self, known: Settlement, cause: str) -> Why:
        return Why(txn=f"{cause}:{known.id}", at=self._clock.now(), cause=cause, booking=known.booking)

    async def refunded(self, tx: Tx, settlement: str) -> None:
        """Write down what went back."""
        known = await due.get(tx, settlement)
        if known is not None and known.state == "due":
            await due.change(tx, known.id, state="done", due_at=None, error=None)
            moves = [Movement(ledger.person(known.account), ledger.clearing(CHECKOUT), known.amount_minor)]
            await ledger.write(tx, self._why(known, "refunded"), moves, known.currency)

    async def given_up(self, tx: Tx, settlement: str, reason: str) -> None:
        """Leave to the operator what the provider never does; money that was paid stays in the renter's purse."""
        known = await due.get(tx, settlement)
        if known is None or known.state in {"done", "expired"}:
            await due.change(tx, settlement, due_at=None, error=reason)
            return
        await due.change(tx, known.id, state="given-up", due_at=None, url=None, error=reason)
        await self.lapsed(tx, known)

    async def lapsed(self, tx: Tx, known: Settlement) -> None:
        """Cancel a booking whose payment can't come."""
        if known.first:
            await self.books.lapsed(tx, known.booking, reason="payment-failed")
