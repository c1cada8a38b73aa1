"""What standbys keep of owners."""

from typing import Any

import sqlalchemy as sa

from parkshare_backend.accounts.erasure import Erasure
from parkshare_backend.accounts.retention import DAY, Retention, Rule
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.standby.rows import LIVE
from parkshare_backend.standby.tables import STANDBYS
from parkshare_backend.store.engine import ReadTx, Tx

_LIVE = STANDBYS.c.state.in_([str(state) for state in LIVE])


def register(erasure: Erasure, retention: Retention) -> None:
    """Answer for the table of standbys."""
    erasure.register("standbys", tables=("standbys",), export=_export, erase=_erase)
    retention.register(
        Rule(
            what="Standbys that were offered to an owner",
            since="after they are over",
            kept_s=30 * DAY,
            why="the app shows the last ones; when an owner came home is nobody's business later",
            sweep=_forget,
        )
    )


async def _export(tx: ReadTx, account: str) -> list[Any]:
    rows = await tx.all(sa.select(STANDBYS).where(STANDBYS.c.account == account).order_by(STANDBYS.c.id))
    return [
        {
            "id": row.id,
            "home_space": row.home_space,
            "booking": row.booking,
            "space": row.space,
            "period": {"start": to_rfc3339(row.t0), "end": to_rfc3339(row.t1)},
            "state": row.state,
            "distance_m": row.distance_m,
            "accepted_booking": row.accepted_booking,
            "changed_at": to_rfc3339(row.changed_at),
        }
        for row in rows
    ]


async def _erase(tx: Tx, account: str) -> None:
    await tx.execute(sa.delete(STANDBYS).where(STANDBYS.c.account == account))


async def _forget(tx: Tx, due: float, limit: int) -> int:
    # A booked one lives as long as its period: its end is nobody's event.
    over = sa.or_(sa.not_(_LIVE), STANDBYS.c.state == "booked")
    old = sa.select(STANDBYS.c.id).where(over, STANDBYS.c.t1 <= due, STANDBYS.c.changed_at <= due).limit(limit)
    return (await tx.execute(sa.delete(STANDBYS).where(STANDBYS.c.id.in_(old)))).rowcount
