"""Claims: who may use a space for a period. The database refuses an overlap; this is the only door to the table."""

from collections.abc import Collection
from enum import StrEnum

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from parkshare_backend.bookings.tables import CLAIMS
from parkshare_backend.http.problems import Problem, define
from parkshare_backend.spaces.periods import Period
from parkshare_backend.store.engine import ReadTx, Tx

SPACE_TAKEN = define(
    "space-taken", 409, "The space is taken",
    "Somebody else has the space for at least a part of the period. Search again and choose another offer.",
)  # fmt: skip


class Kind(StrEnum):
    """What a claim belongs to."""

    BOOKING = "booking"
    STANDBY = "standby"


async def take(
    tx: Tx, *, kind: Kind, holder: str, space: str, period: Period, now: float, expires_at: float | None = None
) -> None:
    """Claim a space for a period; holds that expired on it are removed first, in the same transaction.

    Raises:
        Problem: SPACE_TAKEN.

    """
    await tx.execute(sa.delete(CLAIMS).where(CLAIMS.c.space == space, CLAIMS.c.expires_at <= now))
    values = {
        "kind": kind, "holder": holder, "space": space, "t0": period.start, "t1": period.end, "expires_at": expires_at,
    }  # fmt: skip
    try:
        await tx.execute(sa.insert(CLAIMS).values(values))
    except IntegrityError as error:
        if "overlap" not in str(error.orig):
            raise
        raise Problem(SPACE_TAKEN, pointer="/period") from None


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
    # one parameter however many spaces: no limit of variables, one prepared statement
    wanted = sa.func.json_each(orjson.dumps(list(spaces)).decode()).table_valued("value")
    overlapping = sa.select(CLAIMS.c.space).where(
        CLAIMS.c.space.in_(sa.select(wanted.c.value)),
        CLAIMS.c.t0 < period.end,
        CLAIMS.c.t1 > period.start,
        sa.or_(CLAIMS.c.expires_at.is_(None), CLAIMS.c.expires_at > now),
    )
    return {row.space for row in await tx.all(overlapping)}
