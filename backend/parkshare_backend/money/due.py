"""What is to be done with a payment provider, as rows: whoever looks finds it, so a crash loses nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from parkshare_backend.clock import new_id
from parkshare_backend.money.tables import PROVIDER_EVENTS, SETTLEMENTS
from parkshare_backend.store.dialects import among, insert
from parkshare_backend.store.engine import ReadTx, Tx

LEASE_S = 60.0  # for which nobody else takes up a piece of work; a crash costs that long

type State = Literal["due", "open", "done", "expired", "given-up"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """One charge or refund with the provider. first: the booking waits for it. Times are UTC epoch seconds."""

    id: str
    booking: str
    n: int
    account: str
    kind: Literal["charge", "refund"]
    amount_minor: int
    currency: str
    state: State
    first: bool
    session: str | None = None
    url: str | None = None
    payment: str | None = None
    tries: int = 0
    due_at: float | None = None
    until: float | None = None
    created_at: float

    @property
    def counts(self) -> bool:
        """Tell whether it is part of what the renter pays: all but a page that nobody can pay on any more."""
        return self.state != "expired"


async def add(tx: Tx, wanted: Settlement) -> None:
    """Write a new one."""
    fields = Settlement.__slots__
    values = {name: getattr(wanted, name) for name in fields} | {"first": int(wanted.first)}
    await tx.execute(sa.insert(SETTLEMENTS).values(values))


def new(booking: str, n: int, account: str, kind: Literal["charge", "refund"], **more: Any) -> Settlement:
    """Make one that is due."""
    return Settlement(id=new_id(), booking=booking, n=n, account=account, kind=kind, state="due", **more)


async def change(tx: Tx, settlement: str, **values: Any) -> None:
    """Write some columns."""
    await tx.execute(sa.update(SETTLEMENTS).where(SETTLEMENTS.c.id == settlement).values(values))


async def get(tx: ReadTx, settlement: str) -> Settlement | None:
    """Give one."""
    row = await tx.one(sa.select(SETTLEMENTS).where(SETTLEMENTS.c.id == settlement))
    return _settlement(row) if row else None


async def of_bookings(tx: ReadTx, bookings: Collection[str]) -> list[Settlement]:
    """Give those of these bookings, in order."""
    rows = await tx.all(
        sa.select(SETTLEMENTS)
        .where(among(SETTLEMENTS.c.booking, bookings))
        .order_by(SETTLEMENTS.c.booking, SETTLEMENTS.c.n)
    )
    return [_settlement(row) for row in rows]


async def anything(tx: ReadTx, now: float) -> bool:
    """Tell whether something is due."""
    unfinished = SETTLEMENTS.c.state.in_(["due", "open", "expired"])
    return bool(await tx.scalar(sa.select(sa.literal(1)).where(SETTLEMENTS.c.due_at <= now, unfinished).limit(1)))


async def take(tx: Tx, now: float) -> Settlement | None:
    """Take up one piece of due work for LEASE_S; None when there is none."""
    unfinished = SETTLEMENTS.c.state.in_(["due", "open", "expired"])
    row = await tx.one(
        sa.select(SETTLEMENTS).where(SETTLEMENTS.c.due_at <= now, unfinished).order_by(SETTLEMENTS.c.due_at).limit(1)
    )
    if row is None:
        return None
    await change(tx, row.id, due_at=now + LEASE_S, tries=row.tries + 1)
    return _settlement(row)


async def heard(tx: Tx, event: str, at: float) -> bool:
    """Remember an event of the provider; False if it was heard before."""
    added = insert(tx, PROVIDER_EVENTS).values(id=event, at=at).on_conflict_do_nothing(index_elements=["id"])
    return bool((await tx.execute(added)).rowcount)


def _settlement(row: sa.Row[Any]) -> Settlement:
    values = {name: getattr(row, name) for name in Settlement.__slots__}
    return Settlement(**values | {"first": bool(row.first)})
