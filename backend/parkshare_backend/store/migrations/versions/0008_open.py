"""What the feature open adds: webhooks with their log, calendar feeds.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    """Bring the schema here."""
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_secret_until", REAL, nullable=True),
        sa.Column("created_at", REAL, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("cursor", INTEGER, nullable=False),
        sa.Column("tries", INTEGER, nullable=False),
        sa.Column("failing_since", REAL, nullable=True),
        sa.Column("due_at", REAL, nullable=False),
        sa.Column("lease", sa.Text(), nullable=True),
        sa.Column("lease_until", REAL, nullable=True),
        sa.Column("attempts", INTEGER, nullable=False),
        sa.CheckConstraint("state IN ('active', 'paused', 'disabled')", name=op.f("ck_webhooks_state")),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_webhooks_account_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_webhooks_account"), "webhooks", ["account"], unique=False)
    op.create_table(
        "webhook_attempts",
        sa.Column("webhook", sa.Text(), nullable=False),
        sa.Column("n", INTEGER, autoincrement=False, nullable=False),
        sa.Column("at", REAL, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("q", INTEGER, nullable=False),
        sa.Column("t", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", INTEGER, nullable=True),
        sa.Column("took_ms", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook"], ["webhooks.id"], name=op.f("fk_webhook_attempts_webhook_webhooks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("webhook", "n", name=op.f("pk_webhook_attempts")),
        sqlite_strict=True,
    )
    op.create_table(
        "feeds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", REAL, nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_feeds_account_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint("hash", name=op.f("uq_feeds_hash")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_feeds_account"), "feeds", ["account"], unique=False)
