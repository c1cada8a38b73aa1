"""What Home Assistant's states say about a bay and about its owner, in the words of the gate."""

from homeassistant.const import (
    ATTR_GPS_ACCURACY,
    ATTR_LATITUDE,
    ATTR_LONGITUDE,
    STATE_HOME,
    STATE_NOT_HOME,
    STATE_OFF,
    STATE_ON,
)
from homeassistant.core import HomeAssistant, State

from .gate.nearness import Fix
from .gate.words import Says

HOME_ZONE = "zone.home"
# A router says "home" without coordinates; the house is then somewhere within this of its zone's centre.
ROUTER_ACCURACY_M = 50.0
# A router that says "not home" means at least somewhere else; so far beyond any range.
ELSEWHERE_DEGREES = 1.0


def says(state: State | None) -> Says:
    """What an occupancy sensor says. Anything but a plain on or off is unknown, which counts as a car."""
    if state is None:
        return Says.UNKNOWN
    return {STATE_ON: Says.OCCUPIED, STATE_OFF: Says.CLEAR}.get(state.state, Says.UNKNOWN)


def seen_at(state: State | None) -> float:
    """When the sensor last reported (UTC seconds), also if it said the same as before."""
    return state.last_reported.timestamp() if state else 0.0


def fix_of(hass: HomeAssistant, state: State | None) -> Fix | None:
    """The owner's position, if their person or tracker has one."""
    if state is None:
        return None
    at = state.last_reported.timestamp()
    latitude, longitude = state.attributes.get(ATTR_LATITUDE), state.attributes.get(ATTR_LONGITUDE)
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        accuracy = state.attributes.get(ATTR_GPS_ACCURACY) or 0.0
        return Fix(float(latitude), float(longitude), float(accuracy), at)
    home = hass.states.get(HOME_ZONE)
    if home is None or state.state not in (STATE_HOME, STATE_NOT_HOME):
        return None
    latitude, longitude = home.attributes[ATTR_LATITUDE], home.attributes[ATTR_LONGITUDE]
    if state.state == STATE_NOT_HOME:
        return Fix(latitude - ELSEWHERE_DEGREES if latitude > 0 else latitude + ELSEWHERE_DEGREES, longitude, 0.0, at)
    return Fix(latitude, longitude, ROUTER_ACCURACY_M, at)
