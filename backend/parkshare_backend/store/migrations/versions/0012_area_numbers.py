"""Areas get numbers, near ones near each other; SQLite keeps spaces and their times in that order.

Revision ID: 0012
Revises: 0011
"""

import math
from collections import Counter
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OF_AREA = 4194304
_SHARED = "sharing = 1 AND withdrawn = 0"


def upgrade() -> None:
    """Bring the schema here."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    if sqlite:
        for name in ("space_places_added", "space_places_changed", "space_places_removed"):
            op.execute(f"DROP TRIGGER {name}")
        for name in ("windows_probe", "claims_probe"):
            op.execute(f"DROP INDEX {name}")
    else:
        op.execute("DROP TRIGGER space_places_kept ON spaces")
        op.execute("DROP TRIGGER space_places_changed ON spaces")
        op.execute("DROP FUNCTION keep_space_places")
    op.execute("DROP INDEX spaces_of_place")
    op.execute("DROP TABLE space_places")
    op.add_column("spaces", sa.Column("area", INTEGER, nullable=False, server_default=sa.text("0")))
    if sqlite:
        _number_on_sqlite()
        _times_of_sqlite()
        _places_of_sqlite()
    else:
        _number_on_postgresql()
        _places_of_postgresql()
    op.execute(f"CREATE INDEX spaces_of_area ON spaces (area) WHERE {_SHARED}")


def _area_numbers() -> Iterator[tuple[int, int]]:
    """Give each space's number with that of its area, as spaces/geometry.py computed it when this was written."""
    step = 0.001
    for n, lat, lon in op.get_bind().execute(sa.text("SELECT n, lat, lon FROM spaces")).all():
        row = round(lat / step)
        column = round(lon / (step / max(math.cos(math.radians(row * step)), 0.01)))
        yield n, _spread(row + (1 << 17)) << 1 | _spread(column + (1 << 18))


def _spread(number: int) -> int:
    number = (number | number << 16) & 0x0000FFFF0000FFFF
    number = (number | number << 8) & 0x00FF00FF00FF00FF
    number = (number | number << 4) & 0x0F0F0F0F0F0F0F0F
    number = (number | number << 2) & 0x3333333333333333
    return (number | number << 1) & 0x5555555555555555


def _number_on_postgresql() -> None:
    numbered = [{"n": n, "area": area} for n, area in _area_numbers()]
    if numbered:
        op.get_bind().execute(sa.text("UPDATE spaces SET area = :area WHERE n = :n"), numbered)


def _number_on_sqlite() -> None:
    there: Counter[int] = Counter()
    numbered = []
    for n, area in _area_numbers():
        numbered.append({"old": n, "area": area, "n": area * _OF_AREA + there[area]})
        there[area] += 1
    if not numbered:
        return
    bind = op.get_bind()
    bind.execute(sa.text("CREATE TEMP TABLE numbered (old INTEGER PRIMARY KEY, area INTEGER, n INTEGER)"))
    bind.execute(sa.text("INSERT INTO numbered VALUES (:old, :area, :n)"), numbered)
    # The new numbers are far beyond the old ones, so none is taken.
    op.execute("UPDATE spaces SET area = numbered.area, n = numbered.n FROM numbered WHERE numbered.old = spaces.n")
    op.execute("DROP TABLE numbered")


def _times_of_sqlite() -> None:
    for name, of, expires in (("window_times", "windows", ""), ("claim_times", "claims", "expires_at")):
        more, new = (f", {expires}", f", NEW.{expires}") if expires else ("", "")
        column = f"{expires} REAL, " if expires else ""
        op.execute(
            f"CREATE TABLE {name} (n INTEGER NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, {column}"
            "PRIMARY KEY (n, t0)) STRICT, WITHOUT ROWID"
        )
        op.execute(f"""
            INSERT INTO {name} SELECT n, t0, t1{more} FROM {of} JOIN spaces ON spaces.id = {of}.space ORDER BY n, t0
        """)  # noqa: S608
        added = f"INSERT INTO {name} SELECT n, NEW.t0, NEW.t1{new} FROM spaces WHERE id = NEW.space;"  # noqa: S608
        removed = f"DELETE FROM {name} WHERE n = (SELECT n FROM spaces WHERE id = OLD.space) AND t0 = OLD.t0;"  # noqa: S608
        for part, statement in (
            ("added", f"AFTER INSERT ON {of} BEGIN {added} END"),
            ("changed", f"AFTER UPDATE OF space, t0, t1{more} ON {of} BEGIN {removed} {added} END"),
            ("removed", f"AFTER DELETE ON {of} BEGIN {removed} END"),
            ("moved", f"AFTER UPDATE OF n ON spaces BEGIN UPDATE {name} SET n = NEW.n WHERE n = OLD.n; END"),  # noqa: S608
            ("gone", f"AFTER DELETE ON spaces BEGIN DELETE FROM {name} WHERE n = OLD.n; END"),  # noqa: S608
        ):
            op.execute(f"CREATE TRIGGER {name}_{part} {statement}")


def _numbers_of(area: str) -> str:
    return f"BETWEEN {area} * {_OF_AREA} AND {area} * {_OF_AREA} + {_OF_AREA - 1}"


def _places_of_sqlite() -> None:
    op.execute("CREATE VIRTUAL TABLE space_places USING rtree_i32(n, x0, x1, y0, y1, z0, z1)")
    op.execute(f"""
        INSERT INTO space_places SELECT area * {_OF_AREA}, x, x, y, y, z, z FROM spaces
        WHERE {_SHARED} GROUP BY area ORDER BY area
    """)  # noqa: S608
    numbered = f"""
        UPDATE spaces SET n = (
            SELECT CASE
                WHEN max(n) IS NULL THEN NEW.area * {_OF_AREA}
                WHEN max(n) % {_OF_AREA} < {_OF_AREA - 1} THEN max(n) + 1
                ELSE (
                    SELECT free FROM (
                        SELECT NEW.area * {_OF_AREA} AS free
                        UNION ALL SELECT n + 1 FROM spaces WHERE n {_numbers_of("NEW.area")}
                    ) WHERE NOT EXISTS (SELECT 1 FROM spaces WHERE n = free) ORDER BY free LIMIT 1
                ) END
            FROM spaces WHERE n {_numbers_of("NEW.area")} AND n <> NEW.n
        ) WHERE n = NEW.n;
    """  # noqa: S608
    nobody_left = f"""
        DELETE FROM space_places WHERE n = (SELECT OLD.area * {_OF_AREA} WHERE NOT EXISTS (
            SELECT 1 FROM spaces WHERE area = OLD.area AND {_SHARED}));
    """  # noqa: S608
    placed = f"""
        INSERT INTO space_places SELECT NEW.area * {_OF_AREA}, NEW.x, NEW.x, NEW.y, NEW.y, NEW.z, NEW.z
            WHERE NEW.sharing = 1 AND NEW.withdrawn = 0
                AND NOT EXISTS (SELECT 1 FROM space_places WHERE n = NEW.area * {_OF_AREA});
    """  # noqa: S608
    op.execute(
        "CREATE TRIGGER spaces_numbered AFTER INSERT ON spaces BEGIN "
        f"SELECT RAISE(ABORT, 'a space without its area') WHERE NEW.area = 0; {numbered} END"
    )
    op.execute(f"""
        CREATE TRIGGER spaces_moved AFTER UPDATE OF area ON spaces WHEN OLD.area <> NEW.area BEGIN {numbered} END
    """)
    op.execute(f"CREATE TRIGGER space_places_added AFTER INSERT ON spaces BEGIN {placed} END")
    op.execute(f"""
        CREATE TRIGGER space_places_changed AFTER UPDATE OF area, sharing, withdrawn ON spaces
        WHEN (OLD.area, OLD.sharing, OLD.withdrawn) IS NOT (NEW.area, NEW.sharing, NEW.withdrawn) BEGIN
            {nobody_left} {placed}
        END
    """)
    op.execute(f"CREATE TRIGGER space_places_removed AFTER DELETE ON spaces BEGIN {nobody_left} END")


def _places_of_postgresql() -> None:
    # A server of the release before that still runs gives no area: its space would lie where nobody finds it.
    op.execute("ALTER TABLE spaces ALTER COLUMN area DROP DEFAULT")
    op.execute("CREATE TABLE space_places (area bigint PRIMARY KEY, spaces bigint NOT NULL, spot cube NOT NULL)")
    # Shuffled: of places in order an index of cubes gets three times as large.
    op.execute(f"""
        INSERT INTO space_places (area, spaces, spot)
        SELECT area, count(*), cube(ARRAY[min(x), min(y), min(z)]::float8[]) FROM spaces
        WHERE {_SHARED} GROUP BY area ORDER BY random()
    """)  # noqa: S608
    op.execute("CREATE INDEX space_places_spot ON space_places USING gist (spot)")
    op.execute("""
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
    """)
    op.execute("""
        CREATE TRIGGER space_places_kept AFTER INSERT OR DELETE ON spaces
        FOR EACH ROW EXECUTE FUNCTION keep_space_places()
    """)
    op.execute("""
        CREATE TRIGGER space_places_changed AFTER UPDATE OF area, sharing, withdrawn ON spaces FOR EACH ROW
        WHEN ((OLD.area, OLD.sharing, OLD.withdrawn) IS DISTINCT FROM (NEW.area, NEW.sharing, NEW.withdrawn))
        EXECUTE FUNCTION keep_space_places()
    """)
