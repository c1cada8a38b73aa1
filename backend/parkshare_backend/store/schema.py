"""Looking at a schema and changing it: one connection for either engine, and what is there beside the tables."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from parkshare_backend.store.contract import BUSY_TIMEOUT, SQLITE
from parkshare_backend.store.metadata import Extra
from parkshare_backend.store.postgresql import translated

# The advisory lock that one server holds while it migrates; any number does that no other program uses.
MIGRATING = 0x7061726B


@dataclass(frozen=True, slots=True)
class Made:
    """What a database has beside its tables: statements by name (SQLite), names alone (PostgreSQL)."""

    statements: dict[str, str] | None
    names: frozenset[str]
    triggers: frozenset[str]

    def has(self, extra: Extra) -> bool:
        """Tell whether it is there; PostgreSQL keeps no statement to compare."""
        if self.statements is None:
            return extra.name in self.names
        return _plain(self.statements.get(extra.name, "")) == _plain(extra.create)


def made_in(connection: sa.Connection) -> Made:
    """Read what there is beside the tables."""
    if connection.dialect.name == SQLITE:
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all()
        statements = {name: sql for name, sql in rows}  # noqa: C416 - dict() does not take rows
        triggers = frozenset(name for name, sql in statements.items() if sql.upper().startswith("CREATE TRIGGER"))
        return Made(statements, frozenset(statements), triggers)
    triggers = frozenset(
        connection.exec_driver_sql(
            "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace"
        ).scalars()
    )
    names = connection.exec_driver_sql(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
        "UNION SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace "
        "UNION SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
    ).scalars()
    return Made(None, frozenset(names) | triggers, triggers)


def prepare_file(url: URL) -> None:
    """Make the folder and the file of a database of SQLite, with its write-ahead log."""
    path = Path(str(url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("PRAGMA journal_mode=WAL")  # not possible inside a transaction


def on_connection[Result](url: URL, work: Callable[[sa.Connection], Result], *, writes: bool = False) -> Result:
    """Do the work in one transaction, which is kept when it writes; nobody else changes the schema meanwhile.

    Raises:
        UnableError: PostgreSQL is away.
        sa.exc.DBAPIError: anything else that the database does not do.

    """
    if url.get_backend_name() == SQLITE:
        return _on_file(url, work, writes=writes)
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(asyncio.run(_on_server(url, work, writes=writes)))
        except BaseException as error:  # noqa: BLE001 - raised below
            failure.append(error)

    # In a thread of its own: whoever calls may have a running loop.
    thread = threading.Thread(target=run, name="schema")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def _on_file[Result](url: URL, work: Callable[[sa.Connection], Result], *, writes: bool) -> Result:
    engine = sa.create_engine(url, poolclass=NullPool)

    @sa.event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver's own transactions would leave out changes of the schema

    @sa.event.listens_for(engine, "begin")
    def started(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    with engine.connect() as connection:
        result = work(connection)
        if writes:
            connection.commit()
        return result


async def _on_server[Result](url: URL, work: Callable[[sa.Connection], Result], *, writes: bool) -> Result:
    engine = create_async_engine(url, poolclass=NullPool, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT})
    with translated():
        async with engine.connect() as connection:
            if writes:
                await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
            result = await connection.run_sync(work)
            if writes:
                await connection.commit()
            return result


def _plain(statement: str) -> str:
    return " ".join(statement.rstrip(";").split())
