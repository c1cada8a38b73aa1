"""The table of calendar feeds; the secret of a feed's address is stored as tokens are, hashed."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Bytes, Real, Text, table

FEEDS = table(
    "feeds",
    sa.Column("id", Text, primary_key=True),
    sa.Column("account", Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("hash", Bytes, nullable=False, unique=True),
    sa.Column("label", Text, nullable=False),
    sa.Column("created_at", Real, nullable=False),
)
