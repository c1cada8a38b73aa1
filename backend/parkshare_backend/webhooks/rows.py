"""Webhooks as rows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from parkshare_backend.store.dialects import among
from parkshare_backend.store.engine import ReadTx, Tx
from parkshare_backend.store.outbox import HEADS, account_audience
from parkshare_backend.webhooks.sender import Outcome
from parkshare_backend.webhooks.tables import ATTEMPTS, WEBHOOKS

KEPT_ATTEMPTS = 50
LEASE_S = 30.0  # well over the longest attempt: a lease ends by itself only when who had it is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One webhook; times in UTC epoch seconds. waiting counts the changes after the cursor, of all kinds."""

    id: str
    account: str
    url: str
    kinds: Sequence[str] | None
    description: str
    state: str
    reason: str | None
    secret: str
    old_secret: str | None
    old_secret_until: float | None
    created_at: float
    revision: int
    cursor: int
    tries: int
    failing_since: float | None
    due_at: float
    waiting: int = 0

    def secrets(self, now: float) -> list[str]:
        """Give the keys to sign with: the new one, and the old one while it holds."""
        old = self.old_secret if self.old_secret_until is not None and now < self.old_secret_until else None
        return [self.secret, old] if old else [self.secret]

    def wants(self, kind: str) -> bool:
        """Tell whether changes of this kind are sent."""
        return self.kinds is None or kind in self.kinds


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: id is the `webhook-id` and the same for each try, q the place in the account's log (0: a ping)."""

    id: str
    q: int
    t: str
    body: bytes


_AUDIENCE = sa.literal(account_audience("")) + WEBHOOKS.c.account
_WAITING = sa.select(sa.func.coalesce(sa.func.max(HEADS.c.head), 0)).where(HEADS.c.audience == _AUDIENCE)
_COLUMNS = (*WEBHOOKS.c, _WAITING.scalar_subquery().label("head"))


async def get(tx: ReadTx, webhook: str, *, account: str | None = None) -> Webhook | None:
    """Give a webhook, of this account if one is named."""
    whose = [WEBHOOKS.c.account == account] if account is not None else []
    row = await tx.one(sa.select(*_COLUMNS).where(WEBHOOKS.c.id == webhook, *whose))
    return _webhook(row) if row else None


async def of_account(tx: ReadTx, account: str) -> list[Webhook]:
    """Give the webhooks of an account, oldest first."""
    rows = await tx.all(sa.select(*_COLUMNS).where(WEBHOOKS.c.account == account).order_by(WEBHOOKS.c.id))
    return [_webhook(row) for row in rows]


async def add(tx: Tx, webhook: Webhook) -> None:
    """Write a new webhook."""
    values = {
        "id": webhook.id, "account": webhook.account, "url": webhook.url, "kinds": _json(webhook.kinds),
        "description": webhook.description, "state": webhook.state, "secret": webhook.secret,
        "created_at": webhook.created_at, "revision": webhook.revision, "cursor": webhook.cursor, "tries": 0,
        "due_at": webhook.due_at, "attempts": 0,
    }  # fmt: skip
    await tx.execute(sa.insert(WEBHOOKS).values(values))


async def change(tx: Tx, webhook: str, **values: Any) -> None:
    """Write some columns, as something new that its owner can see."""
    if "kinds" in values:
        values["kinds"] = _json(values["kinds"])
    values["revision"] = WEBHOOKS.c.revision + 1
    await tx.execute(sa.update(WEBHOOKS).where(WEBHOOKS.c.id == webhook).values(values))


async def remove(tx: Tx, webhook: str) -> None:
    """Forget a webhook and its log."""
    await tx.execute(sa.delete(ATTEMPTS).where(ATTEMPTS.c.webhook == webhook))
    await tx.execute(sa.delete(WEBHOOKS).where(WEBHOOKS.c.id == webhook))


async def listening(tx: ReadTx) -> set[str]:
    """Give the accounts whose changes are sent somewhere."""
    rows = await tx.all(sa.select(WEBHOOKS.c.account).where(WEBHOOKS.c.state == "active").distinct())
    return {row.account for row in rows}


async def due(tx: ReadTx, now: float, *, accounts: Collection[str] | None, limit: int) -> list[str]:
    """Give the webhooks that have something to send and that nobody sends for, of these accounts or of all."""
    whose = [among(WEBHOOKS.c.account, accounts)] if accounts is not None else []
    statement = (
        sa.select(WEBHOOKS.c.id)
        .join(HEADS, HEADS.c.audience == _AUDIENCE)
        .where(_sendable(now), HEADS.c.head > WEBHOOKS.c.cursor, *whose)
        .order_by(WEBHOOKS.c.due_at)
        .limit(limit)
    )
    return [row.id for row in await tx.all(statement)]


async def queue(tx: ReadTx) -> tuple[int, float | None]:
    """Give how many active webhooks have something to send, and since when the oldest of them is due."""
    statement = (
        sa.select(sa.func.count().label("webhooks"), sa.func.min(WEBHOOKS.c.due_at).label("due_at"))
        .join(HEADS, HEADS.c.audience == _AUDIENCE)
        .where(WEBHOOKS.c.state == "active", HEADS.c.head > WEBHOOKS.c.cursor)
    )
    row = await tx.one(statement)
    return (row.webhooks, row.due_at) if row else (0, None)


async def claim(tx: Tx, webhook: str, *, lease: str, now: float) -> bool:
    """Take the right to send for a webhook; false when it is taken or nothing is due any more."""
    taken = sa.update(WEBHOOKS).where(WEBHOOKS.c.id == webhook, _sendable(now))
    return (await tx.execute(taken.values(lease=lease, lease_until=now + LEASE_S))).rowcount == 1


async def settle(tx: Tx, webhook: str, mine: str, **values: Any) -> bool:
    """Write what came of sending; false when the lease is not `mine` any more, and then nothing is written."""
    still_mine = sa.update(WEBHOOKS).where(WEBHOOKS.c.id == webhook, WEBHOOKS.c.lease == mine)
    return (await tx.execute(still_mine.values(values))).rowcount == 1


async def note(tx: Tx, webhook: str, message: Message, outcome: Outcome, *, at: float) -> int | None:
    """Write an attempt into the log and forget the oldest ones; give its number, None when the webhook is gone."""
    counted = sa.update(WEBHOOKS).where(WEBHOOKS.c.id == webhook).values(attempts=WEBHOOKS.c.attempts + 1)
    n: int | None = (await tx.execute(counted.returning(WEBHOOKS.c.attempts))).scalar()
    if n is None:
        return None
    row = {
        "webhook": webhook, "n": n, "at": at, "message": message.id, "q": message.q, "t": message.t,
        "outcome": outcome.word, "status": outcome.status, "took_ms": outcome.took_ms,
    }  # fmt: skip
    await tx.execute(sa.insert(ATTEMPTS).values(row))
    await tx.execute(sa.delete(ATTEMPTS).where(ATTEMPTS.c.webhook == webhook, ATTEMPTS.c.n <= n - KEPT_ATTEMPTS))
    return n


async def attempts(tx: ReadTx, webhook: str, *, limit: int) -> list[sa.Row[Any]]:
    """Give the last attempts, newest first."""
    statement = sa.select(ATTEMPTS).where(ATTEMPTS.c.webhook == webhook).order_by(ATTEMPTS.c.n.desc()).limit(limit)
    return list(await tx.all(statement))


async def erase(tx: Tx, account: str) -> None:
    """Forget every webhook of an account."""
    for webhook in await of_account(tx, account):
        await remove(tx, webhook.id)


def _sendable(now: float) -> sa.ColumnElement[bool]:
    free = sa.or_(WEBHOOKS.c.lease_until.is_(None), WEBHOOKS.c.lease_until <= now)
    return sa.and_(WEBHOOKS.c.state == "active", WEBHOOKS.c.due_at <= now, free)


def _json(kinds: Sequence[str] | None) -> str | None:
    return None if kinds is None else orjson.dumps(kinds).decode()


def _webhook(row: sa.Row[Any]) -> Webhook:
    return Webhook(
        id=row.id,
        account=row.account,
        url=row.url,
        kinds=None if row.kinds is None else orjson.loads(row.kinds),
        description=row.description,
        state=row.state,
        reason=row.reason,
        secret=row.secret,
        old_secret=row.old_secret,
        old_secret_until=row.old_secret_until,
        created_at=row.created_at,
        revision=row.revision,
        cursor=row.cursor,
        tries=row.tries,
        failing_since=row.failing_since,
        due_at=row.due_at,
        waiting=max(0, row.head - row.cursor),
    )
