"""What the backend tells is taken in here: each fact is read, and goes to whom it is about."""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final

from .bookings import Bookings
from .codes.given import async_renter_gave
from .const import LOGGER
from .durable import NotStoredError
from .link.facts import (
    BadFactError,
    BookingAsked,
    Cancellation,
    Proposal,
    RenterCode,
    RenterSeen,
    StandbyEnded,
    StandbyNone,
    StandbyOffer,
)
from .link.protocol import Event
from .standby_desk import StandbyDesk

if TYPE_CHECKING:
    from .hub import ParkShareHub

TRIES: Final = 3  # times that a fact may fail before it is passed over
MOST_AT_WORK: Final = 8  # codes that are looked at at one time; people do not type that fast


class Intake:
    """The facts of one hub, in order."""

    def __init__(self, hub: ParkShareHub, bookings: Bookings, desk: StandbyDesk) -> None:
        self._hub = hub
        self._bookings = bookings
        self._desk = desk
        self._failed: Counter[str] = Counter()
        self._codes: set[asyncio.Task[None]] = set()  # nothing but this holds back who repeats a hint without end

    async def async_take(self, event: Event) -> None:
        """Take a fact in. Its effect is on disk on return."""
        try:
            await self._async_take(event.t, event.d)
        except BadFactError as err:
            # It would be as unusable the next time: acknowledge it, or it blocks everything behind it.
            LOGGER.warning("The backend sent %s that cannot be used: %s", event.t, err)
        except NotStoredError, OSError:
            raise
        except Exception:
            self._failed[event.id] += 1
            if self._failed[event.id] < TRIES:
                raise
            # A defect of ours: it is worse to hear nothing more than to miss this one.
            LOGGER.exception("A fact could not be taken in and is passed over: %s", event.t)
        self._failed.pop(event.id, None)

    async def _async_take(self, t: str, d: Mapping[str, Any]) -> None:
        match t:
            case "booking.proposed" | "booking.changed":
                proposal = Proposal.parse(d)
                await self._bookings.async_proposed(proposal)
                await self._hub.asked.async_over(proposal.booking)
            case "booking.asked":
                await self._hub.asked.async_asked(BookingAsked.parse(d))
            case "booking.canceled":
                cancellation = Cancellation.parse(d)
                await self._bookings.async_canceled(cancellation)
                await self._hub.asked.async_over(cancellation.booking)
            case "renter.near" | "renter.away":
                self._renter_seen(RenterSeen.parse(d), near=t == "renter.near")
            case "standby.offered":
                await self._desk.async_offered(StandbyOffer.parse(d))
            case "standby.none":
                await self._desk.async_none(StandbyNone.parse(d))
            case "standby.ended":
                await self._desk.async_ended(StandbyEnded.parse(d))
            case _:
                LOGGER.info("The backend told something of a newer version: %s", t)

    def hint(self, t: str, d: Mapping[str, Any]) -> None:
        """Take in what is told once or not at all."""
        try:
            match t:
                case "renter.code":
                    self._renter_gave(RenterCode.parse(d))
                case _:
                    LOGGER.info("The backend told something of a newer version: %s", t)
        except BadFactError as err:
            LOGGER.warning("The backend sent %s that cannot be used: %s", t, err)

    def _renter_seen(self, seen: RenterSeen, *, near: bool) -> None:
        runtime, grant = self._hub.runtime_of(seen.space), self._hub.grants.get(seen.booking)
        if runtime is None or grant is None or grant.space != seen.space:
            LOGGER.debug("A renter without a grant was seen")
        elif near:
            self._later(runtime.async_renter_near(seen.booking, self._hub.time_here(seen.at), seen.source), "near")
        else:
            self._later(runtime.async_renter_away(seen.booking, seen.at), "away")

    def _renter_gave(self, given: RenterCode) -> None:
        runtime, grant = self._hub.runtime_of(given.space), self._hub.grants.get(given.booking)
        if len(self._codes) >= MOST_AT_WORK:
            LOGGER.info("A code is ignored, too many come at one time")
            return
        task = self._later(async_renter_gave(runtime, grant, given), "code")
        self._codes.add(task)
        task.add_done_callback(self._codes.discard)

    def _later(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Do it in a task: the camera's work must not hold up the facts behind this one."""
        return self._hub.entry.async_create_task(self._hub.hass, work, f"parkshare renter {name}")
