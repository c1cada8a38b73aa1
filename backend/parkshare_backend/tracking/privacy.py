"""What tracking keeps of people: when a phone went in or out of a fence. Positions themselves are never written."""

from typing import Any

import sqlalchemy as sa

from parkshare_backend.accounts.erasure import Erasure
from parkshare_backend.accounts.retention import Retention, Rule
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.store.engine import ReadTx, Tx
from parkshare_backend.tracking.rows import KEPT_S
from parkshare_backend.tracking.tables import FENCE_EVENTS


def register(erasure: Erasure, retention: Retention) -> None:
    """Answer for the table of fence events."""
    erasure.register("tracking", tables=("fence_events",), export=_export, erase=_erase)
    retention.register(
        Rule(
            what="When a phone went in or out of the range of a booked space",
            since="after it happened",
            kept_s=KEPT_S,
            why="each is told to the house once, also after a restart of the server",
            sweep=_forget,
        )
    )


async def _export(tx: ReadTx, account: str) -> list[Any]:
    rows = await tx.all(
        sa.select(FENCE_EVENTS).where(FENCE_EVENTS.c.subject == account).order_by(FENCE_EVENTS.c.at, FENCE_EVENTS.c.seq)
    )
    return [{"fence": row.fence, "what": row.kind, "at": to_rfc3339(row.at)} for row in rows]


async def _erase(tx: Tx, account: str) -> None:
    await tx.execute(sa.delete(FENCE_EVENTS).where(FENCE_EVENTS.c.subject == account))


async def _forget(tx: Tx, due: float, limit: int) -> int:
    key = sa.tuple_(FENCE_EVENTS.c.subject, FENCE_EVENTS.c.fence, FENCE_EVENTS.c.seq, FENCE_EVENTS.c.kind)
    columns = (FENCE_EVENTS.c.subject, FENCE_EVENTS.c.fence, FENCE_EVENTS.c.seq, FENCE_EVENTS.c.kind)
    old = sa.select(*columns).where(FENCE_EVENTS.c.at <= due).order_by(FENCE_EVENTS.c.at).limit(limit)
    return (await tx.execute(sa.delete(FENCE_EVENTS).where(key.in_(old)))).rowcount
