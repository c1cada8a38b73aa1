"""What the feature places adds: saved places, answers of services, the words of addresses.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from parkshare_backend.places.addresses import read_address

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_REAL: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
_INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Bring the schema here."""
    op.create_table(
        "saved_places",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("lat", _REAL, nullable=False),
        sa.Column("lon", _REAL, nullable=False),
        sa.Column("created_at", _REAL, nullable=False),
        sa.CheckConstraint("kind IN ('home', 'work', 'other')", name=op.f("ck_saved_places_kind")),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_saved_places_account_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_places")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_saved_places_account"), "saved_places", ["account"])
    op.create_table(
        "place_answers",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", _REAL, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_place_answers")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_place_answers_at"), "place_answers", ["at"])
    op.create_table(
        "place_turns",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("free_at", _REAL, nullable=False),
        sa.PrimaryKeyConstraint("service", name=op.f("pk_place_turns")),
        sqlite_strict=True,
    )
    op.create_table(
        "space_addresses",
        sa.Column("n", _INTEGER, nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("town", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["space"], ["spaces.id"], name=op.f("fk_space_addresses_space_spaces"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_space_addresses")),
        sa.UniqueConstraint("space", name=op.f("uq_space_addresses_space")),
        sqlite_strict=True,
    )
    if op.get_bind().dialect.name == "sqlite":
        _words_of_sqlite()
    else:
        op.execute("CREATE INDEX space_words ON space_addresses USING gin (to_tsvector('simple', words))")
    _read_addresses()


def _words_of_sqlite() -> None:
    op.execute(
        "CREATE VIRTUAL TABLE space_words USING fts5(words, content='space_addresses', content_rowid='n', prefix='2 3')"
    )
    op.execute("""
        CREATE TRIGGER space_words_added AFTER INSERT ON space_addresses BEGIN
            INSERT INTO space_words (rowid, words) VALUES (NEW.n, NEW.words);
        END
    """)
    op.execute("""
        CREATE TRIGGER space_words_changed AFTER UPDATE OF words ON space_addresses BEGIN
            INSERT INTO space_words (space_words, rowid, words) VALUES ('delete', OLD.n, OLD.words);
            INSERT INTO space_words (rowid, words) VALUES (NEW.n, NEW.words);
        END
    """)
    op.execute("""
        CREATE TRIGGER space_words_removed AFTER DELETE ON space_addresses BEGIN
            INSERT INTO space_words (space_words, rowid, words) VALUES ('delete', OLD.n, OLD.words);
        END
    """)


def _read_addresses() -> None:
    """Take over the addresses of the spaces that are there, as those are that come later."""
    bind = op.get_bind()
    found = bind.execute(sa.text("SELECT id, address FROM spaces ORDER BY n")).all()
    read = [(space, read_address(address)) for space, address in found]
    rows = [
        {"space": space, "street": address.street, "town": address.town, "words": address.words}
        for space, address in read
        if address.words
    ]
    if rows:
        added = "INSERT INTO space_addresses (space, street, town, words) VALUES (:space, :street, :town, :words)"
        bind.execute(sa.text(added), rows)
