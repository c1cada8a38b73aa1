"""Taking one's data along, and going."""

from typing import Any

from parkshare_backend.accounts.entrance import Entrance
from parkshare_backend.accounts.erasure import Erasure
from parkshare_backend.accounts.schemas import Proof
from parkshare_backend.store.engine import Store


class Departure:
    """Exports and erases accounts."""

    def __init__(self, *, store: Store, entrance: Entrance, erasure: Erasure) -> None:
        self._store = store
        self._entrance = entrance
        self._erasure = erasure

    async def export(self, account: str) -> dict[str, list[Any]]:
        """Give everything that is kept of the account, by feature, as it is at one moment."""
        async with self._store.read() as tx:
            return await self._erasure.export(tx, account)

    async def erase(self, account: str, proof: Proof) -> None:
        """Remove the account and what is kept of it, for who proves that it is theirs."""
        encoded = await self._entrance.look_at(account, proof)
        async with self._store.write() as tx:
            await self._entrance.prove(tx, account, proof, encoded)
            await self._erasure.erase(tx, account)
