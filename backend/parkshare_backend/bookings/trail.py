"""The trail of a booking: what happened to it, who did it and why, in order and never changed.

It is written where a booking is changed, in the same transaction (life.py), and both sides read it. Where the renter
was on the way is not in it: that is nobody's business once the car stands there.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from parkshare_backend.bookings.lifecycle import By
from parkshare_backend.bookings.tables import TRAIL
from parkshare_backend.store.dialects import among
from parkshare_backend.store.engine import ReadTx, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened. at is UTC epoch seconds; cause is a word of `booking.changed`."""

    n: int
    at: float
    cause: str
    by: By
    d: dict[str, Any]


async def write(
    tx: Tx, booking: str, *, at: float, cause: str, by: By, d: Mapping[str, Any], first: bool = False
) -> None:
    """Write what happened. first: the booking is new, so nobody has to look what was before."""
    said = orjson.dumps(d, option=orjson.OPT_SORT_KEYS).decode()
    if first:
        await tx.add(TRAIL, {"booking": booking, "n": 1, "at": at, "cause": cause, "by": by, "d": said})
        return
    same = TRAIL.c.booking == booking
    number = sa.select(sa.func.coalesce(sa.func.max(TRAIL.c.n), 0) + 1).where(same).scalar_subquery()
    await tx.execute(sa.insert(TRAIL).values(booking=booking, n=number, at=at, cause=cause, by=by, d=said))


async def read(tx: ReadTx, booking: str) -> list[Entry]:
    """Give everything that happened to a booking, oldest first."""
    rows = await tx.all(sa.select(TRAIL).where(TRAIL.c.booking == booking).order_by(TRAIL.c.n))
    return [Entry(n=row.n, at=row.at, cause=row.cause, by=By(row.by), d=orjson.loads(row.d)) for row in rows]


async def last_at(tx: ReadTx, bookings: Collection[str]) -> dict[str, float]:
    """Give when something last happened to each of these bookings; one from before there was a trail is not in it."""
    statement = (
        sa.select(TRAIL.c.booking, sa.func.max(TRAIL.c.at).label("at"))
        .where(among(TRAIL.c.booking, bookings))
        .group_by(TRAIL.c.booking)
    )
    return {row.booking: row.at for row in await tx.all(statement)}
