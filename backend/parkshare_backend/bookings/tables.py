"""Tables of bookings, and the one place where the rule lives that nobody shares a space with anybody."""

import sqlalchemy as sa

from parkshare_backend.spaces.times import keep_times
from parkshare_backend.store.metadata import Bytes, Flag, Integer, Json, Real, Text, extra, table

# Whoever may use a space for a period owns one claim: a live booking, a standby that is held for an owner, or a hold of
# somebody who decides.
CLAIMS = table(
    "claims",
    sa.Column("kind", Text, primary_key=True),
    sa.Column("holder", Text, primary_key=True),  # id of the booking, the standby or the hold
    sa.Column("space", Text, sa.ForeignKey("spaces.id", ondelete="CASCADE"), nullable=False),
    sa.Column("t0", Integer, nullable=False),  # half-open, UTC epoch seconds
    sa.Column("t1", Integer, nullable=False),
    sa.Column("expires_at", Real, index=True),  # null: until it is released
    sa.UniqueConstraint("space", "t0"),
    sa.CheckConstraint("t0 < t1", name="order"),
    sa.CheckConstraint("kind IN ('booking', 'standby', 'hold')", name="kind"),
)
keep_times("claim_times", of="claims", expiring=True)
extra(
    "claims_never_overlap",
    """
    CREATE TRIGGER claims_never_overlap BEFORE INSERT ON claims BEGIN
        SELECT RAISE(ABORT, 'overlap') WHERE EXISTS (
            SELECT 1 FROM claims WHERE space = NEW.space AND t0 < NEW.t1 AND t1 > NEW.t0);
    END
    """,
    engine="sqlite",
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
    engine="sqlite",
)
# The same rule in PostgreSQL's own words; a booking that meets it gets ON CONFLICT DO NOTHING, not an error.
extra(
    "claims_never_overlap",
    "ALTER TABLE claims ADD CONSTRAINT claims_never_overlap "
    "EXCLUDE USING gist (space WITH =, int8range(t0, t1) WITH &&)",
    engine="postgresql",
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
    sa.Column("terms", Json),  # as they were when it was booked; null: the default ones (terms.py)
    sa.Column("waits_for_owner", Flag, nullable=False, server_default=sa.text("0")),
    sa.Column("unpaid", Flag, nullable=False, server_default=sa.text("0")),  # waits for its payment; its house as well
    sa.Column("answer_until", Real),  # when a request that the owner or the house has not answered lapses
    sa.Column("wanted_t0", Integer),  # the period that the renter wants instead, until the house has answered
    sa.Column("wanted_t1", Integer),
    sa.CheckConstraint("t0 < t1", name="order"),
    sa.CheckConstraint(
        "state IN ('pending', 'reserved', 'active', 'fulfilled', 'rejected', 'canceled', 'no_show')", name="state"
    ),
    sa.Index("ix_bookings_account", "account", "id"),
    sa.Index("ix_bookings_space", "space", "id"),
    # Who is looked at by the retention sweep: the plate is emptied after the dispute window.
    sa.Index(
        "ix_bookings_sealed", "t1",
        sqlite_where=sa.text("sealed_plate <> x''"), postgresql_where=sa.text("sealed_plate <> ''::bytea"),
    ),
)  # fmt: skip
ADMISSIONS = table(
    "admissions",
    sa.Column("n", Integer, primary_key=True),
    sa.Column("booking", Text, sa.ForeignKey(BOOKINGS.c.id, ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("decision", Text, nullable=False),
    sa.Column("by", Text, nullable=False),
    sa.Column("at", Real, nullable=False, index=True),
)

# What happened to a booking, who did it and why, in order. Nothing in it is ever changed; it goes with its booking.
TRAIL = table(
    "trail",
    sa.Column("booking", Text, sa.ForeignKey(BOOKINGS.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("n", Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Real, nullable=False),
    sa.Column("cause", Text, nullable=False),
    sa.Column("by", Text, nullable=False),
    sa.Column("d", Json, nullable=False),
    sa.CheckConstraint("by IN ('renter', 'owner', 'house', 'server')", name="by"),
)
extra(
    "trail_never_changes",
    """
    CREATE TRIGGER trail_never_changes BEFORE UPDATE ON trail BEGIN
        SELECT RAISE(ABORT, 'the trail is append-only');
    END
    """,
    engine="sqlite",
)
extra(
    "trail_never_shrinks",
    """
    CREATE TRIGGER trail_never_shrinks BEFORE DELETE ON trail BEGIN
        SELECT RAISE(ABORT, 'the trail is append-only')
            WHERE EXISTS (SELECT 1 FROM bookings WHERE id = OLD.booking);
    END
    """,
    engine="sqlite",
)
extra(
    "trail_is_append_only",
    """
    CREATE FUNCTION trail_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT 1 FROM bookings WHERE id = OLD.booking) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'the trail is append-only';
    END $$
    """,
    engine="postgresql",
)
extra(
    "trail_guarded",
    """
    CREATE TRIGGER trail_guarded BEFORE UPDATE OR DELETE ON trail
    FOR EACH ROW EXECUTE FUNCTION trail_is_append_only()
    """,
    engine="postgresql",
)

# Bookings whose car did not come in time, whose grant the house still keeps: until somebody takes the time, the car
# may come after all.
NO_SHOWS = table(
    "no_shows",
    sa.Column("space", Text, sa.ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("booking", Text, sa.ForeignKey(BOOKINGS.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("t1", Integer, nullable=False),  # the end of the period
)

# Whom an owner has said no to: that renter is not offered the space again for this period.
REFUSALS = table(
    "refusals",
    sa.Column("account", Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),  # the renter
    sa.Column("space", Text, sa.ForeignKey("spaces.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("booking", Text, primary_key=True),
    sa.Column("t0", Integer, nullable=False),
    sa.Column("t1", Integer, nullable=False),
)
