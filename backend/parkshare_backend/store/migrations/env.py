"""Alembic's entry: runs on the connection that `store.migrate` opened."""

from typing import Any

from alembic import context
from alembic.autogenerate import renderers
from alembic.operations.ops import ExecuteSQLOp, MigrationScript

from parkshare_backend.store.migrate import missing_extras, ours
from parkshare_backend.store.tables import metadata


@renderers.dispatch_for(ExecuteSQLOp, replace=True)
def _render_statement(_context: Any, operation: ExecuteSQLOp) -> str:
    # A trigger is read by people: keep its lines.
    return f'op.execute(\n        """\n        {operation.sqltext}\n        """\n    )'


def _add_extras(migration: Any, _revision: Any, directives: list[MigrationScript]) -> None:
    # Triggers and virtual tables are not compared by Alembic: draft the missing ones after the tables.
    for directive in directives:
        if directive.upgrade_ops is not None:
            statements = missing_extras(migration.connection)
            directive.upgrade_ops.ops.extend(ExecuteSQLOp(statement) for statement in statements)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=ours,
    render_as_batch=True,
    process_revision_directives=_add_extras,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
