"""The double-entry ledger: movements from one account to another, written once and never changed.

One row carries both sides of a movement, so there is nothing that could be unbalanced: the sum over all accounts is
zero by construction, on every engine and whatever a defect writes. Triggers refuse every UPDATE and DELETE. Balances
are derived. The accounts are words: `person:<account>` (a purse: what somebody may spend or is owed; below zero they
owe), `escrow:<booking>` (set aside until the booking is over), `fees` (of the operator), `clearing:<provider>` (what a
provider took and gave back), `issued` (credits that the operator made).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from parkshare_backend.money.shares import Held, Movement
from parkshare_backend.money.tables import LEDGER
from parkshare_backend.store.dialects import among
from parkshare_backend.store.engine import ReadTx, Tx

FEES = "fees"
ISSUED = "issued"


def person(account: str) -> str:
    """Name the purse of an account."""
    return f"person:{account}"


def escrow(booking: str) -> str:
    """Name what is set aside for a booking."""
    return f"escrow:{booking}"


def clearing(provider: str) -> str:
    """Name what passed through a payment provider."""
    return f"clearing:{provider}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One side of a movement as its account sees it: above zero came, below went. at is UTC epoch seconds."""

    n: int
    at: float
    cause: str
    booking: str | None
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What a transaction is for. txn is its name: the same one can't be written twice."""

    txn: str
    at: float
    cause: str
    booking: str | None = None
    revision: int = 0


async def write(tx: Tx, why: Why, moves: Sequence[Movement], currency: str) -> None:
    """Write one transaction."""
    if not moves:
        return
    rows = [
        {
            "txn": why.txn, "line": line, "at": why.at, "booking": why.booking, "cause": why.cause,
            "revision": why.revision, "debit": move.debit, "credit": move.credit,
            "amount_minor": move.amount_minor, "currency": currency,
        }
        for line, move in enumerate(moves)
    ]  # fmt: skip
    await tx.add(LEDGER, *rows)


async def written(tx: ReadTx, txn: str) -> bool:
    """Tell whether there is a transaction of this name."""
    return bool(await tx.scalar(sa.select(sa.literal(1)).where(LEDGER.c.txn == txn).limit(1)))


async def held(tx: ReadTx, booking: str, owner: str) -> tuple[Held, int]:
    """Give how the money of a booking is shared out now, and the number of its next transaction."""
    rows = await tx.all(
        sa.select(LEDGER.c.debit, LEDGER.c.credit, LEDGER.c.amount_minor, LEDGER.c.txn).where(
            LEDGER.c.booking == booking
        )
    )
    sums = {escrow(booking): 0, person(owner): 0, FEES: 0}
    for row in rows:
        for account, amount in ((row.debit, -row.amount_minor), (row.credit, row.amount_minor)):
            if account in sums:
                sums[account] += amount
    have = Held(escrow_minor=sums[escrow(booking)], owner_minor=sums[person(owner)], fee_minor=sums[FEES])
    return have, len({row.txn for row in rows})


async def balance(tx: ReadTx, account: str, currency: str) -> int:
    """Give what is in an account of the ledger in one currency."""
    return (await balances(tx, [account])).get((account, currency), 0)


async def balances(tx: ReadTx, accounts: Iterable[str]) -> dict[tuple[str, str], int]:
    """Give what is in these accounts by account and currency; one without entries is not in the answer."""
    names = list(accounts)
    sums: dict[tuple[str, str], int] = {}
    for side, sign in ((LEDGER.c.credit, 1), (LEDGER.c.debit, -1)):
        rows = await tx.all(
            sa.select(side.label("account"), LEDGER.c.currency, sa.func.sum(LEDGER.c.amount_minor).label("total"))
            .where(among(side, names))
            .group_by(side, LEDGER.c.currency)
        )
        for row in rows:
            # a sum of 64-bit numbers is a numeric on PostgreSQL
            key = (row.account, row.currency)
            sums[key] = sums.get(key, 0) + sign * int(row.total)
    return sums


async def entries(tx: ReadTx, account: str, *, before: int | None, limit: int) -> list[Entry]:
    """Give the entries of an account, newest first, older than the one with the number `before`."""
    older = [LEDGER.c.n < before] if before else []
    found = []
    # Each side by its own index; one query for both would have to sort all that the account ever had.
    for side, sign in ((LEDGER.c.credit, 1), (LEDGER.c.debit, -1)):
        rows = await tx.all(sa.select(LEDGER).where(side == account, *older).order_by(LEDGER.c.n.desc()).limit(limit))
        found += [
            Entry(
                n=row.n,
                at=row.at,
                cause=row.cause,
                booking=row.booking,
                amount_minor=sign * row.amount_minor,
                currency=row.currency,
            )
            for row in rows
        ]
    return sorted(found, key=lambda entry: -entry.n)[:limit]
