"""What ParkShare turned on in this house and has not turned off yet: on disk, so that a crash leaves nothing on."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, callback, split_entity_id
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util.hass_dict import HassKey

from custom_components.parkshare.attribution import own_context
from custom_components.parkshare.const import LOGGER
from custom_components.parkshare.durable import DurableStore, NotStoredError

VERSION: Final = 1
KEY: Final = "on"
SERVICE_LIMIT: Final = 10.0  # s


class Switched:
    """Cameras, their power and lights of all spaces, by entity id."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._store = DurableStore(hass, VERSION, "switched")
        self._in_order = asyncio.Lock()
        self._ours: frozenset[str] | None = None
        self._waits: dict[str, CALLBACK_TYPE] = {}

    async def async_ours(self) -> frozenset[str]:
        """Return what is on because of us, as far as is known."""
        async with self._in_order:
            return await self._async_load()

    async def async_note(self, *entity_ids: str) -> bool:
        """Note that these are turned on by us; returns whether that is on disk."""
        async with self._in_order:
            return await self._async_keep(await self._async_load() | set(entity_ids))

    async def async_forget(self, *entity_ids: str) -> None:
        """Note that these are off, or somebody else's."""
        async with self._in_order:
            await self._async_keep(await self._async_load() - set(entity_ids))

    async def async_renamed(self, names: Mapping[str, str]) -> None:
        """Things have new entity ids; names maps the old to the new."""
        async with self._in_order:
            ours = await self._async_load()
            await self._async_keep(frozenset(names.get(entity_id, entity_id) for entity_id in ours))

    @callback
    def is_there(self, entity_id: str) -> bool:
        """Tell whether a thing can be switched now: after a start some come late, and any may be away for a while."""
        state = self._hass.states.get(entity_id)
        return state is not None and state.state != STATE_UNAVAILABLE

    @callback
    def when_there(self, entity_id: str, then: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something once a thing is there, in place of what was to be done before."""

        @callback
        def changed(_event: Event[EventStateChangedData]) -> None:
            if self.is_there(entity_id):
                self._waits.pop(entity_id)()
                self._hass.async_create_background_task(then(), f"parkshare {entity_id} off")

        if end := self._waits.pop(entity_id, None):
            end()
        self._waits[entity_id] = async_track_state_change_event(self._hass, entity_id, changed)

    async def async_call(self, entity_id: str, service: str) -> bool:
        """Turn something on or off; returns whether that went well. Never raises: looking goes on without it."""
        given, context = {ATTR_ENTITY_ID: entity_id}, own_context(self._hass)
        try:
            async with asyncio.timeout(SERVICE_LIMIT):
                await self._hass.services.async_call(
                    split_entity_id(entity_id)[0], service, given, blocking=True, context=context
                )
        except Exception as err:  # noqa: BLE001 - an integration may raise anything, with secrets in it
            LOGGER.warning("%s of %s failed: %s", service, entity_id, type(err).__name__)
            return False
        return True

    async def _async_load(self) -> frozenset[str]:
        if self._ours is None:
            document = await self._store.async_load() or {}
            self._ours = frozenset(map(str, document.get(KEY, ())))
        return self._ours

    async def _async_keep(self, ours: frozenset[str]) -> bool:
        if ours == self._ours:
            return True
        self._ours = ours
        try:
            if ours:
                await self._store.async_save({KEY: sorted(ours)})
            else:
                await self._store.async_remove()
        except NotStoredError, OSError:
            LOGGER.exception("What is on for ParkShare could not be stored; a crash now would leave it on")
            return False
        return True


SWITCHED: Final[HassKey[Switched]] = HassKey("parkshare_switched")


@callback
def switched_of(hass: HomeAssistant) -> Switched:
    """Return what all spaces of this house have switched."""
    return hass.data.setdefault(SWITCHED, Switched(hass))
