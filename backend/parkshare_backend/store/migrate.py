"""Bringing a database to the schema of this version, on either engine.

`python -m parkshare_backend.store.migrate MESSAGE` drafts the next migration from the difference between
the tables in the code and the newest migration; a person reads and finishes it.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script

from parkshare_backend.store.contract import SQLITE
from parkshare_backend.store.engine import database_url
from parkshare_backend.store.revisions import MIGRATIONS, current, head, known
from parkshare_backend.store.schema import made_in, on_connection, prepare_file
from parkshare_backend.store.tables import EXTRAS, extras_of, metadata

__all__ = ["current", "differences", "draft", "head", "known", "missing_extras", "ours", "upgrade"]


def upgrade(database: str, revision: str = "head") -> None:
    """Bring the database to the newest revision, wholly or not at all; a missing file is made.

    Servers that start together wait for the first of them, and find the work done.
    """
    url = database_url(database)
    if url.get_backend_name() == SQLITE:
        prepare_file(url)
    on_connection(url, lambda connection: _upgrade(connection, revision), writes=True)


def differences(database: str) -> list[str]:
    """Tell where a database differs from the tables, triggers and virtual tables in the code."""
    return on_connection(database_url(database), _differences)


def ours(item: Any, name: str | None, kind: str, *_: Any) -> bool:
    """Tell Alembic to leave alone what it cannot compare: virtual tables, their shadow tables, our own statements."""
    del item
    if kind == "index":
        return name not in {extra.name for extra in EXTRAS}
    return kind != "table" or name in metadata.tables


def _read_from_it(name: str | None, kind: str, _: Any) -> bool:
    """Tell Alembic not even to read what it would not know: a table of ours may have a type of an extension."""
    return kind != "table" or name in metadata.tables


def draft(message: str) -> None:
    """Write the next migration beside the others."""
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "draft.db")
        if head() is not None:
            upgrade(database)
        script = on_connection(database_url(database), lambda connection: _revision(connection, message))
    if isinstance(script, Script):
        path = Path(script.path)
        lines = path.read_text("utf-8").splitlines()
        path.write_text("\n".join(line for line in lines if "Alembic" not in line) + "\n", "utf-8")


def missing_extras(connection: sa.Connection) -> list[str]:
    """Give the statements of what the code has beside its tables and the database has not."""
    present = made_in(connection)
    return [extra.create for extra in extras_of(connection.dialect.name) if not present.has(extra)]


def _upgrade(connection: sa.Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _revision(connection: sa.Connection, message: str) -> Any:
    config = _config()
    config.attributes["connection"] = connection
    return command.revision(config, message, autogenerate=True, rev_id=f"{int(head() or 0) + 1:04d}")


def _differences(connection: sa.Connection) -> list[str]:
    opts = {"include_object": ours, "include_name": _read_from_it, "compare_type": True}
    context = MigrationContext.configure(connection, opts=opts)
    found = [str(difference) for difference in compare_metadata(context, metadata)]
    present, wanted = made_in(connection), extras_of(connection.dialect.name)
    found += [f"{extra.name} is not as in the code" for extra in wanted if not present.has(extra)]
    return found + [f"{name} is in the database only" for name in present.triggers - {extra.name for extra in wanted}]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


if __name__ == "__main__":
    draft(" ".join(sys.argv[1:]) or "change")
