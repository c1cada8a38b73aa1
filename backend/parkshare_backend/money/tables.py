"""Tables of money. They name bookings and accounts without foreign keys: books outlive who is in them."""

import sqlalchemy as sa

from parkshare_backend.store.metadata import Integer, Json, Real, Text, extra, table

# What a booking costs, fixed when it was booked; an extension or an early release adds the next row.
QUOTES = table(
    "quotes",
    sa.Column("booking", Text, primary_key=True),
    sa.Column("n", Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Real, nullable=False),
    sa.Column("renter", Text, nullable=False),
    sa.Column("owner", Text, nullable=False, index=True),
    sa.Column("space", Text, nullable=False),
    sa.Column("t0", Integer, nullable=False),
    sa.Column("t1", Integer, nullable=False),
    sa.Column("price_minor", Integer, nullable=False),  # per hour
    sa.Column("currency", Text, nullable=False),
    sa.Column("fee_bp", Integer, nullable=False),
    sa.Column("minimum_minor", Integer, nullable=False),
    sa.Column("lines", Json, nullable=False),
    sa.Column("total_minor", Integer, nullable=False),
    sa.Column("provider", Text, nullable=False),
    sa.CheckConstraint("total_minor >= 0", name="total"),
    sa.CheckConstraint("t0 < t1", name="order"),
)

# One row is one movement with both of its entries, debit and credit: a row cannot be unbalanced, so neither can
# a transaction, and no trigger has to add anything up. The lines of one transaction have one `txn`.
LEDGER = table(
    "ledger",
    sa.Column("n", Integer, primary_key=True),
    sa.Column("txn", Text, nullable=False),
    sa.Column("line", Integer, nullable=False),
    sa.Column("at", Real, nullable=False),
    sa.Column("booking", Text, index=True),
    sa.Column("cause", Text, nullable=False),
    sa.Column("revision", Integer, nullable=False),  # of the booking; 0 without one
    sa.Column("debit", Text, nullable=False),  # the account from which it goes
    sa.Column("credit", Text, nullable=False),  # the account to which it goes
    sa.Column("amount_minor", Integer, nullable=False),
    sa.Column("currency", Text, nullable=False),
    sa.UniqueConstraint("txn", "line"),
    sa.CheckConstraint("amount_minor > 0", name="amount"),
    sa.CheckConstraint("debit <> credit", name="two_sides"),
    sa.CheckConstraint("length(currency) = 3", name="currency"),
    sa.Index("ix_ledger_debit", "debit", "n"),
    sa.Index("ix_ledger_credit", "credit", "n"),
)
for _word in ("UPDATE", "DELETE"):
    extra(
        f"ledger_refuses_{_word.lower()}",
        f"""
        CREATE TRIGGER ledger_refuses_{_word.lower()} BEFORE {_word} ON ledger BEGIN
            SELECT RAISE(ABORT, 'the ledger is append-only');
        END
        """,
        engine="sqlite",
    )
extra(
    "ledger_is_append_only",
    """
    CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$
    """,
    engine="postgresql",
)
extra(
    "ledger_refuses",
    """
    CREATE TRIGGER ledger_refuses BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()
    """,
    engine="postgresql",
)

# What is to be done with a payment provider, and what came of it. A row is due work until it is done or given up.
SETTLEMENTS = table(
    "settlements",
    sa.Column("id", Text, primary_key=True),
    sa.Column("booking", Text, nullable=False, index=True),
    sa.Column("n", Integer, nullable=False),  # of the booking
    sa.Column("account", Text, nullable=False),  # of the renter
    sa.Column("kind", Text, nullable=False),
    sa.Column("amount_minor", Integer, nullable=False),
    sa.Column("currency", Text, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("first", Integer, nullable=False),  # 1: the booking waits for this payment
    sa.Column("session", Text),  # the provider's name of the page
    sa.Column("url", Text),
    sa.Column("payment", Text),  # the provider's name of the payment; of a refund: that it takes back
    sa.Column("tries", Integer, nullable=False),
    sa.Column("due_at", Real, index=True),  # when the sweep must look at it; null: not at all
    sa.Column("until", Real),  # of a first payment: then the booking is given up
    sa.Column("created_at", Real, nullable=False),
    sa.Column("error", Text),
    sa.UniqueConstraint("booking", "n"),
    sa.CheckConstraint("kind IN ('charge', 'refund')", name="kind"),
    sa.CheckConstraint("state IN ('due', 'open', 'done', 'expired', 'given-up')", name="state"),
    sa.CheckConstraint("amount_minor > 0", name="amount"),
)
# The provider's events that were heard: each counts once, however often it comes.
PROVIDER_EVENTS = table(
    "provider_events",
    sa.Column("id", Text, primary_key=True),
    sa.Column("at", Real, nullable=False, index=True),
)
SELLERS = table(
    "sellers",
    sa.Column("account", Text, primary_key=True),
    sa.Column("legal_name", Text, nullable=False),
    sa.Column("address", Text, nullable=False),
    sa.Column("country", Text, nullable=False),
    sa.Column("tax_id", Text),
    sa.Column("tax_country", Text),
    sa.Column("vat_id", Text),
    sa.Column("birth_date", Text),
    sa.Column("updated_at", Real, nullable=False),
    # Of an erased account that earned something: until then tax law wants it kept, after it the row goes.
    sa.Column("keep_until", Real, index=True),
)
