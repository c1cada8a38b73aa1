"""What several servers on one database need.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema here."""
    op.create_table(
        "link_sessions",
        sa.Column("install", sa.Text(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["install"], ["installs.id"], name=op.f("fk_link_sessions_install_installs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("install", name=op.f("pk_link_sessions")),
        sqlite_strict=True,
    )
    op.create_index("ix_link_sessions_server", "link_sessions", ["server"])
