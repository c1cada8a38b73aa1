"""Initial schema.

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# 8 bytes on either engine.
INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:  # noqa: PLR0915 - every table of the first version
    """Bring the schema here."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("email", name=op.f("uq_accounts_email")),
        sqlite_strict=True,
    )
    op.create_table(
        "outbox_heads",
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("head", INTEGER, nullable=False),
        sa.Column("pruned", INTEGER, nullable=False),
        sa.PrimaryKeyConstraint("audience", name=op.f("pk_outbox_heads")),
        sqlite_strict=True,
    )
    op.create_table(
        "server",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_server")),
        sqlite_strict=True,
    )
    op.create_table(
        "fence_events",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("fence", sa.Text(), nullable=False),
        sa.Column("seq", INTEGER, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject"], ["accounts.id"], name=op.f("fk_fence_events_subject_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("subject", "fence", "seq", "kind", name=op.f("pk_fence_events")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("fence_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fence_events_at"), ["at"], unique=False)

    op.create_table(
        "installs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sign_key", sa.LargeBinary(), nullable=False),
        sa.Column("seal_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("revoked_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_installs_account_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installs")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("installs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_installs_account"), ["account"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("q", INTEGER, autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("t", sa.Text(), nullable=False),
        sa.Column("at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("d", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["audience"], ["outbox_heads.audience"], name=op.f("fk_outbox_audience_outbox_heads"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("audience", "q", name=op.f("pk_outbox")),
        sqlite_strict=True,
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("expires_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_tokens_account_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_tokens_hash")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tokens_account"), ["account"], unique=False)

    op.create_table(
        "link_answers",
        sa.Column("install", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["install"], ["installs.id"], name=op.f("fk_link_answers_install_installs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("install", "key", name=op.f("pk_link_answers")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("link_answers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_answers_at"), ["at"], unique=False)

    op.create_table(
        "link_received",
        sa.Column("install", sa.Text(), nullable=False),
        sa.Column("q", INTEGER, nullable=False),
        sa.ForeignKeyConstraint(
            ["install"], ["installs.id"], name=op.f("fk_link_received_install_installs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("install", name=op.f("pk_link_received")),
        sqlite_strict=True,
    )
    op.create_table(
        "link_recent",
        sa.Column("install", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["install"], ["installs.id"], name=op.f("fk_link_recent_install_installs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("install", "id", name=op.f("pk_link_recent")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("link_recent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_recent_at"), ["at"], unique=False)

    op.create_table(
        "link_set_aside",
        sa.Column("install", sa.Text(), nullable=False),
        sa.Column("q", INTEGER, autoincrement=False, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["install"], ["installs.id"], name=op.f("fk_link_set_aside_install_installs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("install", "q", name=op.f("pk_link_set_aside")),
        sqlite_strict=True,
    )
    op.create_table(
        "pairings",
        sa.Column("device_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sign_key", sa.LargeBinary(), nullable=False),
        sa.Column("seal_key", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("install", sa.Text(), nullable=True),
        sa.Column("interval_s", INTEGER, nullable=False),
        sa.Column("polled_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("expires_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.CheckConstraint("state IN ('pending', 'approved', 'denied', 'used')", name=op.f("ck_pairings_state")),
        sa.ForeignKeyConstraint(
            ["install"], ["installs.id"], name=op.f("fk_pairings_install_installs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("device_hash", name=op.f("pk_pairings")),
        sa.UniqueConstraint("user_code", name=op.f("uq_pairings_user_code")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("pairings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pairings_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "spaces",
        sa.Column("n", INTEGER, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("install", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lat", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("lon", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("access_notes", sa.Text(), nullable=False),
        sa.Column("length_m", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("width_m", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("height_m", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("range_m", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("price_minor", INTEGER, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("seal_key", sa.LargeBinary(), nullable=False),
        sa.Column("sharing", INTEGER, nullable=False),
        sa.Column("withdrawn", INTEGER, nullable=False),
        sa.Column("barrier", sa.Text(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=True),
        sa.Column("revision", INTEGER, nullable=False),
        sa.CheckConstraint("sharing IN (0, 1)", name=op.f("ck_spaces_sharing")),
        sa.CheckConstraint("withdrawn IN (0, 1)", name=op.f("ck_spaces_withdrawn")),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_spaces_account_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["install"], ["installs.id"], name=op.f("fk_spaces_install_installs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_spaces")),
        sa.UniqueConstraint("id", name=op.f("uq_spaces_id")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("spaces", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spaces_account"), ["account"], unique=False)
        batch_op.create_index(batch_op.f("ix_spaces_install"), ["install"], unique=False)

    op.create_table(
        "bookings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("t0", INTEGER, nullable=False),
        sa.Column("t1", INTEGER, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("overstay", INTEGER, nullable=False),
        sa.Column("near", INTEGER, nullable=False),
        sa.Column("revision", INTEGER, nullable=False),
        sa.Column("sealed_plate", sa.LargeBinary(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("arrived_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("left_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("due_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("car_length_m", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("car_width_m", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("car_height_m", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("at_risk", INTEGER, nullable=False),
        sa.Column("ending_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.Column("rung", sa.Text(), nullable=True),
        sa.Column("rung_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("code_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("tries_left", INTEGER, nullable=True),
        sa.CheckConstraint(
            "state IN ('pending', 'reserved', 'active', 'fulfilled', 'rejected', 'canceled', 'no_show')",
            name=op.f("ck_bookings_state"),
        ),
        sa.CheckConstraint("t0 < t1", name=op.f("ck_bookings_order")),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_bookings_account_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["space"], ["spaces.id"], name=op.f("fk_bookings_space_spaces"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bookings")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("bookings", schema=None) as batch_op:
        batch_op.create_index("ix_bookings_account", ["account", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bookings_due_at"), ["due_at"], unique=False)
        batch_op.create_index("ix_bookings_space", ["space", "id"], unique=False)

    op.create_table(
        "claims",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("t0", INTEGER, nullable=False),
        sa.Column("t1", INTEGER, nullable=False),
        sa.Column("expires_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.CheckConstraint("kind IN ('booking', 'standby')", name=op.f("ck_claims_kind")),
        sa.CheckConstraint("t0 < t1", name=op.f("ck_claims_order")),
        sa.ForeignKeyConstraint(["space"], ["spaces.id"], name=op.f("fk_claims_space_spaces"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("kind", "holder", name=op.f("pk_claims")),
        sa.UniqueConstraint("space", "t0", name=op.f("uq_claims_space_t0")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("claims", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_claims_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "windows",
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("t0", INTEGER, autoincrement=False, nullable=False),
        sa.Column("t1", INTEGER, nullable=False),
        sa.CheckConstraint("t0 < t1", name=op.f("ck_windows_order")),
        sa.ForeignKeyConstraint(["space"], ["spaces.id"], name=op.f("fk_windows_space_spaces"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("space", "t0", name=op.f("pk_windows")),
        sqlite_strict=True,
    )
    op.create_table(
        "admissions",
        sa.Column("n", INTEGER, nullable=False),
        sa.Column("booking", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking"], ["bookings.id"], name=op.f("fk_admissions_booking_bookings"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_admissions")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("admissions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_admissions_booking"), ["booking"], unique=False)

    op.create_table(
        "hindrances",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("booking", sa.Text(), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("since", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("ended_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=True),
        sa.CheckConstraint("kind IN ('overstay', 'taken')", name=op.f("ck_hindrances_kind")),
        sa.ForeignKeyConstraint(
            ["booking"], ["bookings.id"], name=op.f("fk_hindrances_booking_bookings"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["space"], ["spaces.id"], name=op.f("fk_hindrances_space_spaces"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("kind", "booking", name=op.f("pk_hindrances")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("hindrances", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hindrances_space"), ["space"], unique=False)

    op.create_table(
        "standbys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("install", sa.Text(), nullable=False),
        sa.Column("home_space", sa.Text(), nullable=False),
        sa.Column("booking", sa.Text(), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("t0", INTEGER, nullable=False),
        sa.Column("t1", INTEGER, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("distance_m", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("walk_s", INTEGER, nullable=False),
        sa.Column("expires_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("accepted_booking", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.Double().with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.CheckConstraint(
            "state IN ('offered', 'accepted', 'booked', 'declined', 'expired', 'canceled')",
            name=op.f("ck_standbys_state"),
        ),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_standbys_account_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["booking"], ["bookings.id"], name=op.f("fk_standbys_booking_bookings"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["home_space"], ["spaces.id"], name=op.f("fk_standbys_home_space_spaces"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["install"], ["installs.id"], name=op.f("fk_standbys_install_installs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["space"], ["spaces.id"], name=op.f("fk_standbys_space_spaces"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standbys")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("standbys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_standbys_accepted_booking"), ["accepted_booking"], unique=False)
        batch_op.create_index("ix_standbys_account", ["account", "id"], unique=False)
        batch_op.create_index("ix_standbys_booking", ["booking"], unique=False)
        batch_op.create_index("ix_standbys_state", ["state", "expires_at"], unique=False)

    op.execute(
        """
            CREATE UNIQUE INDEX standbys_one_live ON standbys (booking) WHERE state IN ('offered', 'accepted', 'booked')
            """
    )
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        _postgresql()


def _postgresql() -> None:
    # needs btree_gist: an equality beside a range in one index
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute(
        """
            ALTER TABLE claims ADD CONSTRAINT claims_never_overlap
            EXCLUDE USING gist (space WITH =, int8range(t0, t1) WITH &&)
            """
    )


def _sqlite() -> None:
    op.execute(
        """
            CREATE VIRTUAL TABLE space_places USING rtree(n, south, north, west, east)
            """
    )
    op.execute(
        """
            CREATE TRIGGER space_places_added AFTER INSERT ON spaces WHEN NEW.withdrawn = 0 BEGIN
            INSERT INTO space_places VALUES (NEW.n, NEW.lat, NEW.lat, NEW.lon, NEW.lon);
        END
            """
    )
    op.execute(
        """
            CREATE TRIGGER space_places_moved AFTER UPDATE OF lat, lon, withdrawn ON spaces BEGIN
            DELETE FROM space_places WHERE n = OLD.n;
            INSERT INTO space_places SELECT NEW.n, NEW.lat, NEW.lat, NEW.lon, NEW.lon WHERE NEW.withdrawn = 0;
        END
            """
    )
    op.execute(
        """
            CREATE TRIGGER space_places_removed AFTER DELETE ON spaces BEGIN
            DELETE FROM space_places WHERE n = OLD.n;
        END
            """
    )
    op.execute(
        """
            CREATE TRIGGER claims_never_overlap BEFORE INSERT ON claims BEGIN
            SELECT RAISE(ABORT, 'overlap') WHERE EXISTS (
                SELECT 1 FROM claims WHERE space = NEW.space AND t0 < NEW.t1 AND t1 > NEW.t0);
        END
            """
    )
    op.execute(
        """
            CREATE TRIGGER claims_never_overlap_later BEFORE UPDATE OF space, t0, t1 ON claims BEGIN
            SELECT RAISE(ABORT, 'overlap') WHERE EXISTS (
                SELECT 1 FROM claims WHERE space = NEW.space AND t0 < NEW.t1 AND t1 > NEW.t0
                    AND NOT (kind = OLD.kind AND holder = OLD.holder));
        END
            """
    )
