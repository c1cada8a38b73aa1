"""Looking into a database past the server, whichever engine it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from parkshare_backend.store.engine import database_url
from parkshare_backend.store.schema import on_connection


def rows(database: str, statement: str, **values: Any) -> Sequence[Any]:
    """Run a SELECT; values are named `:name`."""
    return on_connection(database_url(database), lambda line: line.execute(sa.text(statement), values).all())


def value(database: str, statement: str, **values: Any) -> Any:
    """Give the first column of the first row."""
    return rows(database, statement, **values)[0][0]


def change(database: str, *statements: str, **values: Any) -> None:
    """Run statements in one transaction of its own."""

    def work(line: sa.Connection) -> None:
        for statement in statements:
            line.execute(sa.text(statement), values)

    on_connection(database_url(database), work, writes=True)


def tables(database: str) -> list[str]:
    """Name every table."""
    return on_connection(database_url(database), lambda line: sa.inspect(line).get_table_names())


def everything(database: str) -> bytes:
    """Give all that is stored: the files of SQLite, deleted rows too; every row of every table of PostgreSQL."""
    if "://" not in database:
        path = Path(database)
        return b"".join(found.read_bytes() for found in sorted(path.parent.glob(f"{path.name}*")))

    def work(line: sa.Connection) -> bytes:
        tables = sa.inspect(line).get_table_names()
        found = [str(row) for name in tables for row in line.execute(sa.text(f'SELECT t::text FROM "{name}" AS t'))]
        return "\n".join(found).encode()

    return on_connection(database_url(database), work)
