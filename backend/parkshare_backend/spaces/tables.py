"""Tables of spaces and the windows in which they are shared, and the index over their places."""

import sqlalchemy as sa

from parkshare_backend.spaces.geometry import NUMBERS_OF_AREA
from parkshare_backend.spaces.times import keep_times
from parkshare_backend.store.metadata import Bytes, Flag, Integer, Json, Real, Text, extra, table

SPACES = table(
    "spaces",
    sa.Column("n", Integer, primary_key=True),  # on SQLite in the order of the areas, see below
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
    sa.Column("area", Integer, nullable=False),  # its number (spaces/geometry.area_number), never 0
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

# Where the areas of the shared spaces lie, in centimetres from the centre of the earth: two engines, one geometry. All
# spaces of an area lie at one point, and it is there once, kept by triggers: a search looks at as many places in a
# district where a thousand spaces are shared as where ten are.
_SHARED = "sharing = 1 AND withdrawn = 0"
extra("spaces_of_area", f"CREATE INDEX spaces_of_area ON spaces (area) WHERE {_SHARED}")

# SQLite keeps the rows of a table in the order of their numbers. So spaces are numbered by their areas, whose numbers
# are near where they lie near, and so are their times in two tables that hold nothing else: what a search looks at lies
# on a few pages, side by side. With spaces and times in the order in which they came it takes half as long again.


def _numbers_of(area: str) -> str:
    return f"BETWEEN {area} * {NUMBERS_OF_AREA} AND {area} * {NUMBERS_OF_AREA} + {NUMBERS_OF_AREA - 1}"


# The next after the highest; once that is the last of the area, the lowest that nobody has any more.
_NUMBERED = f"""
    UPDATE spaces SET n = (
        SELECT CASE
            WHEN max(n) IS NULL THEN NEW.area * {NUMBERS_OF_AREA}
            WHEN max(n) % {NUMBERS_OF_AREA} < {NUMBERS_OF_AREA - 1} THEN max(n) + 1
            ELSE (
                SELECT free FROM (
                    SELECT NEW.area * {NUMBERS_OF_AREA} AS free
                    UNION ALL SELECT n + 1 FROM spaces WHERE n {_numbers_of("NEW.area")}
                ) WHERE NOT EXISTS (SELECT 1 FROM spaces WHERE n = free) ORDER BY free LIMIT 1
            ) END
        FROM spaces WHERE n {_numbers_of("NEW.area")} AND n <> NEW.n
    ) WHERE n = NEW.n;
"""  # noqa: S608
extra(
    "spaces_numbered",
    # A server of the release before that still runs gives none: its space would lie where nobody finds it.
    "CREATE TRIGGER spaces_numbered AFTER INSERT ON spaces BEGIN "
    f"SELECT RAISE(ABORT, 'a space without its area') WHERE NEW.area = 0; {_NUMBERED} END",
    engine="sqlite",
)
extra(
    "spaces_moved",
    "CREATE TRIGGER spaces_moved AFTER UPDATE OF area ON spaces WHEN OLD.area <> NEW.area BEGIN " + _NUMBERED + " END",
    engine="sqlite",
)

# Points of three whole numbers in an R*Tree; n is the number of the area's first space, whether there is one or not.
extra("space_places", "CREATE VIRTUAL TABLE space_places USING rtree_i32(n, x0, x1, y0, y1, z0, z1)", engine="sqlite")
# An R*Tree deletes by the number alone: with more to ask, it still reads where it should write, and refuses.
_NOBODY_LEFT = f"""
    DELETE FROM space_places WHERE n = (SELECT OLD.area * {NUMBERS_OF_AREA} WHERE NOT EXISTS (
        SELECT 1 FROM spaces WHERE area = OLD.area AND {_SHARED}));
"""  # noqa: S608
_PLACED = f"""
    INSERT INTO space_places SELECT NEW.area * {NUMBERS_OF_AREA}, NEW.x, NEW.x, NEW.y, NEW.y, NEW.z, NEW.z
        WHERE NEW.sharing = 1 AND NEW.withdrawn = 0
            AND NOT EXISTS (SELECT 1 FROM space_places WHERE n = NEW.area * {NUMBERS_OF_AREA});
"""  # noqa: S608
extra(
    "space_places_added",
    f"CREATE TRIGGER space_places_added AFTER INSERT ON spaces BEGIN {_PLACED} END",
    engine="sqlite",
)
extra(
    "space_places_changed",
    f"""
    CREATE TRIGGER space_places_changed AFTER UPDATE OF area, sharing, withdrawn ON spaces
    WHEN (OLD.area, OLD.sharing, OLD.withdrawn) IS NOT (NEW.area, NEW.sharing, NEW.withdrawn) BEGIN
        {_NOBODY_LEFT} {_PLACED}
    END
    """,
    engine="sqlite",
)
extra(
    "space_places_removed",
    f"CREATE TRIGGER space_places_removed AFTER DELETE ON spaces BEGIN {_NOBODY_LEFT} END",
    engine="sqlite",
)
keep_times("window_times", of="windows")

# PostgreSQL: the same point as a cube, whose index gives the nearest first. An area counts its spaces, so whoever adds
# one and whoever takes the last away at the same time meet at its row, and one of them conflicts.
extra(
    "space_places",
    "CREATE TABLE space_places (area bigint PRIMARY KEY, spaces bigint NOT NULL, spot cube NOT NULL)",
    engine="postgresql",
)
extra("space_places_spot", "CREATE INDEX space_places_spot ON space_places USING gist (spot)", engine="postgresql")
extra(
    "keep_space_places",
    """
    CREATE FUNCTION keep_space_places() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF OLD.sharing = 1 AND OLD.withdrawn = 0 THEN
            UPDATE space_places SET spaces = spaces - 1 WHERE area = OLD.area;
            DELETE FROM space_places WHERE area = OLD.area AND spaces = 0;
        END IF;
        IF NEW.sharing = 1 AND NEW.withdrawn = 0 THEN
            INSERT INTO space_places (area, spaces, spot)
                VALUES (NEW.area, 1, cube(ARRAY[NEW.x, NEW.y, NEW.z]::float8[]))
                ON CONFLICT (area) DO UPDATE SET spaces = space_places.spaces + 1;
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
    CREATE TRIGGER space_places_changed AFTER UPDATE OF area, sharing, withdrawn ON spaces FOR EACH ROW
    WHEN ((OLD.area, OLD.sharing, OLD.withdrawn) IS DISTINCT FROM (NEW.area, NEW.sharing, NEW.withdrawn))
    EXECUTE FUNCTION keep_space_places()
    """,
    engine="postgresql",
)
