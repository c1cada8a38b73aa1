"""ParkShare: shares private parking spaces. The house reads the plate, decides, and moves the barrier."""

from collections.abc import Callable
from typing import Any, Final

from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN, SUBENTRY_SPACE
from .farewell import async_take_leave
from .flows.region_page import async_register_pages
from .flows.tickets import tickets_of
from .hub import ParkShareConfigEntry, ParkShareHub
from .link.keys import BadKeyError
from .renames import renames_of
from .services import async_setup_services
from .space import SpaceRuntime
from .stores import async_remove_stores

CONFIG_SCHEMA: Final = cv.config_entry_only_config_schema(DOMAIN)

PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CALENDAR,
    Platform.EVENT,
    Platform.IMAGE,
    Platform.SENSOR,
    Platform.SWITCH,
]


async def async_setup(hass: HomeAssistant, _: ConfigType) -> bool:
    """Set up what is there once for all accounts: the actions, the pages of the flows, and following renames."""
    async_setup_services(hass)
    await async_register_pages(hass, tickets_of(hass))
    await renames_of(hass).async_start()
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ParkShareConfigEntry) -> bool:
    """Start the spaces of one linked account. Works without the backend: what was granted is on disk."""
    try:
        hub = ParkShareHub(hass, entry)
    except BadKeyError as err:
        raise ConfigEntryAuthFailed(translation_domain=DOMAIN, translation_key="keys_damaged") from err
    await hub.async_load()
    entry.runtime_data = hub
    await renames_of(hass).async_remember()
    try:
        for subentry in entry.get_subentries_of_type(SUBENTRY_SPACE):
            hub.spaces[subentry.subentry_id] = SpaceRuntime(hass, hub, subentry)
        for runtime in hub.spaces.values():
            await runtime.async_start()
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
        await hub.async_start()
    except Exception:
        # Else the spaces that did start would go on beside those of the next try.
        await hub.async_stop()
        raise

    async def stop(_event: Event) -> None:
        await hub.async_stop()

    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, stop))
    entry.async_on_unload(entry.add_update_listener(_reload_when_changed(entry)))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ParkShareConfigEntry) -> bool:
    """Stop the spaces. The barrier stays as it is, the grants stay on disk."""
    if unloaded := await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        await entry.runtime_data.async_stop()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: ParkShareConfigEntry) -> None:
    """Tell the backend if it can be reached, then delete what was stored for the account."""
    await async_take_leave(hass, entry)
    await async_remove_stores(hass, entry)
    await renames_of(hass).async_remember()


def _reload_when_changed(entry: ParkShareConfigEntry) -> Callable[[HomeAssistant, ParkShareConfigEntry], Any]:
    """Make the one update listener: it reloads only when spaces, settings or keys changed, not for a new title."""
    before = _structure(entry)

    async def changed(hass: HomeAssistant, entry: ParkShareConfigEntry) -> None:
        if _structure(entry) != before:
            hass.config_entries.async_schedule_reload(entry.entry_id)

    return changed


def _structure(entry: ParkShareConfigEntry) -> tuple[Any, ...]:
    spaces = {key: (subentry.title, dict(subentry.data)) for key, subentry in entry.subentries.items()}
    return dict(entry.data), dict(entry.options), spaces
