"""What the settings of a space say about how it sees."""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import HomeAssistant

from custom_components.parkshare.const import CONF_CAMERA, CONF_CAMERA_POWER, CONF_LEVEL, CONF_REGION
from custom_components.parkshare.recognition import WHOLE, Region, VerdictPolicy
from custom_components.parkshare.recognition.levels import POLICIES, Level

from .pictures import SpaceCamera


def region_of(settings: Mapping[str, Any]) -> Region:
    """Return the part of the picture in which plates are looked for."""
    return Region(*settings[CONF_REGION]) if settings.get(CONF_REGION) else WHOLE


def camera_of(hass: HomeAssistant, space_id: str, settings: Mapping[str, Any]) -> SpaceCamera | None:
    """Return the space's camera, None for a space that has none."""
    if not (camera := settings.get(CONF_CAMERA)):
        return None
    region = region_of(settings)
    return SpaceCamera(hass, camera, settings.get(CONF_CAMERA_POWER), region=region, name=space_id)


def policy_of(settings: Mapping[str, Any]) -> VerdictPolicy:
    """Return how much evidence admits a car."""
    return POLICIES[Level(settings.get(CONF_LEVEL, Level.BALANCED))]
