"""The camera of a space: on only while the gate looks, off again after, and pictures that are worth reading."""

import asyncio
from hashlib import blake2b
from typing import Any

from homeassistant.components.camera import async_get_image
from homeassistant.components.camera.const import CameraEntityFeature
from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_SUPPORTED_FEATURES,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_UNAVAILABLE,
)
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback, split_entity_id
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util

from .const import LOGGER
from .recognition import Picture

SERVICE_LIMIT = 10.0  # s
WAKE_LIMIT = 20.0  # s; an IP camera boots
PICTURE_LIMIT = 5  # s


class NoPictureError(Exception):
    """There is no picture that could be read; the text says why."""


class SpaceCamera:
    """The camera entity of a space and, if it has one, the switch of its power."""

    def __init__(self, hass: HomeAssistant, entity_id: str, power_id: str | None) -> None:
        self.entity_id = entity_id
        self._hass = hass
        self._power_id = power_id
        self._seen = b""
        self._was_on = False

    @property
    def ready(self) -> bool:
        """Tell whether pictures can be had."""
        state = self._hass.states.get(self.entity_id)
        return state is not None and state.state not in (STATE_UNAVAILABLE, STATE_OFF)

    async def async_on(self) -> None:
        """Turn it on and wait until it is ready, at most WAKE_LIMIT; afterwards `ready` tells."""
        if self._power_id:
            await self._async_call(self._power_id, SERVICE_TURN_ON)
        elif self._switchable():
            self._was_on = self.ready
            await self._async_call(self.entity_id, SERVICE_TURN_ON)
        await self._async_until_ready()

    async def async_off(self) -> None:
        """Turn it off: by its power switch if it has one, else only a camera that was off before."""
        if self._power_id:
            await self._async_call(self._power_id, SERVICE_TURN_OFF)
        elif self._switchable() and not self._was_on:
            await self._async_call(self.entity_id, SERVICE_TURN_OFF)

    async def async_picture(self) -> Picture:
        """Take one picture. Raises NoPictureError; the very same bytes again are no second look.

        Some cameras keep the last picture for ever and show it after waking, so the last one of before counts too.
        """
        try:
            image = await async_get_image(self._hass, self.entity_id, timeout=PICTURE_LIMIT)
        except HomeAssistantError as err:
            raise NoPictureError(str(err) or "The camera gives no picture.") from err
        seen = blake2b(image.content, digest_size=16).digest()
        if seen == self._seen:
            raise NoPictureError("The camera shows the same picture again.")
        self._seen = seen
        return Picture(content=image.content, taken_at=dt_util.utcnow().timestamp())

    def _switchable(self) -> bool:
        state = self._hass.states.get(self.entity_id)
        features = state.attributes.get(ATTR_SUPPORTED_FEATURES, 0) if state else 0
        return bool(features & CameraEntityFeature.ON_OFF)

    async def _async_call(self, entity_id: str, service: str) -> None:
        try:
            async with asyncio.timeout(SERVICE_LIMIT):
                await self._hass.services.async_call(
                    split_entity_id(entity_id)[0], service, {ATTR_ENTITY_ID: entity_id}, blocking=True
                )
        except Exception as err:  # noqa: BLE001 - an integration may raise anything; looking goes on without
            LOGGER.warning("%s of %s failed: %s", service, entity_id, err or type(err).__name__)

    async def _async_until_ready(self) -> None:
        if self.ready:
            return
        became = asyncio.Event()

        @callback
        def changed(_event: Event[EventStateChangedData]) -> None:
            if self.ready:
                became.set()

        end: Any = async_track_state_change_event(self._hass, self.entity_id, changed)
        try:
            async with asyncio.timeout(WAKE_LIMIT):
                await became.wait()
        except TimeoutError:
            LOGGER.warning("The camera %s did not wake up", self.entity_id)
        finally:
            end()
