"""What of a space, and of the link, is on or off."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.binary_sensor import BinarySensorEntity, BinarySensorEntityDescription
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import CONF_INSTALL, DOMAIN
from .entity import SpaceEntity
from .gate.rules import all_clear, occupied
from .hub import ParkShareConfigEntry, ParkShareHub
from .space import SpaceRuntime

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class SpaceBinarySensor(BinarySensorEntityDescription):
    """A binary sensor of a space; None is unknown."""

    is_on: Callable[[SpaceRuntime], bool | None]


def _occupied(runtime: SpaceRuntime) -> bool | None:
    """One sensor that sees a car is enough; empty is only what all of them say."""
    if occupied(runtime.gate):
        return True
    return False if all_clear(runtime.gate) else None


SENSORS = (
    SpaceBinarySensor(
        key="renter_near",
        device_class=BinarySensorDeviceClass.PRESENCE,
        is_on=lambda space: space.gate.near is not None,
    ),
    SpaceBinarySensor(key="occupied", device_class=BinarySensorDeviceClass.OCCUPANCY, is_on=_occupied),
    SpaceBinarySensor(
        key="problem",
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on=lambda space: space.gate.fault is not None,
    ),
)


async def async_setup_entry(
    _hass: HomeAssistant, entry: ParkShareConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of each space, and one for the link."""
    hub = entry.runtime_data
    async_add_entities([BackendConnected(hub)])
    for subentry_id, runtime in hub.spaces.items():
        async_add_entities(
            (SpaceBinarySensorEntity(runtime, description) for description in SENSORS), config_subentry_id=subentry_id
        )


class SpaceBinarySensorEntity(SpaceEntity, BinarySensorEntity):
    """One binary sensor of a space."""

    entity_description: SpaceBinarySensor

    def __init__(self, runtime: SpaceRuntime, description: SpaceBinarySensor) -> None:
        super().__init__(runtime, description.key)
        self.entity_description = description

    @property
    @override
    def is_on(self) -> bool | None:
        """Show it."""
        return self.entity_description.is_on(self._runtime)


class BackendConnected(BinarySensorEntity):
    """Whether the backend is reached. Grants that are stored work without it."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    _attr_translation_key = "backend_connected"
    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, hub: ParkShareHub) -> None:
        self._hub = hub
        install = hub.entry.data[CONF_INSTALL]
        self._attr_unique_id = f"{install}_backend_connected"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, install)},
            name=hub.entry.title,
            manufacturer="ParkShare",
            model="Backend",
            entry_type=DeviceEntryType.SERVICE,
        )

    @property
    @override
    def is_on(self) -> bool:
        """Show it."""
        return self._hub.connected

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the hub."""
        self.async_on_remove(self._hub.async_add_listener(self.async_write_ha_state))
