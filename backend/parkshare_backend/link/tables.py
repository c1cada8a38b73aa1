"""What the link remembers of each house: how far it has heard it, and what it answered."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Bytes, Integer, Json, Real, Text, table


def _install() -> sa.ForeignKey:
    # By name: a feature does not import another feature's tables.
    return sa.ForeignKey("installs.id", ondelete="CASCADE")


# The last q of the house whose effect is stored; written in the transaction of the effect.
RECEIVED = table(
    "link_received",
    sa.Column("install", Text, _install(), primary_key=True),
    sa.Column("q", Integer, nullable=False),
)
# Ids of recent events: a house that lost its counter says an old fact under a new q.
RECENT = table(
    "link_recent",
    sa.Column("install", Text, _install(), primary_key=True),
    sa.Column("id", Text, primary_key=True),
    sa.Column("at", Real, nullable=False, index=True),
)
# Answers to requests by their idempotency key.
ANSWERS = table(
    "link_answers",
    sa.Column("install", Text, _install(), primary_key=True),
    sa.Column("key", Text, primary_key=True),
    sa.Column("request_hash", Bytes, nullable=False),
    sa.Column("answer", Json, nullable=False),
    sa.Column("at", Real, nullable=False, index=True),
)
# Accepted events on which our own code failed again and again: kept for a person, never lost.
SET_ASIDE = table(
    "link_set_aside",
    sa.Column("install", Text, _install(), primary_key=True),
    sa.Column("q", Integer, primary_key=True, autoincrement=False),
    sa.Column("event", Json, nullable=False),
    sa.Column("at", Real, nullable=False),
)
# Which server holds the connection of a house; written only where several servers share the database.
SESSIONS = table(
    "link_sessions",
    sa.Column("install", Text, _install(), primary_key=True),
    sa.Column("server", Text, nullable=False, index=True),
    sa.Column("session", Text, nullable=False),
    sa.Column("key", Bytes, nullable=False),  # X25519, of the server, for what must not be read on the way
    sa.Column("at", Real, nullable=False),  # when the server last said so
)
