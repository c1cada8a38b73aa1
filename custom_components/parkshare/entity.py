"""What all entities of a space have in common: one device a space, and the runtime that they show."""

from typing import override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity

from .const import DOMAIN
from .space import SpaceRuntime


class SpaceEntity(Entity):
    """An entity of one space. key is its part of the unique id and its translation key."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, runtime: SpaceRuntime, key: str) -> None:
        self._runtime = runtime
        self._attr_translation_key = key
        self._attr_unique_id = f"{runtime.space_id}_{key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, runtime.space_id)},
            name=runtime.subentry.title,
            manufacturer="ParkShare",
            model="Parking space",
        )

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the space."""
        await super().async_added_to_hass()
        self.async_on_remove(self._runtime.async_add_listener(self._space_changed))

    @callback
    def _space_changed(self) -> None:
        """Show what the space says now."""
        self.async_write_ha_state()
