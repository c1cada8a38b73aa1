"""SQLite: the times of spaces in the order of their places, beside the table that holds everything of them.

A search asks of each space that it meets for the last window and the last claim before some moment. The spaces lie
near each other, and here their times do as well: on a few pages, and in a fifth of the room. Nothing but triggers
writes these tables. PostgreSQL keeps rows in the order in which they came, so there they would help nobody.
"""

from parkshare_backend.store.metadata import extra


def keep_times(name: str, *, of: str, expiring: bool = False) -> None:
    """Register the table `name`: t0 and t1 (and expires_at) of each row of the table `of`, by the number of its space.

    A number that no space has is never in it, and the number of a space may change when it moves.
    """
    columns = ("t0", "t1", "expires_at") if expiring else ("t0", "t1")
    new = ", ".join(f"NEW.{column}" for column in columns)
    added = f"INSERT INTO {name} SELECT n, {new} FROM spaces WHERE id = NEW.space;"  # noqa: S608 - our own words
    removed = f"DELETE FROM {name} WHERE n = (SELECT n FROM spaces WHERE id = OLD.space) AND t0 = OLD.t0;"  # noqa: S608
    expires = "expires_at REAL, " if expiring else ""
    made = {
        name: f"CREATE TABLE {name} (n INTEGER NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL, {expires}"
        "PRIMARY KEY (n, t0)) STRICT, WITHOUT ROWID",
        f"{name}_added": f"AFTER INSERT ON {of} BEGIN {added} END",
        f"{name}_changed": f"AFTER UPDATE OF space, {', '.join(columns)} ON {of} BEGIN {removed} {added} END",
        f"{name}_removed": f"AFTER DELETE ON {of} BEGIN {removed} END",
        f"{name}_moved": f"AFTER UPDATE OF n ON spaces BEGIN UPDATE {name} SET n = NEW.n WHERE n = OLD.n; END",  # noqa: S608
        f"{name}_gone": f"AFTER DELETE ON spaces BEGIN DELETE FROM {name} WHERE n = OLD.n; END",  # noqa: S608
    }
    for part, statement in made.items():
        extra(part, statement if part == name else f"CREATE TRIGGER {part} {statement}", engine="sqlite")
