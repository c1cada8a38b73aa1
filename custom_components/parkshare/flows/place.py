"""The first form of a parking space: where it is and which cars fit."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import ATTR_LATITUDE, ATTR_LONGITUDE, CONF_LOCATION, CONF_RADIUS, CONF_ZONE
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    LocationSelector,
    LocationSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
    TextSelectorConfig,
)

from custom_components.parkshare.const import (
    CONF_ADDRESS,
    CONF_HEIGHT_M,
    CONF_LATITUDE,
    CONF_LENGTH_M,
    CONF_LONGITUDE,
    CONF_NAME,
    CONF_RANGE_M,
    CONF_WIDTH_M,
)

from .steps import SpaceSteps

# Below, a phone's position is too coarse to mean anything; above, "near" comes minutes too early.
SHORTEST_RANGE_M: Final = 20.0
LONGEST_RANGE_M: Final = 500.0
USUAL_RANGE_M: Final = 150.0
LONGEST_NAME: Final = 100
LONGEST_ADDRESS: Final = 300

# Taken as they are entered; place and range come from the map or from a zone.
PLAIN_FIELDS: Final = (CONF_NAME, CONF_ADDRESS, CONF_LENGTH_M, CONF_WIDTH_M, CONF_HEIGHT_M)
PLACE_FIELDS: Final = (*PLAIN_FIELDS, CONF_LATITUDE, CONF_LONGITUDE, CONF_RANGE_M)


def _metres(longest: float) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(min=1.0, max=longest, step=0.05, unit_of_measurement="m", mode=NumberSelectorMode.BOX)
    )


# Any: at run time these are schemas of Home Assistant's own engine, which voluptuous' types do not know.
PLACE_SCHEMA: Final[Any] = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(TextSelectorConfig()),
        vol.Required(CONF_LOCATION): LocationSelector(LocationSelectorConfig(radius=True, icon="mdi:parking")),
        vol.Optional(CONF_ZONE): EntitySelector(EntitySelectorConfig(domain=["zone"])),
        vol.Required(CONF_ADDRESS): TextSelector(TextSelectorConfig(autocomplete="street-address")),
        vol.Required(CONF_LENGTH_M, default=5.0): _metres(50),
        vol.Required(CONF_WIDTH_M, default=2.5): _metres(50),
        vol.Optional(CONF_HEIGHT_M): _metres(50),
    }
)


class PlaceSteps(SpaceSteps):
    """The form that begins the flow; what follows it is `async_step_equipment`."""

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the place of a new space."""
        home = self.hass.config
        suggested = {
            CONF_LOCATION: {
                ATTR_LATITUDE: home.latitude,
                ATTR_LONGITUDE: home.longitude,
                CONF_RADIUS: USUAL_RANGE_M,
            }
        }
        return self._place("user", user_input, suggested) or await self.async_step_equipment()

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Change the place of a space."""
        if not self._space:
            self._space = dict(self._get_reconfigure_subentry().data)
        suggested = {
            **self._space,
            CONF_LOCATION: {
                ATTR_LATITUDE: self._space[CONF_LATITUDE],
                ATTR_LONGITUDE: self._space[CONF_LONGITUDE],
                CONF_RADIUS: self._space[CONF_RANGE_M],
            },
        }
        return self._place("reconfigure", user_input, suggested) or await self.async_step_equipment()

    def _place(
        self, step_id: str, user_input: dict[str, Any] | None, suggested: Mapping[str, Any]
    ) -> SubentryFlowResult | None:
        """Show the form until it is right; None when it is."""
        errors: dict[str, str] = {}
        if user_input is not None:
            place, errors = self._place_of(user_input)
            if not errors:
                # What was emptied in the form must go, so nothing of the old place is kept.
                self._space = {key: value for key, value in self._space.items() if key not in PLACE_FIELDS} | place
                return None
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(PLACE_SCHEMA, user_input or suggested),
            errors=errors,
            description_placeholders={
                "shortest": f"{SHORTEST_RANGE_M:.0f}",
                "longest": f"{LONGEST_RANGE_M:.0f}",
            },
            last_step=False,
        )

    def _place_of(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Turn the form into what is stored, and say what is wrong with it."""
        errors: dict[str, str] = {}
        place = {key: given[key] for key in PLAIN_FIELDS if key in given}
        for key, longest in ((CONF_NAME, LONGEST_NAME), (CONF_ADDRESS, LONGEST_ADDRESS)):
            place[key] = " ".join(place[key].split())
            if not 0 < len(place[key]) <= longest:
                errors[key] = f"{key}_length"
        position: Mapping[str, Any] = given[CONF_LOCATION]
        range_m = position.get(CONF_RADIUS, USUAL_RANGE_M)
        if zone_id := given.get(CONF_ZONE):
            if (zone := self.hass.states.get(zone_id)) is None:
                return place, errors | {CONF_ZONE: "entity_missing"}
            position, range_m = zone.attributes, zone.attributes[CONF_RADIUS]
        if not SHORTEST_RANGE_M <= range_m <= LONGEST_RANGE_M:
            errors[CONF_ZONE if zone_id else CONF_LOCATION] = "range_out_of_bounds"
        place |= {
            CONF_LATITUDE: position[ATTR_LATITUDE],
            CONF_LONGITUDE: position[ATTR_LONGITUDE],
            CONF_RANGE_M: float(range_m),
        }
        return place, errors
