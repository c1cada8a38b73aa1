"""Tables of spaces and the windows in which they are shared, and the index over their places."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Bytes, Flag, Integer, Json, Real, Text, extra, table

SPACES = table(
    "spaces",
    sa.Column("n", Integer, primary_key=True),  # the row's number in the index over places
    sa.Column("id", Text, nullable=False, unique=True),
    sa.Column("install", Text, sa.ForeignKey("installs.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("account", Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("name", Text, nullable=False),
    sa.Column("lat", Real, nullable=False),
    sa.Column("lon", Real, nullable=False),
    sa.Column("address", Text, nullable=False),
    sa.Column("access_notes", Text, nullable=False),
    sa.Column("length_m", Real),
    sa.Column("width_m", Real),
    sa.Column("height_m", Real),
    sa.Column("range_m", Real, nullable=False),
    sa.Column("price_minor", Integer, nullable=False),
    sa.Column("currency", Text, nullable=False),
    sa.Column("seal_key", Bytes, nullable=False),
    sa.Column("sharing", Flag, nullable=False),
    sa.Column("withdrawn", Flag, nullable=False),
    sa.Column("barrier", Text, nullable=False),
    sa.Column("fault", Text),
    sa.Column("revision", Integer, nullable=False),
    sa.Column("plug_kind", Text),  # an OCPI connector word; null: no plug
    sa.Column("plug_power_kw", Real),
    # Where the space's area lies, in whole centimetres from the centre of the earth (spaces/geometry.spot_of).
    sa.Column("x", Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("y", Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("z", Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("terms", Json),  # null: the default ones (bookings/terms.py)
    sa.CheckConstraint("sharing IN (0, 1)", name="sharing"),
    sa.CheckConstraint("withdrawn IN (0, 1)", name="withdrawn"),
)
WINDOWS = table(
    "windows",
    sa.Column("space", Text, sa.ForeignKey(SPACES.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("t0", Integer, primary_key=True, autoincrement=False),  # UTC epoch seconds
    sa.Column("t1", Integer, nullable=False),
    sa.CheckConstraint("t0 < t1", name="order"),
)

# Where the areas of the shared spaces lie, in centimetres from the centre of the earth: two engines, one geometry.
# SQLite: a point of three whole numbers in an R*Tree, kept by triggers.
extra("space_places", "CREATE VIRTUAL TABLE space_places USING rtree_i32(n, x0, x1, y0, y1, z0, z1)", engine="sqlite")
extra(
    "space_places_added",
    """
    CREATE TRIGGER space_places_added AFTER INSERT ON spaces WHEN NEW.sharing = 1 AND NEW.withdrawn = 0 BEGIN
        INSERT INTO space_places VALUES (NEW.n, NEW.x, NEW.x, NEW.y, NEW.y, NEW.z, NEW.z);
    END
    """,
    engine="sqlite",
)
extra(
    "space_places_changed",
    """
    CREATE TRIGGER space_places_changed AFTER UPDATE OF n, x, y, z, sharing, withdrawn ON spaces
    WHEN (OLD.n, OLD.x, OLD.y, OLD.z, OLD.sharing, OLD.withdrawn)
        IS NOT (NEW.n, NEW.x, NEW.y, NEW.z, NEW.sharing, NEW.withdrawn) BEGIN
        DELETE FROM space_places WHERE n = OLD.n;
        INSERT INTO space_places SELECT NEW.n, NEW.x, NEW.x, NEW.y, NEW.y, NEW.z, NEW.z
            WHERE NEW.sharing = 1 AND NEW.withdrawn = 0;
    END
    """,
    engine="sqlite",
)
extra(
    "space_places_removed",
    """
    CREATE TRIGGER space_places_removed AFTER DELETE ON spaces BEGIN
        DELETE FROM space_places WHERE n = OLD.n;
    END
    """,
    engine="sqlite",
)
# PostgreSQL: the same point as a cube, whose index gives the nearest first.
extra(
    "space_places",
    """
    CREATE INDEX space_places ON spaces USING gist (cube(ARRAY[x, y, z]::float8[]))
    WHERE sharing = 1 AND withdrawn = 0
    """,
    engine="postgresql",
)
