"""Tables of people, tokens, houses and the pairings that lead to them."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Bytes, Integer, Real, Text, table

ACCOUNTS = table(
    "accounts",
    sa.Column("id", Text, primary_key=True),
    sa.Column("email", Text, nullable=False, unique=True),  # case-folded
    sa.Column("name", Text, nullable=False),
    sa.Column("password", Text, nullable=False),  # argon2id, encoded with its parameters
    sa.Column("created_at", Real, nullable=False),
)
TOKENS = table(
    "tokens",
    sa.Column("id", Text, primary_key=True),
    sa.Column("account", Text, sa.ForeignKey(ACCOUNTS.c.id, ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("hash", Bytes, nullable=False, unique=True),
    sa.Column("scopes", Text, nullable=False),  # separated by spaces
    sa.Column("label", Text, nullable=False),
    sa.Column("created_at", Real, nullable=False),
    sa.Column("expires_at", Real, nullable=False),
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
