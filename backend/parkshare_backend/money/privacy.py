"""What money keeps of people, and for how long: the books stay, and name nobody once the account is gone."""

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from parkshare_backend.accounts.erasure import Erasure
from parkshare_backend.accounts.retention import DAY, Retention, Rule
from parkshare_backend.clock import Clock, to_rfc3339
from parkshare_backend.money import ledger
from parkshare_backend.money.ledger import Why
from parkshare_backend.money.purse import Purse
from parkshare_backend.money.shares import Movement
from parkshare_backend.money.tables import PROVIDER_EVENTS, QUOTES, SELLERS, SETTLEMENTS
from parkshare_backend.store.engine import ReadTx, Tx

EVENTS_KEPT_S = 30 * DAY  # the provider repeats an event for three days
# Directive (EU) 2021/514, annex V: reports and what they rest on are kept for five to ten years, as the state says.
SELLERS_KEPT_S = 10 * 366 * DAY
EVERYTHING = 1_000_000  # entries of one person


class MoneyPrivacy:
    """Exports and erases what is known of the money of people."""

    def __init__(self, *, purse: Purse, clock: Clock) -> None:
        self._purse = purse
        self._clock = clock

    def register(self, erasure: Erasure, retention: Retention) -> None:
        """Answer for the tables of money."""
        erasure.register(
            "money",
            tables=("quotes", "ledger", "settlements", "sellers"),
            export=self._export,
            erase=self._erase,
            obstacles=self._obstacles,
            last=True,  # that bookings go moves money
        )
        erasure.impersonal("provider_events", "which events of the payment provider were heard; names nobody")
        retention.register(
            Rule(
                what="The name, address and tax number of a seller whose account is gone",
                since="after the account was erased, if it had earned something",
                kept_s=SELLERS_KEPT_S,
                why="tax law (DAC7) wants reports and what they rest on kept; without earnings it goes at once",
                sweep=_forget_sellers,
            ),
            Rule(
                what="The names of the payment provider's events",
                since="after the event was heard",
                kept_s=EVENTS_KEPT_S,
                why="an event that comes again must not count twice",
                sweep=_forget_events,
            ),
        )

    async def _export(self, tx: ReadTx, account: str) -> list[Any]:
        entries = await ledger.entries(tx, ledger.person(account), before=None, limit=EVERYTHING)
        seller = await self._purse.said(tx, account)
        said = [{"kind": "seller", **asdict(seller), "updated_at": to_rfc3339(seller.updated_at)}] if seller else []
        return [*said, *({"kind": "entry", **asdict(entry), "at": to_rfc3339(entry.at)} for entry in entries)]

    async def _obstacles(self, tx: ReadTx, account: str) -> list[str]:
        on_its_way = sa.select(sa.literal(1)).where(
            SETTLEMENTS.c.account == account, SETTLEMENTS.c.kind == "refund", SETTLEMENTS.c.state == "due"
        )
        return (
            ["A refund to you is on its way. Wait until it has arrived."]
            if await tx.scalar(on_its_way.limit(1))
            else []
        )

    async def _erase(self, tx: Tx, account: str) -> None:
        """Empty the purse to the operator, and forget what tax law does not want kept.

        The entries stay, and name nobody any more: whose an id was, nothing tells once the account is gone.
        """
        mine, now = ledger.person(account), self._clock.now()
        for (_, currency), minor in sorted((await ledger.balances(tx, [mine])).items()):
            if minor:
                sides = (mine, ledger.ISSUED) if minor > 0 else (ledger.ISSUED, mine)
                why = Why(txn=f"erased:{account}:{currency}", at=now, cause="erased")
                await ledger.write(tx, why, [Movement(*sides, abs(minor))], currency)
        sold = sa.select(sa.literal(1)).where(QUOTES.c.owner == account, QUOTES.c.total_minor > 0).limit(1)
        mine_said = SELLERS.c.account == account
        if await tx.scalar(sold):
            await tx.execute(sa.update(SELLERS).where(mine_said).values(keep_until=now + SELLERS_KEPT_S))
        else:
            await tx.execute(sa.delete(SELLERS).where(mine_said))


async def _forget_sellers(tx: Tx, due: float, limit: int) -> int:
    # `keep_until` has the time in it already.
    over = sa.select(SELLERS.c.account).where(SELLERS.c.keep_until <= due + SELLERS_KEPT_S).limit(limit)
    return (await tx.execute(sa.delete(SELLERS).where(SELLERS.c.account.in_(over)))).rowcount


async def _forget_events(tx: Tx, due: float, limit: int) -> int:
    over = sa.select(PROVIDER_EVENTS.c.id).where(PROVIDER_EVENTS.c.at <= due).limit(limit)
    return (await tx.execute(sa.delete(PROVIDER_EVENTS).where(PROVIDER_EVENTS.c.id.in_(over)))).rowcount
