"""Tables of spaces and the windows in which they are shared, and the index over their places."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Bytes, Flag, Integer, Real, Text, extra, table

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

# R*Tree rounds to 32-bit floats, outwards: it proposes, the exact place in `spaces` decides.
extra("space_places", "CREATE VIRTUAL TABLE space_places USING rtree(n, south, north, west, east)")
extra(
    "space_places_added",
    """
    CREATE TRIGGER space_places_added AFTER INSERT ON spaces WHEN NEW.withdrawn = 0 BEGIN
        INSERT INTO space_places VALUES (NEW.n, NEW.lat, NEW.lat, NEW.lon, NEW.lon);
    END
    """,
)
extra(
    "space_places_moved",
    """
    CREATE TRIGGER space_places_moved AFTER UPDATE OF lat, lon, withdrawn ON spaces BEGIN
        DELETE FROM space_places WHERE n = OLD.n;
        INSERT INTO space_places SELECT NEW.n, NEW.lat, NEW.lat, NEW.lon, NEW.lon WHERE NEW.withdrawn = 0;
    END
    """,
)
extra(
    "space_places_removed",
    """
    CREATE TRIGGER space_places_removed AFTER DELETE ON spaces BEGIN
        DELETE FROM space_places WHERE n = OLD.n;
    END
    """,
)
