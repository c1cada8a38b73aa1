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
# Tells whether a space is shared, without its row: with it and claims_probe a search in SQLite takes a third less time.
# In PostgreSQL a tenth at best, and every write would pay for it.
extra("windows_probe", "CREATE INDEX windows_probe ON windows (space, t0, t1)", engine="sqlite")

# Where the areas of the shared spaces lie, in centimetres from the centre of the earth: two engines, one geometry. All
# spaces of an area lie at one point, and it is there once, kept by triggers: a search looks at as many places in a
# district where a thousand spaces are shared as where ten are.
_SHARED = "sharing = 1 AND withdrawn = 0"
_AT_OLD = "x0 = OLD.x AND x1 = OLD.x AND y0 = OLD.y AND y1 = OLD.y AND z0 = OLD.z AND z1 = OLD.z"
_AT_NEW = _AT_OLD.replace("OLD", "NEW")
extra("spaces_of_place", f"CREATE INDEX spaces_of_place ON spaces (x, y, z) WHERE {_SHARED}")
# SQLite: points of three whole numbers in an R*Tree.
extra("space_places", "CREATE VIRTUAL TABLE space_places USING rtree_i32(n, x0, x1, y0, y1, z0, z1)", engine="sqlite")
extra(
    "space_places_added",
    f"""
    CREATE TRIGGER space_places_added AFTER INSERT ON spaces WHEN NEW.sharing = 1 AND NEW.withdrawn = 0 BEGIN
        INSERT INTO space_places SELECT NULL, NEW.x, NEW.x, NEW.y, NEW.y, NEW.z, NEW.z
            WHERE NOT EXISTS (SELECT 1 FROM space_places WHERE {_AT_NEW});
    END
    """,  # noqa: S608
    engine="sqlite",
)
extra(
    "space_places_changed",
    f"""
    CREATE TRIGGER space_places_changed AFTER UPDATE OF x, y, z, sharing, withdrawn ON spaces
    WHEN (OLD.x, OLD.y, OLD.z, OLD.sharing, OLD.withdrawn)
        IS NOT (NEW.x, NEW.y, NEW.z, NEW.sharing, NEW.withdrawn) BEGIN
        DELETE FROM space_places WHERE {_AT_OLD} AND NOT EXISTS (
            SELECT 1 FROM spaces WHERE x = OLD.x AND y = OLD.y AND z = OLD.z AND {_SHARED});
        INSERT INTO space_places SELECT NULL, NEW.x, NEW.x, NEW.y, NEW.y, NEW.z, NEW.z
            WHERE NEW.sharing = 1 AND NEW.withdrawn = 0
                AND NOT EXISTS (SELECT 1 FROM space_places WHERE {_AT_NEW});
    END
    """,  # noqa: S608
    engine="sqlite",
)
extra(
    "space_places_removed",
    f"""
    CREATE TRIGGER space_places_removed AFTER DELETE ON spaces BEGIN
        DELETE FROM space_places WHERE {_AT_OLD} AND NOT EXISTS (
            SELECT 1 FROM spaces WHERE x = OLD.x AND y = OLD.y AND z = OLD.z AND {_SHARED});
    END
    """,  # noqa: S608
    engine="sqlite",
)
# PostgreSQL: the same point as a cube, whose index gives the nearest first. An area counts its spaces, so whoever adds
# one and whoever takes the last away at the same time meet at its row, and one of them conflicts.
extra(
    "space_places",
    """
    CREATE TABLE space_places (
        x bigint NOT NULL, y bigint NOT NULL, z bigint NOT NULL, spaces bigint NOT NULL,
        spot cube NOT NULL GENERATED ALWAYS AS (cube(ARRAY[x, y, z]::float8[])) STORED,
        PRIMARY KEY (x, y, z)
    )
    """,
    engine="postgresql",
)
extra("space_places_spot", "CREATE INDEX space_places_spot ON space_places USING gist (spot)", engine="postgresql")
extra(
    "keep_space_places",
    """
    CREATE FUNCTION keep_space_places() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF OLD.sharing = 1 AND OLD.withdrawn = 0 THEN
            UPDATE space_places SET spaces = spaces - 1 WHERE x = OLD.x AND y = OLD.y AND z = OLD.z;
            DELETE FROM space_places WHERE x = OLD.x AND y = OLD.y AND z = OLD.z AND spaces = 0;
        END IF;
        IF NEW.sharing = 1 AND NEW.withdrawn = 0 THEN
            INSERT INTO space_places (x, y, z, spaces) VALUES (NEW.x, NEW.y, NEW.z, 1)
                ON CONFLICT (x, y, z) DO UPDATE SET spaces = space_places.spaces + 1;
        END IF;
        RETURN NULL;
    END $$
    """,
    engine="postgresql",
)
extra(
    "space_places_kept",
    """
    CREATE TRIGGER space_places_kept AFTER INSERT OR DELETE ON spaces
    FOR EACH ROW EXECUTE FUNCTION keep_space_places()
    """,
    engine="postgresql",
)
extra(
    "space_places_changed",
    """
    CREATE TRIGGER space_places_changed AFTER UPDATE OF x, y, z, sharing, withdrawn ON spaces FOR EACH ROW
    WHEN ((OLD.x, OLD.y, OLD.z, OLD.sharing, OLD.withdrawn)
        IS DISTINCT FROM (NEW.x, NEW.y, NEW.z, NEW.sharing, NEW.withdrawn))
    EXECUTE FUNCTION keep_space_places()
    """,
    engine="postgresql",
)
