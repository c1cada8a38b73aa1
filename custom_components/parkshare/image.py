"""The pictures of a space's album. Home Assistant shows them to whoever may see the entity; the state is their time."""

from datetime import UTC, datetime
from typing import Final, override

from homeassistant.components.image import ImageEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import SpaceEntity
from .hub import ParkShareConfigEntry
from .seeing.album import Kept
from .space import SpaceRuntime

PARALLEL_UPDATES = 0
CATEGORIES: Final = {Kept.LAST: None, Kept.TEST: EntityCategory.DIAGNOSTIC}


async def async_setup_entry(
    hass: HomeAssistant, entry: ParkShareConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add one entity for each kind of picture of each space."""
    for subentry_id, runtime in entry.runtime_data.spaces.items():
        async_add_entities((KeptImage(hass, runtime, kind) for kind in Kept), config_subentry_id=subentry_id)


class KeptImage(SpaceEntity, ImageEntity):
    """One kept picture, until its time is over."""

    def __init__(self, hass: HomeAssistant, runtime: SpaceRuntime, kind: Kept) -> None:
        SpaceEntity.__init__(self, runtime, kind.value)
        ImageEntity.__init__(self, hass)
        self._kind = kind
        self._attr_entity_category = CATEGORIES[kind]
        self._take_over()

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the album."""
        await super().async_added_to_hass()
        self.async_on_remove(self._runtime.album.async_add_listener(self._album_changed))

    @override
    async def async_image(self) -> bytes | None:
        """Return the picture."""
        return await self._runtime.album.async_content(self._kind)

    @override
    @callback
    def _space_changed(self) -> None:
        """A change of the space is no new picture."""

    @callback
    def _album_changed(self) -> None:
        before = self._attr_image_last_updated
        self._take_over()
        if self._attr_image_last_updated != before:
            self.async_write_ha_state()

    def _take_over(self) -> None:
        kept = self._runtime.album.kept(self._kind)
        self._attr_image_last_updated = None if kept is None else datetime.fromtimestamp(kept.at, UTC)
        self._attr_content_type = "image/jpeg" if kept is None else kept.content_type
