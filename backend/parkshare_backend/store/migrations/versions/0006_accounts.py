"""What the feature accounts adds: passkeys, their challenges, what is known of sessions, erased accounts.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_REAL: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring the schema here."""
    op.add_column("accounts", sa.Column("erased_at", _REAL, nullable=True))
    op.add_column("tokens", sa.Column("last_used_at", _REAL, nullable=True))
    op.add_column("tokens", sa.Column("confirmed_at", _REAL, nullable=True))
    op.create_index(op.f("ix_tokens_expires_at"), "tokens", ["expires_at"])
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", _INTEGER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("synced", _INTEGER, nullable=False),
        sa.Column("transports", sa.Text(), nullable=False),
        sa.Column("created_at", _REAL, nullable=False),
        sa.Column("last_used_at", _REAL, nullable=True),
        sa.Column("suspected_at", _REAL, nullable=True),
        sa.CheckConstraint("synced IN (0, 1)", name=op.f("ck_passkeys_synced")),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_passkeys_account_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential", name=op.f("uq_passkeys_credential")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_passkeys_account"), "passkeys", ["account"])
    op.create_table(
        "challenges",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("d", sa.Text(), nullable=False),
        sa.Column("expires_at", _REAL, nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_challenges_account_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_challenges")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_challenges_account"), "challenges", ["account"])
    op.create_index(op.f("ix_challenges_expires_at"), "challenges", ["expires_at"])
    # For the retention sweep: which bookings are over and still have what only the booked house could read.
    op.create_index(
        "ix_bookings_sealed",
        "bookings",
        ["t1"],
        sqlite_where=sa.text("sealed_plate <> x''"),
        postgresql_where=sa.text("sealed_plate <> ''::bytea"),
    )
    op.create_index(op.f("ix_admissions_at"), "admissions", ["at"])
