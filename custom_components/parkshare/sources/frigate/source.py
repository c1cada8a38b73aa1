"""One camera of one Frigate as a plate source. Works over MQTT alone; with an address it also sees Frigate's pictures.

Home Assistant's MQTT integration is imported only when a source begins: a house without it loads all the same.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from aiohttp import DummyCookieJar
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from custom_components.parkshare.const import LOGGER
from custom_components.parkshare.recognition.types import Look
from custom_components.parkshare.sources.trouble import Troubles

from . import messages
from .api import CertificateError, FrigateApi, FrigateError, LoginError
from .hearing import Hearing
from .pictures import FrigatePictures
from .settings import FrigateSettings

if TYPE_CHECKING:
    from homeassistant.components.mqtt import ReceiveMessage

# Frigate tells its figures every minute, so two of them are missing then.
SILENCE: Final = 150.0  # s
# Switching a camera on starts its ffmpeg; the state topic follows at once, the first picture after some seconds.
SWITCH_LIMIT: Final = 10.0  # s
SWITCH_OFF_LIMIT: Final = 3.0  # s
WAKE_LIMIT: Final = 30.0  # s


class FrigateSource:
    """Listens while the space looks for a car."""

    def __init__(
        self, hass: HomeAssistant, settings: FrigateSettings, *, sure: float, pictures: FrigatePictures | None
    ) -> None:
        """Make it. sure is the confidence from which the space's verdict believes a single reading."""
        self.name = settings.name
        # Listening alone costs nothing and shows nothing; a camera that we turn on is on only for a booked car.
        self.always_on = not (settings.switch_camera or pictures)
        self._hass = hass
        self._settings = settings
        self._sure = sure
        self._pictures = pictures
        self._troubles = Troubles(hass, settings.name)
        self._hearing: Hearing | None = None
        self._heard: Callable[[Look], None] | None = None
        self._ends: list[CALLBACK_TYPE] = []
        self._silence: CALLBACK_TYPE | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._camera_on: bool | None = None  # None: nobody said
        self._camera_said = asyncio.Event()
        self._off = False

    async def async_start(self, heard: Callable[[Look], None], trouble: Callable[[str], None]) -> None:
        """Listen from now on; the camera is being turned on."""
        await self._async_let_go()
        self._unsubscribe()
        settings = self._settings
        self._heard = heard
        self._hearing = Hearing(
            settings.camera,
            settings.zones,
            source=self.name,
            armed_at=dt_util.utcnow().timestamp(),
            sure=self._sure,
        )
        await self._troubles.async_load(trouble)
        subscribed = await self._async_subscribe()
        if not self._is_started(heard):
            return  # stopped while MQTT was waited for: nothing must be turned on any more
        if not subscribed:
            self._troubles.tell("mqtt_missing")
        else:
            self._expect_life()
            if settings.switch_camera:
                self._off = False
                self._spawn(self._async_switch(on=True))
        if settings.url:
            self._spawn(self._async_meet())
        if self._pictures:
            self._spawn(self._pictures.async_run(self._hass, heard, self._troubles))

    async def async_stop(self) -> None:
        """Listen no more; the camera is off, also one that a run before left on when it ended hard."""
        listening = bool(self._ends)
        await self._async_let_go()
        try:
            if self._settings.switch_camera and not self._off:
                self._off = True
                await self._async_switch(on=False, wait=listening)
        finally:
            self._unsubscribe()
            self._camera_on = None

    def _is_started(self, heard: Callable[[Look], None]) -> bool:
        return self._heard is heard

    def _unsubscribe(self) -> None:
        while self._ends:
            self._ends.pop()()

    async def _async_let_go(self) -> None:
        """End what works on its own."""
        self._hearing = self._heard = None
        if self._silence:
            self._silence()
            self._silence = None
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # MQTT

    async def _async_subscribe(self) -> bool:
        """Subscribe to everything, all or nothing; tells whether it was done."""
        if "mqtt" not in self._hass.config.components:
            return False
        from homeassistant.components import mqtt  # noqa: PLC0415 - see the module's docstring

        camera = self._settings.camera
        # What is retained is of earlier; of the two states that is just what is wanted.
        topics = (
            (("available",), self._available, True),
            ((camera, "enabled/state"), self._switched, True),
            (("stats",), self._alive, False),
            (("events",), self._object, False),
            (("tracked_object_update",), self._plate, False),
        )
        try:
            if not await mqtt.async_wait_for_mqtt_client(self._hass):
                return False
            if self._heard is None:
                return False
            for parts, take, also_retained in topics:
                topic, taking = self._settings.topic(*parts), self._taking(take, also_retained=also_retained)
                # Bytes: what is not text would be shown in Home Assistant's log.
                self._ends.append(await mqtt.async_subscribe(self._hass, topic, taking, encoding=None))
        except HomeAssistantError:
            self._unsubscribe()
            return False
        return True

    def _taking(self, take: Callable[[bytes, float], None], *, also_retained: bool) -> Callable[[ReceiveMessage], None]:
        """Make a callback of MQTT, in which nothing that arrives can break anything."""

        @callback
        def took(message: ReceiveMessage) -> None:
            if message.retain and not also_retained:
                return
            payload = message.payload.encode() if isinstance(message.payload, str) else bytes(message.payload)
            try:
                take(payload, dt_util.utcnow().timestamp())
            except messages.MessageError as err:
                LOGGER.debug("%s: a message on %s %s", self.name, message.topic, err)
                self._troubles.tell("frigate_garbled", topic=message.topic)

        return took

    @callback
    def _plate(self, payload: bytes, now: float) -> None:
        if self._hearing and (read := messages.plate_update(payload)):
            self._tell(self._hearing.plate(read, now))

    @callback
    def _object(self, payload: bytes, now: float) -> None:
        if self._hearing and (seen := messages.object_event(payload)):
            self._tell(self._hearing.object(seen, now))

    def _tell(self, look: Look | None) -> None:
        if self._hearing is None or self._heard is None:
            return
        if look is not None:
            self._heard(look)
        elif self._hearing.clock_is_off:
            self._troubles.tell("frigate_clock")

    @callback
    def _alive(self, payload: bytes, now: float) -> None:
        if (hearing := self._hearing) is None:
            return
        self._expect_life()
        if hearing.alive(messages.stats(payload), now):
            self._troubles.over("frigate_silent", "frigate_down", "frigate_no_pictures")
        elif now - hearing.armed_at > WAKE_LIMIT:
            self._troubles.tell("frigate_no_pictures", camera=self._settings.camera)

    @callback
    def _available(self, payload: bytes, _now: float) -> None:
        """Take that Frigate went. `online` proves nothing: it is retained, and may outlive a Frigate that was ended."""
        if not messages.available(payload):
            self._troubles.tell("frigate_down")

    @callback
    def _switched(self, payload: bytes, _now: float) -> None:
        if (said := messages.switched_on(payload)) is not None:
            self._camera_on = said
            self._camera_said.set()

    def _expect_life(self) -> None:
        """Frigate is there now; if it says nothing for too long, the owner hears of it."""
        if self._silence:
            self._silence()

        @callback
        def silent(_now: Any) -> None:
            self._silence = None
            self._troubles.tell("frigate_silent", prefix=self._settings.prefix)

        self._silence = async_call_later(self._hass, SILENCE, HassJob(silent, cancel_on_shutdown=True))

    # The camera

    async def _async_switch(self, *, on: bool, wait: bool = True) -> None:
        """Turn the camera on or off and wait until Frigate says that it is. A refused ON is answered with silence."""
        if "mqtt" not in self._hass.config.components:
            return
        from homeassistant.components import mqtt  # noqa: PLC0415 - see the module's docstring

        topic = self._settings.topic(self._settings.camera, "enabled/set")
        try:
            async with asyncio.timeout(SWITCH_LIMIT if on else SWITCH_OFF_LIMIT):
                await mqtt.async_publish(self._hass, topic, "ON" if on else "OFF", qos=1)
                while wait and self._camera_on is not on:
                    self._camera_said.clear()
                    await self._camera_said.wait()
        except TimeoutError, HomeAssistantError:
            self._troubles.tell("frigate_stays_off" if on else "frigate_stays_on", camera=self._settings.camera)

    # HTTP

    async def _async_meet(self) -> None:
        """Learn over HTTP how far Frigate's clock is off, before its first figures tell."""
        async with frigate_api(self._hass, self._settings) as api:
            try:
                stats = await api.stats()
            except FrigateError as err:
                # MQTT may go on working, so only what the owner can change is told.
                if isinstance(err, LoginError | CertificateError):
                    self._troubles.tell("frigate_login")
                return
        if self._hearing and api.ahead is not None:
            now = dt_util.utcnow().timestamp()
            self._hearing.clock(now + api.ahead, now)
            if stats.fps.get(self._settings.camera) is None:
                self._troubles.tell("frigate_camera_missing", camera=self._settings.camera)

    def _spawn(self, work: Any) -> None:
        task = self._hass.async_create_background_task(work, f"parkshare {self.name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def frigate_api(hass: HomeAssistant, settings: FrigateSettings) -> FrigateApi:
    """Open Frigate's HTTP API; to be closed. Its session keeps no cookies of other programs on that machine."""
    session = async_create_clientsession(
        hass, verify_ssl=settings.verify_ssl, auto_cleanup=False, cookie_jar=DummyCookieJar()
    )
    return FrigateApi(session, settings.url, settings.username, settings.password)
