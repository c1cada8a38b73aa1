"""What the feature money adds.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    """Bring the schema here."""
    op.add_column("bookings", sa.Column("unpaid", INTEGER, nullable=False, server_default=sa.text("0")))
    _quotes()
    _ledger()
    _settlements()
    op.create_table(
        "sellers",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("tax_id", sa.Text()),
        sa.Column("tax_country", sa.Text()),
        sa.Column("vat_id", sa.Text()),
        sa.Column("birth_date", sa.Text()),
        sa.Column("updated_at", REAL, nullable=False),
        sa.Column("keep_until", REAL),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_sellers")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_sellers_keep_until"), "sellers", ["keep_until"])


def _quotes() -> None:
    op.create_table(
        "quotes",
        sa.Column("booking", sa.Text(), nullable=False),
        sa.Column("n", INTEGER, autoincrement=False, nullable=False),
        sa.Column("at", REAL, nullable=False),
        sa.Column("renter", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("t0", INTEGER, nullable=False),
        sa.Column("t1", INTEGER, nullable=False),
        sa.Column("price_minor", INTEGER, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("fee_bp", INTEGER, nullable=False),
        sa.Column("minimum_minor", INTEGER, nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("total_minor", INTEGER, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.CheckConstraint("total_minor >= 0", name=op.f("ck_quotes_total")),
        sa.CheckConstraint("t0 < t1", name=op.f("ck_quotes_order")),
        sa.PrimaryKeyConstraint("booking", "n", name=op.f("pk_quotes")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_quotes_owner"), "quotes", ["owner"])


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("n", INTEGER, nullable=False),
        sa.Column("txn", sa.Text(), nullable=False),
        sa.Column("line", INTEGER, nullable=False),
        sa.Column("at", REAL, nullable=False),
        sa.Column("booking", sa.Text()),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("amount_minor", INTEGER, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_ledger_amount")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_ledger_two_sides")),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_ledger_currency")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_ledger")),
        sa.UniqueConstraint("txn", "line", name=op.f("uq_ledger_txn_line")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_ledger_booking"), "ledger", ["booking"])
    op.create_index("ix_ledger_debit", "ledger", ["debit", "n"])
    op.create_index("ix_ledger_credit", "ledger", ["credit", "n"])
    if op.get_bind().dialect.name == "sqlite":
        for word in ("UPDATE", "DELETE"):
            op.execute(f"""
                CREATE TRIGGER ledger_refuses_{word.lower()} BEFORE {word} ON ledger BEGIN
                    SELECT RAISE(ABORT, 'the ledger is append-only');
                END
            """)
    else:
        op.execute("""
            CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$
        """)
        op.execute("""
            CREATE TRIGGER ledger_refuses BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()
        """)


def _settlements() -> None:
    op.create_table(
        "settlements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("booking", sa.Text(), nullable=False),
        sa.Column("n", INTEGER, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", INTEGER, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("first", INTEGER, nullable=False),
        sa.Column("session", sa.Text()),
        sa.Column("url", sa.Text()),
        sa.Column("payment", sa.Text()),
        sa.Column("tries", INTEGER, nullable=False),
        sa.Column("due_at", REAL),
        sa.Column("until", REAL),
        sa.Column("created_at", REAL, nullable=False),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint("kind IN ('charge', 'refund')", name=op.f("ck_settlements_kind")),
        sa.CheckConstraint(
            "state IN ('due', 'open', 'done', 'expired', 'given-up')", name=op.f("ck_settlements_state")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_settlements_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlements")),
        sa.UniqueConstraint("booking", "n", name=op.f("uq_settlements_booking_n")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_settlements_booking"), "settlements", ["booking"])
    op.create_index(op.f("ix_settlements_due_at"), "settlements", ["due_at"])
    op.create_table(
        "provider_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", REAL, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_events")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_provider_events_at"), "provider_events", ["at"])
