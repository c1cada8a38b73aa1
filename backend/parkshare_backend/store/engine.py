"""The database behind two doors: `async with store.write() as tx` and `async with store.read() as tx`.

SQLite: WAL, foreign keys, synchronous=FULL (an accepted booking survives a power cut), one writer. A write
transaction starts with BEGIN IMMEDIATE, so two of them never meet half-way ("database is locked"), and what
a reader sees is one consistent moment. Nothing outside this file commits.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import URL, CursorResult, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

log = structlog.get_logger()

BUSY_TIMEOUT = 10.0  # seconds that a writer waits for another process (a backup, `migrate`)
READERS = 4
SYNCHRONOUS = "FULL"  # every commit reaches the disk; only tests that are not about power cuts turn it off

# The database cannot do it now: the disk is full or read-only, another program holds it, no connection is free.
UNABLE = (sa.exc.OperationalError, sa.exc.TimeoutError)

type Values = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class DatabaseUrlError(ValueError):
    """The database cannot be used as it is named in the settings."""


def database_url(database: str) -> URL:
    """Read the setting: a path, or a URL that starts with sqlite."""
    if "://" not in database:
        return URL.create("sqlite+aiosqlite", database=str(Path(database).expanduser().absolute()))
    url = make_url(database)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        raise DatabaseUrlError("The database must be a file path or a sqlite:/// URL of a file.")
    return url.set(drivername="sqlite+aiosqlite")


class ReadTx:
    """One consistent look at the database."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def execute(self, statement: sa.Executable, values: Values | None = None) -> CursorResult[Any]:
        """Run a statement; the result is buffered."""
        return await _to_its_end(self.connection.execute(statement, values))

    async def one(self, statement: sa.Executable) -> sa.Row[Any] | None:
        """Give the first row or None."""
        return (await self.execute(statement)).first()

    async def all(self, statement: sa.Executable) -> Sequence[sa.Row[Any]]:
        """Give every row."""
        return (await self.execute(statement)).all()

    async def scalar(self, statement: sa.Executable) -> Any:
        """Give the first column of the first row or None."""
        return (await self.execute(statement)).scalar()


class Tx(ReadTx):
    """A write transaction: all of it or nothing."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self._after_commit: list[Callable[[], None]] = []

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call this once the transaction is on disk, never when it is rolled back; it must not raise."""
        self._after_commit.append(call)

    @contextlib.asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo only what happened inside when an error passes through; its calls after commit too."""
        mark = len(self._after_commit)
        savepoint = self.connection.begin_nested()
        await _to_its_end(savepoint.start())
        try:
            yield
            await _to_its_end(savepoint.commit())
        except BaseException:
            del self._after_commit[mark:]
            if savepoint.is_active:
                await _to_its_end(savepoint.rollback())
            raise

    def committed(self) -> None:
        """Tell everybody who asked; called by the store only."""
        for call in self._after_commit:
            try:
                call()
            except Exception:
                # The change is on disk: a listener's defect must not look like a failed write.
                log.exception("store.after_commit_failed")


class Store:
    """One database of one process."""

    def __init__(self, database: str) -> None:
        self.url = database_url(database)
        self._writer = _engine(self.url, begin="BEGIN IMMEDIATE", connections=1)
        self._readers = _engine(self.url, begin="BEGIN", connections=READERS, query_only=True)
        self._write_lock = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """Run one write transaction; it is on disk when the block ends without an error.

        Writers wait for each other, so keep slow work (hashing, network) outside the block. Not re-entrant.
        A writer that is cancelled has stored and told all or nothing.
        """
        async with self._write_lock, _connected(self._writer) as connection:
            tx = Tx(connection)
            yield tx
            await _to_its_end(_commit(tx))

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTx]:
        """Look at the database as it is at the first statement; never waits for a writer."""
        async with _connected(self._readers) as connection:
            yield ReadTx(connection)

    async def close(self) -> None:
        """Close every connection; the store cannot be used after."""
        async with self._write_lock:
            await self._writer.dispose()
        await self._readers.dispose()


async def _to_its_end[Result](work: Coroutine[Any, Any, Result]) -> Result:
    """Wait for a piece of work with the database to its end, even when who waits is cancelled meanwhile.

    A statement that is broken off costs the connection, and of a commit nobody would know whether it happened:
    its facts would be on disk with nobody woken to send them.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        task.exception()  # seen: the cancellation outweighs it
        raise cancelled
    return task.result()


@contextlib.asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Own a connection with a transaction that is rolled back unless it was committed."""
    connection = engine.connect()
    try:
        await _to_its_end(_begin(connection))
        yield connection
    finally:
        if connection.sync_connection is not None:
            await _to_its_end(connection.close())


async def _begin(connection: AsyncConnection) -> None:
    await connection.start()
    await connection.begin()


async def _commit(tx: Tx) -> None:
    await tx.connection.commit()
    tx.committed()


def _engine(url: URL, *, begin: str, connections: int, query_only: bool = False) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=BUSY_TIMEOUT,
        connect_args={"timeout": BUSY_TIMEOUT},
        hide_parameters=True,  # an error of the database ends in a log
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # The driver must not start transactions by itself: ours start with BEGIN IMMEDIATE below.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", f"synchronous={SYNCHRONOUS}", "foreign_keys=ON", "temp_store=MEMORY"):
            cursor.execute(f"PRAGMA {pragma}")
        if query_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def started(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
