"""The store and the outbox: all or nothing, one writer, no gaps."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings as examples, strategies as st

from parkshare_backend.store.engine import UNABLE, ConflictError, DatabaseUrlError, Store, Tx, UnableError, database_url
from parkshare_backend.store.outbox import EVENTS, SERVER, Fact, Outbox, server_value
from parkshare_backend.store.postgresql import translated
from parkshare_backend.store.sqlite import SqliteEngine
from tests.backend.support import FakeClock


async def names(store: Store) -> set[str]:
    async with store.read() as tx:
        return {row.name for row in await tx.all(sa.select(SERVER.c.name))}


class UndoneError(Exception):
    """What goes wrong inside a transaction."""


async def fail_after(store: Store, told: list[str]) -> None:
    async with store.write() as tx:
        tx.after_commit(lambda: told.append("x"))
        await server_value(tx, "half")
        raise UndoneError


async def test_an_error_leaves_nothing_behind_and_tells_nobody(store: Store) -> None:
    told: list[str] = []
    with pytest.raises(UndoneError):
        await fail_after(store, told)
    assert await names(store) == set()
    assert told == []


async def test_listeners_are_told_only_when_the_change_can_be_read(store: Store) -> None:
    told: list[str] = []
    async with store.write() as tx:
        tx.after_commit(lambda: told.append("told"))
        await server_value(tx, "whole")
        assert told == []
        assert await names(store) == set()
    assert told == ["told"]
    assert await names(store) == {"whole"}


async def fail_inside(tx: Tx, told: list[str]) -> None:
    async with tx.savepoint():
        tx.after_commit(lambda: told.append("undone"))
        await server_value(tx, "undone")
        raise UndoneError


async def test_a_savepoint_undoes_its_part_only(store: Store) -> None:
    told: list[str] = []
    async with store.write() as tx:
        await server_value(tx, "before")
        with pytest.raises(UndoneError):
            await fail_inside(tx, told)
        await server_value(tx, "after")
    assert await names(store) == {"before", "after"}
    assert told == []


async def test_a_listener_that_fails_does_not_undo_a_commit(store: Store) -> None:
    def fail() -> None:
        raise RuntimeError

    async with store.write() as tx:
        tx.after_commit(fail)
        await server_value(tx, "kept")
    assert await names(store) == {"kept"}


async def test_writers_of_two_processes_wait_for_each_other(database: str) -> None:
    stores = [Store(database) for _ in range(3)]
    outbox = Outbox(FakeClock())

    async def count_up(store: Store) -> None:
        async with store.write() as tx:
            await outbox.append(tx, "account:a", "t", {})

    await asyncio.gather(*(store.again(partial(count_up, store)) for store in stores for _ in range(10)))
    async with stores[0].read() as tx:
        assert (await outbox.head(tx, "account:a")).head == 30
    for store in stores:
        await store.close()


async def test_of_many_who_write_the_same_at_once_nobody_has_to_give_up(database: str) -> None:
    stores = [Store(database) for _ in range(2)]
    outbox = Outbox(FakeClock())

    async def count_up(store: Store) -> None:
        async with store.write() as tx:
            await outbox.append(tx, "account:a", "t", {})
            await asyncio.sleep(0.005 if store.engine == "postgresql" else 0)  # on SQLite everybody would wait for it

    await asyncio.gather(*(store.again(partial(count_up, store)) for store in stores for _ in range(60)))
    async with stores[0].read() as tx:
        assert (await outbox.head(tx, "account:a")).head == 120
    for store in stores:
        await store.close()


async def test_who_gives_up_in_the_queue_leaves_it_open_for_others(
    postgresql_only: None, database: str, socket_enabled: None
) -> None:
    mine, others, chance = Store(database), Store(database), Random(7)
    conflicts = iter(range(10_000))

    async def work() -> None:
        if next(conflicts) % 2 == 0:
            raise ConflictError

    for _ in range(30):
        giving_up = asyncio.create_task(mine.again(work))
        await asyncio.sleep(chance.uniform(0, 0.004))
        giving_up.cancel()
        await asyncio.gather(giving_up, return_exceptions=True)
        conflicts = iter(range(10_000))
        async with asyncio.timeout(5), mine.read():  # the connection that asked for the turn is at hand or in use
            await others.again(work)
        conflicts = iter(range(10_000))
    await mine.close()
    await others.close()


async def test_work_inside_a_whole_is_not_tried_again_by_itself(store: Store) -> None:
    tries = []

    async def conflict() -> None:
        tries.append("part")
        raise ConflictError

    async def whole() -> None:
        tries.append("whole")
        async with store.whole():
            if len(tries) < 4:
                await store.again(conflict)

    await store.again(whole)
    assert tries == ["whole", "part", "whole", "part", "whole"]


async def test_a_reader_cannot_write(store: Store) -> None:
    async with store.read() as tx:
        with pytest.raises(UNABLE):
            await tx.execute(sa.insert(SERVER).values(name="x", value="y"))


async def test_the_pragmas_that_durability_needs_are_on(sqlite_only: None, durable: None, store: Store) -> None:
    async with store.write() as tx:
        answers = {
            name: await tx.scalar(sa.text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert answers == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.parametrize("url", ["mysql://x/y", "postgresql://x", "sqlite://", "sqlite:///:memory:", "x://["])
def test_a_database_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(DatabaseUrlError):
        database_url(url)


@examples(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["install:a", "install:b", "account:a"]), st.booleans()), max_size=4),
        max_size=8,
    ),
    st.integers(0, 10),
)
def test_each_audience_counts_without_gaps_whatever_fails(
    make_database: Callable[[], str],
    socket_enabled: None,
    transactions: list[list[tuple[str, bool]]],
    acknowledged: int,
) -> None:
    asyncio.run(check_counts(make_database(), transactions, acknowledged))


async def append_all(store: Store, outbox: Outbox, appended: list[tuple[str, bool]]) -> None:
    async with store.write() as tx:
        for audience, fails in appended:
            await outbox.append(tx, audience, "t", {})
            if fails:
                raise UndoneError


async def check_counts(path: str, transactions: list[list[tuple[str, bool]]], acknowledged: int) -> None:
    store, outbox = Store(path), Outbox(FakeClock())
    expected: Counter[str] = Counter()
    for appended in transactions:
        with suppress(UndoneError):
            await append_all(store, outbox, appended)
            expected.update(audience for audience, _ in appended)
    async with store.write() as tx:
        await outbox.acknowledge(tx, "install:a", acknowledged)
    async with store.read() as tx:
        for audience in ("install:a", "install:b", "account:a"):
            known = acknowledged if audience == "install:a" else 0
            events = await outbox.after(tx, audience, 0, limit=1000)
            assert [event.q for event in events] == list(range(known + 1, expected[audience] + 1))
            assert (await outbox.head(tx, audience)).head == expected[audience]
        assert await tx.scalar(sa.select(sa.func.count(sa.distinct(EVENTS.c.id)))) == await tx.scalar(
            sa.select(sa.func.count()).select_from(EVENTS)
        )
    await store.close()


async def test_facts_told_together_count_on_like_those_told_one_by_one(store: Store) -> None:
    outbox, woken = Outbox(FakeClock()), list[str]()
    for audience in ("install:a", "account:a"):
        outbox.listen(audience, partial(woken.append, audience))
    async with store.write() as tx:
        await outbox.append(tx, "account:a", "first", {})
    woken.clear()
    told = [Fact("install:a", "one", {}), Fact("account:a", "two", {"n": 2}), Fact("account:a", "three", {"n": 3})]
    async with store.write() as tx:
        await outbox.append_all(tx, told)
        await outbox.append_all(tx, [])
        assert woken == []
    assert sorted(woken) == ["account:a", "install:a"]
    async with store.read() as tx:
        events = await outbox.after(tx, "account:a", 0, limit=10)
        assert [(event.q, event.t, event.d) for event in events] == [
            (1, "first", {}),
            (2, "two", {"n": 2}),
            (3, "three", {"n": 3}),
        ]
        assert [event.q for event in await outbox.after(tx, "install:a", 0, limit=10)] == [1]
        assert [(await outbox.head(tx, audience)).head for audience in ("account:a", "install:a")] == [3, 1]


async def test_a_writer_that_is_cancelled_at_any_moment_tells_exactly_what_it_stored(store: Store) -> None:
    told: set[str] = set()

    async def write(name: str) -> None:
        async with store.write() as tx:
            tx.after_commit(lambda: told.add(name))
            await server_value(tx, name)

    for moment in range(0, 120, 4):
        writer = asyncio.create_task(write(f"name {moment}"))
        for _ in range(moment):
            await asyncio.sleep(0.00002)
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)
        assert await names(store) == told, moment
    assert 0 < len(told) < 30


async def test_writers_that_come_together_share_a_commit_and_an_error_undoes_only_its_own_part(
    sqlite_only: None, durable: None, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[int] = []
    finish = SqliteEngine._finish

    async def counted(self: SqliteEngine, group: Any) -> None:
        commits.append(len(group.members))
        await finish(self, group)

    monkeypatch.setattr(SqliteEngine, "_finish", counted)
    told: set[str] = set()

    async def write(number: int) -> None:
        async with store.write() as tx:
            tx.after_commit(lambda: told.add(f"name {number}"))
            await server_value(tx, f"name {number}")
            if number % 5 == 0:
                raise UndoneError

    outcomes = await asyncio.gather(*(write(number) for number in range(50)), return_exceptions=True)
    assert [isinstance(outcome, UndoneError) for outcome in outcomes] == [number % 5 == 0 for number in range(50)]
    assert await names(store) == told == {f"name {number}" for number in range(50) if number % 5}
    assert sum(commits) == 40
    assert len(commits) < 40


async def test_a_commit_that_fails_fails_all_that_share_it_and_the_next_one_succeeds(
    sqlite_only: None, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    async def write(name: str, started: asyncio.Event | None = None) -> None:
        async with store.write() as tx:
            tx.after_commit(lambda: told.append(name))
            await server_value(tx, name)
            if started is not None:
                await started.wait()

    gate = asyncio.Event()
    writers = [asyncio.create_task(write("first", gate)), *(asyncio.create_task(write(f"n{i}")) for i in range(5))]
    await asyncio.sleep(0.01)
    engine = store._engine
    assert isinstance(engine, SqliteEngine)
    assert engine._group is not None
    engine._group.lost = UnableError("the disk is full")
    gate.set()
    outcomes = await asyncio.gather(*writers, return_exceptions=True)
    assert isinstance(outcomes[0], UnableError)
    await write("later")
    assert "first" not in told
    assert await names(store) == set(told)
    assert "later" in told


@pytest.mark.parametrize(
    "error",
    [asyncpg.InternalClientError("cannot switch to state 12"), asyncpg.InterfaceError("closed"), ConnectionError()],
)
def test_a_connection_that_breaks_in_the_middle_is_a_database_that_cannot_now(error: Exception) -> None:
    with pytest.raises(UnableError), translated():
        raise error
