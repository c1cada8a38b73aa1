"""What the feature search adds: plugs, the places of areas in three dimensions, holds.

Revision ID: 0003
Revises: 0002
"""

import math

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    """Bring the schema here."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column("spaces", sa.Column("plug_kind", sa.Text(), nullable=True))
    op.add_column("spaces", sa.Column("plug_power_kw", REAL, nullable=True))
    for name in ("x", "y", "z"):
        op.add_column("spaces", sa.Column(name, INTEGER, nullable=False, server_default=sa.text("0")))
    _place_areas()
    _holds()
    if sqlite:
        _places_of_sqlite()
        _claims_of_sqlite()
    else:
        op.execute("CREATE EXTENSION IF NOT EXISTS cube")
        op.execute("""
            CREATE INDEX space_places ON spaces USING gist (cube(ARRAY[x, y, z]::float8[]))
            WHERE sharing = 1 AND withdrawn = 0
        """)
        op.drop_constraint(op.f("ck_claims_kind"), "claims", type_="check")
        op.create_check_constraint(op.f("ck_claims_kind"), "claims", "kind IN ('booking', 'standby', 'hold')")


def _place_areas() -> None:
    """Compute where the areas of the known spaces lie, as spaces/geometry.py did when this was written."""
    bind = op.get_bind()
    step = 0.001
    radius = 637_100_877.0  # of the earth in centimetres
    rows = bind.execute(sa.text("SELECT n, lat, lon FROM spaces")).all()
    placed = []
    for n, place_lat, place_lon in rows:
        lat = round(place_lat / step) * step
        turn = step / max(math.cos(math.radians(lat)), 0.01)
        lon = max(-180.0, min(180.0, round(place_lon / turn) * turn))
        north, east = math.radians(round(lat, 6)), math.radians(round(lon, 6))
        flat = radius * math.cos(north)
        x, y, z = round(flat * math.cos(east)), round(flat * math.sin(east)), round(radius * math.sin(north))
        placed.append({"n": n, "x": x, "y": y, "z": z})
    if placed:
        bind.execute(sa.text("UPDATE spaces SET x = :x, y = :y, z = :z WHERE n = :n"), placed)


def _holds() -> None:
    op.create_table(
        "holds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("t0", INTEGER, nullable=False),
        sa.Column("t1", INTEGER, nullable=False),
        sa.Column("expires_at", REAL, nullable=False),
        sa.CheckConstraint("t0 < t1", name=op.f("ck_holds_order")),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_holds_account_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["space"], ["spaces.id"], name=op.f("fk_holds_space_spaces"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_holds_account"), "holds", ["account"])
    op.create_index(op.f("ix_holds_expires_at"), "holds", ["expires_at"])


def _places_of_sqlite() -> None:
    for trigger in ("space_places_added", "space_places_moved", "space_places_removed"):
        op.execute(f"DROP TRIGGER {trigger}")
    op.execute("DROP TABLE space_places")
    op.execute("CREATE VIRTUAL TABLE space_places USING rtree_i32(n, x0, x1, y0, y1, z0, z1)")
    op.execute("INSERT INTO space_places SELECT n, x, x, y, y, z, z FROM spaces WHERE sharing = 1 AND withdrawn = 0")
    op.execute("""
        CREATE TRIGGER space_places_added AFTER INSERT ON spaces WHEN NEW.sharing = 1 AND NEW.withdrawn = 0 BEGIN
            INSERT INTO space_places VALUES (NEW.n, NEW.x, NEW.x, NEW.y, NEW.y, NEW.z, NEW.z);
        END
    """)
    op.execute("""
        CREATE TRIGGER space_places_changed AFTER UPDATE OF n, x, y, z, sharing, withdrawn ON spaces
        WHEN (OLD.n, OLD.x, OLD.y, OLD.z, OLD.sharing, OLD.withdrawn)
            IS NOT (NEW.n, NEW.x, NEW.y, NEW.z, NEW.sharing, NEW.withdrawn) BEGIN
            DELETE FROM space_places WHERE n = OLD.n;
            INSERT INTO space_places SELECT NEW.n, NEW.x, NEW.x, NEW.y, NEW.y, NEW.z, NEW.z
                WHERE NEW.sharing = 1 AND NEW.withdrawn = 0;
        END
    """)
    op.execute("""
        CREATE TRIGGER space_places_removed AFTER DELETE ON spaces BEGIN
            DELETE FROM space_places WHERE n = OLD.n;
        END
    """)


def _claims_of_sqlite() -> None:
    """Make the table anew: SQLite cannot change a CHECK."""
    op.create_table(
        "claims_new",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("t0", INTEGER, nullable=False),
        sa.Column("t1", INTEGER, nullable=False),
        sa.Column("expires_at", REAL, nullable=True),
        sa.CheckConstraint("kind IN ('booking', 'standby', 'hold')", name=op.f("ck_claims_kind")),
        sa.CheckConstraint("t0 < t1", name=op.f("ck_claims_order")),
        sa.ForeignKeyConstraint(["space"], ["spaces.id"], name=op.f("fk_claims_space_spaces"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("kind", "holder", name=op.f("pk_claims")),
        sa.UniqueConstraint("space", "t0", name=op.f("uq_claims_space_t0")),
        sqlite_strict=True,
    )
    op.execute("""
        INSERT INTO claims_new (kind, holder, space, t0, t1, expires_at)
        SELECT kind, holder, space, t0, t1, expires_at FROM claims
    """)
    op.drop_table("claims")  # and its triggers
    op.rename_table("claims_new", "claims")
    op.create_index(op.f("ix_claims_expires_at"), "claims", ["expires_at"])
    op.execute("""
        CREATE TRIGGER claims_never_overlap BEFORE INSERT ON claims BEGIN
            SELECT RAISE(ABORT, 'overlap') WHERE EXISTS (
                SELECT 1 FROM claims WHERE space = NEW.space AND t0 < NEW.t1 AND t1 > NEW.t0);
        END
    """)
    op.execute("""
        CREATE TRIGGER claims_never_overlap_later BEFORE UPDATE OF space, t0, t1 ON claims BEGIN
            SELECT RAISE(ABORT, 'overlap') WHERE EXISTS (
                SELECT 1 FROM claims WHERE space = NEW.space AND t0 < NEW.t1 AND t1 > NEW.t0
                    AND NOT (kind = OLD.kind AND holder = OLD.holder));
        END
    """)
