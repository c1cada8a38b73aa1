"""What the house does with bookings that the backend tells of: decide, store, answer, tell the space."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from .acceptance import Refusal, objection
from .const import LOGGER
from .gate.grant import Grant
from .link.facts import LIVE_STATES, BadFactError, Cancellation, Proposal
from .link.sealing import OpenError, unseal
from .recognition import PlateError, check_plate
from .state import HouseStateStore

if TYPE_CHECKING:
    from .hub import ParkShareHub

GIVEN_UP: Final = frozenset({"canceled", "rejected"})


def refusal(booking: str, revision: int, reason: Refusal) -> tuple[str, dict[str, Any]]:
    """The event that tells the backend no."""
    return "grant.refused", {"booking": booking, "revision": revision, "reason": reason.value}


class Bookings:
    """The bookings of one hub. The grant is on disk before the backend hears that it is."""

    def __init__(self, hub: ParkShareHub, house: HouseStateStore) -> None:
        self._hub = hub
        self._house = house

    async def async_proposed(self, proposal: Proposal) -> None:
        """Decide on a booking, new or changed. Being told twice gives the same answer twice."""
        mine = self._hub.grants.get(proposal.booking)
        if mine is not None and mine.revision > proposal.revision:
            return
        if proposal.state in GIVEN_UP:
            await self._async_withdraw(proposal.booking)
            return
        if proposal.state not in LIVE_STATES:
            return
        decided = await self._async_decide(proposal)
        if isinstance(decided, Refusal):
            # A right that was given stays as it was: refusing a change never takes it back.
            LOGGER.info("A booking is refused: %s", decided)
            await self._hub.async_report(*refusal(proposal.booking, proposal.revision, decided))
            return
        if decided != mine:
            await self._async_make_room(decided)
            await self._hub.grants.async_put(decided)
        await self._hub.async_report("grant.stored", {"booking": decided.booking, "revision": decided.revision})
        await self._async_tell_space(decided.space)

    async def async_canceled(self, cancellation: Cancellation) -> None:
        """Take a grant back, but not from under a car that stands in the bay."""
        await self._async_withdraw(cancellation.booking)

    async def async_snapshot(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Take all live bookings in, and take back grants that are missing.

        An empty snapshot takes nothing back: it is what a backend says that lost its memory.
        """
        proposals: list[Proposal] = []
        for item in items:
            try:
                proposals.append(Proposal.parse(item))
            except BadFactError as err:
                LOGGER.warning("A booking of the backend cannot be used: %s", err)
        if items and len(proposals) == len(items):
            known, now = {proposal.booking for proposal in proposals}, time.time()
            for grant in self._hub.grants.all():
                if grant.booking not in known and now < grant.end:
                    await self._async_withdraw(grant.booking)
        # What went and what moved first: a new booking may have got their time.
        for proposal in sorted(proposals, key=lambda each: self._hub.grants.get(each.booking) is None):
            await self.async_proposed(proposal)

    async def async_spaces_gone(self, spaces: Iterable[str]) -> None:
        """Refuse what was granted for spaces that the owner removed: nobody would let these renters in."""
        now = time.time()
        for grant in [grant for space in spaces for grant in self._hub.grants.of(space)]:
            if now < grant.end:
                await self._hub.async_report(*refusal(grant.booking, grant.revision, Refusal.UNKNOWN_SPACE))
            await self._hub.grants.async_withdraw(grant.booking)

    async def async_reported(self, t: str, d: Mapping[str, Any]) -> None:
        """Follow what the space has reported: a car that left makes room, a canceled grant goes with its car."""
        booking, state = d.get("booking"), self._house.state
        if t == "stay.left" and booking in state.leaving:
            await self._house.async_change(lambda now: replace(now, leaving=now.leaving - {booking}))
            if (grant := self._hub.grants.get(str(booking))) is not None:
                await self._hub.grants.async_withdraw(grant.booking)
                # A task: the space is in the middle of telling us, and must not be called back while it does.
                tell = self._async_tell_space(grant.space)
                self._hub.entry.async_create_task(self._hub.hass, tell, "parkshare grant gone", eager_start=False)
        elif t == "stay.left" and self._hub.grants.get(str(booking)) is not None:
            await self._house.async_change(lambda now: replace(now, over=now.over | {str(booking)}))
        elif t == "stay.arrived" and booking in state.over:
            await self._house.async_change(lambda now: replace(now, over=now.over - {booking}))

    async def async_prune(self, now: float) -> None:
        """Forget what is long over, except a grant whose car still stands in the bay."""
        occupied = {runtime.occupied_by() for runtime in self._hub.spaces.values()}
        await self._hub.grants.async_prune(now, keep=frozenset(booking for booking in occupied if booking))
        left = {grant.booking for grant in self._hub.grants.all()}
        await self._house.async_change(
            lambda state: replace(
                state,
                over=state.over & left,
                leaving=state.leaving & left,
                standbys={
                    space: standby
                    for space, standby in state.standbys.items()
                    if space in self._hub.space_ids and (standby.end is None or now < standby.end)
                },
            )
        )

    async def _async_decide(self, proposal: Proposal) -> Grant | Refusal:
        hub = self._hub
        if proposal.space not in hub.space_ids:
            return Refusal.UNKNOWN_SPACE
        windows = await hub.calendar_of(proposal.space).async_windows(proposal.start, proposal.end)
        over = self._house.state.over
        against = objection(
            proposal,
            sharing=hub.sharing(proposal.space),
            windows=windows,
            grants=[grant for grant in hub.grants.of(proposal.space) if grant.booking not in over],
        )
        if against is not None:
            return against
        try:
            sealed = unseal(proposal.sealed_plate, key=hub.keys.seal, booking=proposal.booking, space=proposal.space)
            # Sealed by the renter's own program, so it may be anything; what is no plate can be neither kept nor read.
            check_plate(sealed.plate)
        except (OpenError, PlateError) as err:
            LOGGER.info("A plate cannot be used: %s", err)
            return Refusal.CANNOT_OPEN_PLATE
        return Grant(
            booking=proposal.booking,
            space=proposal.space,
            start=proposal.start,
            end=proposal.end,
            plate=sealed.plate,
            revision=proposal.revision,
            alias=proposal.alias,
            code_key=sealed.code_key,
        )

    async def _async_make_room(self, new: Grant) -> None:
        """Withdraw grants whose car has left and whose time is booked anew."""
        for grant in self._hub.grants.of(new.space):
            overlaps = grant.start < new.end and new.start < grant.end
            if overlaps and grant.booking != new.booking and grant.booking in self._house.state.over:
                await self._hub.grants.async_withdraw(grant.booking)

    async def _async_withdraw(self, booking: str) -> None:
        grant = self._hub.grants.get(booking)
        if grant is None:
            return
        runtime = self._hub.runtime_of(grant.space)
        if runtime is not None and runtime.occupied_by() == booking:
            await self._house.async_change(lambda state: replace(state, leaving=state.leaving | {booking}))
            return
        await self._hub.grants.async_withdraw(booking)
        await self._async_tell_space(grant.space)

    async def _async_tell_space(self, space_id: str) -> None:
        if (runtime := self._hub.runtime_of(space_id)) is not None:
            await runtime.async_grants_changed()
        self._hub.async_update_listeners()
