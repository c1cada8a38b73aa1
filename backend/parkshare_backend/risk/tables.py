"""The table of risk: cars that stand where others are to stand."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Real, Text, table

# One for each booking whose car overstays, and for each that was told that a car of nobody has its space. What is over
# stays as long as the booking lives: a word that comes late is known by its time.
HINDRANCES = table(
    "hindrances",
    sa.Column("kind", Text, primary_key=True),
    sa.Column("booking", Text, sa.ForeignKey("bookings.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("space", Text, sa.ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("since", Real, nullable=False),  # both in the time of the house
    sa.Column("ended_at", Real),
    sa.CheckConstraint("kind IN ('overstay', 'taken')", name="kind"),
)
