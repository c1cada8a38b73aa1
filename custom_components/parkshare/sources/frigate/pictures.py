"""Pictures of Frigate's camera for our own reader: for a space whose only camera is Frigate's.

Frigate itself reads a car that already stands there late or not at all (0.16): these pictures do not wait for it.
"""

import asyncio
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from custom_components.parkshare.const import LOGGER
from custom_components.parkshare.recognition.types import (
    BadPicture,
    Look,
    Picture,
    Reader,
    ReaderTimeout,
    ReaderUnavailable,
)
from custom_components.parkshare.sources.trouble import Troubles

from .api import BusyError, CertificateError, FrigateApi, FrigateError, LoginError, NoPictureError
from .settings import FrigateSettings

PACE: Final = 1.0  # s between pictures; Frigate detects at 5 a second, our reader takes half a second for one
NEXT_TRY: Final = 5.0  # s
NEXT_LOGIN: Final = 60.0  # s; who is refused must not look like somebody who guesses passwords
FAILURES_TOLD: Final = 3  # in a row; one that fails alone is a hiccup


class FrigatePictures:
    """Takes pictures while the space looks for a car, and has them read."""

    def __init__(
        self,
        settings: FrigateSettings,
        api: Callable[[HomeAssistant, FrigateSettings], FrigateApi],
        reader: Callable[[], Reader | None],
    ) -> None:
        self._settings = settings
        self._open = api
        self._reader = reader
        self._seen = b""

    async def async_run(self, hass: HomeAssistant, heard: Callable[[Look], None], troubles: Troubles) -> None:
        """Look until cancelled."""
        failures = 0
        async with self._open(hass, self._settings) as api:
            while True:
                try:
                    look = await self._look(api)
                except ReaderUnavailable as err:
                    troubles.tell("reader", reason=err.reason, remedy=err.remedy)
                    await asyncio.sleep(NEXT_TRY)
                except FrigateError as err:
                    failures += 1
                    LOGGER.debug("%s: no picture: %s", self._settings.name, err)
                    locked_out = isinstance(err, LoginError | CertificateError | BusyError)
                    if failures == FAILURES_TOLD or locked_out:
                        troubles.tell(_trouble_of(err), camera=self._settings.camera)
                    await asyncio.sleep(NEXT_LOGIN if locked_out else NEXT_TRY)
                else:
                    failures = 0
                    if look:
                        heard(look)
                    await asyncio.sleep(PACE)

    async def _look(self, api: FrigateApi) -> Look | None:
        """Take and read one picture; None for one that can't be read or was read already."""
        reader = self._reader()
        if reader is None:
            return None
        taken_at = dt_util.utcnow().timestamp()
        content = await api.latest(self._settings.camera)
        seen = blake2b(content, digest_size=16).digest()
        if seen == self._seen:
            return None
        self._seen = seen
        picture = Picture(content=content, taken_at=taken_at, camera=f"frigate {self._settings.camera}")
        try:
            return await reader.read(picture)
        except (BadPicture, ReaderTimeout) as err:
            LOGGER.debug("%s: a picture could not be read: %s", self._settings.name, err)
            return None


def _trouble_of(err: FrigateError) -> str:
    match err:
        case LoginError() | CertificateError():
            return "frigate_login"
        case NoPictureError():
            return "frigate_no_pictures"
        case BusyError():
            return "frigate_busy"
        case _:
            return "frigate_unreachable"
