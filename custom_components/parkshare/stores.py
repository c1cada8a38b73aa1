"""The files of an account and of its spaces, and that nothing of them stays when one is removed."""

import asyncio
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .asked import asked_store_of
from .codes.space_codes import codes_store_of
from .const import CONF_INSTALL, CONF_SPACE_ID, SUBENTRY_SPACE
from .durable import DurableStore
from .grants import GrantStore
from .ledger import store_of
from .link.journal import Journal
from .offers import OfferCalendar
from .record import async_remove_record
from .seeing.album import async_remove_album
from .standing import standing_store_of
from .state import HouseStateStore

JOURNAL_VERSION: Final = 1


def journal_of(hass: HomeAssistant, entry: ConfigEntry) -> Journal:
    """The journal of an entry's link."""
    return Journal(_journal_store(hass, entry), install=entry.data[CONF_INSTALL])


def calendar_of(hass: HomeAssistant, entry: ConfigEntry, space_id: str) -> OfferCalendar:
    """The offers of a space, not loaded."""
    return OfferCalendar(hass, f"{entry.entry_id}.{space_id}")


async def async_forget_space(hass: HomeAssistant, entry: ConfigEntry, space_id: str) -> None:
    """Delete every file of a space: it is gone."""
    await calendar_of(hass, entry, space_id).async_remove()
    await store_of(hass, space_id).async_remove()
    await codes_store_of(hass, space_id).async_remove()
    await standing_store_of(hass, space_id).async_remove()
    await async_remove_album(hass, space_id)
    await async_remove_record(hass, space_id)


async def async_remove_stores(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Delete every file of an entry: it is gone."""
    spaces = [subentry.data[CONF_SPACE_ID] for subentry in entry.get_subentries_of_type(SUBENTRY_SPACE)]
    await asyncio.gather(
        GrantStore(hass, entry.entry_id).async_remove(),
        HouseStateStore(hass, entry.entry_id).async_remove(),
        asked_store_of(hass, entry.entry_id).async_remove(),
        _journal_store(hass, entry).async_remove(),
        *(async_forget_space(hass, entry, space) for space in spaces),
    )


def _journal_store(hass: HomeAssistant, entry: ConfigEntry) -> DurableStore:
    return DurableStore(hass, JOURNAL_VERSION, f"link.{entry.entry_id}")
