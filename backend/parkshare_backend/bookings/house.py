"""What houses tell about bookings, and what a house is told that starts over."""

from dataclasses import replace
from typing import Any

import structlog

from parkshare_backend.accounts.installs import Install
from parkshare_backend.bookings import rows, trail
from parkshare_backend.bookings.changing import extends
from parkshare_backend.bookings.facts import proposal
from parkshare_backend.bookings.lifecycle import By, Cause, State, TransitionRefused
from parkshare_backend.bookings.models import AdmissionDecided, GrantRefused, GrantStored, Stay
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.service import Bookings
from parkshare_backend.clock import Clock, not_ahead
from parkshare_backend.link.service import LinkService, check
from parkshare_backend.spaces.service import Space, Spaces
from parkshare_backend.store.engine import ReadTx, Tx

log = structlog.get_logger()


class HouseFacts:
    """The handlers of the link's events that are about bookings."""

    def __init__(self, *, bookings: Bookings, spaces: Spaces, clock: Clock) -> None:
        self._bookings = bookings
        self._spaces = spaces
        self._clock = clock

    def register(self, link: LinkService) -> None:
        """Take over the events and the snapshot of bookings."""
        link.on_event("grant.stored", self.grant_stored)
        link.on_event("grant.refused", self.grant_refused)
        link.on_event("admission.decided", self.admission_decided)
        link.on_event("stay.arrived", self.stay_arrived)
        link.on_event("stay.ending", self.stay_ending)
        link.on_event("stay.left", self.stay_left)
        link.on_snapshot("bookings", self.snapshot)
        self._spaces.on_taken_over(self._bookings.propose_again)

    async def grant_stored(self, tx: Tx, install: Install, _at: float, d: dict[str, Any]) -> None:
        """Reserve: from here on the admission needs no backend."""
        said = check(GrantStored, d)
        booking, space = await self._bookings.of_house(tx, install, said.booking)
        if said.revision < booking.revision:
            return
        await self._advance(tx, booking, space, Cause.GRANT_STORED)
        booking, space = await self._bookings.of_house(tx, install, said.booking)
        if booking.wanted is not None:
            cause = Cause.EXTENDED if extends(booking.period, booking.wanted) else Cause.CHANGED
            await self._advance(tx, booking, space, cause, period=booking.wanted)

    async def grant_refused(self, tx: Tx, install: Install, _at: float, d: dict[str, Any]) -> None:
        """Reject: the space is free again and the renter is told why."""
        said = check(GrantRefused, d)
        booking, space = await self._bookings.of_house(tx, install, said.booking)
        if said.revision < booking.revision:
            return
        if booking.wanted is not None:
            # Only the change is refused. A house that has lost the grant as well says so to the old period.
            await self._bookings.drop_wish(tx, booking, space, by=By.HOUSE, reason=said.reason)
        else:
            await self._advance(tx, booking, space, Cause.GRANT_REFUSED, reason=said.reason)

    async def admission_decided(self, tx: Tx, install: Install, _at: float, d: dict[str, Any]) -> None:
        """Write down what the house decided at its barrier."""
        said = check(AdmissionDecided, d)
        booking, _ = await self._bookings.of_house(tx, install, said.booking)
        await rows.record_admission(tx, booking=booking.id, decision=said.decision, by=said.by, at=said.at)
        by = By.OWNER if said.by == "owner" else By.HOUSE
        d = {"decision": said.decision, "by": said.by}
        at = min(said.at, self._clock.now())
        await trail.write(tx, booking.id, at=at, cause="admission", by=by, d=d)
        if said.decision == "refuse" and by is By.OWNER:
            await rows.refuse_again(tx, booking)

    async def stay_arrived(self, tx: Tx, install: Install, _at: float, d: dict[str, Any]) -> None:
        """Activate: the car stands there."""
        said = check(Stay, d)
        booking, space = await self._bookings.of_house(tx, install, said.booking)
        await self._advance(tx, booking, space, Cause.ARRIVED, at=min(said.at, self._clock.now()))

    async def stay_ending(self, tx: Tx, install: Install, _at: float, d: dict[str, Any]) -> None:
        """Warn renter and owner that the period is over soon, once for each time that the house says so."""
        said = check(Stay, d)
        booking, space = await self._bookings.of_house(tx, install, said.booking)
        at = not_ahead(said.at, self._clock.now())
        news = at > (booking.ending_at or 0) and not booking.standing.overstay
        if news and booking.standing.state is State.ACTIVE:
            await self._bookings.note(tx, replace(booking, ending_at=at), space, cause="ending")

    async def stay_left(self, tx: Tx, install: Install, _at: float, d: dict[str, Any]) -> None:
        """Fulfil: the car has left."""
        said = check(Stay, d)
        booking, space = await self._bookings.of_house(tx, install, said.booking)
        await self._advance(tx, booking, space, Cause.LEFT, at=min(said.at, self._clock.now()), more=said.told)

    async def snapshot(self, tx: ReadTx, install: Install) -> list[dict[str, Any]]:
        """Give every live booking on the house's spaces, as it would be proposed."""
        spaces = await self._spaces.get_many(tx, await self._spaces.ids_of_install(tx, install.id))
        live = [
            one for one in await rows.live_on_spaces(tx, spaces) if not (one.standing.waits_for_owner or one.unpaid)
        ]
        # The house keeps the grant of a car that may still come; one that has none does not take it for a new right.
        missed = await rows.no_shows(tx, spaces, now=self._clock.now())
        return [proposal(booking, spaces[booking.space]) for booking in [*live, *missed]]

    async def _advance(self, tx: Tx, booking: Booking, space: Space, cause: Cause, **more: Any) -> bool:
        try:
            await self._bookings.advance(tx, booking, space, cause, **more)
        except TransitionRefused as refused:
            # an ordinary crossing: the renter canceled while the house's word was under way
            log.info("bookings.fact_too_late", booking=booking.id, state=refused.state, cause=refused.cause)
            return False
        return True
