"""The menu of a parking space's flow: how its plates are read. Everything in it may be left as it is."""

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

from custom_components.parkshare.const import CONF_CAMERA, CONF_LEVEL, CONF_PICTURE_HOURS, CONF_REGION, CONF_SOURCES
from custom_components.parkshare.recognition.levels import Level
from custom_components.parkshare.seeing.album import USUAL_HOURS

from .steps import SpaceSteps

LONGEST_PICTURE_HOURS: Final = 168

MENU: Final[tuple[str, ...]] = ("finish", "region", "test", "sources", "details", "offer", "help", "terms", "equipment")
WITHOUT_CAMERA: Final = tuple(item for item in MENU if item not in {"region", "test"})
# A space where nothing reads plates would let nobody in.
WITHOUT_EYES: Final = tuple(item for item in MENU if item in {"sources", "equipment"})

DETAILS_SCHEMA: Final[Any] = vol.Schema(
    {
        vol.Required(CONF_LEVEL, default=Level.BALANCED.value): SelectSelector(
            SelectSelectorConfig(
                options=[level.value for level in Level], mode=SelectSelectorMode.LIST, translation_key=CONF_LEVEL
            )
        ),
        vol.Required(CONF_PICTURE_HOURS, default=USUAL_HOURS): NumberSelector(
            NumberSelectorConfig(
                min=0, max=LONGEST_PICTURE_HOURS, step=1, unit_of_measurement="h", mode=NumberSelectorMode.BOX
            )
        ),
    }
)


class ReadingSteps(SpaceSteps):
    """The menu, and the form for what is neither drawn nor tried out."""

    async def async_step_reading(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Offer what can be set; finishing stores it."""
        camera, sources = self._space.get(CONF_CAMERA), self._space.get(CONF_SOURCES)
        if not camera and not sources:
            options, state = WITHOUT_EYES, (await self._words())("reading_state_nothing")
        else:
            options, state = MENU if camera else WITHOUT_CAMERA, await self._state()
        return self.async_show_menu(
            step_id="reading", menu_options=list(options), description_placeholders={"state": state}
        )

    async def _state(self) -> str:
        words = await self._words()
        return words(
            "reading_state",
            part=words(f"reading_state_{'framed' if self._space.get(CONF_REGION) else 'whole'}"),
            level=words(f"reading_state_{self._space.get(CONF_LEVEL, Level.BALANCED)}"),
            hours=f"{self._space.get(CONF_PICTURE_HOURS, USUAL_HOURS):.0f}",
        )

    async def async_step_details(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask how strict the house is, and how long it keeps the picture of an admission."""
        if user_input is not None:
            self._space |= {
                CONF_LEVEL: user_input[CONF_LEVEL],
                CONF_PICTURE_HOURS: int(user_input[CONF_PICTURE_HOURS]),
            }
            return await self.async_step_reading()
        return self.async_show_form(
            step_id="details",
            data_schema=self.add_suggested_values_to_schema(DETAILS_SCHEMA, self._space),
            last_step=False,
        )
