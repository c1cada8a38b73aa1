"""Whether the server can do its work: it can write, and it is not about to end.

The question may come often and from anybody, so one real write answers all that ask within FRESH_S, and those who come
while it is under way wait for the same one.
"""

import asyncio

import sqlalchemy as sa

from parkshare_backend.http.problems import UNAVAILABLE, Problem
from parkshare_backend.store.engine import UNABLE, ConflictError, Store
from parkshare_backend.store.outbox import SERVER

FRESH_S = 1.0  # seconds of the machine's own time
WITHIN_S = 5.0  # seconds that a write may take before the server counts as not ready


class Readiness:
    """Answers who asks whether work may be sent here."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stopping = False
        self._looked_at: float | None = None
        self._fault: str | None = None
        self._looking = asyncio.Lock()

    def stop(self) -> None:
        """Be ready no more: the server is about to end."""
        self._stopping = True

    async def check(self) -> None:
        """Raise Problem(UNAVAILABLE), which says what is not ready."""
        if self._stopping:
            raise _unready("stopping", "The server is about to end. Ask another one, or this one again in a moment.")
        async with self._looking:
            now = asyncio.get_running_loop().time()
            if self._looked_at is None or now - self._looked_at >= FRESH_S:
                self._fault = await self._look()
                self._looked_at = asyncio.get_running_loop().time()
        if self._fault is not None:
            raise _unready("database", f"The database {self._fault}. See `parkshare-backend doctor`.")

    async def _look(self) -> str | None:
        try:
            async with asyncio.timeout(WITHIN_S):
                await self._write()
        except ConflictError:  # with another server that is asked at this moment: so the database answers
            return None
        except TimeoutError:
            return f"does not answer within {WITHIN_S:g} s"
        except (*UNABLE, sa.exc.SQLAlchemyError, OSError):
            return "cannot be written"
        return None

    async def _write(self) -> None:
        async with self._store.write() as tx:
            await tx.execute(sa.update(SERVER).where(SERVER.c.name == "server").values(value=SERVER.c.value))


def _unready(what: str, detail: str) -> Problem:
    return Problem(UNAVAILABLE, detail, headers={"Retry-After": "5"}, extra={"not_ready": what})
