"""Entities that a space uses and that were given another entity id are followed: their new ids go into its settings.

A rename that happened while ParkShare was not running is known too, for the registry keeps one id for an entity through
all its names. Entities that are in no registry (written in YAML, without a unique id) can't be followed: of them the
repair issue of a missing entity tells.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.util.hass_dict import HassKey

from .const import (
    CONF_BARRIER,
    CONF_CAMERA,
    CONF_CAMERA_POWER,
    CONF_LIGHT,
    CONF_OCCUPANCY,
    CONF_OWNER,
    CONF_SOURCES,
    CONF_VEHICLE,
    DOMAIN,
    LOGGER,
    SUBENTRY_SPACE,
)
from .durable import DurableStore, NotStoredError
from .seeing.switched import switched_of
from .sources.generic.settings import CONF_ENTITY

VERSION: Final = 1
SINGLE: Final = (CONF_BARRIER, CONF_CAMERA, CONF_CAMERA_POWER, CONF_OWNER)
SEVERAL: Final = (CONF_OCCUPANCY, CONF_VEHICLE, CONF_LIGHT)


def equipment_of(settings: Mapping[str, Any]) -> Iterator[str]:
    """Give every entity id of the equipment of a space."""
    yield from (settings[key] for key in SINGLE if settings.get(key))
    for key in SEVERAL:
        yield from settings.get(key) or ()


def entities_of(settings: Mapping[str, Any]) -> Iterator[str]:
    """Give every entity id in the settings of a space, those of its plate sources too."""
    yield from equipment_of(settings)
    for source in settings.get(CONF_SOURCES) or ():
        if source.get(CONF_ENTITY):
            yield source[CONF_ENTITY]


def renamed(settings: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings with new entity ids; names maps the old to the new."""
    changed = dict(settings)
    for key in SINGLE:
        if changed.get(key) in names:
            changed[key] = names[changed[key]]
    for key in SEVERAL:
        if changed.get(key):
            changed[key] = [names.get(entity_id, entity_id) for entity_id in changed[key]]
    if changed.get(CONF_SOURCES):
        changed[CONF_SOURCES] = [
            {**source, CONF_ENTITY: names[source[CONF_ENTITY]]} if source.get(CONF_ENTITY) in names else source
            for source in changed[CONF_SOURCES]
        ]
    return changed


class Renames:
    """Follows the entities of all spaces of this house, also of accounts that could not be started."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._store = DurableStore(hass, VERSION, "entities")
        # The registry's own id of each entity, by its entity id.
        self._known: dict[str, str] = {}

    async def async_start(self) -> None:
        """Catch up with what happened meanwhile, before any space starts; follow from now on."""
        document = await self._store.async_load() or {}
        self._known = {str(key): str(value) for key, value in document.items()}
        entities = er.async_get(self._hass).entities
        self._follow(
            {
                old: entry.entity_id
                for old, registry_id in self._known.items()
                if (entry := entities.get_entry(registry_id)) and entry.entity_id != old
            }
        )
        # For the life of Home Assistant, as what is set up once is.
        self._hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._registry_changed)

    async def async_remember(self) -> None:
        """Note who is who among the entities that are used now."""
        registry, used = er.async_get(self._hass), {each for _, _, settings in self._spaces() for each in settings}
        # What is no longer in the registry may be for a moment: an integration that is set up anew takes it back.
        known = {
            each: entry.id if (entry := registry.async_get(each)) else self._known[each]
            for each in sorted(used)
            if registry.async_get(each) or each in self._known
        }
        if known == self._known:
            return
        self._known = known
        try:
            await (self._store.async_save(known) if known else self._store.async_remove())
        except NotStoredError, OSError:
            LOGGER.warning(
                "Which entities the spaces use could not be stored: renames while it is off are not followed"
            )

    @callback
    def _registry_changed(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        if event.data["action"] == "update" and (old := event.data.get("old_entity_id")):
            self._follow({old: event.data["entity_id"]})

    @callback
    def _follow(self, names: Mapping[str, str]) -> None:
        if not names:
            return
        for entry, subentry_id, used in self._spaces():
            if not names.keys() & used:
                continue
            subentry = entry.subentries[subentry_id]
            LOGGER.info("%s: %d of its entities have new ids, which are used from now on", subentry.title, len(names))
            # The entry is loaded anew because of this. Nothing moves because of that.
            self._hass.config_entries.async_update_subentry(entry, subentry, data=renamed(subentry.data, names))
        # What is on because of us has to go off under its new id too.
        work = switched_of(self._hass).async_renamed(names)
        self._hass.async_create_task(work, "parkshare renames", eager_start=True)

    def _spaces(self) -> Iterator[tuple[ConfigEntry, str, set[str]]]:
        for entry in self._hass.config_entries.async_entries(DOMAIN):
            for subentry in entry.get_subentries_of_type(SUBENTRY_SPACE):
                yield entry, subentry.subentry_id, set(entities_of(subentry.data))


RENAMES: Final[HassKey[Renames]] = HassKey("parkshare_renames")


@callback
def renames_of(hass: HomeAssistant) -> Renames:
    """Return what follows the renames in this house."""
    return hass.data.setdefault(RENAMES, Renames(hass))
