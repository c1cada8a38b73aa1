"""Whether the books are in order: what `doctor` asks and what tests of crashes ask after each one."""

import sqlalchemy as sa

from parkshare_backend.store.engine import ReadTx, Store

# Bookings whose escrow is not what it must be: the total while they hold their space and are paid, else nothing.
_WRONG_ESCROW = sa.text("""
    WITH held AS (
        SELECT booking, SUM(CASE WHEN credit = 'escrow:' || booking THEN amount_minor ELSE 0 END)
            - SUM(CASE WHEN debit = 'escrow:' || booking THEN amount_minor ELSE 0 END) AS minor
        FROM ledger WHERE booking IS NOT NULL GROUP BY booking
    ), newest AS (SELECT booking, MAX(n) AS n FROM quotes GROUP BY booking)
    SELECT COUNT(*) AS wrong, MIN(q.booking) AS example
    FROM quotes q JOIN newest ON newest.booking = q.booking AND newest.n = q.n
        LEFT JOIN held ON held.booking = q.booking LEFT JOIN bookings b ON b.id = q.booking
    WHERE COALESCE(held.minor, 0) <> CASE
        WHEN b.state IN ('pending', 'reserved', 'active') AND b.unpaid = 0 THEN q.total_minor ELSE 0 END
""")
# Transactions of which a line is missing. One row carries both sides, so a line can be gone but never half of one.
_GAPS = sa.text("SELECT COUNT(*) FROM (SELECT txn FROM ledger GROUP BY txn HAVING COUNT(*) <> MAX(line) + 1) AS gaps")
_SUM = sa.text("""
    SELECT COUNT(*) FROM (
        SELECT currency, SUM(minor) AS minor FROM (
            SELECT currency, SUM(amount_minor) AS minor FROM ledger GROUP BY credit, currency
            UNION ALL SELECT currency, -SUM(amount_minor) FROM ledger GROUP BY debit, currency
        ) AS accounts GROUP BY currency HAVING SUM(minor) <> 0
    ) AS unbalanced
""")
_GIVEN_UP = sa.text("SELECT COUNT(*) FROM settlements WHERE state = 'given-up'")


async def audit(store: Store) -> list[str]:
    """Give what is wrong with the books, each with what it means; an empty list is good news."""
    async with store.read() as tx:
        found = [
            f"{count} currencies of the ledger do not add up to zero." if (count := await _count(tx, _SUM)) else "",
            f"{count} transactions of the ledger lack a line." if (count := await _count(tx, _GAPS)) else "",
        ]
        wrong = await tx.one(_WRONG_ESCROW)
        if wrong is not None and wrong.wrong:
            found.append(
                f"{wrong.wrong} bookings have another amount set aside than they must, {wrong.example} for one."
            )
    return [problem for problem in found if problem]


async def given_up(store: Store) -> int:
    """Count the payments and refunds that the provider refused for good: the operator must look at them there."""
    async with store.read() as tx:
        return await _count(tx, _GIVEN_UP)


async def _count(tx: ReadTx, statement: sa.TextClause) -> int:
    return int(await tx.scalar(statement) or 0)
