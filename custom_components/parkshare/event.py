"""What happened at the barrier of a space. No plate appears here."""

from dataclasses import asdict
from typing import override

from homeassistant.components.event import EventEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import SpaceEntity
from .hub import ParkShareConfigEntry
from .plate_events import EVENT_TYPES, PlateEvent
from .space import SpaceRuntime

PARALLEL_UPDATES = 0


async def async_setup_entry(
    _hass: HomeAssistant, entry: ParkShareConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add one event entity a space."""
    for subentry_id, runtime in entry.runtime_data.spaces.items():
        async_add_entities([PlateEventEntity(runtime)], config_subentry_id=subentry_id)


class PlateEventEntity(SpaceEntity, EventEntity):
    """Admitted, refused, unsure; lowered, with the milliseconds that each part took; and what was odd about a car."""

    _attr_event_types = list(EVENT_TYPES)  # noqa: RUF012 - as Home Assistant's own entities do it

    def __init__(self, runtime: SpaceRuntime) -> None:
        super().__init__(runtime, "plate")

    @override
    async def async_added_to_hass(self) -> None:
        """Follow what happens."""
        await super().async_added_to_hass()
        self.async_on_remove(self._runtime.plate_events.async_add_listener(self._happened))

    @callback
    def _happened(self, event: PlateEvent) -> None:
        attributes = asdict(event)
        self._trigger_event(attributes.pop("type"), attributes)
        self.async_write_ha_state()

    @override
    @callback
    def _space_changed(self) -> None:
        """A change of the space is no event."""
