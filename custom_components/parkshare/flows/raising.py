"""The step of a parking space's flow that asks what happens when a car has left.

To raise by itself on fewer than two sensors is not offered: one sensor alone can't tell an empty bay from its own
failure, and the barrier would rise under a car.
"""

from collections.abc import Mapping
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.helpers.selector import SelectSelector, SelectSelectorConfig, SelectSelectorMode

from custom_components.parkshare.const import CONF_OCCUPANCY, CONF_RAISING
from custom_components.parkshare.gate.kinds import Raising
from custom_components.parkshare.gate.policy import DEFAULT_POLICY

from .steps import SpaceSteps


def choices(settings: Mapping[str, Any]) -> list[Raising]:
    """Return what a space with these settings may choose; the usual choice comes first."""
    enough = len(set(settings.get(CONF_OCCUPANCY) or ())) >= DEFAULT_POLICY.clears_to_raise
    return list(Raising) if enough else [Raising.ASK, Raising.NEVER]


def raising_schema(settings: Mapping[str, Any]) -> Any:
    """Make the form. What is no longer possible is not suggested: it has to be chosen anew."""
    may = choices(settings)
    chosen = settings.get(CONF_RAISING, may[0])
    field = vol.Required(CONF_RAISING, default=chosen) if chosen in may else vol.Required(CONF_RAISING)
    options = SelectSelectorConfig(
        options=[choice.value for choice in may], mode=SelectSelectorMode.LIST, translation_key=CONF_RAISING
    )
    return vol.Schema({field: SelectSelector(options)})


# For the test that every field is named and explained.
RAISING_SCHEMA: Final[Any] = raising_schema({})


class RaisingSteps(SpaceSteps):
    """When the barrier rises."""

    async def async_step_raising(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what happens when a car has left."""
        if user_input is not None:
            self._space[CONF_RAISING] = user_input[CONF_RAISING]
            return await self.async_step_reading()
        return self.async_show_form(
            step_id="raising",
            data_schema=raising_schema(self._space),
            description_placeholders={"sensors": str(len(set(self._space.get(CONF_OCCUPANCY) or ())))},
            last_step=False,
        )
