"""The one thing that tracking writes down: who went in or out of which fence, each time once."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Integer, Real, Text, table

FENCE_EVENTS = table(
    "fence_events",
    sa.Column("subject", Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("fence", Text, primary_key=True),  # renter:<booking> or owner:<booking>
    sa.Column("seq", Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", Text, primary_key=True),
    sa.Column("at", Real, nullable=False, index=True),
)
