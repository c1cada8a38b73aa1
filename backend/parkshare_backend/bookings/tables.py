"""Tables of bookings, and the one place where the rule lives that nobody shares a space with anybody."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Bytes, Flag, Integer, Real, Text, extra, table

# Whoever may use a space for a period owns one claim: a live booking, or a standby that is held for an owner.
CLAIMS = table(
    "claims",
    sa.Column("kind", Text, primary_key=True),
    sa.Column("holder", Text, primary_key=True),  # id of the booking or the standby
    sa.Column("space", Text, sa.ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("t0", Integer, nullable=False),  # half-open, UTC epoch seconds
    sa.Column("t1", Integer, nullable=False),
    sa.Column("expires_at", Real, index=True),  # null: until it is released
    sa.UniqueConstraint("space", "t0"),
    sa.CheckConstraint("t0 < t1", name="order"),
    sa.CheckConstraint("kind IN ('booking', 'standby')", name="kind"),
)
extra(
    "claims_never_overlap",
    """
    CREATE TRIGGER claims_never_overlap BEFORE INSERT ON claims BEGIN
        SELECT RAISE(ABORT, 'overlap') WHERE EXISTS (
            SELECT 1 FROM claims WHERE space = NEW.space AND t0 < NEW.t1 AND t1 > NEW.t0);
    END
    """,
)
extra(
    "claims_never_overlap_later",
    """
    CREATE TRIGGER claims_never_overlap_later BEFORE UPDATE OF space, t0, t1 ON claims BEGIN
        SELECT RAISE(ABORT, 'overlap') WHERE EXISTS (
            SELECT 1 FROM claims WHERE space = NEW.space AND t0 < NEW.t1 AND t1 > NEW.t0
                AND NOT (kind = OLD.kind AND holder = OLD.holder));
    END
    """,
)

BOOKINGS = table(
    "bookings",
    sa.Column("id", Text, primary_key=True),  # chosen by the client, because the plate is sealed to it
    sa.Column("account", Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    sa.Column("space", Text, sa.ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("t0", Integer, nullable=False),
    sa.Column("t1", Integer, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("overstay", Flag, nullable=False),
    sa.Column("near", Flag, nullable=False),
    sa.Column("revision", Integer, nullable=False),
    sa.Column("sealed_plate", Bytes, nullable=False),  # 176 bytes that only the house can open
    sa.Column("content_hash", Bytes, nullable=False),  # of what the client sent; tells a repeat from a reuse
    sa.Column("created_at", Real, nullable=False),
    sa.Column("arrived_at", Real),
    sa.Column("left_at", Real),
    sa.Column("due_at", Real, index=True),  # when the sweep must look at it
    # The size of the car, if the client told it: what else is offered must fit too.
    sa.Column("car_length_m", Real),
    sa.Column("car_width_m", Real),
    sa.Column("car_height_m", Real),
    sa.Column("at_risk", Flag, nullable=False),  # another car stands where this one is to stand
    sa.Column("ending_at", Real),  # when the house last told that the stay ends soon
    # How far the house has gone to let the renter in; emptied when the booking no longer waits for its car.
    sa.Column("rung", Text),
    sa.Column("rung_at", Real, nullable=False),
    sa.Column("phone", Text),
    sa.Column("code", Text),  # how the last code was: "wrong" or "right", never the code itself
    sa.Column("code_at", Real, nullable=False),
    sa.Column("tries_left", Integer),
    sa.CheckConstraint("t0 < t1", name="order"),
    sa.CheckConstraint(
        "state IN ('pending', 'reserved', 'active', 'fulfilled', 'rejected', 'canceled', 'no_show')", name="state"
    ),
    sa.Index("ix_bookings_account", "account", "id"),
    sa.Index("ix_bookings_space", "space", "id"),
)
ADMISSIONS = table(
    "admissions",
    sa.Column("n", Integer, primary_key=True),
    sa.Column("booking", Text, sa.ForeignKey(BOOKINGS.c.id, ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("decision", Text, nullable=False),
    sa.Column("by", Text, nullable=False),
    sa.Column("at", Real, nullable=False),
)
