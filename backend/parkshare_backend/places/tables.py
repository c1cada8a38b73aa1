"""Tables of places: what people saved, what services answered, and the words of the addresses of spaces."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Bytes, Integer, Json, Real, Text, extra, table

SAVED_PLACES = table(
    "saved_places",
    sa.Column("id", Text, primary_key=True),
    sa.Column("account", Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("kind", Text, nullable=False),
    sa.Column("label", Text, nullable=False),
    sa.Column("lat", Real, nullable=False),
    sa.Column("lon", Real, nullable=False),
    sa.Column("created_at", Real, nullable=False),
    sa.CheckConstraint("kind IN ('home', 'work', 'other')", name="kind"),
)
# The question is kept as a hash: what people look for is not to be read here.
PLACE_ANSWERS = table(
    "place_answers",
    sa.Column("hash", Bytes, primary_key=True),
    sa.Column("answer", Json, nullable=False),
    sa.Column("at", Real, nullable=False, index=True),
)
# When the next question may go to a service: one row for all instances of the server.
PLACE_TURNS = table(
    "place_turns",
    sa.Column("service", Text, primary_key=True),
    sa.Column("free_at", Real, nullable=False),
)
# Of the address of a space what may be searched (addresses.py): no house number.
SPACE_ADDRESSES = table(
    "space_addresses",
    sa.Column("n", Integer, primary_key=True),
    sa.Column("space", Text, sa.ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False, unique=True),
    sa.Column("street", Text, nullable=False),
    sa.Column("town", Text, nullable=False),
    sa.Column("words", Text, nullable=False),  # folded
)
extra(
    "space_words",
    "CREATE VIRTUAL TABLE space_words USING fts5(words, content='space_addresses', content_rowid='n', prefix='2 3')",
    engine="sqlite",
)
extra(
    "space_words_added",
    """
    CREATE TRIGGER space_words_added AFTER INSERT ON space_addresses BEGIN
        INSERT INTO space_words (rowid, words) VALUES (NEW.n, NEW.words);
    END
    """,
    engine="sqlite",
)
extra(
    "space_words_changed",
    """
    CREATE TRIGGER space_words_changed AFTER UPDATE OF words ON space_addresses BEGIN
        INSERT INTO space_words (space_words, rowid, words) VALUES ('delete', OLD.n, OLD.words);
        INSERT INTO space_words (rowid, words) VALUES (NEW.n, NEW.words);
    END
    """,
    engine="sqlite",
)
extra(
    "space_words_removed",
    """
    CREATE TRIGGER space_words_removed AFTER DELETE ON space_addresses BEGIN
        INSERT INTO space_words (space_words, rowid, words) VALUES ('delete', OLD.n, OLD.words);
    END
    """,
    engine="sqlite",
)
extra(
    "space_words",
    "CREATE INDEX space_words ON space_addresses USING gin (to_tsvector('simple', words))",
    engine="postgresql",
)
