"""Looking at a database as an operator does: what `doctor` asks a PostgreSQL server."""

import asyncpg
import sqlalchemy as sa

from parkshare_backend.store.contract import UNABLE
from parkshare_backend.store.engine import Store, database_url
from parkshare_backend.store.schema import on_connection

OLDEST = 15
EXTENSIONS = ("btree_gist", "cube")


def look_at(database: str) -> str | None:
    """Tell what is wrong with the server, and what to do; None when it can be used."""
    try:
        return on_connection(database_url(database), _look)
    except UNABLE as error:
        return f"{error} Is PostgreSQL running, and is the host in PARKSHARE_DATABASE right?"
    except (asyncpg.PostgresError, sa.exc.SQLAlchemyError) as error:
        text = str(getattr(error, "orig", None) or error)
        return f"PostgreSQL refuses: {text}. Check user, password and database name in PARKSHARE_DATABASE."


async def set_aside(store: Store) -> int:
    """Count the facts of houses that no code of ours could apply."""
    async with store.read() as tx:
        return int(await tx.scalar(sa.text("SELECT count(*) FROM link_set_aside")))


def _look(connection: sa.Connection) -> str | None:
    def ask(statement: str) -> object:
        return connection.exec_driver_sql(statement).scalar()

    version = int(str(ask("SHOW server_version_num"))) // 10_000
    if version < OLDEST:
        return f"This is PostgreSQL {version}. ParkShare needs {OLDEST} or newer."
    if ask("SELECT pg_is_in_recovery()") or ask("SHOW default_transaction_read_only") == "on":
        return "This server only reads: it is a standby. Name the primary in PARKSHARE_DATABASE."
    if ask("SHOW server_encoding") != "UTF8":
        return "The database does not keep UTF-8. Make another one with ENCODING 'UTF8'."
    if not ask("SELECT has_schema_privilege(current_user, current_schema(), 'CREATE')"):
        return "The user may not make tables. Make it the owner of the database."
    there = set(connection.exec_driver_sql("SELECT name FROM pg_available_extensions").scalars())
    if missing := [name for name in EXTENSIONS if name not in there]:
        return f"The server lacks {' and '.join(missing)}. Install PostgreSQL's contrib package."
    return None
