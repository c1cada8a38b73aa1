"""Protecting the next booking: who is to come hears early that a car is in the way, and where else there is room."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from parkshare_backend.accounts.installs import Install
from parkshare_backend.bookings.lifecycle import Cause, State, TransitionRefused
from parkshare_backend.bookings.models import Stay
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.service import NOT_POSSIBLE_NOW, Bookings
from parkshare_backend.clock import CLOCKS_DIFFER_S, Clock, not_ahead
from parkshare_backend.http.problems import Problem
from parkshare_backend.link.service import LinkService, check
from parkshare_backend.matching.offers import Offered, WrittenResult, result
from parkshare_backend.matching.service import Matching
from parkshare_backend.risk import rows
from parkshare_backend.risk.policy import Coming, Kind, at_risk
from parkshare_backend.spaces.geometry import area_of
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.service import Space, Spaces
from parkshare_backend.store.engine import ReadTx, Store, Tx

TOLD = 3  # alternatives that come with the news
SHORTEST_REST_S = 5 * 60

log = structlog.get_logger()


class Risk:
    """Knows which cars are in the way, and whom that concerns."""

    def __init__(self, *, store: Store, spaces: Spaces, bookings: Bookings, matching: Matching, clock: Clock) -> None:
        self._store = store
        self._spaces = spaces
        self._bookings = bookings
        self._matching = matching
        self._clock = clock
        bookings.on_added(self._booking_added)
        bookings.on_change(self._booking_changed)
        bookings.on_turned_away(self._told_instead)

    def register(self, link: LinkService) -> None:
        """Take over the events of the link that are about cars in the way."""
        link.on_event("stay.overstayed", self._overstayed)
        link.on_event("stay.extended", self._extended)
        link.on_event("bay.taken", self._taken)
        link.on_event("bay.free", self._free)

    async def alternatives(self, account: str, booking: str, *, limit: int) -> WrittenResult:
        """Give what else is free near the space of a booking, for what is left of its period."""
        async with self._store.read() as tx:
            found, space = await self._bookings.of_renter(tx, account, booking)
            if self._clock.now() >= found.period.end:
                raise Problem(NOT_POSSIBLE_NOW, "The booked period is over. Search for another one.")
            offers = await self._instead_of(tx, found, space, limit=limit)
        return result([offer for offer in offers if not offer.partial], [offer for offer in offers if offer.partial])

    async def in_the_way(self, tx: ReadTx) -> set[str]:
        """Give the spaces on which a car is in the way now."""
        return await rows.spaces(tx)

    async def sweep(self, now: float) -> int:
        """Look again at the spaces with a car in the way: time brings the next booking into reach."""
        async with self._store.read() as tx:
            spaces = [space for space in await rows.spaces(tx) if await self._differs(tx, space, now)]
        if spaces:
            async with self._store.write() as tx:
                for space in (await self._spaces.get_many(tx, spaces)).values():
                    await self._review(tx, space)
        return len(spaces)

    async def _overstayed(self, tx: Tx, install: Install, _at: float, d: dict[str, Any]) -> None:
        said = check(Stay, d)
        booking, space = await self._bookings.of_house(tx, install, said.booking)
        # By our clock too: one that is an hour fast at the house says so an hour early, and believes it.
        if min(said.at, self._clock.now()) < booking.period.end - CLOCKS_DIFFER_S:
            log.warning("risk.overstay_before_the_end", booking=booking.id)
            return
        if not await rows.begin(tx, Kind.OVERSTAY, booking.id, space.id, at=not_ahead(said.at, self._clock.now())):
            return
        try:
            at = max(said.at, booking.period.end)
            now_is = await self._bookings.advance(tx, booking, space, Cause.OVERSTAYED, at=at, more=said.told)
        except TransitionRefused as refused:
            log.info("risk.fact_too_late", booking=booking.id, state=refused.state, cause=refused.cause)
            await rows.forget(tx, booking.id)
            return
        if now_is.standing.state is not State.ACTIVE:  # it has left since
            await rows.forget(tx, booking.id)
            return
        if now_is.standing == booking.standing:  # its end came before this news of it
            await self._bookings.tell(tx, now_is, space, cause=Cause.OVERSTAYED, more=said.told)
        await self._review(tx, space)

    async def _extended(self, tx: Tx, install: Install, _at: float, d: dict[str, Any]) -> None:
        said = check(Stay, d)
        booking, space = await self._bookings.of_house(tx, install, said.booking)
        if booking.standing.state is not State.ACTIVE:
            return
        now = self._clock.now()
        if not await rows.end(tx, Kind.OVERSTAY, booking.id, space.id, at=not_ahead(said.at, now)):
            return
        if booking.standing.overstay and now < booking.period.end:
            await self._bookings.advance(tx, booking, space, Cause.EXTENDED, at=now)  # the flag ends with it
        else:
            await self._bookings.tell(tx, booking, space, cause="extended")
        await self._review(tx, space)

    async def _taken(self, tx: Tx, install: Install, _at: float, d: dict[str, Any]) -> None:
        said = check(Stay, d)
        booking, space = await self._bookings.of_house(tx, install, said.booking)
        waits = booking.waiting and self._clock.now() < booking.period.end
        if waits and await rows.begin(tx, Kind.TAKEN, booking.id, space.id, at=not_ahead(said.at, self._clock.now())):
            await self._review(tx, space, more={booking.id: said.told})

    async def _free(self, tx: Tx, install: Install, _at: float, d: dict[str, Any]) -> None:
        said = check(Stay, d)
        booking, space = await self._bookings.of_house(tx, install, said.booking)
        if booking.waiting and await rows.end(
            tx, Kind.TAKEN, booking.id, space.id, at=not_ahead(said.at, self._clock.now())
        ):
            await self._review(tx, space)

    async def _booking_added(self, tx: Tx, booking: Booking, space: Space) -> Booking:
        if not await rows.on_space(tx, space.id):
            return booking  # no car is in the way, as nearly always: nobody is at risk, this booking neither
        await self._review(tx, space)
        found = await self._bookings.get_with_space(tx, booking.id)
        return found[0] if found else booking

    async def _booking_changed(self, tx: Tx, booking: Booking, cause: Cause) -> None:
        if not booking.live:
            await rows.forget(tx, booking.id)
        elif cause is Cause.ARRIVED:
            # Its car stands there, so no other does, whatever was heard of that.
            await rows.end_all(tx, booking.space, at=self._clock.now())
        else:
            return
        found = await self._bookings.get_with_space(tx, booking.id)
        if found is not None:
            await self._review(tx, found[1])

    async def _differs(self, tx: ReadTx, space: str, now: float) -> bool:
        waiting = await self._bookings.waiting_on(tx, space)
        return await self._threatened(tx, space, waiting, now) != {one.id for one in waiting if one.at_risk}

    async def _threatened(self, tx: ReadTx, space: str, waiting: list[Booking], now: float) -> set[str]:
        coming = [Coming(one.id, one.period.start, one.period.end) for one in waiting]
        return at_risk(await rows.on_space(tx, space), coming, now=now)

    async def _review(self, tx: Tx, space: Space, *, more: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Tell those whose booking is newly at risk, and those for whom the space is safe again."""
        waiting = await self._bookings.waiting_on(tx, space.id)
        threatened = await self._threatened(tx, space.id, waiting, self._clock.now())
        for booking in waiting:
            risky = booking.id in threatened
            if risky is booking.at_risk:
                continue
            changed = replace(booking, at_risk=risky)
            told = (more or {}).get(booking.id, {})
            if not risky:
                await self._bookings.note(tx, changed, space, cause="safe-again", more=told)
                continue
            alternatives = {"alternatives": await self._told_instead(tx, booking, space)}
            await self._bookings.note(tx, changed, space, cause="at-risk", more=told, for_renter=alternatives)

    async def _told_instead(self, tx: ReadTx, booking: Booking, space: Space) -> list[dict[str, Any]]:
        return [offer.in_short() for offer in await self._instead_of(tx, booking, space, limit=TOLD)]

    async def _instead_of(self, tx: ReadTx, booking: Booking, space: Space, *, limit: int) -> list[Offered]:
        start = max(booking.period.start, int(self._clock.now()))
        if booking.period.end - start < SHORTEST_REST_S:
            return []
        # Where the space is, only the renter of a live booking is told.
        centre = space.place if booking.live else area_of(space.place)
        without = {space.id, *await rows.spaces(tx)}
        rest = Period(start, booking.period.end)
        return await self._matching.instead_of(
            tx, booking.account, space, rest, car=booking.car, limit=limit, centre=centre, without=without
        )
