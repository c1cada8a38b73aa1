"""What the feature life adds: terms, approval by the owner, changes that wait for the house, the trail, refusals.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    """Bring the schema here."""
    op.add_column("spaces", sa.Column("terms", sa.Text(), nullable=True))
    op.add_column("bookings", sa.Column("terms", sa.Text(), nullable=True))
    op.add_column("bookings", sa.Column("waits_for_owner", INTEGER, nullable=False, server_default=sa.text("0")))
    op.add_column("bookings", sa.Column("answer_until", REAL, nullable=True))
    op.add_column("bookings", sa.Column("wanted_t0", INTEGER, nullable=True))
    op.add_column("bookings", sa.Column("wanted_t1", INTEGER, nullable=True))
    op.create_table(
        "trail",
        sa.Column("booking", sa.Text(), nullable=False),
        sa.Column("n", INTEGER, autoincrement=False, nullable=False),
        sa.Column("at", REAL, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("d", sa.Text(), nullable=False),
        sa.CheckConstraint("by IN ('renter', 'owner', 'house', 'server')", name=op.f("ck_trail_by")),
        sa.ForeignKeyConstraint(
            ["booking"], ["bookings.id"], name=op.f("fk_trail_booking_bookings"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("booking", "n", name=op.f("pk_trail")),
        sqlite_strict=True,
    )
    op.create_table(
        "refusals",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("booking", sa.Text(), nullable=False),
        sa.Column("t0", INTEGER, nullable=False),
        sa.Column("t1", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_refusals_account_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["space"], ["spaces.id"], name=op.f("fk_refusals_space_spaces"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account", "space", "booking", name=op.f("pk_refusals")),
        sqlite_strict=True,
    )
    op.create_table(
        "no_shows",
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("booking", sa.Text(), nullable=False),
        sa.Column("t1", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(["space"], ["spaces.id"], name=op.f("fk_no_shows_space_spaces"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["booking"], ["bookings.id"], name=op.f("fk_no_shows_booking_bookings"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("space", "booking", name=op.f("pk_no_shows")),
        sqlite_strict=True,
    )
    for statement in _GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)
    _begin_trails()


def _begin_trails() -> None:
    """Begin the trail of each booking that is there already; what happened to it before is not known."""
    op.execute(
        """
        INSERT INTO trail (booking, n, at, cause, "by", d)
        SELECT id, 1, created_at, 'proposed', 'renter', '{}' FROM bookings
        """
    )


_GUARDS = {
    "sqlite": (
        """
        CREATE TRIGGER trail_never_changes BEFORE UPDATE ON trail BEGIN
            SELECT RAISE(ABORT, 'the trail is append-only');
        END
        """,
        """
        CREATE TRIGGER trail_never_shrinks BEFORE DELETE ON trail BEGIN
            SELECT RAISE(ABORT, 'the trail is append-only')
                WHERE EXISTS (SELECT 1 FROM bookings WHERE id = OLD.booking);
        END
        """,
    ),
    "postgresql": (
        """
        CREATE FUNCTION trail_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT 1 FROM bookings WHERE id = OLD.booking) THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION 'the trail is append-only';
        END $$
        """,
        """
        CREATE TRIGGER trail_guarded BEFORE UPDATE OR DELETE ON trail
        FOR EACH ROW EXECUTE FUNCTION trail_is_append_only()
        """,
    ),
}
