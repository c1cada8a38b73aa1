"""What must be true of a database at every moment, asked past the backend in SQL that both engines understand."""

import asyncio
from collections import defaultdict

import orjson

from parkshare_backend.money.audit import audit
from parkshare_backend.store.engine import Store
from tests.load.engines import ask_all

LIVE = "('pending', 'reserved', 'active')"

# Each must give no row.
NEVER: dict[str, str] = {
    "live bookings of a space overlap": f"""
        SELECT a.id FROM bookings a JOIN bookings b ON a.space = b.space AND a.id < b.id
        AND a.t0 < b.t1 AND b.t0 < a.t1 AND a.state IN {LIVE} AND b.state IN {LIVE}""",
    "claims of a space overlap": """
        SELECT a.holder FROM claims a JOIN claims b ON a.space = b.space AND a.holder < b.holder
        AND a.t0 < b.t1 AND b.t0 < a.t1""",
    "a live booking has no claim of its period": f"""
        SELECT id FROM bookings WHERE state IN {LIVE} AND NOT EXISTS (
            SELECT 1 FROM claims WHERE kind = 'booking' AND holder = bookings.id AND space = bookings.space
            AND claims.t0 = bookings.t0 AND claims.t1 = bookings.t1)""",
    "a claim has no live booking": f"""
        SELECT holder FROM claims WHERE kind = 'booking' AND NOT EXISTS (
            SELECT 1 FROM bookings WHERE id = holder AND state IN {LIVE})""",
    "a booking has no trail": """
        SELECT id FROM bookings WHERE NOT EXISTS (SELECT 1 FROM trail WHERE trail.booking = bookings.id)""",
    "a trail has a gap": "SELECT booking FROM trail GROUP BY booking HAVING count(*) <> max(n)",
    "a canceled booking's trail does not say so": """
        SELECT id FROM bookings WHERE state = 'canceled' AND NOT EXISTS (
            SELECT 1 FROM trail WHERE trail.booking = bookings.id AND cause IN ('canceled', 'taken-back'))""",
    "a booking with a price has no quote": """
        SELECT bookings.id FROM bookings JOIN spaces ON spaces.id = bookings.space
        WHERE spaces.price_minor > 0 AND NOT EXISTS (SELECT 1 FROM quotes WHERE quotes.booking = bookings.id)""",
    "an event is missing in an audience's log": """
        SELECT h.audience FROM outbox_heads h LEFT JOIN outbox o ON o.audience = h.audience AND o.q > h.pruned
        GROUP BY h.audience, h.head, h.pruned HAVING count(o.q) <> h.head - h.pruned""",
}


BOOKINGS = "SELECT id, account FROM bookings"
EVENTS = "SELECT audience, d FROM outbox WHERE t = 'booking.changed' AND audience LIKE 'account:%'"


def broken_rules(database: str) -> list[str]:
    """Tell which rules are broken, with the rows that break them; not inside a running loop."""
    *found, bookings, events = ask_all(database, [*NEVER.values(), BOOKINGS, EVENTS])
    broken = [f"{rule}: {rows[:3]}" for rule, rows in zip(NEVER, found, strict=True) if rows]
    return broken + _without_events(dict(bookings), events) + asyncio.run(_books(database))


async def _books(database: str) -> list[str]:
    store = Store(database)
    try:
        return await audit(store)
    finally:
        await store.close()


def _without_events(accounts: dict[str, str], events: list[tuple[str, str]]) -> list[str]:
    """Tell which bookings their renter was never told of, and which events tell of no booking."""
    told: dict[str, set[str]] = defaultdict(set)
    for audience, d in events:
        fact = orjson.loads(d)
        told[fact["booking"]].add(f"{audience} {fact['cause']}")
    broken = [
        f"booking {booking} has no event"
        for booking, account in accounts.items()
        if f"account:{account} proposed" not in told[booking]
    ]
    return broken + [f"an event tells of booking {booking} that is not there" for booking in told.keys() - accounts]
