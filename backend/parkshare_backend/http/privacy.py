"""What the answers that are kept for callers who ask twice keep of people."""

from typing import Any

import sqlalchemy as sa

from parkshare_backend.accounts.erasure import Erasure
from parkshare_backend.accounts.retention import DAY, Retention, Rule
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.http.tables import KEPT_ANSWERS
from parkshare_backend.store.engine import ReadTx, Tx


def register(erasure: Erasure, retention: Retention) -> None:
    """Answer for the table of kept answers."""
    erasure.register("kept_answers", tables=("kept_answers",), export=_export, erase=_erase)
    retention.register(
        Rule(
            what="Answers to requests with an `Idempotency-Key`, encrypted under that key",
            since="after they were given",
            kept_s=DAY,
            why="a client that lost the answer asks again and gets it, without a second effect",
        )
    )


async def _export(tx: ReadTx, account: str) -> list[Any]:
    """Give when there were any; what they said only the client's own keys can open."""
    kept = sa.select(KEPT_ANSWERS.c.at, KEPT_ANSWERS.c.status).where(KEPT_ANSWERS.c.account == account)
    return [{"at": to_rfc3339(row.at), "status": row.status} for row in await tx.all(kept.order_by(KEPT_ANSWERS.c.at))]


async def _erase(tx: Tx, account: str) -> None:
    await tx.execute(sa.delete(KEPT_ANSWERS).where(KEPT_ANSWERS.c.account == account))
