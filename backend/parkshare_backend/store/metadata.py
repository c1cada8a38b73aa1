"""The one MetaData on which every feature registers its tables, and what SQLAlchemy has no words for.

A feature's `tables.py` makes its tables with `table(...)` and, where the database itself must keep a rule
(a trigger, an R*Tree), adds the statement with `extra(...)`. `store/tables.py` imports them all.

The types named here mean the same on SQLite (whose tables are STRICT) and on PostgreSQL: use no others. A Text
cannot hold the character NUL on PostgreSQL; `http/models.py` refuses it at the door.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.schema import SchemaItem

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# UTC epoch seconds, metres, degrees: 8 bytes everywhere (REAL is 8 bytes in SQLite, 4 in PostgreSQL).
Real: sa.Double[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
# True and false as 1 and 0: a STRICT table knows no BOOLEAN. Give the column a CHECK (x IN (0, 1)).
# Integers have 8 bytes everywhere (PostgreSQL's INTEGER has 4, and epoch seconds end there in 2038).
Integer: sa.BigInteger = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Flag = Integer
Text = sa.Text
Bytes = sa.LargeBinary
# JSON as text; STRICT tables know no JSON, and the backend never searches inside.
Json = sa.Text


@dataclass(frozen=True, slots=True)
class Extra:
    """A statement that makes something beside the tables; `name` is its name in the database.

    engine is "sqlite" or "postgresql" when only one of them needs it or says it so, None when both do.
    """

    name: str
    create: str
    engine: str | None = None


EXTRAS: list[Extra] = []


def table(name: str, *items: SchemaItem) -> sa.Table:
    """Make a STRICT table on the shared MetaData."""
    return sa.Table(name, metadata, *items, sqlite_strict=True)


def extra(name: str, create: str, *, engine: str | None = None) -> None:
    """Register a trigger, virtual table or index by its CREATE statement, in order of need.

    A trigger of PostgreSQL needs a function: that is an extra of its own, before it.
    """
    if any(known.name == name and engine in {None, known.engine} for known in EXTRAS):
        raise ValueError(f"{name} is registered twice")
    EXTRAS.append(Extra(name, create.strip(), engine))


def extras_of(engine: str) -> list[Extra]:
    """Give what a database of this engine has beside its tables, in order of need."""
    return [known for known in EXTRAS if known.engine in {None, engine}]
