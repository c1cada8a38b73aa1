"""Tables of people, how they get in, houses and the pairings that lead to them."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Bytes, Flag, Integer, Json, Real, Text, table

ACCOUNTS = table(
    "accounts",
    sa.Column("id", Text, primary_key=True),
    sa.Column("email", Text, nullable=False, unique=True),  # case-folded
    sa.Column("name", Text, nullable=False),
    sa.Column("password", Text, nullable=False),  # argon2id, encoded with its parameters; empty: passkeys only
    sa.Column("created_at", Real, nullable=False),
    sa.Column("erased_at", Real),  # of who went: the row stays, so that what others need refers to nobody
)
TOKENS = table(
    "tokens",
    sa.Column("id", Text, primary_key=True),
    sa.Column("account", Text, sa.ForeignKey(ACCOUNTS.c.id, ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("hash", Bytes, nullable=False, unique=True),
    sa.Column("scopes", Text, nullable=False),  # separated by spaces
    sa.Column("label", Text, nullable=False),
    sa.Column("created_at", Real, nullable=False),
    sa.Column("expires_at", Real, nullable=False, index=True),
    sa.Column("last_used_at", Real),  # the hour, no closer
    sa.Column("confirmed_at", Real),  # when its holder last proved who they are
)
PASSKEYS = table(
    "passkeys",
    sa.Column("id", Text, primary_key=True),
    sa.Column("account", Text, sa.ForeignKey(ACCOUNTS.c.id, ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("credential", Bytes, nullable=False, unique=True),  # the authenticator's own id of it
    sa.Column("public_key", Bytes, nullable=False),  # COSE
    sa.Column("sign_count", Integer, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("synced", Flag, nullable=False),  # whether it is kept in a cloud, and may be on several devices
    sa.Column("transports", Text, nullable=False),  # separated by spaces
    sa.Column("created_at", Real, nullable=False),
    sa.Column("last_used_at", Real),
    sa.Column("suspected_at", Real),  # when its counter went back: somebody may have a copy
    sa.CheckConstraint("synced IN (0, 1)", name="synced"),
)
# What an authenticator is to sign: each is used once, by whichever instance of the server gets the answer.
CHALLENGES = table(
    "challenges",
    sa.Column("hash", Bytes, primary_key=True),
    sa.Column("purpose", Text, nullable=False),
    sa.Column("account", Text, sa.ForeignKey(ACCOUNTS.c.id, ondelete="CASCADE"), index=True),
    sa.Column("d", Json, nullable=False),
    sa.Column("expires_at", Real, nullable=False, index=True),
)
INSTALLS = table(
    "installs",
    sa.Column("id", Text, primary_key=True),
    sa.Column("account", Text, sa.ForeignKey(ACCOUNTS.c.id, ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("name", Text, nullable=False),
    sa.Column("sign_key", Bytes, nullable=False),  # Ed25519, 32 bytes
    sa.Column("seal_key", Bytes, nullable=False),  # X25519, 32 bytes
    sa.Column("created_at", Real, nullable=False),
    sa.Column("revoked_at", Real),
)
PAIRINGS = table(
    "pairings",
    sa.Column("device_hash", Bytes, primary_key=True),
    sa.Column("user_code", Text, nullable=False, unique=True),
    sa.Column("name", Text, nullable=False),
    sa.Column("sign_key", Bytes, nullable=False),
    sa.Column("seal_key", Bytes, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("install", Text, sa.ForeignKey(INSTALLS.c.id, ondelete="CASCADE")),
    sa.Column("interval_s", Integer, nullable=False),
    sa.Column("polled_at", Real),
    sa.Column("expires_at", Real, nullable=False, index=True),
    sa.CheckConstraint("state IN ('pending', 'approved', 'denied', 'used')", name="state"),
)
