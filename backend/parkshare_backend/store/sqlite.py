"""SQLite: WAL, foreign keys, synchronous=FULL (an accepted booking survives a power cut), one writer, group commit.

Statements run on the event loop itself: each takes microseconds, a hop to a thread and back takes a hundred times
that (docs/decisions/0010). What waits for the disk, the commit, runs in a thread.

Writers take turns inside one open transaction, each in a savepoint, so an error of one undoes only its own part. The
last who waits commits for all, and each returns only then: one wait for the disk serves everybody who came meanwhile.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, CursorResult
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from parkshare_backend.store.contract import (
    BUSY_TIMEOUT,
    SQLITE,
    Line,
    RawSql,
    Told,
    UnableError,
    Values,
    Watch,
    to_its_end,
    until_set,
)

READERS = 8
SYNCHRONOUS = "FULL"  # every commit reaches the disk; only tests that are not about power cuts turn it off
# Pages are read in place, not copied by a call each: a search takes a third less of the CPU. SQLite maps no more.
MAPPED_BYTES = 2**31
GROUP_MEMBERS = 128  # writers whose work one commit may carry
GROUP_TIME = 0.04  # seconds that a group takes new members; more would only add to the first one's wait
READ_BUSY_MS = 2_000  # how long a reader waits for a recovery of the log by another process


class SqliteEngine:
    """The connections to one file: one that writes, some that read."""

    name = SQLITE

    def __init__(self, url: URL, watch: Watch) -> None:
        self._engine = _engine(url)
        self._watch = watch
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._group: _Group | None = None
        self._writer: _Connection | None = None
        self._readers: list[_Connection] = []
        self._room = asyncio.Semaphore(READERS)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._finishing: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def write(self) -> AsyncIterator[Line]:
        """Give the writer's turn; what happened is on disk when the block has ended."""
        failure: Exception | None = None
        await self._take_turn()
        try:
            group = self._group or await self._begin()
            line = SqliteLine(group.connection)
            try:
                async with line.savepoint():
                    yield line
            except Exception as error:  # noqa: BLE001 - raised below, once it is known on what it rests
                failure = error
            else:
                group.members.append(line)
            finally:
                line.close()
                if not group.connection.raw.in_transaction:
                    # SQLite gave up the whole transaction: the disk is full, or failed.
                    group.lost = failure or UnableError("The database gave up.")
                if group.lost or not self._waiting or group.full:
                    await to_its_end(self._finish(group))
        finally:
            self._turn.release()
        # An answer may rest on what another member of the group wrote, so a refusal waits as well.
        await until_set(group.ended)
        if group.failure is not None and (failure is None or group.members):
            raise UnableError("The database could not store it.") from group.failure
        if failure is not None:
            raise failure

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[Line]:
        """Give a connection that sees one moment of the database."""
        if self._room.locked():
            await self._wait_for_room()
        else:
            await self._room.acquire()  # at once; to set an alarm clock for it takes a quarter of an empty look
        try:
            connection = self._readers.pop() if self._readers else _Connection(self._engine, query_only=True)
            line = SqliteLine(connection)
            try:
                connection.command("BEGIN")
                yield line
            finally:
                line.close()
                if connection.raw.in_transaction:
                    connection.command("ROLLBACK")
                self._readers.append(connection)
        finally:
            self._room.release()

    async def _wait_for_room(self) -> None:
        try:
            async with asyncio.timeout(BUSY_TIMEOUT):
                await self._room.acquire()
        except TimeoutError:
            raise UnableError("Too many look at the database.") from None

    @contextlib.asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[bool]:
        """Give true: nobody else works on the file."""
        del name
        yield True

    def queue(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Let everybody through: nobody conflicts here."""
        return contextlib.nullcontext()

    async def close(self) -> None:
        """Close every connection."""
        async with self._turn:
            if self._group is not None:
                await to_its_end(self._finish(self._group))
            for connection in (self._writer, *self._readers):
                if connection is not None:
                    connection.close()
            self._writer, self._readers = None, []
            self._disk.shutdown()
        self._engine.dispose()

    async def _take_turn(self) -> None:
        self._waiting += 1
        try:
            await self._turn.acquire()
        except BaseException:
            self._waiting -= 1
            if self._group is not None and not self._waiting and not self._turn.locked():
                # The group counted on this writer to commit.
                task = asyncio.create_task(self._finish_left())
                self._finishing.add(task)
                task.add_done_callback(self._finishing.discard)
            raise
        self._waiting -= 1

    async def _begin(self) -> _Group:
        """Open a group; another process that writes is waited for without holding up this one's loop."""
        if self._writer is None:
            self._writer = _Connection(self._engine)
        deadline, pause = asyncio.get_running_loop().time() + BUSY_TIMEOUT, 0.0005
        while True:
            try:
                self._writer.command("BEGIN IMMEDIATE")
                break
            except sa.exc.OperationalError as error:
                busy = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or asyncio.get_running_loop().time() > deadline:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.01)
        self._group = _Group(self._writer)
        return self._group

    async def _finish_left(self) -> None:
        async with self._turn:
            if self._group is not None:
                await self._finish(self._group)

    async def _finish(self, group: _Group) -> None:
        """Commit for all members and tell them; the turn must be held."""
        raw = group.connection.raw
        try:
            if group.lost is not None:
                raise group.lost  # noqa: TRY301 - treated like a commit that failed
            if not group.members or raw.total_changes == group.changes_before:
                raw.execute("ROLLBACK")  # nothing to store: no wait for the disk
            else:
                started = time.perf_counter()
                await asyncio.get_running_loop().run_in_executor(self._disk, raw.execute, "COMMIT")
                self._watch.committed(len(group.members), time.perf_counter() - started)
        except Exception as error:  # noqa: BLE001 - every member raises it
            group.failure = error
            if raw.in_transaction:
                raw.execute("ROLLBACK")
        finally:
            self._group = None
            if group.failure is None:
                for line in group.members:
                    line.told.all()
            group.ended.set()


class _Group:
    """Writers that share one transaction."""

    def __init__(self, connection: _Connection) -> None:
        self.connection = connection
        self.members: list[SqliteLine] = []
        self.ended = asyncio.Event()
        self.failure: Exception | None = None
        self.lost: Exception | None = None
        self.changes_before = connection.raw.total_changes
        self._until = asyncio.get_running_loop().time() + GROUP_TIME

    @property
    def full(self) -> bool:
        """Tell whether the next writer must wait for another group."""
        return len(self.members) >= GROUP_MEMBERS or asyncio.get_running_loop().time() > self._until


class SqliteLine:
    """One transaction, or one member's part of a group's."""

    engine = SQLITE

    def __init__(self, connection: _Connection) -> None:
        self.told = Told()
        self._connection = connection
        self._results: list[CursorResult[Any]] = []
        self._depth = 0

    async def execute(self, statement: sa.Executable, values: Values | None) -> CursorResult[Any]:
        """Run a statement of SQLAlchemy."""
        result = self._connection.alchemy.execute(statement, values)
        if result.returns_rows:
            self._results.append(result)
        return result

    async def fetch(self, statement: RawSql, arguments: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Run a statement of the driver and give its rows."""
        try:
            return self._connection.raw.execute(statement.sqlite, arguments).fetchall()
        except sqlite3.Error as error:
            raise _translated(statement.sqlite, error) from error

    async def run(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement of the driver once for each row."""
        try:
            if len(rows) == 1:
                self._connection.raw.execute(statement, rows[0])
            else:
                self._connection.raw.executemany(statement, rows)
        except sqlite3.Error as error:
            raise _translated(statement, error) from error

    @contextlib.asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo only what happened inside when an error passes through; its calls after commit too."""
        raw, mark, self._depth = self._connection.raw, len(self.told.calls), self._depth + 1
        name = f"part{self._depth}"
        raw.execute(f"SAVEPOINT {name}")
        try:
            yield
            raw.execute(f"RELEASE {name}")
        except BaseException:
            del self.told.calls[mark:]
            if raw.in_transaction:
                raw.execute(f"ROLLBACK TO {name}")
                raw.execute(f"RELEASE {name}")
            raise
        finally:
            self._depth -= 1

    def close(self) -> None:
        """Let go of rows that nobody fetched: they would hold the moment that they were read at."""
        for result in self._results:
            result.close()
        self._results.clear()


class _Connection:
    """One connection as SQLAlchemy sees it and as it is; ours say BEGIN and COMMIT, nobody else does."""

    def __init__(self, engine: sa.Engine, *, query_only: bool = False) -> None:
        self.alchemy = engine.connect()
        raw = self.alchemy.connection.driver_connection
        if not isinstance(raw, sqlite3.Connection):
            raise TypeError("the driver of SQLite is sqlite3")
        self.raw = raw
        # A plan must not depend on the values: else SQLite makes one each time that a statement runs which touches a
        # table with a partial index, and a search takes twice as long.
        raw.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_QPSG, True)  # noqa: FBT003 - the driver's own signature
        # Nothing may hold up the loop for long: a writer that finds another one tries again by itself.
        raw.execute(f"PRAGMA busy_timeout={READ_BUSY_MS if query_only else 0}")
        if query_only:
            raw.execute("PRAGMA query_only=ON")

    def command(self, statement: str) -> None:
        """Run BEGIN, COMMIT or ROLLBACK."""
        try:
            self.raw.execute(statement)
        except sqlite3.Error as error:
            raise _translated(statement, error) from error

    def close(self) -> None:
        """Close it."""
        self.alchemy.close()


def _translated(statement: str, error: sqlite3.Error) -> sa.exc.DBAPIError:
    kind = {"IntegrityError": sa.exc.IntegrityError, "OperationalError": sa.exc.OperationalError}
    return kind.get(type(error).__name__, sa.exc.DBAPIError)(statement, None, error, hide_parameters=True)


def _engine(url: URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",  # the driver and SQLAlchemy start no transactions of their own
        connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False, "cached_statements": 512},
        hide_parameters=True,  # an error of the database ends in a log
    )

    @sa.event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", f"synchronous={SYNCHRONOUS}", "foreign_keys=ON", "temp_store=MEMORY"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute(f"PRAGMA mmap_size={MAPPED_BYTES}")
        cursor.close()

    return engine
