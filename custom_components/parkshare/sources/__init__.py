"""Plate sources beside the space's own camera: programs and devices that read plates themselves.

Each gives looks whose readings have a text and no matrix. See docs/sources.md.
"""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant

from custom_components.parkshare.const import CONF_SOURCES

from .making import source_of
from .protocol import PlateSource


def sources_of(hass: HomeAssistant, settings: Mapping[str, Any], title: str) -> list[PlateSource]:
    """Make the sources of a space from its subentry's data; title is the name of the space."""
    return [source_of(hass, each, settings, title) for each in settings.get(CONF_SOURCES) or ()]


__all__ = ["PlateSource", "sources_of"]
