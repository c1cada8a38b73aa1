"""An event on Home Assistant's bus as a plate source."""

from typing import Any

from homeassistant.core import Event, HomeAssistant, callback

from .recipe import Recipe
from .source import GenericSource


class EventSource(GenericSource):
    """Takes the data of each event of one type."""

    def __init__(self, hass: HomeAssistant, name: str, recipe: Recipe, event_type: str) -> None:
        super().__init__(hass, name, recipe)
        self._event_type = event_type

    async def _async_listen(self) -> None:
        @callback
        def fired(event: Event[Any]) -> None:
            self._take(event.data, event.time_fired_timestamp)

        self._ends.append(self._hass.bus.async_listen(self._event_type, fired))
