"""A step of a parking space's flow: on which terms it is let."""

from typing import Any, Final

import voluptuous as vol
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from custom_components.parkshare.const import (
    CONF_APPROVAL,
    CONF_CANCEL_UNTIL,
    CONF_LONGEST,
    CONF_NOSHOW,
    CONF_NOTICE,
    CONF_SHORTEST,
)

from .steps import SpaceSteps

APPROVALS: Final = ("instant", "owner")
DAY: Final = 24 * 60  # min
LONGEST: Final = 14 * DAY  # what the backend lets for at most
WEEK: Final = 7 * DAY


def _minutes(*, least: int, most: int, step: int = 5) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(min=least, max=most, step=step, unit_of_measurement="min", mode=NumberSelectorMode.BOX)
    )


TERMS_SCHEMA: Final[Any] = vol.Schema(
    {
        vol.Required(CONF_APPROVAL, default=APPROVALS[0]): SelectSelector(
            SelectSelectorConfig(options=list(APPROVALS), mode=SelectSelectorMode.LIST, translation_key=CONF_APPROVAL)
        ),
        vol.Required(CONF_SHORTEST, default=5): _minutes(least=5, most=DAY),
        vol.Required(CONF_LONGEST, default=LONGEST): _minutes(least=5, most=LONGEST),
        vol.Required(CONF_NOTICE, default=0): _minutes(least=0, most=WEEK),
        vol.Required(CONF_CANCEL_UNTIL, default=0): _minutes(least=0, most=WEEK),
        vol.Required(CONF_NOSHOW, default=0): _minutes(least=0, most=DAY),
    }
)


class TermsSteps(SpaceSteps):
    """The form for the terms."""

    async def async_step_terms(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask how long and how far ahead the space is let, and who agrees to a booking."""
        errors: dict[str, str] = {}
        if user_input is not None:
            minutes = {key: int(value) for key, value in user_input.items() if key != CONF_APPROVAL}
            if minutes[CONF_SHORTEST] <= minutes[CONF_LONGEST]:
                self._space |= {CONF_APPROVAL: user_input[CONF_APPROVAL], **minutes}
                return await self.async_step_reading()
            errors[CONF_LONGEST] = "longest_below_shortest"
        schema = self.add_suggested_values_to_schema(TERMS_SCHEMA, self._space | (user_input or {}))
        return self.async_show_form(step_id="terms", data_schema=schema, errors=errors, last_step=False)
