"""What a person may know about their money: purse, statement, the yearly report, and what tax law asks about them."""

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from parkshare_backend.clock import Clock
from parkshare_backend.http.problems import NOT_FOUND, Problem
from parkshare_backend.money import ledger, quotes
from parkshare_backend.money.ledger import Entry
from parkshare_backend.money.pricing import CREDITS, Pricing
from parkshare_backend.money.report import Listing, Sale, report
from parkshare_backend.money.settlement import Credits
from parkshare_backend.money.tables import LEDGER, SELLERS
from parkshare_backend.spaces.service import Spaces
from parkshare_backend.store.dialects import among, insert
from parkshare_backend.store.engine import ReadTx, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """What tax law asks about a person who lets a space; updated_at is UTC epoch seconds."""

    legal_name: str
    address: str
    country: str
    tax_id: str | None
    tax_country: str | None
    vat_id: str | None
    birth_date: str | None
    updated_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a purse holds in one currency, and what is set aside for bookings that are not over."""

    currency: str
    amount_minor: int
    held_minor: int


class Purse:
    """The money of accounts, as each person may see it."""

    def __init__(self, *, store: Store, spaces: Spaces, pricing: Pricing, credits_: Credits, clock: Clock) -> None:
        self._store = store
        self._spaces = spaces
        self._pricing = pricing
        self._credits = credits_
        self._clock = clock

    @property
    def may_owe(self) -> bool:
        """Tell whether a purse may go below zero."""
        return self._pricing.purses.provider != CREDITS or self._pricing.purses.may_owe

    async def balances(self, account: str) -> list[Balance]:
        """Give what the account has in each currency; its first credits are drawn now, if they were not."""
        async with self._store.read() as tx:
            first = self._pricing.purses.initial_currency
            drawn = await self._pricing.purse(tx, account, {first})
            known = await ledger.balance(tx, ledger.person(account), first)
        if drawn[first] != known and self._pricing.purses.provider == CREDITS:
            async with self._store.write() as write:
                await self._credits.draw(write, account, at=self._clock.now())
        async with self._store.read() as tx:
            mine = ledger.person(account)
            sums = await ledger.balances(tx, [mine])
            held = await self._held(tx, account)
        currencies = sorted({currency for _, currency in sums} | set(held))
        return [
            Balance(currency=code, amount_minor=sums.get((mine, code), 0), held_minor=held.get(code, 0))
            for code in currencies
        ]

    async def statement(self, account: str, *, before: int | None, limit: int) -> tuple[list[Entry], bool]:
        """Give a page of the account's entries, newest first, and whether there are more."""
        async with self._store.read() as tx:
            found = await ledger.entries(tx, ledger.person(account), before=before, limit=limit + 1)
        return found[:limit], len(found) > limit

    async def yearly(self, account: str, year: int) -> str:
        """Give the yearly report of an owner as CSV."""
        async with self._store.read() as tx:
            deals = await quotes.of_owner(tx, account)
            moved = await tx.all(
                sa.select(LEDGER).where(
                    among(LEDGER.c.booking, list(deals)), LEDGER.c.at >= _start(year), LEDGER.c.at < _start(year + 1)
                )
            )
            spaces = await self._spaces.get_many(tx, {deal.space for deal in deals.values()})
            seller = await self.said(tx, account)
        mine, sales = ledger.person(account), []
        for row in moved:
            deal = deals[row.booking]
            signs = {name: (row.credit == name) - (row.debit == name) for name in (mine, ledger.FEES)}
            if any(signs.values()):
                sales.append(
                    Sale(
                        booking=row.booking,
                        space=deal.space,
                        currency=row.currency,
                        at=row.at,
                        period=deal.period,
                        consideration_minor=signs[mine] * row.amount_minor,
                        fee_minor=signs[ledger.FEES] * row.amount_minor,
                    )
                )
        listings = {name: Listing(name=space.name, address=space.address) for name, space in spaces.items()}
        known: dict[str, str | None] = {}
        if seller is not None:
            known = {**asdict(seller), "name": seller.legal_name, "updated_at": None}
        return report(year, sales, known, listings)

    async def seller(self, account: str) -> Seller:
        """Give what is known of a seller. Raises Problem NOT_FOUND before anything was said."""
        async with self._store.read() as tx:
            found = await self.said(tx, account)
        if found is None:
            raise Problem(NOT_FOUND, "Nothing is known of you as a seller. Tell it with PUT.")
        return found

    async def tell_seller(self, account: str, said: dict[str, Any]) -> Seller:
        """Write down what a seller says of themselves."""
        values = said | {"account": account, "updated_at": self._clock.now(), "keep_until": None}
        async with self._store.write() as tx:
            added = insert(tx, SELLERS).values(values)
            await tx.execute(added.on_conflict_do_update(index_elements=[SELLERS.c.account], set_=values))
        return Seller(**{field.name: values[field.name] for field in fields(Seller)})

    async def said(self, tx: ReadTx, account: str) -> Seller | None:
        """Give what a seller said of themselves."""
        row = await tx.one(sa.select(SELLERS).where(SELLERS.c.account == account))
        return Seller(**{field.name: getattr(row, field.name) for field in fields(Seller)}) if row else None

    async def _held(self, tx: ReadTx, account: str) -> dict[str, int]:
        """Give what the account's own bookings have set aside, by currency."""
        mine = ledger.person(account)
        set_aside = LEDGER.c.credit.like("escrow:%")
        paid_in = await tx.all(sa.select(LEDGER.c.credit).where(LEDGER.c.debit == mine, set_aside).distinct())
        sums = await ledger.balances(tx, [row.credit for row in paid_in])
        held: dict[str, int] = {}
        for (_, currency), minor in sums.items():
            held[currency] = held.get(currency, 0) + minor
        return held


def _start(year: int) -> float:
    return datetime(year, 1, 1, tzinfo=UTC).timestamp()
