"""Whether new bookings of a space are taken."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import SpaceEntity
from .hub import ParkShareConfigEntry, ParkShareHub
from .space import SpaceRuntime

PARALLEL_UPDATES = 1


async def async_setup_entry(
    _hass: HomeAssistant, entry: ParkShareConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add one switch a space."""
    hub = entry.runtime_data
    for subentry_id, runtime in hub.spaces.items():
        async_add_entities([SharingSwitch(hub, runtime)], config_subentry_id=subentry_id)


class SharingSwitch(SpaceEntity, SwitchEntity):
    """On: the space is shared in the times of its calendar. Off: no new bookings; granted ones keep their right."""

    _attr_translation_key = "sharing"
    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, hub: ParkShareHub, runtime: SpaceRuntime) -> None:
        super().__init__(runtime, "sharing")
        self._hub = hub

    @property
    @override
    def is_on(self) -> bool:
        """Tell whether the space is shared."""
        return self._hub.sharing(self._runtime.space_id)

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the hub, which keeps the setting."""
        await super().async_added_to_hass()
        self.async_on_remove(self._hub.async_add_listener(self.async_write_ha_state))

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Share the space."""
        await self._hub.async_set_sharing(self._runtime.space_id, on=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Take no new bookings."""
        await self._hub.async_set_sharing(self._runtime.space_id, on=False)
