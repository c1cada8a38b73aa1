"""How one space speaks on the phones: its texts, its tags, and what happens where a phone can't be reached."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from homeassistant.core import HomeAssistant

from custom_components.parkshare.const import DOMAIN, LOGGER
from custom_components.parkshare.gate.words import Notice
from custom_components.parkshare.notices import Notices
from custom_components.parkshare.words import async_words

from . import messages
from .messages import Button
from .phones import PhoneError, Phones
from .questions import Asked

type About = Asked | Notice


class Sending:
    """Sends to the phones of one space's owner. What is said about a thing takes the place of what was said before."""

    def __init__(self, hass: HomeAssistant, phones: Phones, space_id: str, title: str, notices: Notices) -> None:
        self.phones = phones
        self._hass = hass
        self._space_id = space_id
        self._title = title
        self._notices = notices
        self._silent: set[str] = set()  # phones that could not be reached, until they can

    async def async_ask(self, about: Asked, said: str, *, buttons: Sequence[Button], image: str | None) -> None:
        """Ask on all phones; image is a path of this Home Assistant."""
        title = await self._async_title()
        message = messages.question(title, said, tag=self._tag(about), buttons=buttons, image=image)
        await self._async_send(self.phones.device_ids, message)

    async def async_tell(
        self, about: About, text: str, *, urgent: bool, to: Iterable[str], beside: bool = False, **values: str
    ) -> None:
        """Tell some phones; text is a key of the common texts. beside leaves what was said about it where it is."""
        words = await async_words(self._hass)
        said = words(text, space=self._title, **values)
        title = await self._async_title()
        tag = f"{self._tag(about)}_answer" if beside else self._tag(about)
        await self._async_send(to, messages.telling(title, said, tag=tag, urgent=urgent))

    async def async_clear(self, about: About, *, to: Iterable[str]) -> None:
        """Take away from some phones what was said about something."""
        await self._async_send(to, messages.clearing(self._tag(about)))

    async def _async_send(self, to: Iterable[str], message: Mapping[str, Any]) -> None:
        await asyncio.gather(*(self._async_send_one(device_id, message) for device_id in to))

    async def _async_send_one(self, device_id: str, message: Mapping[str, Any]) -> None:
        try:
            await self.phones.async_send(device_id, message)
        except PhoneError as err:
            if device_id not in self._silent:
                self._silent.add(device_id)
                LOGGER.warning("A phone of %s could not be notified: %s", self._title, err)
                self._notices.phone_unreached(device_id, self.phones.name(device_id))
        else:
            if device_id in self._silent:
                self._silent.discard(device_id)
                self._notices.phone_reached(device_id)

    async def _async_title(self) -> str:
        return (await async_words(self._hass))("gate_title", space=self._title)

    def _tag(self, about: About) -> str:
        return f"{DOMAIN}_{self._space_id}_{about.lower()}"
