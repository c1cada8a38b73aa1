"""Looking for traces of somebody in a whole database."""

import sqlalchemy as sa

from parkshare_backend.store.engine import Store
from parkshare_backend.store.tables import metadata


async def occurrences(store: Store, *needles: str | bytes) -> set[str]:
    """Give the columns, as table.column, of which some row holds one of the needles in its text or bytes."""

    def holds(value: object) -> bool:
        texts = [needle for needle in needles if type(needle) is type(value)]
        return any(needle in value for needle in texts)  # type: ignore[operator]

    async with store.read() as tx:
        return {
            f"{table.name}.{column}"
            for table in metadata.sorted_tables
            for row in await tx.all(sa.select(table))
            for column, value in zip(table.columns.keys(), row, strict=True)
            if holds(value)
        }
