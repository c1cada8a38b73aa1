"""The few statements that SQLite and PostgreSQL say differently, in one spelling for both.

await tx.execute(insert(tx, HEADS).values(...).on_conflict_do_update(index_elements=[...], set_={...}))
sa.select(CLAIMS.c.space).where(among(CLAIMS.c.space, spaces))
"""

from collections.abc import Iterable
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from parkshare_backend.store.contract import POSTGRESQL
from parkshare_backend.store.engine import ReadTx


def insert(tx: ReadTx, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Start an INSERT that may end in `on_conflict_do_update` or `on_conflict_do_nothing`; they read alike."""
    return postgresql.insert(table) if tx.engine == POSTGRESQL else sqlite.insert(table)


def among(column: sa.ColumnElement[Any], values: Iterable[Any]) -> sa.ColumnElement[bool]:
    """Tell whether the column is one of the values: one parameter however many, so one prepared statement."""
    return _Among(column, sa.bindparam(None, list(values), type_=_Listed(column.type), unique=True))


def among_given(column: sa.ColumnElement[Any], name: str) -> sa.ColumnElement[bool]:
    """Tell the same in a statement that is `Prepared`: the values are given by that name."""
    return _Among(column, sa.bindparam(name, type_=_Listed(column.type)))


_IN_JSON = "{} IN (SELECT value FROM json_each({}))"


class _Listed(TypeDecorator[list[Any]]):
    """A list as one parameter: JSON for SQLite, an array for PostgreSQL."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == POSTGRESQL:
            return dialect.type_descriptor(postgresql.ARRAY(self.item))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: list[Any] | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if dialect.name == POSTGRESQL:
            return list(value)
        return orjson.dumps(list(value)).decode()


class _Among(FunctionElement[bool]):
    """`column` and the one parameter with the values."""

    inherit_cache = True
    name = "among"
    type = sa.Boolean()

    def self_group(self, against: Any = None) -> Any:  # noqa: ARG002 - as the class above has it
        """Stand in a WHERE as it is: SQLAlchemy would write `... = 1` for SQLite, which no index can answer."""
        return self


@compiles(_Among)
def _in_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(part, **options) for part in element.clauses)
    return _IN_JSON.format(column, values)


@compiles(_Among, POSTGRESQL)
def _any_of_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column, **options)} = ANY({compiler.process(values, **options)})"
