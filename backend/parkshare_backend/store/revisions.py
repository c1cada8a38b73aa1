"""Which schema a database has and which one this version needs.

Without Alembic: a server that finds its database up to date need not load it (8 MB).
"""

import asyncio
import contextlib
from pathlib import Path

import sqlalchemy as sa

from parkshare_backend.store.contract import SQLITE
from parkshare_backend.store.engine import UNABLE, Store, database_url
from parkshare_backend.store.schema import on_connection

MIGRATIONS = Path(__file__).parent / "migrations"
LOOK_EVERY_S = 2.0
_KEPT_IN = sa.table("alembic_version", sa.column("version_num"))


def head() -> str | None:
    """Give the revision that this version of the code needs."""
    return max(_all(), default=None)


def known(revision: str) -> bool:
    """Tell whether this version of the code knows a revision (a newer one's it does not)."""
    return revision in _all()


def current(database: str) -> str | None:
    """Give the revision of a database; None is one without our tables (a missing file is not made)."""
    url = database_url(database)
    if url.get_backend_name() == SQLITE and not Path(str(url.database)).exists():
        return None
    return on_connection(url, _current)


async def outgrown(store: Store, *, every_s: float = LOOK_EVERY_S) -> str:
    """Wait until a newer version has brought the database to a schema that this one does not know; give its revision.

    Who goes on writing then may leave out what the newer one relies on.
    """
    while True:
        await asyncio.sleep(every_s)
        with contextlib.suppress(*UNABLE, sa.exc.SQLAlchemyError):  # whoever asks /readyz hears of that
            async with store.read() as tx:
                revision: str | None = await tx.scalar(sa.select(_KEPT_IN.c.version_num))
            if revision is not None and not known(revision):
                return revision


def _current(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_KEPT_IN.name):
        return None
    revision: str | None = connection.scalar(sa.select(_KEPT_IN.c.version_num))
    return revision


def _all() -> list[str]:
    """Give every revision; each is a number, and its file begins with it."""
    return [path.name.partition("_")[0] for path in MIGRATIONS.glob("versions/[0-9]*.py")]
