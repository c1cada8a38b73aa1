"""A step of a parking space's flow: who helps when a plate can't be read, and how long a car may stay too long."""

import re
from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.helpers.selector import (
    DeviceSelector,
    DeviceSelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from custom_components.parkshare.asking import COMPANION
from custom_components.parkshare.const import CONF_ASKED, CONF_GRACE_MIN, CONF_PHONE

from .steps import SpaceSteps

USUAL_GRACE_MIN: Final = 10
LONGEST_GRACE_MIN: Final = 120
# The longest international number has 15 digits (E.164); the shortest in use have 7.
PHONE: Final = re.compile(r"\+(?: ?\d){7,15}")

HELP_SCHEMA: Final[Any] = vol.Schema(
    {
        vol.Optional(CONF_ASKED): DeviceSelector(
            DeviceSelectorConfig(filter=[{"integration": COMPANION}], multiple=True)
        ),
        vol.Optional(CONF_PHONE): TextSelector(TextSelectorConfig(type=TextSelectorType.TEL, autocomplete="tel")),
        vol.Required(CONF_GRACE_MIN, default=USUAL_GRACE_MIN): NumberSelector(
            NumberSelectorConfig(
                min=0, max=LONGEST_GRACE_MIN, step=1, unit_of_measurement="min", mode=NumberSelectorMode.BOX
            )
        ),
    }
)


class HelpSteps(SpaceSteps):
    """The form for help."""

    async def async_step_help(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask whom to ask and whom to call."""
        errors: dict[str, str] = {}
        if user_input is not None:
            phone = " ".join(str(user_input.get(CONF_PHONE) or "").split())
            if not phone or PHONE.fullmatch(phone):
                self._space |= {
                    CONF_ASKED: list(user_input.get(CONF_ASKED) or ()),
                    CONF_PHONE: phone,
                    CONF_GRACE_MIN: int(user_input[CONF_GRACE_MIN]),
                }
                return await self.async_step_reading()
            errors[CONF_PHONE] = "phone_not_international"
        schema = self.add_suggested_values_to_schema(HELP_SCHEMA, self._space | (user_input or {}))
        return self.async_show_form(step_id="help", data_schema=schema, errors=errors, last_step=False)
