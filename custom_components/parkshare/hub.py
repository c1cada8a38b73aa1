"""The hub: one linked backend account of this house. Facts come in here, what the house knows goes out from here."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, override

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.event import async_track_time_interval

from . import issues
from .asked import AskedBookings
from .bookings import Bookings
from .const import CONF_INSTALL, CONF_SEAL_KEY, CONF_SIGN_KEY, CONF_SPACE_ID, CONF_URL, LOGGER, SUBENTRY_SPACE
from .durable import NotStoredError
from .gate.grant import Grant
from .grants import GrantStore
from .intake import Intake
from .link.client import LinkClient
from .link.facts import format_time
from .link.keys import HouseKeys
from .link.protocol import Event
from .link.session import LinkHandler, LinkState
from .link_status import LinkStatus
from .offers import OfferCalendar
from .publisher import Publisher
from .readers import async_prepare, reader_of
from .recognition import EmbeddedReader, Reader
from .space import SpaceRuntime
from .standby import Standby
from .standby_desk import StandbyDesk
from .state import HouseState, HouseStateStore
from .stores import async_forget_space, calendar_of, journal_of

type ParkShareConfigEntry = ConfigEntry[ParkShareHub]

PRUNE_EVERY: Final = timedelta(hours=6)


class ParkShareHub(LinkHandler):
    """One linked backend account; entry.runtime_data."""

    def __init__(self, hass: HomeAssistant, entry: ParkShareConfigEntry, *, reader: Reader | None = None) -> None:
        self.hass = hass
        self.entry = entry
        self.keys = HouseKeys.from_text(sign=entry.data[CONF_SIGN_KEY], seal=entry.data[CONF_SEAL_KEY])
        # Always there: what is read when the chosen reader cannot, and what draws.
        self.embedded = EmbeddedReader()
        self.reader: Reader = reader or reader_of(hass, entry, self.embedded)
        self.spaces: dict[str, SpaceRuntime] = {}
        self.grants = GrantStore(hass, entry.entry_id)
        self._subentries: dict[str, ConfigSubentry] = {
            subentry.data[CONF_SPACE_ID]: subentry for subentry in entry.get_subentries_of_type(SUBENTRY_SPACE)
        }
        self._calendars = {space: calendar_of(hass, entry, space) for space in self._subentries}
        self._house = HouseStateStore(hass, entry.entry_id)
        self._journal = journal_of(hass, entry)
        self._link = LinkClient(
            async_get_clientsession(hass),
            url=entry.data[CONF_URL],
            install=entry.data[CONF_INSTALL],
            keys=self.keys,
            journal=self._journal,
            handler=self,
        )
        self._bookings = Bookings(self, self._house)
        self._desk = StandbyDesk(self)
        self.asked = AskedBookings(self)
        self._intake = Intake(self, self._bookings, self._desk)
        self._publisher = Publisher(self)
        self._status = LinkStatus(hass, entry, clock_was_set=self._clock_was_set)
        self._listeners: list[Callable[[], None]] = []
        self._when_done: list[CALLBACK_TYPE] = []
        self._tasks: list[asyncio.Task[None]] = []

    # What the house knows

    @property
    def state(self) -> HouseState:
        """What is remembered beside the grants."""
        return self._house.state

    @property
    def connected(self) -> bool:
        """Tell whether there is a link now."""
        return self._status.connected

    @property
    def down_reason(self) -> str:
        """Why there is no link, for diagnostics."""
        return self._status.why

    @property
    def space_ids(self) -> frozenset[str]:
        """The spaces of this entry."""
        return frozenset(self._subentries)

    def subentry_of(self, space_id: str) -> ConfigSubentry:
        """The settings of a space."""
        return self._subentries[space_id]

    def title_of(self, space_id: str) -> str:
        """The name of a space, for people."""
        subentry = self._subentries.get(space_id)
        return self.entry.title if subentry is None else subentry.title

    def calendar_of(self, space_id: str) -> OfferCalendar:
        """The periods in which a space is offered."""
        return self._calendars[space_id]

    def runtime_of(self, space_id: str) -> SpaceRuntime | None:
        """The running shell of a space."""
        return next((runtime for runtime in self.spaces.values() if runtime.space_id == space_id), None)

    def grants_of(self, space_id: str) -> list[Grant]:
        """The grants of a space, earliest first."""
        return self.grants.of(space_id)

    def standby_of(self, space_id: str) -> Standby | None:
        """The standby space for the owner of a space."""
        return self._desk.of(space_id)

    def sharing(self, space_id: str) -> bool:
        """Tell whether new bookings of a space are taken. A new space is shared: its calendar is empty anyway."""
        return space_id not in self.state.not_shared

    def link_figures(self) -> dict[str, Any]:
        """Where both sequences of the link stand, for diagnostics."""
        return {"got": self._journal.got, "last": self._journal.last, "pending": len(self._journal.pending)}

    # What the house does

    async def async_set_sharing(self, space_id: str, on: bool) -> None:  # noqa: FBT001 - the state of a switch
        """Take new bookings of a space, or none. Granted ones keep their right."""
        await self._house.async_change(
            lambda state: replace(
                state, not_shared=state.not_shared - {space_id} if on else state.not_shared | {space_id}
            )
        )
        self._publisher.space(space_id)
        self.async_update_listeners()

    async def async_report(self, t: str, d: dict[str, Any]) -> None:
        """Tell the backend something, surely: it is on disk on return, and is sent when there is a link."""
        try:
            await self._link.report(t, d, at=format_time(round(time.time(), 3)))
        except NotStoredError:
            # The gate goes on: the event is still in memory and is sent, only a crash would lose it.
            LOGGER.exception("An event for the backend could not be stored")
        try:
            await self._bookings.async_reported(t, d)
        except NotStoredError:
            LOGGER.exception("What follows from a report could not be stored")

    async def async_request(self, t: str, d: Mapping[str, Any], *, key: str | None = None) -> dict[str, Any]:
        """Ask the backend. Raises NotConnectedError, RequestTimeoutError, RequestRefusedError."""
        return await self._link.request(t, d, key=key)

    async def async_accept_standby(self, space_id: str) -> None:
        """Take the standby space. Raises HomeAssistantError."""
        await self._desk.async_accept(space_id)

    async def async_decline_standby(self, space_id: str) -> None:
        """Give the standby space back. Raises HomeAssistantError."""
        await self._desk.async_decline(space_id)

    async def async_keep_standby(self, standby: Standby) -> None:
        """Put a standby on disk, then show it."""
        await self._house.async_change(
            lambda state: replace(state, standbys={**state.standbys, standby.home_space: standby})
        )
        self.async_update_listeners()

    async def async_withdrawal_confirmed(self, space_id: str) -> None:
        """The backend knows that a space is gone."""
        await self._house.async_change(lambda state: replace(state, withdrawn=state.withdrawn - {space_id}))

    # Listeners

    @callback
    def async_add_listener(self, update: Callable[[], None]) -> Callable[[], None]:
        """Call update after each change that entities show; returns what ends that."""
        self._listeners.append(update)
        return lambda: self._listeners.remove(update)

    @callback
    def async_update_listeners(self) -> None:
        """Something that entities show has changed."""
        for update in tuple(self._listeners):
            update()

    @callback
    def async_when_done(self, done: CALLBACK_TYPE) -> None:
        """Call done when the hub stops."""
        self._when_done.append(done)

    # Life

    async def async_load(self) -> None:
        """Read all that is stored. The backend is not needed for that."""
        await asyncio.gather(
            self.grants.async_load(),
            self._house.async_load(),
            self._journal.load(),
            *(calendar.async_load() for calendar in self._calendars.values()),
        )
        try:
            await self._async_note_spaces()
        except NotStoredError:
            # A disk that can no longer be written is no reason to let nobody in.
            LOGGER.exception("Which spaces there are could not be stored")

    async def _async_note_spaces(self) -> None:
        """Follow which spaces were added and removed since the last start."""
        gone = self.state.spaces - self.space_ids
        await self._bookings.async_spaces_gone(gone)
        for space in gone:
            await async_forget_space(self.hass, self.entry, space)
        await self._house.async_change(
            lambda state: replace(
                state,
                spaces=self.space_ids,
                withdrawn=(state.withdrawn | gone) - self.space_ids,
                not_shared=state.not_shared & self.space_ids,
            )
        )

    async def async_start(self) -> None:
        """Start the link and what keeps the backend up to date. The spaces run by now."""
        # Not before: only a running space knows whose car still stands in its bay.
        await self._async_prune()
        await self._desk.async_start()
        await self.asked.async_start()
        for space, calendar in self._calendars.items():
            self.async_when_done(calendar.async_add_listener(partial(self._publisher.windows, space)))
        self.async_when_done(async_track_time_interval(self.hass, self._async_prune, PRUNE_EVERY))
        self.async_when_done(issues.async_watch_entities(self.hass, self.entry))
        # Calendars are in the time of the house, so its windows move with its time zone.
        self.async_when_done(self.hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, self._async_house_changed))
        self.async_when_done(self._desk.stop)
        self.async_when_done(self._status.stop)
        self._status.start()
        works = {
            "link": self._link.run(),
            "publisher": self._publisher.async_run(),
            "reader": async_prepare(self.hass, self.entry),
        }
        for name, work in works.items():
            self._tasks.append(self.entry.async_create_background_task(self.hass, work, f"parkshare {name}"))

    async def async_stop(self) -> None:
        """Stop everything. The grants stay on disk."""
        while self._when_done:
            self._when_done.pop()()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        for runtime in self.spaces.values():
            await runtime.async_stop()
        await self.reader.stop()
        await self.embedded.stop()
        issues.async_clear_all(self.hass, self.entry, self._subentries.values())

    @callback
    def _async_house_changed(self, _event: object) -> None:
        self._publisher.everything()

    async def _async_prune(self, _now: datetime | None = None) -> None:
        try:
            await self._bookings.async_prune(time.time())
            await self.asked.async_prune(time.time())
        except NotStoredError:
            LOGGER.exception("What is over could not be forgotten")

    # What the backend says (LinkHandler)

    @override
    async def on_event(self, event: Event) -> None:
        """Take a fact in. Its effect is on disk on return."""
        await self._intake.async_take(event)

    @override
    async def on_snapshot(self, of: str, items: Sequence[dict[str, Any]]) -> None:
        """Take a complete collection in."""
        if of == "bookings":
            await self._bookings.async_snapshot(items)

    @override
    def on_hint(self, t: str, d: Mapping[str, Any]) -> None:
        """Take a word in that is worth nothing later."""
        self._intake.hint(t, d)

    @override
    def on_clock(self, at: float) -> None:
        """Compare the clocks."""
        self._status.clock.heard(at)

    def time_here(self, at: float) -> float:
        """Return what our clock shows for a time of the backend's."""
        return self._status.clock.here(at)

    @callback
    def _clock_was_set(self) -> None:
        """Somebody set the clock of this house: what waits for a time of day has to look at it anew."""
        for runtime in self.spaces.values():
            runtime.clock_was_set()

    @override
    def on_state(self, state: LinkState, why: str) -> None:
        """Note a change of the link, and say it once."""
        self._status.note(state, why)
        if state is LinkState.CONNECTED:
            self._publisher.everything()
        elif state is LinkState.PAIR_AGAIN:
            self.entry.async_start_reauth(self.hass)
        self.async_update_listeners()
