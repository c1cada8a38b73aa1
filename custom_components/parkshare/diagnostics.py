"""What helps to find a fault, and nothing that tells who parks where.

Made by naming what goes in, not by striking out what must not: a field that is added later stays out by itself.
"""

import time
from typing import Any

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant

from .const import (
    CONF_ASKED,
    CONF_BARRIER,
    CONF_BARRIER_ON_MEANS,
    CONF_CAMERA,
    CONF_CAMERA_POWER,
    CONF_LEVEL,
    CONF_OCCUPANCY,
    CONF_OWNER,
    CONF_OWNER_PLATE,
    CONF_PHONE,
    CONF_PICTURE_HOURS,
    CONF_RANGE_M,
    CONF_REGION,
    CONF_SOURCES,
    CONF_SPACE_ID,
)
from .hub import ParkShareConfigEntry, ParkShareHub
from .recognition.levels import Level
from .seeing.album import USUAL_HOURS


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: ParkShareConfigEntry) -> dict[str, Any]:
    """Describe the link, the reader and each space."""
    hub = entry.runtime_data
    return {
        "link": {"connected": hub.connected, "why_not": "" if hub.connected else hub.down_reason} | hub.link_figures(),
        "reader": hub.reader.name,
        "spaces": [await _space(hass, hub, subentry) for subentry in entry.subentries.values()],
    }


async def _space(hass: HomeAssistant, hub: ParkShareHub, subentry: ConfigSubentry) -> dict[str, Any]:
    data, now = subentry.data, time.time()
    space_id = data[CONF_SPACE_ID]
    runtime, standby = hub.runtime_of(space_id), hub.standby_of(space_id)
    windows = await hub.calendar_of(space_id).async_published_windows(now)
    return {
        "barrier": _entity(hass, data[CONF_BARRIER]),
        "barrier_on_means": data.get(CONF_BARRIER_ON_MEANS),
        "camera": _entity(hass, data.get(CONF_CAMERA)),
        "camera_power": _entity(hass, data.get(CONF_CAMERA_POWER)),
        "region_drawn": bool(data.get(CONF_REGION)),
        "level": data.get(CONF_LEVEL, Level.BALANCED.value),
        # What kinds of other sources there are. Their settings name entities, servers and accounts.
        "sources": sorted(str(source.get("kind")) for source in data.get(CONF_SOURCES, ())),
        "picture_hours": data.get(CONF_PICTURE_HOURS, USUAL_HOURS),
        "occupancy": [_entity(hass, entity_id) for entity_id in data.get(CONF_OCCUPANCY, ())],
        # Whether the owner is followed, never where they are: the state of a person is a place.
        "owner_followed": bool(data.get(CONF_OWNER)),
        "owner_plate_given": bool(data.get(CONF_OWNER_PLATE)),
        "owner_asked_on_phone": bool(data.get(CONF_ASKED)),
        "phone_given": bool(data.get(CONF_PHONE)),
        "range_m": data[CONF_RANGE_M],
        "sharing": hub.sharing(space_id),
        "windows": len(windows),
        "offered_now": any(window.start <= now < window.end for window in windows),
        "grants": [
            {"starts_in_s": round(grant.start - now), "ends_in_s": round(grant.end - now), "revision": grant.revision}
            for grant in hub.grants_of(space_id)
        ],
        "standby": None if standby is None else standby.state,
        "running": runtime is not None,
        "car_of_a_booking_in_the_bay": runtime is not None and runtime.occupied_by() is not None,
    }


def _entity(hass: HomeAssistant, entity_id: str | None) -> dict[str, Any] | None:
    """The kind and state of an entity. Its id stays out: people name entities after streets and themselves."""
    if entity_id is None:
        return None
    state = hass.states.get(entity_id)
    return {"domain": entity_id.partition(".")[0], "state": None if state is None else state.state}
