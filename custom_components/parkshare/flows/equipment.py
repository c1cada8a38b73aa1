"""The second form of a parking space: what stands on it and whose it is; a third one when the barrier is a switch."""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.components import camera
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.const import STATE_OFF, STATE_UNAVAILABLE
from homeassistant.core import split_entity_id
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
)

from custom_components.parkshare.barrier_kinds import unfit
from custom_components.parkshare.const import (
    CONF_BARRIER,
    CONF_BARRIER_ON_MEANS,
    CONF_CAMERA,
    CONF_CAMERA_POWER,
    CONF_LIGHT,
    CONF_OCCUPANCY,
    CONF_OWNER,
    CONF_OWNER_PLATE,
    CONF_REGION,
    CONF_SPACE_ID,
    CONF_VEHICLE,
    DOMAIN,
    SUBENTRY_SPACE,
)
from custom_components.parkshare.recognition import PlateError, check_plate

from .independence import are_independent
from .steps import SpaceSteps

PICTURE_TIMEOUT: Final = 10  # s

EQUIPMENT_FIELDS: Final = (
    CONF_BARRIER,
    CONF_CAMERA,
    CONF_CAMERA_POWER,
    CONF_LIGHT,
    CONF_OCCUPANCY,
    CONF_VEHICLE,
    CONF_OWNER,
    CONF_OWNER_PLATE,
)
# All that have to exist.
SINGLE: Final = (CONF_BARRIER, CONF_CAMERA, CONF_CAMERA_POWER, CONF_OWNER)
SEVERAL: Final = (CONF_LIGHT, CONF_OCCUPANCY, CONF_VEHICLE)


def _entity(*domains: str, multiple: bool = False) -> EntitySelector:
    return EntitySelector(EntitySelectorConfig(domain=list(domains), multiple=multiple))


# Any: at run time these are schemas of Home Assistant's own engine, which voluptuous' types do not know.
EQUIPMENT_SCHEMA: Final[Any] = vol.Schema(
    {
        vol.Required(CONF_BARRIER): _entity("lock", "cover", "valve", "switch"),
        # Without one, another source has to read the plates; the menu that follows asks for it.
        vol.Optional(CONF_CAMERA): _entity("camera"),
        vol.Optional(CONF_CAMERA_POWER): _entity("switch", "input_boolean"),
        vol.Optional(CONF_LIGHT): _entity("light", "switch", multiple=True),
        vol.Optional(CONF_OCCUPANCY, default=list): _entity("binary_sensor", multiple=True),
        vol.Optional(CONF_VEHICLE): _entity("binary_sensor", multiple=True),
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


class EquipmentSteps(SpaceSteps):
    """Barrier, camera, sensors, owner."""

    def __init__(self) -> None:
        super().__init__()
        self._reason = ""

    async def async_step_equipment(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the barrier, the camera and what else stands on the space."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = await self._async_equipment_errors(user_input)
            if not errors:
                self._take_equipment(user_input)
                if split_entity_id(user_input[CONF_BARRIER])[0] == "switch":
                    return await self.async_step_barrier_switch()
                return await self.async_step_raising()
        return self.async_show_form(
            step_id="equipment",
            data_schema=self.add_suggested_values_to_schema(EQUIPMENT_SCHEMA, user_input or self._space),
            errors=errors,
            description_placeholders={"reason": self._reason},
            last_step=False,
        )

    async def async_step_barrier_switch(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what "on" means. A guess would open the space to everybody, or to nobody."""
        if user_input is not None:
            self._space |= user_input
            return await self.async_step_raising()
        return self.async_show_form(
            step_id="barrier_switch",
            data_schema=self.add_suggested_values_to_schema(SWITCH_SCHEMA, self._space),
            description_placeholders={"barrier": self._space[CONF_BARRIER]},
            last_step=False,
        )

    def _take_equipment(self, given: dict[str, Any]) -> None:
        before = self._space
        # What was emptied in the form must go, so nothing of the old equipment is kept.
        self._space = {key: value for key, value in before.items() if key not in EQUIPMENT_FIELDS} | given
        if given[CONF_BARRIER] != before.get(CONF_BARRIER) or split_entity_id(given[CONF_BARRIER])[0] != "switch":
            # Of another switch nobody knows yet what "on" means; anything else says so itself.
            self._space.pop(CONF_BARRIER_ON_MEANS, None)
        if given.get(CONF_CAMERA) != before.get(CONF_CAMERA):
            # It was drawn on the picture of another camera.
            self._space.pop(CONF_REGION, None)

    async def _async_equipment_errors(self, given: Mapping[str, Any]) -> dict[str, str]:
        errors = self._missing(given)
        if CONF_BARRIER not in errors:
            if given[CONF_BARRIER] in self._barriers_of_others():
                errors[CONF_BARRIER] = "barrier_in_use"
            elif reason := unfit(self.hass, given[CONF_BARRIER]):
                errors[CONF_BARRIER] = reason.value
        if given.get(CONF_CAMERA_POWER) == given[CONF_BARRIER]:
            # Waking the camera would move the barrier.
            errors[CONF_CAMERA_POWER] = "same_as_barrier"
        if {given[CONF_BARRIER], given.get(CONF_CAMERA_POWER)} & set(given.get(CONF_LIGHT, ())):
            # So would giving it light; and a camera's power is switched in another order than a light.
            errors[CONF_LIGHT] = "light_is_taken"
        if CONF_OCCUPANCY not in errors and not are_independent(self.hass, given.get(CONF_OCCUPANCY, ())):
            errors[CONF_OCCUPANCY] = "sensors_not_independent"
        if plate := given.get(CONF_OWNER_PLATE):
            try:
                check_plate(plate)
            except PlateError as err:
                errors[CONF_OWNER_PLATE], self._reason = "plate_not_usable", str(err)
        # A camera that was taken before is believed: its failure now must not keep the owner from entering a plate.
        entity_id = given.get(CONF_CAMERA)
        known = entity_id == self._space.get(CONF_CAMERA)
        if entity_id and CONF_CAMERA not in errors and not known and not await self._async_takes_pictures(given):
            errors[CONF_CAMERA] = "camera_without_picture"
        return errors

    def _missing(self, given: Mapping[str, Any]) -> dict[str, str]:
        named = {key: [given[key]] for key in SINGLE if given.get(key)} | {key: given.get(key, ()) for key in SEVERAL}
        return {
            key: "entity_missing"
            for key, entity_ids in named.items()
            if any(self.hass.states.get(entity_id) is None for entity_id in entity_ids)
        }

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
