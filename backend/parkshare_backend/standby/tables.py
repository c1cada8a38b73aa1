"""Table of standbys: what was offered to an owner whose space is taken, and what became of it."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Integer, Real, Text, extra, table

STANDBYS = table(
    "standbys",
    sa.Column("id", Text, primary_key=True),
    sa.Column("account", Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),  # the owner
    sa.Column("install", Text, sa.ForeignKey("installs.id", ondelete="CASCADE"), nullable=False),  # the owner's house
    sa.Column("home_space", Text, sa.ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("booking", Text, sa.ForeignKey("bookings.id", ondelete="CASCADE"), nullable=False),  # the renter's
    sa.Column("space", Text, sa.ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),  # the one found
    sa.Column("t0", Integer, nullable=False),
    sa.Column("t1", Integer, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("distance_m", Real, nullable=False),
    sa.Column("walk_s", Integer, nullable=False),
    sa.Column("expires_at", Real, nullable=False),
    sa.Column("accepted_booking", Text, index=True),  # the owner's booking on the found space
    sa.Column("changed_at", Real, nullable=False),
    sa.CheckConstraint("state IN ('offered', 'accepted', 'booked', 'declined', 'expired', 'canceled')", name="state"),
    sa.Index("ix_standbys_account", "account", "id"),
    sa.Index("ix_standbys_booking", "booking"),
    sa.Index("ix_standbys_state", "state", "expires_at"),
)
extra(
    "standbys_one_live",
    "CREATE UNIQUE INDEX standbys_one_live ON standbys (booking) WHERE state IN ('offered', 'accepted', 'booked')",
)
