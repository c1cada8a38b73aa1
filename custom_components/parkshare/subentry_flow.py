"""Add or change one parking space: where it is, what stands on it, whose it is."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid7

import voluptuous as vol
from homeassistant.components import camera
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigSubentryFlow, SubentryFlowResult
from homeassistant.const import (
    ATTR_LATITUDE,
    ATTR_LONGITUDE,
    CONF_LOCATION,
    CONF_RADIUS,
    CONF_ZONE,
    STATE_OFF,
    STATE_UNAVAILABLE,
)
from homeassistant.core import split_entity_id
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    LocationSelector,
    LocationSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)

from .const import (
    CONF_ADDRESS,
    CONF_BARRIER,
    CONF_BARRIER_ON_MEANS,
    CONF_CAMERA,
    CONF_CAMERA_POWER,
    CONF_HEIGHT_M,
    CONF_LATITUDE,
    CONF_LENGTH_M,
    CONF_LONGITUDE,
    CONF_NAME,
    CONF_OCCUPANCY,
    CONF_OWNER,
    CONF_OWNER_PLATE,
    CONF_RANGE_M,
    CONF_SPACE_ID,
    CONF_WIDTH_M,
    DOMAIN,
    SUBENTRY_SPACE,
)
from .recognition import PlateError, check_plate

# Below, a phone's position is too coarse to mean anything; above, "near" comes minutes too early.
SHORTEST_RANGE_M: Final = 20.0
LONGEST_RANGE_M: Final = 500.0
USUAL_RANGE_M: Final = 150.0
LONGEST_NAME: Final = 100
LONGEST_ADDRESS: Final = 300
PICTURE_TIMEOUT: Final = 10  # s

PLACE_FIELDS: Final = (CONF_NAME, CONF_LOCATION, CONF_ZONE, CONF_ADDRESS, CONF_LENGTH_M, CONF_WIDTH_M, CONF_HEIGHT_M)
EQUIPMENT_FIELDS: Final = (
    CONF_BARRIER,
    CONF_CAMERA,
    CONF_CAMERA_POWER,
    CONF_OCCUPANCY,
    CONF_OWNER,
    CONF_OWNER_PLATE,
)


def _metres(longest: float) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(min=1.0, max=longest, step=0.05, unit_of_measurement="m", mode=NumberSelectorMode.BOX)
    )


def _entity(*domains: str, multiple: bool = False) -> EntitySelector:
    return EntitySelector(EntitySelectorConfig(domain=list(domains), multiple=multiple))


# Any: at run time these are schemas of Home Assistant's own engine, which voluptuous' types do not know.
PLACE_SCHEMA: Final[Any] = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(TextSelectorConfig()),
        vol.Required(CONF_LOCATION): LocationSelector(LocationSelectorConfig(radius=True, icon="mdi:parking")),
        vol.Optional(CONF_ZONE): _entity("zone"),
        vol.Required(CONF_ADDRESS): TextSelector(TextSelectorConfig(autocomplete="street-address")),
        vol.Required(CONF_LENGTH_M, default=5.0): _metres(50),
        vol.Required(CONF_WIDTH_M, default=2.5): _metres(50),
        vol.Optional(CONF_HEIGHT_M): _metres(50),
    }
)
EQUIPMENT_SCHEMA: Final[Any] = vol.Schema(
    {
        vol.Required(CONF_BARRIER): _entity("lock", "cover", "valve", "switch"),
        vol.Required(CONF_CAMERA): _entity("camera"),
        vol.Optional(CONF_CAMERA_POWER): _entity("switch", "input_boolean"),
        vol.Optional(CONF_OCCUPANCY, default=list): _entity("binary_sensor", multiple=True),
        vol.Optional(CONF_OWNER): _entity("person", "device_tracker"),
        vol.Optional(CONF_OWNER_PLATE): TextSelector(TextSelectorConfig(autocomplete="off")),
    }
)
SWITCH_SCHEMA: Final[Any] = vol.Schema(
    {
        vol.Required(CONF_BARRIER_ON_MEANS): SelectSelector(
            SelectSelectorConfig(
                options=["up", "down"], mode=SelectSelectorMode.LIST, translation_key=CONF_BARRIER_ON_MEANS
            )
        )
    }
)


class SpaceSubentryFlow(ConfigSubentryFlow):
    """Two forms, and a third one when the barrier is a switch."""

    def __init__(self) -> None:
        self._space: dict[str, Any] = {}
        self._reason = ""

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

    async def async_step_equipment(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the barrier, the camera and what else stands on the space."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = await self._async_equipment_errors(user_input)
            if not errors:
                if user_input[CONF_BARRIER] != self._space.get(CONF_BARRIER):
                    # Of another switch nobody knows yet what "on" means.
                    self._space.pop(CONF_BARRIER_ON_MEANS, None)
                # What was emptied in the form must go, so nothing of the old equipment is kept.
                self._space = {key: value for key, value in self._space.items() if key not in EQUIPMENT_FIELDS}
                self._space |= user_input
                if split_entity_id(user_input[CONF_BARRIER])[0] == "switch":
                    return await self.async_step_barrier_switch()
                self._space.pop(CONF_BARRIER_ON_MEANS, None)
                return self._finish()
        return self.async_show_form(
            step_id="equipment",
            data_schema=self.add_suggested_values_to_schema(EQUIPMENT_SCHEMA, user_input or self._space),
            errors=errors,
            description_placeholders={"reason": self._reason},
        )

    async def async_step_barrier_switch(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what "on" means. A guess would open the space to everybody, or to nobody."""
        if user_input is not None:
            self._space |= user_input
            return self._finish()
        return self.async_show_form(
            step_id="barrier_switch",
            data_schema=self.add_suggested_values_to_schema(SWITCH_SCHEMA, self._space),
            description_placeholders={"barrier": self._space[CONF_BARRIER]},
        )

    def _place(
        self, step_id: str, user_input: dict[str, Any] | None, suggested: Mapping[str, Any]
    ) -> SubentryFlowResult | None:
        """Show the first form until it is right; None when it is."""
        errors: dict[str, str] = {}
        if user_input is not None:
            place, errors = self._place_of(user_input)
            if not errors:
                self._space = {
                    key: value
                    for key, value in self._space.items()
                    if key in EQUIPMENT_FIELDS or key in {CONF_BARRIER_ON_MEANS, CONF_SPACE_ID}
                } | place
                return None
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(PLACE_SCHEMA, user_input or suggested),
            errors=errors,
            description_placeholders={
                "shortest": f"{SHORTEST_RANGE_M:.0f}",
                "longest": f"{LONGEST_RANGE_M:.0f}",
            },
        )

    def _place_of(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Turn the first form into what is stored, and say what is wrong with it."""
        errors: dict[str, str] = {}
        place = {key: given[key] for key in PLACE_FIELDS if key in given and key not in {CONF_LOCATION, CONF_ZONE}}
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

    async def _async_equipment_errors(self, given: Mapping[str, Any]) -> dict[str, str]:
        errors: dict[str, str] = {}
        for key in (CONF_BARRIER, CONF_CAMERA, CONF_CAMERA_POWER, CONF_OWNER):
            if (entity_id := given.get(key)) and self.hass.states.get(entity_id) is None:
                errors[key] = "entity_missing"
        if any(self.hass.states.get(entity_id) is None for entity_id in given.get(CONF_OCCUPANCY, ())):
            errors[CONF_OCCUPANCY] = "entity_missing"
        if CONF_BARRIER not in errors and given[CONF_BARRIER] in self._barriers_of_others():
            errors[CONF_BARRIER] = "barrier_in_use"
        if given.get(CONF_CAMERA_POWER) == given[CONF_BARRIER]:
            # Waking the camera would move the barrier.
            errors[CONF_CAMERA_POWER] = "same_as_barrier"
        if plate := given.get(CONF_OWNER_PLATE):
            try:
                check_plate(plate)
            except PlateError as err:
                errors[CONF_OWNER_PLATE], self._reason = "plate_not_usable", str(err)
        # A camera that was taken before is believed: its failure now must not keep the owner from entering a plate.
        known = given[CONF_CAMERA] == self._space.get(CONF_CAMERA)
        if CONF_CAMERA not in errors and not known and not await self._async_takes_pictures(given):
            errors[CONF_CAMERA] = "camera_without_picture"
        return errors

    def _barriers_of_others(self) -> set[str]:
        """The barriers of all other spaces. Two spaces with one would raise it under each other's cars."""
        own = self._space.get(CONF_SPACE_ID)
        return {
            subentry.data[CONF_BARRIER]
            for entry in self.hass.config_entries.async_entries(DOMAIN)
            for subentry in entry.get_subentries_of_type(SUBENTRY_SPACE)
            if subentry.data[CONF_SPACE_ID] != own
        }

    async def _async_takes_pictures(self, given: Mapping[str, Any]) -> bool:
        """Take one picture. A camera that is switched off by its own power switch is believed without."""
        power = self.hass.states.get(given[CONF_CAMERA_POWER]) if given.get(CONF_CAMERA_POWER) else None
        if power is not None and power.state in {STATE_OFF, STATE_UNAVAILABLE}:
            return True
        try:
            picture = await camera.async_get_image(self.hass, given[CONF_CAMERA], timeout=PICTURE_TIMEOUT)
        except HomeAssistantError:
            return False
        return bool(picture.content)

    def _finish(self) -> SubentryFlowResult:
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(), self._get_reconfigure_subentry(), title=self._space[CONF_NAME], data=self._space
            )
        space_id = str(uuid7())
        return self.async_create_entry(
            title=self._space[CONF_NAME], data={CONF_SPACE_ID: space_id, **self._space}, unique_id=space_id
        )
