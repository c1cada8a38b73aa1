"""Holds as rows, each with the claim that keeps its space. Rules live in service.py."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from parkshare_backend.bookings import claims
from parkshare_backend.bookings.claims import Kind
from parkshare_backend.holds.tables import HOLDS
from parkshare_backend.http.problems import Problem, define
from parkshare_backend.spaces.periods import Period
from parkshare_backend.store.engine import ReadTx, Tx

HOLD_OF_ANOTHER_SPACE = define(
    "hold-of-another-space", 409, "The hold is of another space",
    "A booking uses the hold of the space that it books. Name that hold, or none.",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A space that is kept for an account until expires_at (UTC epoch seconds)."""

    id: str
    account: str
    space: str
    period: Period
    expires_at: float


async def get(tx: ReadTx, hold: str) -> Hold | None:
    """Give a hold, expired or not."""
    row = await tx.one(sa.select(HOLDS).where(HOLDS.c.id == hold))
    return _hold(row) if row else None


async def of_account(tx: ReadTx, account: str) -> list[Hold]:
    """Give the holds of an account, expired or not, oldest first."""
    rows = await tx.all(sa.select(HOLDS).where(HOLDS.c.account == account).order_by(HOLDS.c.expires_at, HOLDS.c.id))
    return [_hold(row) for row in rows]


async def expired(tx: ReadTx, now: float, *, limit: int) -> list[Hold]:
    """Give holds whose time is over."""
    due = sa.select(HOLDS).where(HOLDS.c.expires_at <= now).order_by(HOLDS.c.expires_at).limit(limit)
    return [_hold(row) for row in await tx.all(due)]


async def add(tx: Tx, hold: Hold, *, now: float) -> None:
    """Keep the space. Raises Problem SPACE_TAKEN when somebody has it."""
    await claims.take(
        tx, kind=Kind.HOLD, holder=hold.id, space=hold.space, period=hold.period, now=now, expires_at=hold.expires_at
    )
    values = {
        "id": hold.id, "account": hold.account, "space": hold.space,
        "t0": hold.period.start, "t1": hold.period.end, "expires_at": hold.expires_at,
    }  # fmt: skip
    await tx.execute(sa.insert(HOLDS).values(values))


async def drop(tx: Tx, hold: str) -> None:
    """Give the space back; a hold that is not there is given back already."""
    await claims.release(tx, Kind.HOLD, hold)
    await tx.execute(sa.delete(HOLDS).where(HOLDS.c.id == hold))


async def use(tx: Tx, account: str, hold: str, space: str, *, now: float) -> bool:
    """Let a booking have what its hold keeps: the space is free for a claim of the booking in this transaction.

    False when the hold is gone, expired or somebody else's: the booking then takes its chance like any other.

    Raises:
        Problem: HOLD_OF_ANOTHER_SPACE.

    """
    found = await get(tx, hold)
    if found is None or found.account != account:
        return False
    if found.space != space:
        raise Problem(HOLD_OF_ANOTHER_SPACE, pointer="/hold")
    await drop(tx, hold)
    return found.expires_at > now


def _hold(row: sa.Row[Any]) -> Hold:
    return Hold(
        id=row.id, account=row.account, space=row.space, period=Period(row.t0, row.t1), expires_at=row.expires_at
    )
