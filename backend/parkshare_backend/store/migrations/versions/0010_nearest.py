"""What makes the search quick on SQLite: every area once in the R*Tree, indexes that tell whether a space is free.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_SHARED = "sharing = 1 AND withdrawn = 0"
_AT_OLD = "x0 = OLD.x AND x1 = OLD.x AND y0 = OLD.y AND y1 = OLD.y AND z0 = OLD.z AND z1 = OLD.z"
_AT_NEW = "x0 = NEW.x AND x1 = NEW.x AND y0 = NEW.y AND y1 = NEW.y AND z0 = NEW.z AND z1 = NEW.z"


def upgrade() -> None:
    """Bring the schema here."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE INDEX windows_probe ON windows (space, t0, t1)")
        op.execute("CREATE INDEX claims_probe ON claims (space, t0, t1, expires_at)")
        _areas_of_sqlite()


def _areas_of_sqlite() -> None:
    for trigger in ("space_places_added", "space_places_changed", "space_places_removed"):
        op.execute(f"DROP TRIGGER {trigger}")
    op.execute("DROP TABLE space_places")
    op.execute("CREATE VIRTUAL TABLE space_places USING rtree_i32(n, x0, x1, y0, y1, z0, z1)")
    op.execute(f"INSERT INTO space_places SELECT DISTINCT NULL, x, x, y, y, z, z FROM spaces WHERE {_SHARED}")  # noqa: S608
    op.execute(f"CREATE INDEX spaces_of_place ON spaces (x, y, z) WHERE {_SHARED}")
    op.execute(f"""
        CREATE TRIGGER space_places_added AFTER INSERT ON spaces WHEN NEW.sharing = 1 AND NEW.withdrawn = 0 BEGIN
            INSERT INTO space_places SELECT NULL, NEW.x, NEW.x, NEW.y, NEW.y, NEW.z, NEW.z
                WHERE NOT EXISTS (SELECT 1 FROM space_places WHERE {_AT_NEW});
        END
    """)  # noqa: S608
    op.execute(f"""
        CREATE TRIGGER space_places_changed AFTER UPDATE OF x, y, z, sharing, withdrawn ON spaces
        WHEN (OLD.x, OLD.y, OLD.z, OLD.sharing, OLD.withdrawn)
            IS NOT (NEW.x, NEW.y, NEW.z, NEW.sharing, NEW.withdrawn) BEGIN
            DELETE FROM space_places WHERE {_AT_OLD} AND NOT EXISTS (
                SELECT 1 FROM spaces WHERE x = OLD.x AND y = OLD.y AND z = OLD.z AND {_SHARED});
            INSERT INTO space_places SELECT NULL, NEW.x, NEW.x, NEW.y, NEW.y, NEW.z, NEW.z
                WHERE NEW.sharing = 1 AND NEW.withdrawn = 0
                    AND NOT EXISTS (SELECT 1 FROM space_places WHERE {_AT_NEW});
        END
    """)  # noqa: S608
    op.execute(f"""
        CREATE TRIGGER space_places_removed AFTER DELETE ON spaces BEGIN
            DELETE FROM space_places WHERE {_AT_OLD} AND NOT EXISTS (
                SELECT 1 FROM spaces WHERE x = OLD.x AND y = OLD.y AND z = OLD.z AND {_SHARED});
        END
    """)  # noqa: S608
