"""An MQTT topic with JSON on it as a plate source. Retained messages are of earlier, so they never count."""

from typing import Any, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError

from custom_components.parkshare.const import LOGGER

from .body import BodyError, message_of
from .recipe import Recipe
from .source import GenericSource


class TopicSource(GenericSource):
    """Takes what is published on one topic; JSON, or a bare plate as {"value": plate}."""

    def __init__(self, hass: HomeAssistant, name: str, recipe: Recipe, topic: str) -> None:
        super().__init__(hass, name, recipe)
        self._topic = topic

    @override
    async def _async_listen(self) -> None:
        if "mqtt" not in self._hass.config.components:
            self._troubles.tell("mqtt_missing")
            return
        from homeassistant.components import mqtt  # noqa: PLC0415 - a house without MQTT has not installed its client

        try:
            if not await mqtt.async_wait_for_mqtt_client(self._hass):
                self._troubles.tell("mqtt_missing")
                return
            if self._heard is None:
                return  # stopped while the client was waited for
            # Bytes: what is not text would be shown in Home Assistant's log.
            self._ends.append(await mqtt.async_subscribe(self._hass, self._topic, self._published, encoding=None))
        except HomeAssistantError:
            self._troubles.tell("mqtt_missing")

    @callback
    def _published(self, message: Any) -> None:
        if message.retain:
            return
        try:
            self._take(_message_of(bytes(message.payload)))
        except BodyError as err:
            LOGGER.debug("%s: a message %s", self.name, err)
            self._troubles.tell("garbled")


def _message_of(payload: bytes) -> Any:
    """Read a payload; one that is no JSON object or list is taken as the plate itself."""
    try:
        message = message_of("application/json", payload)
    except BodyError:
        if not payload or len(payload) > 100:  # noqa: PLR2004 - no plate is as long
            raise
        return {"value": payload.decode(errors="replace")}
    return message if isinstance(message, dict | list) else {"value": message}
