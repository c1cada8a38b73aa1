"""What the system information page says of ParkShare: figures only, no address and no name."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .hub import ParkShareConfigEntry


@callback
def async_register(_hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Take part in the page."""
    register.async_register_info(system_health_info)


async def system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Count what is linked and what is still to be told."""
    entries: list[ParkShareConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    hubs = [entry.runtime_data for entry in entries]
    return {
        # Which one, never where: the address of a reader service is nobody's business.
        "readers": ", ".join(sorted({hub.reader.name for hub in hubs})),
        "backends_connected": f"{sum(hub.connected for hub in hubs)} / {len(hubs)}",
        "spaces": sum(len(hub.space_ids) for hub in hubs),
        "grants": sum(len(hub.grants.all()) for hub in hubs),
        "pending": sum(hub.link_figures()["pending"] for hub in hubs),
    }
