"""What the house remembers beside its grants: which spaces it shares, its standbys, what it has still to withdraw."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from homeassistant.core import HomeAssistant

from .durable import DurableStore
from .standby import Standby, StandbyState

STORE_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseState:
    """One moment of it.

    standbys are by home space. withdrawn are spaces whose removal the backend has not confirmed. over are bookings
    whose car has left: they no longer stand in the way of another booking. leaving are bookings that were canceled
    while their car stood in the bay: their grant goes when the car goes.
    """

    spaces: frozenset[str] = frozenset()
    not_shared: frozenset[str] = frozenset()
    withdrawn: frozenset[str] = frozenset()
    over: frozenset[str] = frozenset()
    leaving: frozenset[str] = frozenset()
    standbys: dict[str, Standby] = field(default_factory=dict)


SETS = ("spaces", "not_shared", "withdrawn", "over", "leaving")


class HouseStateStore:
    """Keeps it on disk: a change is there before async_change returns."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        self._store = DurableStore(hass, STORE_VERSION, f"house.{entry_id}")
        self.state = HouseState()
        self._lock = asyncio.Lock()

    async def async_load(self) -> None:
        """Read it. Call once, first."""
        if stored := await self._store.async_load():
            standbys = [Standby(**{**item, "state": StandbyState(item["state"])}) for item in stored["standbys"]]
            self.state = HouseState(
                **{name: frozenset(stored[name]) for name in SETS},
                standbys={standby.home_space: standby for standby in standbys},
            )

    async def async_change(self, change: Callable[[HouseState], HouseState]) -> None:
        """Change it, starting from what it is when its turn comes. Raises NotStoredError."""
        async with self._lock:
            state = change(self.state)
            if state == self.state:
                return
            stored: dict[str, Any] = {name: sorted(getattr(state, name)) for name in SETS}
            stored["standbys"] = [asdict(standby) for standby in state.standbys.values()]
            await self._store.async_save(stored)
            self.state = state

    async def async_remove(self) -> None:
        """Delete the file: the entry is gone."""
        await self._store.async_remove()
