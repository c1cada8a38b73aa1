"""The databases that the load programs use: a SQLite file, or a PostgreSQL of their own; and how to ask them."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg

from tests.simulators.postgres import private_postgres

ENGINES = ("sqlite", "postgresql")


@contextlib.contextmanager
def database(engine: str, folder: Path) -> Iterator[str]:
    """Give a database that waits for the disk at each commit, as the setting PARKSHARE_DATABASE."""
    if engine == "sqlite":
        yield str(folder / "parkshare.db")
        return
    with private_postgres(durable=True) as postgres:
        yield postgres.create("parkshare")


def ask(database: str, statement: str) -> list[tuple[Any, ...]]:
    """Run a SELECT that both engines understand, past the backend."""
    return ask_all(database, [statement])[0]


def ask_all(database: str, statements: Sequence[str]) -> list[list[tuple[Any, ...]]]:
    """Run SELECTs that see one and the same moment, whatever is written meanwhile."""
    if "://" not in database:
        with contextlib.closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            return [connection.execute(statement).fetchall() for statement in statements]
    return asyncio.run(_ask_postgresql(database, statements))


def one(database: str, statement: str) -> Any:
    """Give the first column of the first row."""
    return ask(database, statement)[0][0]


async def _ask_postgresql(database: str, statements: Sequence[str]) -> list[list[tuple[Any, ...]]]:
    connection = await asyncpg.connect(database)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return [[tuple(row) for row in await connection.fetch(statement)] for statement in statements]
    finally:
        await connection.close()
