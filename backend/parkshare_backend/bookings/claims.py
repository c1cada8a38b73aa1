"""Claims: who may use a space for a period. The database refuses an overlap; this is the only door to the table."""

from collections.abc import Collection
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from parkshare_backend.bookings.tables import CLAIMS
from parkshare_backend.http.problems import Problem, define
from parkshare_backend.spaces.periods import Period
from parkshare_backend.store.dialects import among
from parkshare_backend.store.engine import Prepared, RawSql, ReadTx, Tx

SPACE_TAKEN = define(
    "space-taken", 409, "The space is taken",
    "Somebody else has the space for at least a part of the period. Search again and choose another offer.",
)  # fmt: skip


_FORGET_EXPIRED = Prepared(
    sa.delete(CLAIMS)
    .where(CLAIMS.c.space == sa.bindparam("space"), CLAIMS.c.expires_at <= sa.bindparam("now"))
    .returning(CLAIMS.c.holder)
)
_TAKE = RawSql.both(
    "INSERT INTO claims (kind, holder, space, t0, t1, expires_at) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT DO NOTHING RETURNING holder"
)


class Kind(StrEnum):
    """What a claim belongs to."""

    BOOKING = "booking"
    STANDBY = "standby"
    HOLD = "hold"


async def take(
    tx: Tx, *, kind: Kind, holder: str, space: str, period: Period, now: float, expires_at: float | None = None
) -> None:
    """Claim a space for a period; holds that expired on it give way, in the same transaction.

    They are looked for only where something is in the way: nearly always nothing is.

    Raises:
        Problem: SPACE_TAKEN.

    """
    row = (kind, holder, space, period.start, period.end, expires_at)
    if await _written(tx, row):
        return
    if not await tx.quick(_FORGET_EXPIRED, space=space, now=now) or not await _written(tx, row):
        raise Problem(SPACE_TAKEN, pointer="/period")


async def _written(tx: Tx, row: tuple[Kind, str, str, int, int, float | None]) -> bool:
    """Write a claim, or tell that another one is in the way."""
    try:
        # On PostgreSQL an error would end the transaction: there the row is left out.
        return bool(await tx.fetch(_TAKE, *row))
    except IntegrityError as error:
        if "overlap" not in str(error.orig):
            raise
        return False


async def release(tx: Tx, kind: Kind, holder: str) -> None:
    """Give a claim back; one that is not there is given back already."""
    await tx.execute(sa.delete(CLAIMS).where(CLAIMS.c.kind == kind, CLAIMS.c.holder == holder))


async def hand_over(tx: Tx, *, standby: str, booking: str, now: float) -> bool:
    """Make the hold of a standby the claim of a booking; false if the hold is gone or expired."""
    handed = (
        sa.update(CLAIMS)
        .where(CLAIMS.c.kind == Kind.STANDBY, CLAIMS.c.holder == standby, CLAIMS.c.expires_at > now)
        .values(kind=Kind.BOOKING, holder=booking, expires_at=None)
    )
    return (await tx.execute(handed)).rowcount == 1


async def taken(tx: ReadTx, spaces: Collection[str], period: Period, *, now: float) -> set[str]:
    """Tell which of the spaces somebody has for some part of the period."""
    overlapping = sa.select(CLAIMS.c.space).where(
        among(CLAIMS.c.space, spaces),
        CLAIMS.c.t0 < period.end,
        CLAIMS.c.t1 > period.start,
        sa.or_(CLAIMS.c.expires_at.is_(None), CLAIMS.c.expires_at > now),
    )
    return {row.space for row in await tx.all(overlapping)}


async def periods_of(tx: ReadTx, spaces: Collection[str], around: Period, *, now: float) -> dict[str, list[Period]]:
    """Give for each of the spaces the periods near the given one that somebody has."""
    overlapping = sa.select(CLAIMS.c.space, CLAIMS.c.t0, CLAIMS.c.t1).where(
        among(CLAIMS.c.space, spaces),
        CLAIMS.c.t0 < around.end,
        CLAIMS.c.t1 > around.start,
        sa.or_(CLAIMS.c.expires_at.is_(None), CLAIMS.c.expires_at > now),
    )
    found: dict[str, list[Period]] = {}
    for row in await tx.all(overlapping):
        found.setdefault(row.space, []).append(Period(row.t0, row.t1))
    return found
