"""The last words of a house: its entry is removed, and the backend must not go on selling its spaces."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from .acceptance import Refusal
from .bookings import refusal
from .const import CONF_INSTALL, CONF_SEAL_KEY, CONF_SIGN_KEY, CONF_SPACE_ID, CONF_URL, LOGGER, SUBENTRY_SPACE
from .durable import NotStoredError
from .grants import GrantStore
from .link.client import LinkClient
from .link.facts import format_time
from .link.keys import BadKeyError, HouseKeys
from .link.protocol import Event
from .link.session import LinkHandler, LinkState, NotConnectedError, RequestRefusedError, RequestTimeoutError
from .stores import journal_of

PATIENCE = 10.0  # s; a person waits in front of the page


class _Leaving(LinkHandler):
    """Hears whether there is a link, and takes no more facts in: what is not acknowledged was not promised."""

    def __init__(self) -> None:
        self.connected: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    @override
    async def on_event(self, event: Event) -> None:
        await asyncio.Event().wait()

    @override
    async def on_snapshot(self, of: str, items: Sequence[dict[str, Any]]) -> None:
        await asyncio.Event().wait()

    @override
    def on_state(self, state: LinkState, why: str) -> None:
        if not self.connected.done():
            self.connected.set_result(state is LinkState.CONNECTED)


async def async_take_leave(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Withdraw the spaces and refuse the bookings that are to come, so that their renters hear of it now.

    One try: who is away is not waited for, and finds out when the bookings stay unanswered.
    """
    with suppress(BadKeyError):
        keys = HouseKeys.from_text(sign=entry.data[CONF_SIGN_KEY], seal=entry.data[CONF_SEAL_KEY])
        try:
            async with asyncio.timeout(PATIENCE):
                if await _async_tell(hass, entry, keys):
                    return
        except TimeoutError, NotStoredError, NotConnectedError, RequestTimeoutError:
            pass
        LOGGER.warning("The backend could not be told that this house is gone. Remove the house on its page")


async def _async_tell(hass: HomeAssistant, entry: ConfigEntry, keys: HouseKeys) -> bool:
    grants, journal, leaving = GrantStore(hass, entry.entry_id), journal_of(hass, entry), _Leaving()
    await grants.async_load()
    await journal.load()
    link = LinkClient(
        async_get_clientsession(hass),
        url=entry.data[CONF_URL],
        install=entry.data[CONF_INSTALL],
        keys=keys,
        journal=journal,
        handler=leaving,
    )
    now = time.time()
    for grant in grants.all():
        if now < grant.end:
            said = refusal(grant.booking, grant.revision, Refusal.UNKNOWN_SPACE)
            await link.report(*said, at=format_time(round(now, 3)))
    running = asyncio.create_task(link.run())
    try:
        if not await leaving.connected:
            return False
        for subentry in entry.get_subentries_of_type(SUBENTRY_SPACE):
            with suppress(RequestRefusedError):
                await link.request("space.withdraw", {"space": subentry.data[CONF_SPACE_ID]})
        while journal.pending:  # noqa: ASYNC110 - once in the life of an entry; a listener would cost more words
            await asyncio.sleep(0.05)
        return True
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
