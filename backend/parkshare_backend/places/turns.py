"""Whose turn it is to ask a service: one row that all instances of the server share.

The public Nominatim allows one request a second for the whole application, however many servers it has.
"""

import sqlalchemy as sa

from parkshare_backend.clock import Clock
from parkshare_backend.places.tables import PLACE_TURNS
from parkshare_backend.store.dialects import insert
from parkshare_backend.store.engine import Store, Tx

LONGEST_WAIT_S = 3.0  # that a person waits for a turn; then they get what is known without the service


class Turns:
    """Gives turns, in order."""

    def __init__(self, store: Store, clock: Clock, *, per_second: float) -> None:
        self._store = store
        self._clock = clock
        self._interval_s = 1 / per_second

    async def take(self, service: str) -> bool:
        """Wait for a turn; false, at once, if it would take too long."""

        async def reserve() -> float | None:
            async with self._store.write() as tx:
                now = self._clock.now()
                at = max(now, await self._free_at(tx, service))
                if at - now > LONGEST_WAIT_S:
                    return None
                await self._write(tx, service, at + self._interval_s)
                return at - now

        wait_s = await self._store.again(reserve)
        if wait_s is None:
            return False
        if wait_s > 0:
            await self._clock.sleep(wait_s)
        return True

    async def pause(self, service: str, wait_s: float) -> None:
        """Leave the service alone for a while, on every instance."""

        async def postpone() -> None:
            async with self._store.write() as tx:
                until = self._clock.now() + wait_s
                await self._write(tx, service, max(until, await self._free_at(tx, service)))

        await self._store.again(postpone)

    async def _free_at(self, tx: Tx, service: str) -> float:
        known: float | None = await tx.scalar(sa.select(PLACE_TURNS.c.free_at).where(PLACE_TURNS.c.service == service))
        return known or 0.0

    async def _write(self, tx: Tx, service: str, free_at: float) -> None:
        written = insert(tx, PLACE_TURNS).values(service=service, free_at=free_at)
        await tx.execute(
            written.on_conflict_do_update(index_elements=[PLACE_TURNS.c.service], set_={"free_at": free_at})
        )
