"""A step of a parking space's flow: what renters pay, and what they find there."""

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
    TextSelector,
    TextSelectorConfig,
)

from custom_components.parkshare.const import (
    CONF_ACCESS_NOTES,
    CONF_CURRENCY,
    CONF_PLUG,
    CONF_PLUG_KW,
    CONF_PRICE,
    CONF_PRICE_MINOR,
)
from custom_components.parkshare.offered import LONGEST_NOTES, MOST_MINOR, PLUGS, from_minor, places, to_minor

from .steps import SpaceSteps

# Taken as they are entered, and gone when the form leaves them empty.
PLAIN_FIELDS: Final = (CONF_PLUG, CONF_PLUG_KW)
STORED: Final = (CONF_PRICE_MINOR, CONF_CURRENCY, CONF_ACCESS_NOTES, *PLAIN_FIELDS)
STRONGEST_KW: Final = 1000


def offer_schema(currency: str) -> Any:
    """Return the form, with prices in that currency."""
    step = 10 ** -places(currency)
    price = NumberSelectorConfig(
        min=0, max=from_minor(MOST_MINOR, currency), step=step, unit_of_measurement=currency,
        mode=NumberSelectorMode.BOX,
    )  # fmt: skip
    power = NumberSelectorConfig(
        min=0.1, max=STRONGEST_KW, step=0.1, unit_of_measurement="kW", mode=NumberSelectorMode.BOX
    )
    plugs = SelectSelectorConfig(options=list(PLUGS), mode=SelectSelectorMode.DROPDOWN, translation_key=CONF_PLUG)
    return vol.Schema(
        {
            vol.Required(CONF_PRICE, default=0.0): NumberSelector(price),
            vol.Optional(CONF_ACCESS_NOTES): TextSelector(TextSelectorConfig(multiline=True)),
            vol.Optional(CONF_PLUG): SelectSelector(plugs),
            vol.Optional(CONF_PLUG_KW): NumberSelector(power),
        }
    )


class OfferSteps(SpaceSteps):
    """The form for the price, the notes and the plug."""

    async def async_step_offer(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what an hour costs, how one gets in, and which plug there is."""
        currency = self._space.get(CONF_CURRENCY) or self.hass.config.currency
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = _faults(user_input)
            if not errors:
                kept = {key: value for key, value in self._space.items() if key not in STORED}
                self._space = kept | _stored(user_input, currency)
                return await self.async_step_reading()
        shown = self._space | {CONF_PRICE: from_minor(self._space.get(CONF_PRICE_MINOR, 0), currency)}
        return self.async_show_form(
            step_id="offer",
            data_schema=self.add_suggested_values_to_schema(
                offer_schema(currency), shown if user_input is None else user_input
            ),
            errors=errors,
            description_placeholders={"longest": str(LONGEST_NOTES)},
            last_step=False,
        )


def _faults(given: dict[str, Any]) -> dict[str, str]:
    notes = given.get(CONF_ACCESS_NOTES, "")
    if len(notes) > LONGEST_NOTES or not all(sign.isprintable() or sign in "\r\n\t" for sign in notes):
        return {CONF_ACCESS_NOTES: "notes_unfit"}
    if given.get(CONF_PLUG_KW) and not given.get(CONF_PLUG):
        return {CONF_PLUG: "power_without_plug"}
    return {}


def _stored(given: dict[str, Any], currency: str) -> dict[str, Any]:
    minor = to_minor(given[CONF_PRICE], currency)
    stored = {key: given[key] for key in PLAIN_FIELDS if given.get(key)} | {CONF_PRICE_MINOR: minor}
    if minor:
        stored[CONF_CURRENCY] = currency
    # The backend takes line breaks and no other control characters.
    if notes := "\n".join(" ".join(line.split()) for line in given.get(CONF_ACCESS_NOTES, "").splitlines()).strip():
        stored[CONF_ACCESS_NOTES] = notes
    return stored
