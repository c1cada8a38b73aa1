"""Hindrances as rows. A word counts once, and one that is older than what is known does not count at all."""

import sqlalchemy as sa

from parkshare_backend.risk.policy import Hindrance, Kind
from parkshare_backend.risk.tables import HINDRANCES
from parkshare_backend.store.engine import Prepared, ReadTx, Tx

_OPEN = HINDRANCES.c.ended_at.is_(None)
_ON_SPACE = Prepared(
    sa.select(HINDRANCES.c.kind, HINDRANCES.c.booking).where(HINDRANCES.c.space == sa.bindparam("space"), _OPEN)
)


async def begin(tx: Tx, kind: Kind, booking: str, space: str, *, at: float) -> bool:
    """Note that a car is in the way; false if that is known, or was over later than at."""
    known = await tx.one(_of(kind, booking))
    if known is None:
        await tx.execute(sa.insert(HINDRANCES).values(kind=kind, booking=booking, space=space, since=at))
        return True
    if known.ended_at is None or at <= known.ended_at:
        return False
    await _write(tx, kind, booking, since=at, ended_at=None)
    return True


async def end(tx: Tx, kind: Kind, booking: str, space: str, *, at: float) -> bool:
    """Note that the car is out of the way; false if that is known, or is older than what is known."""
    known = await tx.one(_of(kind, booking))
    if known is None:
        # what comes before its beginning is remembered, so that the beginning counts for nothing
        values = {"kind": kind, "booking": booking, "space": space, "since": at, "ended_at": at}
        await tx.execute(sa.insert(HINDRANCES).values(values))
        return True
    if at < known.since or (known.ended_at is not None and at <= known.ended_at):
        return False
    await _write(tx, kind, booking, ended_at=at)
    return True


async def end_all(tx: Tx, space: str, *, at: float) -> None:
    """Note that nothing is in the way on a space."""
    await tx.execute(sa.update(HINDRANCES).where(HINDRANCES.c.space == space, _OPEN).values(ended_at=at))


async def forget(tx: Tx, booking: str) -> None:
    """Forget what was about a booking that is over."""
    await tx.execute(sa.delete(HINDRANCES).where(HINDRANCES.c.booking == booking))


async def on_space(tx: ReadTx, space: str) -> list[Hindrance]:
    """Give what is in the way on a space now."""
    rows = await tx.quick(_ON_SPACE, space=space)
    return [Hindrance(Kind(row.kind), row.booking) for row in rows]


async def spaces(tx: ReadTx) -> set[str]:
    """Give the spaces on which something is in the way now."""
    return {row.space for row in await tx.all(sa.select(HINDRANCES.c.space).where(_OPEN).distinct())}


def _of(kind: Kind, booking: str) -> sa.Select[tuple[float, float | None]]:
    columns = sa.select(HINDRANCES.c.since, HINDRANCES.c.ended_at)
    return columns.where(HINDRANCES.c.kind == kind, HINDRANCES.c.booking == booking)


async def _write(tx: Tx, kind: Kind, booking: str, **values: float | None) -> None:
    which = HINDRANCES.c.kind == kind, HINDRANCES.c.booking == booking
    await tx.execute(sa.update(HINDRANCES).where(*which).values(**values))
