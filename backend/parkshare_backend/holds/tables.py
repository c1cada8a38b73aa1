"""The table of holds. Beside each hold stands a claim of the kind "hold", which keeps the space."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Integer, Real, Text, table

HOLDS = table(
    "holds",
    sa.Column("id", Text, primary_key=True),
    sa.Column("account", Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("space", Text, sa.ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("t0", Integer, nullable=False),  # half-open, UTC epoch seconds
    sa.Column("t1", Integer, nullable=False),
    sa.Column("expires_at", Real, nullable=False, index=True),
    sa.CheckConstraint("t0 < t1", name="order"),
)
