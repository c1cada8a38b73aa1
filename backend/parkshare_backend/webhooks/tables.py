"""Tables of webhooks. There is no queue of deliveries: the account's log is the queue, `cursor` how far it was sent."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Integer, Json, Real, Text, table

WEBHOOKS = table(
    "webhooks",
    sa.Column("id", Text, primary_key=True),
    sa.Column("account", Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("url", Text, nullable=False),
    sa.Column("kinds", Json),  # null: all
    sa.Column("description", Text, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("reason", Text),  # why it is disabled
    # The keys of the signatures must be at hand, so they cannot be hashed as tokens are.
    sa.Column("secret", Text, nullable=False),
    sa.Column("old_secret", Text),
    sa.Column("old_secret_until", Real),
    sa.Column("created_at", Real, nullable=False),
    sa.Column("revision", Integer, nullable=False),
    sa.Column("cursor", Integer, nullable=False),  # the last q of the account's log that is done
    sa.Column("tries", Integer, nullable=False),  # of the change after the cursor
    sa.Column("failing_since", Real),
    sa.Column("due_at", Real, nullable=False),  # not before
    sa.Column("lease", Text),  # who sends now; two instances never send for one webhook at once
    sa.Column("lease_until", Real),
    sa.Column("attempts", Integer, nullable=False),  # the number of the last attempt of the log
    sa.CheckConstraint("state IN ('active', 'paused', 'disabled')", name="state"),
)
ATTEMPTS = table(
    "webhook_attempts",
    sa.Column("webhook", Text, sa.ForeignKey(WEBHOOKS.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("n", Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Real, nullable=False),
    sa.Column("message", Text, nullable=False),  # the webhook-id; the same for each try
    sa.Column("q", Integer, nullable=False),  # 0: a ping
    sa.Column("t", Text, nullable=False),
    sa.Column("outcome", Text, nullable=False),
    sa.Column("status", Integer),
    sa.Column("took_ms", Integer, nullable=False),
)
