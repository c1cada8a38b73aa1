"""The camera of a space: on only while somebody looks through it, off again after, and pictures worth reading."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from homeassistant.components.camera import async_get_image
from homeassistant.components.camera.const import CameraEntityFeature
from homeassistant.const import (
    ATTR_SUPPORTED_FEATURES,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_UNAVAILABLE,
)
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from custom_components.parkshare.const import LOGGER
from custom_components.parkshare.recognition import WHOLE, Picture, Region

from .switched import switched_of

WAKE_LIMIT: Final = 20.0  # s; an IP camera boots
PICTURE_LIMIT: Final = 5  # s
LARGEST_PICTURE: Final = 20_000_000  # bytes; the best 4K cameras send 3 MB
HASHED_AT_ONCE: Final = 1_000_000  # bytes; hashing more would hold the event loop up for milliseconds


class NoPictureError(Exception):
    """There is no picture that could be read; the text says why."""


class SamePictureError(NoPictureError):
    """The camera shows the very picture that it showed before."""


class PictureTooLargeError(NoPictureError):
    """What the camera sends is too large to be a picture of ours."""


@dataclass(slots=True)
class _Use:
    """How many look through a camera now, whether it was on before them; one at a time turns it on or off.

    was_on is None when nobody has looked in this run.
    """

    lookers: int = 0
    was_on: bool | None = None
    turning: asyncio.Lock = field(default_factory=asyncio.Lock)


# By what is switched: one camera may stand before two spaces, one switch may feed two cameras.
USES: Final[HassKey[dict[str, _Use]]] = HassKey("parkshare_camera_uses")


class SpaceCamera:
    """The camera entity of a space and, if it has one, the switch of its power.

    Several may look at one time, from several spaces too: it goes off when the last of them is done.
    """

    def __init__(
        self, hass: HomeAssistant, entity_id: str, power_id: str | None, *, region: Region = WHOLE, name: str = ""
    ) -> None:
        self.entity_id = entity_id
        self._hass = hass
        self._power_id = power_id
        self._region = region
        self._name = name
        self._seen = b""
        # What is switched.
        self._switch = power_id or entity_id
        self._switched = switched_of(hass)
        self._use = hass.data.setdefault(USES, {}).setdefault(self._switch, _Use())

    @property
    def ready(self) -> bool:
        """Tell whether pictures can be had."""
        state = self._hass.states.get(self.entity_id)
        return state is not None and state.state not in (STATE_UNAVAILABLE, STATE_OFF)

    async def async_on(self) -> None:
        """Turn it on and wait until it is ready, at most WAKE_LIMIT; afterwards `ready` tells."""
        self._use.lookers += 1
        first = self._use.lookers == 1
        async with self._use.turning:
            if first:
                # What is on only because a run before left it on, or because it did not go off, was not on before us.
                self._use.was_on = self.ready and self._switch not in await self._switched.async_ours()
            if self._power_id or self._switchable():
                turned_on = self._switched.async_call(self._switch, SERVICE_TURN_ON)
                if self._goes_off:
                    # Beside each other: the gate has on disk that it looks, what is noted here counts when it ends.
                    await asyncio.gather(self._switched.async_note(self._switch), turned_on)
                else:
                    await turned_on
        await self._async_until_ready()

    async def async_off(self) -> None:
        """Turn it off: by its power switch if it has one, else only a camera that was off before."""
        self._use.lookers = max(0, self._use.lookers - 1)
        await self.async_off_unless_used()

    async def async_off_unless_used(self) -> None:
        """Turn it off if nobody looks: a run that ended hard may have left it on.

        One that is away, as many things are right after a start, is turned off when it comes back.
        """
        async with self._use.turning:
            if self._use.lookers or not self._goes_off:
                return
            if not self._switched.is_there(self._switch) and (self._power_id or self._use.was_on is None):
                self._switched.when_there(self._switch, self.async_off_unless_used)
                return
            can = self._power_id or self._switchable()
            if not can or await self._switched.async_call(self._switch, SERVICE_TURN_OFF):
                await self._switched.async_forget(self._switch)

    async def async_off_if_left_on(self) -> None:
        """Turn it off if a run that ended hard turned it on and could not turn it off."""
        if self._switch in await self._switched.async_ours():
            await self.async_off_unless_used()

    @property
    def _goes_off(self) -> bool:
        """Tell whether it is turned off after: always by its power switch, else only if it was off before."""
        return bool(self._power_id) or not self._use.was_on

    async def async_picture(self) -> Picture:
        """Take one picture. Raises NoPictureError; the very same bytes again are no second look.

        Some cameras keep the last picture for ever and show it after waking, so the last one of before counts too.
        """
        content = await self._async_content()
        if len(content) > LARGEST_PICTURE:
            raise PictureTooLargeError(f"The picture has more than {LARGEST_PICTURE // 1_000_000} MB.")
        seen = await self._async_hash(content)
        if seen == self._seen:
            raise SamePictureError("The camera shows the same picture again.")
        self._seen = seen
        return Picture(content, dt_util.utcnow().timestamp(), self._region, self._name)

    async def _async_content(self) -> bytes:
        try:
            image = await async_get_image(self._hass, self.entity_id, timeout=PICTURE_LIMIT)
        except Exception as err:
            # Home Assistant takes the end of our task for a camera that does not answer.
            if (task := asyncio.current_task()) and task.cancelling():
                raise asyncio.CancelledError from err
            # An integration may raise anything, with the camera's address and password in it: none of it goes on.
            raise NoPictureError(f"The camera gives no picture ({type(err).__name__}).") from None
        if not isinstance(image.content, bytes):
            raise NoPictureError("The camera gives something that is no picture.")
        return image.content

    async def _async_hash(self, content: bytes) -> bytes:
        if len(content) <= HASHED_AT_ONCE:
            return _hash(content)
        return await self._hass.async_add_executor_job(_hash, content)

    def _switchable(self) -> bool:
        state = self._hass.states.get(self.entity_id)
        features = state.attributes.get(ATTR_SUPPORTED_FEATURES, 0) if state else 0
        return isinstance(features, int) and bool(features & CameraEntityFeature.ON_OFF)

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
            with suppress(TimeoutError):
                async with asyncio.timeout(WAKE_LIMIT):
                    await became.wait()
            if not became.is_set():
                LOGGER.warning("The camera %s did not wake up", self.entity_id)
        finally:
            end()


def _hash(content: bytes) -> bytes:
    return blake2b(content, digest_size=16).digest()
