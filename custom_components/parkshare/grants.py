"""The grants of one linked backend, kept on disk: admission works from these with the backend down."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from homeassistant.core import HomeAssistant

from .durable import DurableStore
from .gate.grant import Grant

STORE_VERSION = 1
# A grant stays after its end for the stay that goes on: a car may overstay, and the gate still has to know whose it is.
KEEP_AFTER_END = 24 * 3600.0  # s


class GrantStore:
    """What this house has promised to renters, by booking id.

    Each change is on disk before the call returns (NotStoredError if it can't be): only then may the backend be told.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        self._store = DurableStore(hass, STORE_VERSION, f"grants.{entry_id}")
        self._grants: dict[str, Grant] = {}
        self._lock = asyncio.Lock()

    async def async_load(self) -> None:
        """Read what was stored. Call once, before anything else."""
        stored = await self._store.async_load() or {"grants": []}
        self._grants = {item["booking"]: Grant(**item) for item in stored["grants"]}

    def all(self) -> list[Grant]:
        """All grants, earliest first."""
        return sorted(self._grants.values(), key=lambda grant: (grant.start, grant.booking))

    def of(self, space_id: str) -> list[Grant]:
        """The grants of one space, earliest first."""
        return [grant for grant in self.all() if grant.space == space_id]

    def get(self, booking: str) -> Grant | None:
        """The grant of a booking, if there is one."""
        return self._grants.get(booking)

    async def async_put(self, grant: Grant) -> None:
        """Add a grant, or replace the one of the same booking."""
        await self._async_change(lambda grants: {**grants, grant.booking: grant})

    async def async_withdraw(self, booking: str) -> None:
        """Take a grant back. Nothing happens when there is none."""
        await self._async_change(lambda grants: {key: grant for key, grant in grants.items() if key != booking})

    async def async_prune(self, now: float, *, keep: frozenset[str] = frozenset()) -> None:
        """Forget grants that ended a day ago, except those whose car still stands in the bay."""
        await self._async_change(
            lambda grants: {
                key: grant for key, grant in grants.items() if key in keep or now < grant.end + KEEP_AFTER_END
            }
        )

    async def async_remove(self) -> None:
        """Delete the file: the entry is gone."""
        await self._store.async_remove()

    async def _async_change(self, change: Callable[[dict[str, Grant]], dict[str, Grant]]) -> None:
        # One after the other: the link, the space and the clock change grants, and a change made from a state that
        # another one is just replacing would undo it.
        async with self._lock:
            grants = change(self._grants)
            if grants == self._grants:
                return
            # Disk first: when the write fails, memory still says what the disk says.
            stored: list[dict[str, Any]] = [asdict(grant) for grant in grants.values()]
            await self._store.async_save({"grants": stored})
            self._grants = grants
