"""The database behind two doors: `async with store.write() as tx` and `async with store.read() as tx`.

Two engines, one behaviour: a file of SQLite (`sqlite.py`, the default) or a database of PostgreSQL
(`postgresql.py`). A write is all or nothing and on disk when its block ends; what a reader sees is one consistent
moment. Nothing outside these files begins or commits.

On PostgreSQL two writes may conflict; then the later one has to be done again as a whole. `store.again(work)` does
that at the doors of the server: a request, a frame of a house, a sweep. Between its writes such work has no effect
that must not happen twice; what must happen once, like a message, is asked for with `tx.after_commit`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from secrets import SystemRandom
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import URL, CursorResult, make_url

from parkshare_backend.clock import Random
from parkshare_backend.store.contract import (
    POSTGRESQL,
    SQLITE,
    UNABLE,
    ConflictError,
    DatabaseUrlError,
    Line,
    RawSql,
    UnableError,
    Values,
    Watch,
)
from parkshare_backend.store.postgresql import PostgresEngine
from parkshare_backend.store.prepared import Prepared
from parkshare_backend.store.sqlite import SqliteEngine

__all__ = [
    "UNABLE", "ConflictError", "DatabaseUrlError", "Prepared", "RawSql", "ReadTx", "Store", "Tx", "UnableError",
    "database_url", "shown",
]  # fmt: skip

log = structlog.get_logger()

# At the head of the queue, beside others who try for the first time: in the race one of 16 000 gave up after 20 in two
# runs of four, none of 80 000 after 50. All others wait meanwhile, so the pauses are short: together about a second.
ATTEMPTS = 50
FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.05  # seconds, drawn at random up to that: two that met must not meet again


# The transaction that `Store.whole` holds: whose, in which task.
_WHOLE: ContextVar[tuple[object, asyncio.Task[Any] | None, Tx] | None] = ContextVar("whole", default=None)


# Who has come to the head of a store's queue: of which store, which task.
_QUEUED: ContextVar[tuple[object, asyncio.Task[Any] | None] | None] = ContextVar("queued", default=None)


def database_url(database: str) -> URL:
    """Read the setting: a path, a sqlite:/// URL, or postgresql://user@host/database."""
    if "://" not in database:
        return URL.create("sqlite+pysqlite", database=str(Path(database).expanduser().absolute()))
    try:
        url = make_url(database)
        backend = url.get_backend_name()
    except (sa.exc.ArgumentError, ValueError) as error:
        raise DatabaseUrlError("The database must be a file path, or a sqlite:/// or postgresql:// URL.") from error
    if backend in {POSTGRESQL, "postgres"} and url.database:
        query = {("ssl" if name == "sslmode" else name): value for name, value in url.query.items()}
        return url.set(drivername="postgresql+asyncpg", query=query)
    if backend != SQLITE or not url.database or url.database == ":memory:":
        raise DatabaseUrlError(
            "The database must be a file path, a sqlite:/// URL of a file, or a postgresql:// URL with its database."
        )
    return url.set(drivername="sqlite+pysqlite")


def shown(database: str) -> str:
    """Give the setting as people may see it: without a password."""
    if "://" not in database:
        return database
    return database_url(database).render_as_string(hide_password=True)


class ReadTx:
    """One consistent look at the database."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @property
    def engine(self) -> str:
        """Name the engine: "sqlite" or "postgresql"."""
        return self._line.engine

    async def execute(self, statement: sa.Executable, values: Values | None = None) -> CursorResult[Any]:
        """Run a statement; its rows must be fetched before the transaction ends."""
        return await self._line.execute(statement, values)

    async def one(self, statement: sa.Executable) -> sa.Row[Any] | None:
        """Give the first row or None."""
        return (await self._line.execute(statement, None)).first()

    async def all(self, statement: sa.Executable) -> Sequence[sa.Row[Any]]:
        """Give every row."""
        return (await self._line.execute(statement, None)).all()

    async def scalar(self, statement: sa.Executable) -> Any:
        """Give the first column of the first row or None."""
        return (await self._line.execute(statement, None)).scalar()

    async def fetch(self, statement: RawSql, *arguments: Any) -> Sequence[Sequence[Any]]:
        """Run a hot statement by the driver alone; rows are sequences in the order of its columns."""
        return await self._line.fetch(statement, arguments)

    async def quick(self, statement: Prepared, **values: Any) -> list[Any]:
        """Run a hot statement that SQLAlchemy has compiled once; its rows are named tuples."""
        form = statement.form(self._line.engine)
        rows = await self._line.fetch(form.raw, form.arguments(values))
        return list(map(form.row, rows)) if form.row else []


class Tx(ReadTx):
    """A write transaction: all of it or nothing."""

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call this once the transaction is on disk, never when it is rolled back; it must not raise."""
        self._line.told.calls.append(call)

    def savepoint(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Undo only what happened inside when an error passes through; its calls after commit too."""
        return self._line.savepoint()

    async def add(self, table: sa.Table, *rows: dict[str, Any]) -> None:
        """Insert rows that name the same columns, by the driver alone: for hot tables."""
        statement, values_of = _insert(table.name, tuple(rows[0]), self.engine)
        await self._line.run(statement, [values_of(row) for row in rows])

    async def many(self, statement: RawSql, rows: Sequence[Sequence[Any]]) -> None:
        """Run a hot statement by the driver alone, once for each row of arguments."""
        await self._line.run(statement.of(self.engine), rows)


@lru_cache(maxsize=256)
def _insert(
    table: str, names: tuple[str, ...], engine: str
) -> tuple[str, Callable[[Mapping[str, Any]], Sequence[Any]]]:
    """Give the statement, and what takes the values of a row in its order."""
    mark = "$" if engine == POSTGRESQL else "?"
    marks = ", ".join(f"{mark}{number}" for number in range(1, len(names) + 1))
    columns = ", ".join(f'"{name}"' for name in names)
    statement = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 - our own
    return statement, itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],)


class Store:
    """One database of one process."""

    def __init__(self, database: str, *, chance: Random | None = None) -> None:
        self.url = database_url(database)
        self._chance: Random = chance or SystemRandom()
        self.watch = Watch()
        is_sqlite = self.url.get_backend_name() == SQLITE
        self._engine: SqliteEngine | PostgresEngine = (SqliteEngine if is_sqlite else PostgresEngine)(
            self.url, self.watch
        )

    @property
    def engine(self) -> str:
        """Name the engine: "sqlite" or "postgresql"."""
        return self._engine.name

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """Run one write transaction; it is on disk when the block ends without an error.

        On SQLite writers wait for each other, so keep slow work (hashing, network) outside the block. Not
        re-entrant. A writer that is cancelled has stored and told all or nothing.

        Raises:
            ConflictError: PostgreSQL only; `again` at the door answers it.
            UnableError: the database cannot do it now, and nothing is stored.

        """
        if (outer := self._outer()) is not None:
            async with outer.savepoint():
                yield outer
            return
        async with self._engine.write() as line:
            yield Tx(line)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTx]:
        """Look at the database as it is at the first statement; never waits for a writer."""
        if (outer := self._outer()) is not None:
            yield outer
            return
        async with self._engine.read() as line:
            yield ReadTx(line)

    @contextlib.asynccontextmanager
    async def whole(self) -> AsyncIterator[Tx]:
        """Make one transaction of every write and read of this task inside the block.

        For work and the note that it was done, which must both happen or neither. Raises what `write` raises.
        """
        async with self.write() as tx:
            token = _WHOLE.set((self, asyncio.current_task(), tx))
            try:
                yield tx
            finally:
                _WHOLE.reset(token)

    def _outer(self) -> Tx | None:
        """Give the transaction that this very task is in; a task that it started has a copy of the variable only."""
        held = _WHOLE.get()
        if held is None or held[0] is not self or held[1] is not asyncio.current_task():
            return None
        return held[2]

    async def again[Result](self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do the work, and do it again when it conflicted with somebody else's.

        Raises:
            UnableError: it conflicted every time; the database is overloaded.

        """
        if self._outer() is not None:  # a part of something whole, which is tried again as a whole
            return await work()
        with contextlib.suppress(ConflictError):
            return await work()
        # Where many write the same, each try of everybody fails but one. So who has conflicted queues: from then on
        # only those who try for the first time can come first. (32 callers who book 10 spaces of one house: without
        # the queue 7 of 100 gave up.)
        async with self._queued():
            for attempt in range(ATTEMPTS):
                self.watch.conflicted()
                with contextlib.suppress(ConflictError):
                    return await work()
                await asyncio.sleep(self._chance.random() * min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE))
        raise UnableError("Too many write the same at once.")

    @contextlib.asynccontextmanager
    async def _queued(self) -> AsyncIterator[None]:
        """Own the turn of those who conflicted; work that is done inside such work has it already."""
        mine = (self, asyncio.current_task())
        if _QUEUED.get() == mine:
            yield
            return
        async with self._engine.queue():
            token = _QUEUED.set(mine)
            try:
                yield
            finally:
                _QUEUED.reset(token)

    def alone(self, name: str) -> contextlib.AbstractAsyncContextManager[bool]:
        """Give, to the block, whether this is the one server on the database that does the named work."""
        return self._engine.alone(name)

    async def close(self) -> None:
        """Close every connection; the store cannot be used after."""
        await self._engine.close()
