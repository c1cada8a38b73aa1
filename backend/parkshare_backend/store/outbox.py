"""The durable log of facts: one sequence for each audience, written with the change that it tells.

An audience is `install:<id>` (read by the link, pruned when the house acknowledges) or `account:<id>` (read
by `GET /changes`). Both are pruned by age. `q` counts 1, 2, 3 ... within an audience without gaps: the row of the
audience is counted up in the same transaction, and there is one writer.

`epoch` names one history of the log. It changes when the log was restored from an older copy or lost; a
reader with another epoch must start over from a snapshot.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from parkshare_backend.clock import Clock, new_id
from parkshare_backend.store.bus import Bus
from parkshare_backend.store.contract import POSTGRESQL
from parkshare_backend.store.dialects import among
from parkshare_backend.store.engine import RawSql, ReadTx, Store, Tx
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

# Several hundred a second: straight to the driver.
_COUNT = RawSql.both(
    "INSERT INTO outbox_heads (audience, head, pruned) VALUES ($1, 1, 0) "
    "ON CONFLICT (audience) DO UPDATE SET head = outbox_heads.head + 1 RETURNING head"
)
_ADD = RawSql.both("INSERT INTO outbox (audience, q, id, t, at, d) VALUES ($1, $2, $3, $4, $5, $6)")
_FROM_COUNTED = (
    "INSERT INTO outbox (audience, q, id, t, at, d) SELECT $1, head, $2, $3, $4, $5 FROM counted RETURNING q"
)
_APPEND = RawSql(
    sqlite="",  # SQLite has no INSERT within WITH
    postgresql="WITH counted AS (" + _COUNT.postgresql + ") " + _FROM_COUNTED,
)
# Several facts at once, each audience counted up once; `later` is how many of them its audience is told after this one.
_COUNT_MORE = RawSql(
    sqlite="INSERT INTO outbox_heads (audience, head, pruned) VALUES (?1, ?2, 0) "
    "ON CONFLICT (audience) DO UPDATE SET head = head + excluded.head",
    postgresql="",
)
_ADD_COUNTED = RawSql(
    sqlite="INSERT INTO outbox (audience, q, id, t, at, d) "
    "SELECT audience, head - ?2, ?3, ?4, ?5, ?6 FROM outbox_heads WHERE audience = ?1",
    postgresql="",
)
_APPEND_ALL = RawSql(
    sqlite="",
    # The heads are taken in order of their names, so that two that write to the same audiences cannot lock each other.
    postgresql="WITH facts AS (SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::float8[], "
    "$6::text[]) AS fact (audience, later, id, t, at, d)), "
    "counted AS (INSERT INTO outbox_heads (audience, head, pruned) "
    "SELECT audience, count(*), 0 FROM facts GROUP BY audience ORDER BY audience "
    "ON CONFLICT (audience) DO UPDATE SET head = outbox_heads.head + excluded.head RETURNING audience, head) "
    "INSERT INTO outbox (audience, q, id, t, at, d) "
    "SELECT audience, head - later, id, t, at, d FROM facts JOIN counted USING (audience)",
)
TOPIC = "outbox"  # on which the servers tell each other which log has grown
WATCH_EVERY = 1.0  # seconds

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
class Fact:
    """What an audience is to be told; d is JSON."""

    audience: str
    t: str
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
    """Appends facts and wakes whoever reads them, on every server of the database."""

    def __init__(self, clock: Clock, bus: Bus | None = None) -> None:
        self._clock = clock
        self._bus = bus
        self._listeners: dict[str, list[Callable[[], None]]] = defaultdict(list)
        self._seen: dict[str, int] = {}  # the head of an audience when its listeners were last woken by `watch`
        if bus is not None:
            bus.subscribe(TOPIC, self._woken)
            bus.on_missed(self._wake_all)

    async def append(self, tx: Tx, audience: str, t: str, d: dict[str, Any], *, at: float | None = None) -> int:
        """Write a fact in the transaction of the change; give its q. Readers are woken after the commit."""
        at = self._clock.now() if at is None else at
        event = (new_id(), t, at, orjson.dumps(d).decode())
        if tx.engine == POSTGRESQL:
            ((q,),) = await tx.fetch(_APPEND, audience, *event)
        else:
            ((q,),) = await tx.fetch(_COUNT, audience)
            await tx.fetch(_ADD, audience, q, *event)
        tx.after_commit(lambda: self.wake(audience))
        return int(q)

    async def append_all(self, tx: Tx, facts: Sequence[Fact]) -> None:
        """Write several facts of now, in order; cheaper than one by one."""
        if not facts:
            return
        at, told = self._clock.now(), Counter(fact.audience for fact in facts)
        left, rows = Counter(told), list[tuple[str, int, str, str, float, str]]()
        for fact in facts:
            left[fact.audience] -= 1
            rows.append((fact.audience, left[fact.audience], new_id(), fact.t, at, orjson.dumps(fact.d).decode()))
        if tx.engine == POSTGRESQL:
            await tx.fetch(_APPEND_ALL, *zip(*rows, strict=True))
        else:
            await tx.many(_COUNT_MORE, list(told.items()))
            await tx.many(_ADD_COUNTED, rows)
        tx.after_commit(lambda: self._wake_each(told))

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
        """Wake the readers of an audience, wherever they are connected; only after the commit."""
        if self._bus is None:
            self._woken(audience)
        else:
            self._bus.publish(TOPIC, audience)

    async def watch(self, store: Store) -> None:
        """Look every WATCH_EVERY whether a reader here was not woken; ends at once where there is one server.

        The words of the bus may get lost; the heads of the logs can't. Comparing them costs one row for each reader,
        and unlike a search by a global number it cannot miss a fact that was committed out of order.
        """
        while self._bus is not None and self._bus.shared:
            await self._clock.sleep(WATCH_EVERY)
            if not self._listeners:
                continue
            async with store.read() as tx:
                rows = await tx.all(
                    sa.select(HEADS.c.audience, HEADS.c.head).where(among(HEADS.c.audience, self._listeners.keys()))
                )
            known = {audience: head for audience, head in rows}  # noqa: C416 - dict() does not take rows
            for audience, head in known.items():
                if self._seen.get(audience) != head:
                    self._woken(audience)
            self._seen = known

    def _woken(self, audience: str) -> None:
        for wake in tuple(self._listeners.get(audience, ())):
            wake()

    def _wake_each(self, audiences: Iterable[str]) -> None:
        for audience in audiences:
            self.wake(audience)

    def _wake_all(self) -> None:
        for audience in tuple(self._listeners):
            self._woken(audience)


async def server_value(tx: Tx, name: str, *, renew: bool = False) -> str:
    """Give the server's own id (`server`) or the log's `epoch`, made at first use; renew makes a new one."""
    known: str | None = await tx.scalar(sa.select(SERVER.c.value).where(SERVER.c.name == name))
    if known is not None and not renew:
        return known
    value = new_id()
    await tx.execute(sa.delete(SERVER).where(SERVER.c.name == name))
    await tx.execute(sa.insert(SERVER).values(name=name, value=value))
    return value
