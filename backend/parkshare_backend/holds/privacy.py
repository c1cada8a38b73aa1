"""What holds keep of people: which space they look at, for minutes."""

from typing import Any

import sqlalchemy as sa

from parkshare_backend.accounts.erasure import Erasure
from parkshare_backend.bookings import claims
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.holds.tables import HOLDS
from parkshare_backend.store.engine import ReadTx, Tx


def register(erasure: Erasure) -> None:
    """Answer for the table of holds; one that expired goes by itself."""
    erasure.register("holds", tables=("holds",), export=_export, erase=_erase)


async def _export(tx: ReadTx, account: str) -> list[Any]:
    rows = await tx.all(sa.select(HOLDS).where(HOLDS.c.account == account).order_by(HOLDS.c.id))
    return [
        {
            "id": row.id,
            "space": row.space,
            "period": {"start": to_rfc3339(row.t0), "end": to_rfc3339(row.t1)},
            "expires_at": to_rfc3339(row.expires_at),
        }
        for row in rows
    ]


async def _erase(tx: Tx, account: str) -> None:
    for row in await tx.all(sa.select(HOLDS.c.id).where(HOLDS.c.account == account)):
        await claims.release(tx, claims.Kind.HOLD, row.id)
    await tx.execute(sa.delete(HOLDS).where(HOLDS.c.account == account))
