"""What the link keeps of the houses of a person."""

from typing import Any

import orjson
import sqlalchemy as sa

from parkshare_backend.accounts.erasure import Erasure
from parkshare_backend.accounts.installs import Installs
from parkshare_backend.accounts.retention import Retention, Rule
from parkshare_backend.link.service import ANSWERS_KEPT, RECENT_KEPT
from parkshare_backend.link.tables import ANSWERS, RECEIVED, RECENT, SESSIONS, SET_ASIDE
from parkshare_backend.store.engine import ReadTx, Tx
from parkshare_backend.store.outbox import EVENTS, HEADS, KEPT, account_audience, install_audience


class LinkPrivacy:
    """Exports and erases what was said to and by the houses and the clients of a person."""

    def __init__(self, installs: Installs) -> None:
        self._installs = installs

    def register(self, erasure: Erasure, retention: Retention) -> None:
        """Answer for the tables of the link and for the log of changes."""
        erasure.register(
            "changes",
            tables=(
                "outbox_heads",
                "outbox",
                "link_received",
                "link_recent",
                "link_answers",
                "link_set_aside",
                "link_sessions",
            ),
            export=self._export,
            erase=self._erase,
            last=True,  # erasing the rest is told, too
        )
        erasure.impersonal("server", "the server's own id and the name of its log")
        retention.register(
            Rule(
                what="What was told to a house or to a person's clients",
                since="after it was told, or when the house has it on its own disk",
                kept_s=KEPT,
                why="whoever was away reads on from where they were",
            ),
            Rule(
                what="Ids of what a house said",
                since="after it was said",
                kept_s=RECENT_KEPT,
                why="a house that says it twice is heard once",
            ),
            Rule(
                what="Answers to a house's requests",
                since="after they were given",
                kept_s=ANSWERS_KEPT,
                why="a house that asks again with the same key gets the same answer",
            ),
        )

    async def _export(self, tx: ReadTx, account: str) -> list[Any]:
        told = sa.select(EVENTS.c.audience, EVENTS.c.q, EVENTS.c.t, EVENTS.c.d)
        rows = await tx.all(
            told.where(EVENTS.c.audience.in_(await self._audiences(tx, account))).order_by(
                EVENTS.c.audience, EVENTS.c.q
            )
        )
        # by place: a Row's own attribute `t` hides the column of that name
        return [{"to": audience, "q": q, "t": t, "d": orjson.loads(d)} for audience, q, t, d in rows]

    async def _erase(self, tx: Tx, account: str) -> None:
        audiences = await self._audiences(tx, account)
        await tx.execute(sa.delete(EVENTS).where(EVENTS.c.audience.in_(audiences)))
        await tx.execute(sa.delete(HEADS).where(HEADS.c.audience.in_(audiences)))
        houses = [house.id for house in await self._installs.of(tx, account)]
        for table in (RECEIVED, RECENT, ANSWERS, SET_ASIDE, SESSIONS):
            await tx.execute(sa.delete(table).where(table.c.install.in_(houses)))

    async def _audiences(self, tx: ReadTx, account: str) -> list[str]:
        houses = [install_audience(house.id) for house in await self._installs.of(tx, account)]
        return [account_audience(account), *houses]
