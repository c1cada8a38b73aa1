"""The store and the outbox: all or nothing, one writer, no gaps."""

import asyncio
import shutil
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings as examples, strategies as st

from parkshare_backend.store.engine import DatabaseUrlError, Store, Tx, database_url
from parkshare_backend.store.outbox import EVENTS, SERVER, Outbox, server_value
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

    await asyncio.gather(*(count_up(store) for store in stores for _ in range(10)))
    async with stores[0].read() as tx:
        assert (await outbox.head(tx, "account:a")).head == 30
    for store in stores:
        await store.close()


async def test_a_reader_cannot_write(store: Store) -> None:
    async with store.read() as tx:
        with pytest.raises(sa.exc.OperationalError):
            await tx.execute(sa.insert(SERVER).values(name="x", value="y"))


async def test_the_pragmas_that_durability_needs_are_on(durable: None, store: Store) -> None:
    async with store.write() as tx:
        answers = {
            name: await tx.scalar(sa.text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert answers == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.parametrize("url", ["postgresql://x/y", "sqlite://", "sqlite:///:memory:"])
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
    tmp_path_factory: pytest.TempPathFactory,
    migrated: Path,
    socket_enabled: None,
    transactions: list[list[tuple[str, bool]]],
    acknowledged: int,
) -> None:
    path = shutil.copy(migrated, tmp_path_factory.mktemp("outbox") / "test.db")
    asyncio.run(check_counts(str(path), transactions, acknowledged))


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
