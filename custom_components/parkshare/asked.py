"""Bookings that wait for the owner: shown until they are answered, here or in the web app."""

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Final

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .durable import DurableStore
from .link.facts import BookingAsked
from .words import async_words

if TYPE_CHECKING:
    from .hub import ParkShareHub

VERSION: Final = 1
APPROVED: Final = "booking.approved"
DECLINED: Final = "booking.declined"


def asked_store_of(hass: HomeAssistant, entry_id: str) -> DurableStore:
    """Where what is asked is kept."""
    return DurableStore(hass, VERSION, f"asked.{entry_id}")


class AskedBookings:
    """What the owner of one hub's spaces is asked. The backend alone decides what an answer is still worth."""

    def __init__(self, hub: ParkShareHub) -> None:
        self._hub = hub
        self._store = asked_store_of(hub.hass, hub.entry.entry_id)
        self._asked: dict[str, BookingAsked] = {}
        self._lock = asyncio.Lock()

    async def async_start(self) -> None:
        """Show again what was asked before Home Assistant ended."""
        stored = await self._store.async_load() or {"asked": []}
        self._asked = {item["booking"]: BookingAsked(**item) for item in stored["asked"]}
        for asked in self._asked.values():
            await self._async_show(asked)

    def waits(self, booking: str) -> bool:
        """Tell whether a booking waits for its owner, as far as this house knows."""
        return booking in self._asked

    async def async_asked(self, asked: BookingAsked) -> None:
        """Note a booking and tell the owner. One that is asked for again changes nothing."""
        if asked.space in self._hub.space_ids and asked.booking not in self._asked:
            await self._async_keep({**self._asked, asked.booking: asked})
            await self._async_show(asked)

    async def async_over(self, booking: str) -> None:
        """It was answered, or it is no more."""
        if booking in self._asked:
            await self._async_keep({key: asked for key, asked in self._asked.items() if key != booking})
            persistent_notification.async_dismiss(self._hub.hass, _notification(booking))

    async def async_answer(self, booking: str, *, approve: bool) -> None:
        """Pass the owner's answer to a booking that waits for it on."""
        await self._hub.async_report(APPROVED if approve else DECLINED, {"booking": booking})
        await self.async_over(booking)

    async def async_prune(self, now: float) -> None:
        """Take away what nobody can answer any more."""
        for asked in [asked for asked in self._asked.values() if asked.until <= now]:
            await self.async_over(asked.booking)

    async def _async_keep(self, asked: dict[str, BookingAsked]) -> None:
        async with self._lock:
            await self._store.async_save({"asked": [asdict(each) for each in asked.values()]})
            self._asked = asked

    async def _async_show(self, asked: BookingAsked) -> None:
        words = await async_words(self._hub.hass)
        space = self._hub.title_of(asked.space)
        text = words(
            "booking_asked",
            space=space,
            alias=asked.alias,
            start=_time(asked.start),
            end=_time(asked.end),
            until=_time(asked.until),
            booking=asked.booking,
        )
        persistent_notification.async_create(
            self._hub.hass, text, title=words("gate_title", space=space), notification_id=_notification(asked.booking)
        )


def _notification(booking: str) -> str:
    return f"{DOMAIN}_asked_{booking}"


def _time(at: float) -> str:
    local: datetime = dt_util.as_local(dt_util.utc_from_timestamp(at))
    return local.strftime("%Y-%m-%d %H:%M")
