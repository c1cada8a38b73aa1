"""What all steps of a parking space's flow share: the space as it is entered so far."""

from typing import TYPE_CHECKING, Any

from homeassistant.config_entries import ConfigEntryState, ConfigSubentryFlow, SubentryFlowResult

from custom_components.parkshare.words import Words, async_words, language_of_browser

if TYPE_CHECKING:
    from custom_components.parkshare.hub import ParkShareHub


class SpaceSteps(ConfigSubentryFlow):
    """A part of the flow. What is entered is in `_space` and is stored only at the end."""

    def __init__(self) -> None:
        super().__init__()
        self._space: dict[str, Any] = {}

    async def async_step_equipment(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Go on to the second form."""
        raise NotImplementedError

    async def async_step_raising(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Go on to when the barrier rises."""
        raise NotImplementedError

    async def async_step_reading(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Go back to the menu, from which every other step can be reached."""
        raise NotImplementedError

    async def _words(self, category: str = "common") -> Words:
        """Load the texts that a step puts together, in the language in which the dialog speaks."""
        return await async_words(self.hass, category, language=language_of_browser(self.hass))

    @property
    def _hub(self) -> ParkShareHub | None:
        """The running hub of the account; None while it could not be started."""
        entry = self._get_entry()
        return entry.runtime_data if entry.state is ConfigEntryState.LOADED else None
