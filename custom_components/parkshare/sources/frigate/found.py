"""A Frigate that Home Assistant's own frigate integration knows, to fill the form with.

What that integration keeps is nobody's interface: everything is taken only if it is what it was when this was written
(frigate-hass-integration 5.15), and the owner can type whatever is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from .settings import USUAL_PREFIX

FRIGATE_DOMAIN = "frigate"


@dataclass(frozen=True, slots=True)
class FoundFrigate:
    """What could be found; empty where it could not."""

    url: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    verify_ssl: bool = True
    prefix: str = USUAL_PREFIX
    cameras: tuple[str, ...] = ()


def find_frigate(hass: HomeAssistant) -> FoundFrigate | None:
    """Return the first Frigate that is loaded, None if there is none."""
    for entry in hass.config_entries.async_entries(FRIGATE_DOMAIN):
        if entry.state is not ConfigEntryState.LOADED:
            continue
        kept = hass.data.get(FRIGATE_DOMAIN)
        live = kept.get(entry.entry_id) if isinstance(kept, Mapping) else None
        config = _part(live, "config")
        prefix = _part(config, "mqtt").get("topic_prefix")
        return FoundFrigate(
            url=_text(entry.data.get("url")),
            username=_text(entry.data.get("username")),
            password=_text(entry.data.get("password")),
            verify_ssl=entry.data.get("validate_ssl") is not False,
            prefix=_text(prefix) or USUAL_PREFIX,
            cameras=tuple(name for name in _part(config, "cameras") if isinstance(name, str)),
        )
    return None


def _part(whole: Any, name: str) -> Mapping[str, Any]:
    part = whole.get(name) if isinstance(whole, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
