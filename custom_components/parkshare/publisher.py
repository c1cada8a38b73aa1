"""Keeps the backend's picture of our spaces and windows like ours: tells changes, and everything after a connect."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant

from .const import (
    CONF_ADDRESS,
    CONF_HEIGHT_M,
    CONF_LATITUDE,
    CONF_LENGTH_M,
    CONF_LONGITUDE,
    CONF_NAME,
    CONF_RANGE_M,
    CONF_SPACE_ID,
    CONF_WIDTH_M,
    LOGGER,
)
from .issues import async_clear_publish_refused, async_raise_publish_refused
from .link.facts import format_time
from .link.session import NotConnectedError, RequestRefusedError, RequestTimeoutError
from .offered import notes_of, plug_document, price_document
from .terms import terms_document

if TYPE_CHECKING:
    from .hub import ParkShareHub

WINDOWS_AGAIN: Final = 6 * 3600.0  # s; the 28 days move on
AT_ONCE: Final = 8  # of one kind: a house with many spaces must not wait for each answer before the next question
RETRY: Final = 10.0  # s after an answer that did not come, doubled each time
LONGEST_RETRY: Final = 300.0  # s
# Problems of the backend itself: the same words are right a moment later.
PASSING: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """Something that the backend has to hear. what: 1 a space, 2 its windows, 3 its withdrawal; in this order."""

    what: int
    space: str


class Came(Enum):
    """What came of saying something."""

    DONE = auto()
    BROKEN = auto()  # by itself: the others can be said
    LATER = auto()  # the backend cannot now


SPACE: Final = 1
WINDOWS: Final = 2
WITHDRAWAL: Final = 3


def space_document(hass: HomeAssistant, subentry: ConfigSubentry, *, seal_key: str, sharing: bool) -> dict[str, Any]:
    """The d of space.publish. No entity, camera or plate is in it."""
    data = subentry.data
    return {
        "space": data[CONF_SPACE_ID],
        "name": data[CONF_NAME],
        "position": {"lat": data[CONF_LATITUDE], "lon": data[CONF_LONGITUDE]},
        "address": data[CONF_ADDRESS],
        "size": {
            "length_m": data[CONF_LENGTH_M],
            "width_m": data[CONF_WIDTH_M],
            "height_m": data.get(CONF_HEIGHT_M),
        },
        "range_m": data[CONF_RANGE_M],
        "price": price_document(data, hass.config.currency),
        "seal_key": seal_key,
        "access_notes": notes_of(data),
        "plug": plug_document(data),
        "sharing": sharing,
        "terms": terms_document(data),
    }


class Publisher:
    """One task that works off what is due. What cannot be said now stays due."""

    def __init__(self, hub: ParkShareHub) -> None:
        self._hub = hub
        self._due: set[Item] = set()
        self._wake = asyncio.Event()

    def everything(self) -> None:
        """The link is new: say all."""
        for space in self._hub.space_ids:
            self._due |= {Item(SPACE, space), Item(WINDOWS, space)}
        self._due |= {Item(WITHDRAWAL, space) for space in self._hub.state.withdrawn}
        self._wake.set()

    def space(self, space: str) -> None:
        """A space changed."""
        self._due.add(Item(SPACE, space))
        self._wake.set()

    def windows(self, space: str) -> None:
        """The calendar of a space changed."""
        self._due.add(Item(WINDOWS, space))
        self._wake.set()

    async def async_run(self) -> None:
        """Work until cancelled."""
        failures = 0
        while True:
            self._wake.clear()
            failures = failures + 1 if await self._async_work_off() else 0
            pause = min(RETRY * 2.0 ** min(failures - 1, 10), LONGEST_RETRY) if failures else WINDOWS_AGAIN
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                if not failures:
                    self._due |= {Item(WINDOWS, space) for space in self._hub.space_ids}

    async def _async_work_off(self) -> bool:
        """Say what is due; returns whether something has to be tried again."""
        again: set[Item] = set()
        reachable = True
        while self._due and self._hub.connected and reachable:
            first = min(self._due)
            batch = sorted(item for item in self._due if item.what == first.what)[:AT_ONCE]
            self._due.difference_update(batch)
            said = await asyncio.gather(*map(self._async_try, batch))
            again |= {item for item, came in zip(batch, said, strict=True) if came is not Came.DONE}
            reachable = Came.LATER not in said
        self._due |= again
        return bool(again)

    async def _async_try(self, item: Item) -> Came:
        try:
            await self._async_say(item)
        except NotConnectedError, RequestTimeoutError, _PassingError:
            return Came.LATER
        except Exception:  # noqa: BLE001 - see below
            # One calendar that cannot be expanded, or a full disk, must not keep everything else from being said.
            LOGGER.exception("A space could not be published; it is tried again")
            return Came.BROKEN
        return Came.DONE

    async def _async_say(self, item: Item) -> None:
        hub = self._hub
        if item.what != WITHDRAWAL and item.space not in hub.space_ids:
            return
        try:
            if item.what == SPACE:
                subentry = hub.subentry_of(item.space)
                document = space_document(
                    hub.hass, subentry, seal_key=hub.keys.seal_public, sharing=hub.sharing(item.space)
                )
                await hub.async_request("space.publish", document)
            elif item.what == WINDOWS:
                windows = await hub.calendar_of(item.space).async_published_windows(time.time())
                periods = [{"start": format_time(each.start), "end": format_time(each.end)} for each in windows]
                await hub.async_request("windows.publish", {"space": item.space, "windows": periods})
            else:
                await hub.async_request("space.withdraw", {"space": item.space})
        except RequestRefusedError as err:
            if _passes(err.problem):
                raise _PassingError from err
            if item.what == WITHDRAWAL:
                # It has no such space, or no longer: what we wanted to say is so.
                await hub.async_withdrawal_confirmed(item.space)
                return
            # Saying the same again would be refused again; the next change or connect says it anew.
            LOGGER.warning("The backend refused what we said of space %s: %s", item.space, err)
            async_raise_publish_refused(hub.hass, hub.entry, item.space, reason=str(err))
            return
        if item.what == WITHDRAWAL:
            await hub.async_withdrawal_confirmed(item.space)
        else:
            async_clear_publish_refused(hub.hass, hub.entry, item.space)


class _PassingError(Exception):
    """The backend could not do it now."""


def _passes(problem: Mapping[str, Any]) -> bool:
    status = problem.get("status")
    return isinstance(status, int) and (status in PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR)
