"""The durable log of facts: one sequence for each audience, written with the change that it tells.

An audience is `install:<id>` (read by the link, pruned when the house acknowledges) or `account:<id>` (read
by `GET /changes`). Both are pruned by age. `q` counts 1, 2, 3 ... within an audience without gaps: the row of the
audience is counted up in the same transaction, and there is one writer.

`epoch` names one history of the log. It changes when the log was restored from an older copy or lost; a
reader with another epoch must start over from a snapshot.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from parkshare_backend.clock import Clock, new_id
from parkshare_backend.store.engine import ReadTx, Tx
from parkshare_backend.store.metadata import Integer, Json, Real, Text, table

HEADS = table(
    "outbox_heads",
    sa.Column("audience", Text, primary_key=True),
    sa.Column("head", Integer, nullable=False),  # the last q that was given out
    sa.Column("pruned", Integer, nullable=False),  # every q up to this one may be gone
)
EVENTS = table(
    "outbox",
    sa.Column("audience", Text, sa.ForeignKey(HEADS.c.audience, ondelete="CASCADE"), primary_key=True),
    sa.Column("q", Integer, primary_key=True, autoincrement=False),
    sa.Column("id", Text, nullable=False),
    sa.Column("t", Text, nullable=False),
    sa.Column("at", Real, nullable=False),
    sa.Column("d", Json, nullable=False),
)
SERVER = table(
    "server",
    sa.Column("name", Text, primary_key=True),  # "server" and "epoch"
    sa.Column("value", Text, nullable=False),
)

KEPT = 30 * 86_400.0  # seconds; longer than any window is published ahead


@dataclass(frozen=True, slots=True)
class Event:
    """One fact of the log; at is UTC epoch seconds, d is JSON."""

    q: int
    id: str
    t: str
    at: float
    d: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """How far an audience's log reaches: events with pruned < q <= head are there."""

    head: int
    pruned: int


def install_audience(install: str) -> str:
    """Name the audience of a house."""
    return f"install:{install}"


def account_audience(account: str) -> str:
    """Name the audience of a person's clients."""
    return f"account:{account}"


class Outbox:
    """Appends facts and wakes whoever reads them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: dict[str, list[Callable[[], None]]] = defaultdict(list)

    async def append(self, tx: Tx, audience: str, t: str, d: dict[str, Any], *, at: float | None = None) -> int:
        """Write a fact in the transaction of the change; give its q. Readers are woken after the commit."""
        counted = (
            sqlite_insert(HEADS)
            .values(audience=audience, head=1, pruned=0)
            .on_conflict_do_update(index_elements=[HEADS.c.audience], set_={"head": HEADS.c.head + 1})
            .returning(HEADS.c.head)
        )
        q: int = (await tx.execute(counted)).scalar_one()
        at = self._clock.now() if at is None else at
        row = {"audience": audience, "q": q, "id": new_id(), "t": t, "at": at, "d": orjson.dumps(d).decode()}
        await tx.execute(sa.insert(EVENTS).values(row))
        tx.after_commit(lambda: self.wake(audience))
        return q

    async def after(self, tx: ReadTx, audience: str, q: int, *, limit: int) -> list[Event]:
        """Give the facts after q, oldest first."""
        rows = await tx.all(
            sa.select(EVENTS.c.q, EVENTS.c.id, EVENTS.c.t, EVENTS.c.at, EVENTS.c.d)
            .where(EVENTS.c.audience == audience, EVENTS.c.q > q)
            .order_by(EVENTS.c.q)
            .limit(limit)
        )
        # by place: a Row's own attribute `t` hides the column of that name
        return [Event(q, event, t, at, orjson.loads(d)) for q, event, t, at, d in rows]

    async def head(self, tx: ReadTx, audience: str) -> Head:
        """Tell how far the log of the audience reaches."""
        row = await tx.one(sa.select(HEADS.c.head, HEADS.c.pruned).where(HEADS.c.audience == audience))
        return Head(row.head, row.pruned) if row else Head(0, 0)

    async def acknowledge(self, tx: Tx, audience: str, q: int) -> None:
        """Forget what the audience has on its own disk: everything up to q."""
        await tx.execute(sa.delete(EVENTS).where(EVENTS.c.audience == audience, EVENTS.c.q <= q))
        await tx.execute(
            sa.update(HEADS).where(HEADS.c.audience == audience, HEADS.c.pruned < q, HEADS.c.head >= q).values(pruned=q)
        )

    async def prune(self, tx: Tx) -> None:
        """Forget what nobody fetched for KEPT; a house that comes back later gets a snapshot."""
        old = EVENTS.c.at < self._clock.now() - KEPT
        last = sa.select(sa.func.max(EVENTS.c.q)).where(EVENTS.c.audience == HEADS.c.audience, old).scalar_subquery()
        await tx.execute(sa.update(HEADS).where(last > HEADS.c.pruned).values(pruned=last))
        await tx.execute(sa.delete(EVENTS).where(old))

    def listen(self, audience: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Call wake after each commit that added a fact; returns the way to stop."""
        self._listeners[audience].append(wake)

        def stop() -> None:
            self._listeners[audience].remove(wake)
            if not self._listeners[audience]:
                del self._listeners[audience]

        return stop

    def wake(self, audience: str) -> None:
        """Wake the readers of an audience."""
        for wake in tuple(self._listeners.get(audience, ())):
            wake()


async def server_value(tx: Tx, name: str, *, renew: bool = False) -> str:
    """Give the server's own id (`server`) or the log's `epoch`, made at first use; renew makes a new one."""
    known: str | None = await tx.scalar(sa.select(SERVER.c.value).where(SERVER.c.name == name))
    if known is not None and not renew:
        return known
    value = new_id()
    await tx.execute(sa.delete(SERVER).where(SERVER.c.name == name))
    await tx.execute(sa.insert(SERVER).values(name=name, value=value))
    return value
