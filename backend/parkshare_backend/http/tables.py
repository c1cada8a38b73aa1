"""The answers that are kept for callers who ask twice."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Bytes, Integer, Real, Text, table

KEPT_ANSWERS = table(
    "kept_answers",
    sa.Column("key", Bytes, primary_key=True),  # SHA-256 of account and Idempotency-Key
    sa.Column("account", Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("asked", Bytes, nullable=False),  # HMAC-SHA-256 of method, path and body, under the Idempotency-Key
    sa.Column("status", Integer, nullable=False),
    sa.Column("answer", Bytes, nullable=False),  # AES-256-GCM under the Idempotency-Key: headers and body
    sa.Column("at", Real, nullable=False, index=True),
)
