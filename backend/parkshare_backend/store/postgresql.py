"""PostgreSQL 15 or newer: SERIALIZABLE writes, reads that see one moment, several servers on one database.

asyncpg does the work; SQLAlchemy writes the ordinary statements. Transactions are begun and ended here and by nobody
else, so a hot statement may go to the driver directly, in the same transaction.

A write that conflicts with another one raises ConflictError; `Store.again` does the whole of it once more.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, cast
from zlib import crc32

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine import URL, CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from parkshare_backend.store.contract import (
    BUSY_TIMEOUT,
    POSTGRESQL,
    ConflictError,
    Line,
    RawSql,
    Told,
    UnableError,
    Values,
    Watch,
    to_its_end,
)

WRITERS = READERS = 8  # connections of one server
STATEMENT_MS = 15_000  # a statement that takes longer is wrong, or the database is overloaded
IDLE_MS = 30_000  # a transaction that stands still holds others up
MARK = "parkshare"  # of the advisory locks that are ours
# 40001 serialization_failure, 40P01 deadlock_detected
CONFLICTS = frozenset({"40001", "40P01"})
# What is no fault of the statement: connections (08), resources (53), an operator (57, the statement timeout too),
# the system (58), a server that only reads (25006), a lock that somebody holds (55P03).
_UNABLE_CLASSES = ("08", "53", "57", "58")
_UNABLE_STATES = frozenset({"25006", "55P03"})
# A connection that breaks in the middle of a statement can find the driver between two states: an internal error.
_LOST = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
DRIVERS = (asyncpg.PostgresError, *_LOST)
WRITE = "BEGIN ISOLATION LEVEL SERIALIZABLE"
READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresEngine:
    """The connections of one server."""

    name = POSTGRESQL

    def __init__(self, url: URL, watch: Watch) -> None:
        self._engine = _engine(url, WRITERS + READERS)
        self._watch = watch
        # Neither kind can take all connections and starve the other.
        self._writing, self._reading = asyncio.Semaphore(WRITERS), asyncio.Semaphore(READERS)
        self._queue = asyncio.Semaphore(1)

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Line]:
        """Give a serializable transaction; what happened is on disk when the block has ended."""
        async with _turn(self._writing), _transaction(self._engine, WRITE) as line:
            yield line
            started = time.perf_counter()
            await to_its_end(_commit(line))
            self._watch.committed(1, time.perf_counter() - started)

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Line]:
        """Give a transaction that sees one moment of the database."""
        async with _turn(self._reading), _transaction(self._engine, READ) as line:
            yield line

    @contextlib.asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[bool]:
        """Give whether this is the one server that does the named work until the block ends."""
        key = crc32(f"{MARK}:{name}".encode())
        async with _turn(self._reading), _connected(self._engine) as (connection, driver):
            mine = await _locked(connection, driver, "SELECT pg_try_advisory_lock($1)", key)
            try:
                yield bool(mine)
            finally:
                if mine and not driver.is_closed():
                    await to_its_end(driver.fetchval("SELECT pg_advisory_unlock($1)", key))

    @contextlib.asynccontextmanager
    async def queue(self) -> AsyncIterator[None]:
        """Let one after the other of all servers on the database come to the head of a queue, for the block."""
        key = crc32(f"{MARK} queue".encode())
        # First among ourselves: so of a server only one holds a connection while it waits for the others.
        many = "Too many who write the same are waiting."
        async with _turn(self._queue, many), _turn(self._reading), _connected(self._engine) as (connection, driver):
            await _locked(connection, driver, "SELECT pg_advisory_lock($1)", key)
            try:
                yield
            finally:
                if not driver.is_closed():
                    with contextlib.suppress(*DRIVERS):
                        await to_its_end(driver.fetchval("SELECT pg_advisory_unlock($1)", key))

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


class PostgresLine:
    """One transaction."""

    engine = POSTGRESQL

    def __init__(self, connection: AsyncConnection, driver: asyncpg.Connection[asyncpg.Record]) -> None:
        self.told = Told()
        self.driver = driver
        self._connection = connection
        self._depth = 0

    async def execute(self, statement: sa.Executable, values: Values | None) -> CursorResult[Any]:
        """Run a statement of SQLAlchemy."""
        with translated():
            return await self._connection.execute(statement, values)

    async def fetch(self, statement: RawSql, arguments: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Run a statement of the driver and give its rows."""
        with translated(statement.postgresql):
            return cast("Sequence[Sequence[Any]]", await self.driver.fetch(statement.postgresql, *arguments))

    async def run(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement of the driver once for each row."""
        with translated(statement):
            if len(rows) == 1:
                await self.driver.fetch(statement, *rows[0])
            else:
                await self.driver.executemany(statement, rows)

    @contextlib.asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo only what happened inside when an error passes through; its calls after commit too.

        A conflict passes through it: after one only the whole transaction can be tried again.
        """
        mark, self._depth = len(self.told.calls), self._depth + 1
        name = f"part{self._depth}"
        with translated():
            await self.driver.execute(f"SAVEPOINT {name}")
        try:
            yield
            with translated():
                await self.driver.execute(f"RELEASE {name}")
        except BaseException:
            del self.told.calls[mark:]
            if self.driver.is_in_transaction():
                with contextlib.suppress(*DRIVERS):
                    await to_its_end(self.driver.execute(f"ROLLBACK TO {name}; RELEASE {name}"))
            raise
        finally:
            self._depth -= 1


@contextlib.contextmanager
def translated(statement: str = "") -> Iterator[None]:
    """Turn what the drivers raise into ConflictError, UnableError, or SQLAlchemy's IntegrityError.

    Raises:
        ConflictError, UnableError, sa.exc.IntegrityError: instead of the driver's own.

    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        meaning = _meaning(error.orig, lost=error.connection_invalidated)
        if meaning is None:
            raise
        raise meaning from error
    except asyncpg.IntegrityConstraintViolationError as error:
        raise sa.exc.IntegrityError(statement, None, error, hide_parameters=True) from error
    except (*DRIVERS, sa.exc.TimeoutError, TimeoutError) as error:
        meaning = _meaning(error)
        if meaning is None:
            raise
        raise meaning from error


def _meaning(origin: BaseException | None, *, lost: bool = False) -> Exception | None:
    """Give what our own code should hear of an error; None when that is the error itself."""
    state = getattr(origin, "sqlstate", None) or ""
    if state in CONFLICTS:
        return ConflictError("Another transaction came first.")
    away = isinstance(origin, (*_LOST, TimeoutError, sa.exc.TimeoutError))
    if lost or away or state in _UNABLE_STATES or state.startswith(_UNABLE_CLASSES):
        return UnableError(f"PostgreSQL cannot do it now ({state or type(origin).__name__}).")
    return None


@contextlib.asynccontextmanager
async def _turn(
    room: asyncio.Semaphore, full: str = "Every connection to the database is in use."
) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(BUSY_TIMEOUT):
            await room.acquire()
    except TimeoutError:
        raise UnableError(full) from None
    try:
        yield
    finally:
        room.release()


@contextlib.asynccontextmanager
async def _transaction(engine: AsyncEngine, begin: str) -> AsyncIterator[PostgresLine]:
    """Own a connection with a transaction that is rolled back unless it was committed."""
    async with _connected(engine, begin) as (connection, driver):
        try:
            yield PostgresLine(connection, driver)
        finally:
            if not driver.is_closed() and driver.is_in_transaction():
                with contextlib.suppress(*DRIVERS):
                    await to_its_end(driver.execute("ROLLBACK"))


@contextlib.asynccontextmanager
async def _connected(
    engine: AsyncEngine, begin: str = "SELECT 1"
) -> AsyncIterator[tuple[AsyncConnection, asyncpg.Connection[asyncpg.Record]]]:
    """Own a connection that has answered: one that was lost while it lay in the pool is replaced once."""
    for last in (False, True):
        connection = engine.connect()
        try:
            with translated():
                await to_its_end(connection.start())
                pooled = await connection.get_raw_connection()
                driver = cast("asyncpg.Connection[asyncpg.Record]", pooled.driver_connection)
                await driver.execute(begin)
            break
        except BaseException as error:
            if connection.sync_connection is not None:
                await connection.invalidate()
                await connection.close()
            if last or not isinstance(error, UnableError) or connection.sync_connection is None:
                raise
    try:
        yield connection, driver
    finally:
        await to_its_end(connection.close())


async def _locked(
    connection: AsyncConnection, driver: asyncpg.Connection[asyncpg.Record], statement: str, key: int
) -> Any:
    """Ask for a lock of the session; give what PostgreSQL says."""
    try:
        with translated():
            return await driver.fetchval(statement, key)
    except BaseException:
        # Who is cancelled may have been given it all the same: it must not go back to the pool with its connection.
        await to_its_end(connection.invalidate())
        raise


async def _commit(line: PostgresLine) -> None:
    with translated():
        ended = await line.driver.execute("COMMIT")
    if ended != "COMMIT":
        # Somebody swallowed an error of a statement: PostgreSQL has rolled everything back.
        raise RuntimeError("the transaction had failed before its end")
    line.told.all()


def _engine(url: URL, connections: int) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_use_lifo=True,
        pool_timeout=BUSY_TIMEOUT,
        isolation_level="AUTOCOMMIT",  # SQLAlchemy starts no transactions of its own
        hide_parameters=True,  # an error of the database ends in a log
        connect_args={
            "timeout": BUSY_TIMEOUT,
            "server_settings": {
                "application_name": "parkshare",
                "statement_timeout": str(STATEMENT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_MS),
                "timezone": "UTC",
                "jit": "off",  # our statements are short; compiling them takes longer than running them
            },
        },
    )


def connect_arguments(url: URL) -> dict[str, Any]:
    """Give what asyncpg needs to connect to the same database, for a connection that is no transaction."""
    _, arguments = _engine(url, 1).dialect.create_connect_args(url)
    return {**arguments, "server_settings": {"application_name": "parkshare"}}


async def reachable(url: URL) -> None:
    """Raise UnableError with the reason when nobody answers at the address."""
    try:
        async with asyncio.timeout(BUSY_TIMEOUT):
            async with _connected(_engine(url, 1)):
                pass
    except TimeoutError:
        raise UnableError("PostgreSQL does not answer.") from None
