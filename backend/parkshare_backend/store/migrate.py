"""Bringing a database to the schema of this version.

`python -m parkshare_backend.store.migrate MESSAGE` drafts the next migration from the difference between
the tables in the code and the newest migration; a person reads and finishes it.
"""

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from parkshare_backend.store.engine import database_url
from parkshare_backend.store.tables import EXTRAS, metadata

_MIGRATIONS = Path(__file__).parent / "migrations"


def head() -> str | None:
    """Give the revision that this version of the code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current(database: str) -> str | None:
    """Give the revision of a database; None is one without our tables (a missing file is not made)."""
    path = database_url(database).database
    if path is None or not Path(path).exists():
        return None
    with _connect(database) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def known(revision: str) -> bool:
    """Tell whether this version of the code knows a revision (a newer one's it does not)."""
    return any(script.revision == revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def upgrade(database: str) -> None:
    """Bring the database to the newest revision, wholly or not at all; a missing one is made."""
    path = Path(str(database_url(database).database))
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("PRAGMA journal_mode=WAL")  # not possible inside a transaction
    with _connect(database, begin="BEGIN IMMEDIATE") as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def differences(database: str) -> list[str]:
    """Tell where a database differs from the tables, triggers and virtual tables in the code."""
    with _connect(database) as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        found = [str(difference) for difference in compare_metadata(context, metadata)]
        present = _statements(connection)
    changed = (extra.name for extra in EXTRAS if _plain(present.get(extra.name)) != _plain(extra.create))
    found += [f"{name} is not as in the code" for name in changed]
    triggers = {name for name, sql in present.items() if sql.upper().startswith("CREATE TRIGGER")}
    found += [f"{name} is in the database only" for name in sorted(triggers - {extra.name for extra in EXTRAS})]
    return found


def ours(item: Any, name: str | None, kind: str, *_: Any) -> bool:
    """Tell Alembic to leave alone what it cannot compare: virtual tables, their shadow tables, our own statements."""
    del item
    if kind == "index":
        return name not in {extra.name for extra in EXTRAS}
    return kind != "table" or name in metadata.tables


def draft(message: str) -> None:
    """Write the next migration beside the others."""
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "draft.db")
        if head() is not None:
            upgrade(database)
        with _connect(database) as connection:
            config = _config()
            config.attributes["connection"] = connection
            script = command.revision(config, message, autogenerate=True, rev_id=_next_revision())
    if isinstance(script, Script):
        path = Path(script.path)
        lines = path.read_text("utf-8").splitlines()
        path.write_text("\n".join(line for line in lines if "Alembic" not in line) + "\n", "utf-8")


def missing_extras(connection: sa.Connection) -> list[str]:
    """Give the statements of what the code has beside its tables and the database has not."""
    present = _statements(connection)
    return [extra.create for extra in EXTRAS if _plain(present.get(extra.name)) != _plain(extra.create)]


def _next_revision() -> str:
    return f"{int(head() or 0) + 1:04d}"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def _connect(database: str, *, begin: str = "BEGIN") -> sa.Connection:
    """Connect; the driver's own transactions would leave out changes of the schema, so ours begin here."""
    engine = sa.create_engine(database_url(database).set(drivername="sqlite"), poolclass=NullPool)

    @sa.event.listens_for(engine, "connect")
    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def started(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine.connect()


def _statements(connection: sa.Connection) -> dict[str, str]:
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {row.name: row.sql for row in rows}


def _plain(statement: str | None) -> str:
    return " ".join((statement or "").rstrip(";").split())


if __name__ == "__main__":
    draft(" ".join(sys.argv[1:]) or "change")
