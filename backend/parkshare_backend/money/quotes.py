"""Quotes as rows: what was fixed when a booking was made, and after each change of its period."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from parkshare_backend.money.amounts import Amount
from parkshare_backend.money.quote import Line, Quote, Tariff, What, quote
from parkshare_backend.money.tables import QUOTES
from parkshare_backend.spaces.periods import Period
from parkshare_backend.store.dialects import among
from parkshare_backend.store.engine import ReadTx, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedQuote:
    """The n-th quote of a booking; price_minor is per hour, at is when it was fixed (UTC seconds)."""

    booking: str
    n: int
    at: float
    renter: str
    owner: str
    space: str
    period: Period
    price_minor: int
    tariff: Tariff
    quoted: Quote
    provider: str

    def again(self, period: Period) -> Quote:
        """Give what another period costs at the price and the tariff that were fixed."""
        return quote(Amount(self.price_minor, self.quoted.currency), period, self.tariff)


async def add(tx: Tx, fixed: FixedQuote) -> None:
    """Write a quote."""
    values = {
        "booking": fixed.booking, "n": fixed.n, "at": fixed.at, "renter": fixed.renter, "owner": fixed.owner,
        "space": fixed.space, "t0": fixed.period.start, "t1": fixed.period.end, "price_minor": fixed.price_minor,
        "currency": fixed.quoted.currency, "fee_bp": fixed.tariff.fee_bp, "minimum_minor": fixed.tariff.minimum_minor,
        "lines": orjson.dumps([[line.what, line.amount_minor] for line in fixed.quoted.lines]).decode(),
        "total_minor": fixed.quoted.total_minor, "provider": fixed.provider,
    }  # fmt: skip
    await tx.add(QUOTES, values)


async def newest(tx: ReadTx, booking: str) -> FixedQuote | None:
    """Give the quote that counts; None for a booking of a time before there was money."""
    row = await tx.one(sa.select(QUOTES).where(QUOTES.c.booking == booking).order_by(QUOTES.c.n.desc()).limit(1))
    return _fixed(row) if row else None


async def newest_of(tx: ReadTx, bookings: Collection[str]) -> dict[str, FixedQuote]:
    """Give the quotes that count of these bookings."""
    rows = await tx.all(sa.select(QUOTES).where(among(QUOTES.c.booking, bookings)).order_by(QUOTES.c.n))
    return {row.booking: _fixed(row) for row in rows}


async def of_owner(tx: ReadTx, owner: str) -> dict[str, FixedQuote]:
    """Give the quotes that count of all bookings on the spaces of an owner."""
    rows = await tx.all(sa.select(QUOTES).where(QUOTES.c.owner == owner).order_by(QUOTES.c.n))
    return {row.booking: _fixed(row) for row in rows}


def _fixed(row: sa.Row[Any]) -> FixedQuote:
    lines = tuple(Line(What(what), amount) for what, amount in orjson.loads(row.lines))
    return FixedQuote(
        booking=row.booking,
        n=row.n,
        at=row.at,
        renter=row.renter,
        owner=row.owner,
        space=row.space,
        period=Period(row.t0, row.t1),
        price_minor=row.price_minor,
        tariff=Tariff(row.fee_bp, row.minimum_minor),
        quoted=Quote(lines, row.total_minor, row.currency),
        provider=row.provider,
    )
