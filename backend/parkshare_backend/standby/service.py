"""Standby: an owner comes home while a renter's booking stands on their space."""

from dataclasses import replace
from typing import Any

from parkshare_backend.accounts.installs import Install
from parkshare_backend.bookings import claims
from parkshare_backend.bookings.claims import Kind
from parkshare_backend.bookings.lifecycle import Cause, State as BookingState
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.service import Bookings
from parkshare_backend.bookings.terms import faults
from parkshare_backend.clock import Clock, new_id, to_rfc3339
from parkshare_backend.http.models import to_base64url
from parkshare_backend.http.problems import NOT_FOUND, Problem, define
from parkshare_backend.link.service import LinkService, check
from parkshare_backend.matching.index import rings
from parkshare_backend.matching.policy import walk_s
from parkshare_backend.matching.service import Matching
from parkshare_backend.risk.service import Risk
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.service import Space, Spaces
from parkshare_backend.standby import rows
from parkshare_backend.standby.models import OwnerMoved, StandbyAcceptHeard, StandbyDeclineHeard
from parkshare_backend.standby.policy import Candidate, NoStandby, choose
from parkshare_backend.standby.rows import Standby, State
from parkshare_backend.store.engine import ReadTx, Store, Tx
from parkshare_backend.store.outbox import Outbox, account_audience, install_audience

OFFER_LASTS_S = 5 * 60
DECLINE_LASTS_S = 30 * 60  # an owner who said no is not asked again for this booking until then
NEAR_LASTS_S = 10 * 60  # older news of an owner who came near lead to nothing
SEARCH_RADIUS_M = 1500.0
SHORTEST_REST_S = 5 * 60
LISTED = 50

STANDBY_OVER = define(
    "standby-over", 409, "The standby is over",
    "It was answered before, it expired, or the renter gave the space back. Look at the standbys again.",
)  # fmt: skip


class StandbyService:
    """Finds, holds, and hands over standbys."""

    def __init__(
        self,
        *,
        store: Store,
        outbox: Outbox,
        spaces: Spaces,
        bookings: Bookings,
        matching: Matching,
        risk: Risk,
        clock: Clock,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._spaces = spaces
        self._bookings = bookings
        self._matching = matching
        self._risk = risk
        self._clock = clock
        bookings.on_change(self._booking_changed)

    def register(self, link: LinkService) -> None:
        """Take over the events and requests of the link that are about standbys."""
        link.on_event("owner.near", self._owner_near)
        link.on_event("owner.away", self._owner_away)
        link.on_request("standby.accept", self._accept_request)
        link.on_request("standby.decline", self._decline_request)

    async def owner_near(self, tx: Tx, home: Space, *, at: float) -> None:
        """Find a standby if somebody has the owner's space now; an owner who has one keeps it."""
        now = self._clock.now()
        if now - at > NEAR_LASTS_S:
            return
        in_the_way = await self._bookings.live_on_own(tx, home.account, Period(int(now), int(now) + 1))
        booking = next((booking for booking, space in in_the_way if space.id == home.id), None)
        if booking is not None:
            await self._find_for(tx, home, booking)

    async def listed(self, account: str) -> list[tuple[Standby, Space]]:
        """Give the owner's latest standbys, newest first, with the spaces that were found."""
        async with self._store.read() as tx:
            found = await rows.of_account(tx, account, limit=LISTED)
            spaces = await self._spaces.get_many(tx, {standby.space for standby in found})
        return [(standby, spaces[standby.space]) for standby in found]

    async def accept(self, account: str, standby: str, *, booking: str, sealed_plate: bytes) -> tuple[Standby, Space]:
        """Take a standby for the owner who asks over HTTP."""
        async with self._store.write() as tx:
            found = await self._own(tx, standby, account=account)
            accepted, _, space = await self._accept(tx, found, booking=booking, sealed_plate=sealed_plate)
            return accepted, space

    async def decline(self, account: str, standby: str) -> tuple[Standby, Space]:
        """Give a standby back for the owner who asks over HTTP."""
        async with self._store.write() as tx:
            found = await self._decline(tx, await self._own(tx, standby, account=account))
            return found, await self._space(tx, found.space)

    async def sweep(self, now: float) -> int:
        """Give back the offers that nobody answered in time; give how many there were."""
        async with self._store.read() as tx:
            if not await rows.expired(tx, now):
                return 0
        async with self._store.write() as tx:
            expired = await rows.expired(tx, now)
            for standby in expired:
                await self._end(tx, standby, State.EXPIRED)
        return len(expired)

    async def _owner_near(self, tx: Tx, install: Install, _at: float, d: dict[str, Any]) -> None:
        said = check(OwnerMoved, d)
        home = await self._spaces.get(tx, said.space)
        if home is None or home.install != install.id:
            raise Problem(NOT_FOUND, "The house has no such space.", pointer="/d/space")
        await self.owner_near(tx, home, at=said.at)

    async def _owner_away(self, _tx: Tx, _install: Install, _at: float, d: dict[str, Any]) -> None:
        # A held space stays held: an owner who drives round the block must not lose it. It expires by itself.
        check(OwnerMoved, d)

    async def _accept_request(self, tx: Tx, install: Install, d: dict[str, Any]) -> dict[str, Any]:
        said = check(StandbyAcceptHeard, d)
        found = await self._own(tx, said.standby, install=install.id)
        _, booking, space = await self._accept(tx, found, booking=said.booking, sealed_plate=said.sealed_plate)
        return {
            "booking": {
                "id": booking.id, "state": booking.standing.state, "period": _wire(booking.period), "space": space.id,
            }
        }  # fmt: skip

    async def _decline_request(self, tx: Tx, install: Install, d: dict[str, Any]) -> dict[str, Any]:
        said = check(StandbyDeclineHeard, d)
        await self._decline(tx, await self._own(tx, said.standby, install=install.id))
        return {}

    async def _find_for(self, tx: Tx, home: Space, booking: Booking) -> None:
        now = self._clock.now()
        before = await rows.of_booking(tx, booking.id)
        for standby in before:
            if standby.state is State.OFFERED and standby.expires_at <= now:
                await self._end(tx, standby, State.EXPIRED)  # the sweep has not come to it yet
            elif standby.live:
                return
        if any(standby.state is State.DECLINED and now - standby.changed_at < DECLINE_LASTS_S for standby in before):
            return
        rest = Period(int(now), booking.period.end)
        if rest.end - rest.start < SHORTEST_REST_S:
            await self._tell_none(tx, home, booking, "nearly-over")
            return
        refused = {standby.space for standby in before if standby.state is State.CANCELED}
        chosen = await self._choose(tx, home, rest, without=refused | await self._risk.in_the_way(tx))
        if isinstance(chosen, NoStandby):
            await self._tell_none(tx, home, booking, chosen)
            return
        await self._offer(tx, home, booking, chosen, rest)

    async def _choose(self, tx: ReadTx, home: Space, rest: Period, *, without: set[str]) -> Candidate | NoStandby:
        chosen: Candidate | NoStandby = NoStandby.NOTHING_FREE
        for reach_m in rings(SEARCH_RADIUS_M):
            candidates = [
                Candidate(space.id, distance, space.size)
                for space, distance in await self._matching.free_within(tx, home.place, rest, radius_m=reach_m)
                if space.id not in without and self._let_at_once(space, rest)
            ]
            chosen = choose(candidates, home_space=home.id, home_size=home.size)
            if isinstance(chosen, Candidate):
                break
        return chosen

    def _let_at_once(self, space: Space, rest: Period) -> bool:
        """Tell whether the terms of a space suit an owner who stands before their own: nobody to be asked first."""
        return not space.terms.by_owner and not faults(space.terms, rest, self._clock.now())

    async def _offer(self, tx: Tx, home: Space, booking: Booking, chosen: Candidate, rest: Period) -> None:
        now = self._clock.now()
        standby = Standby(
            id=new_id(),
            account=home.account,
            install=home.install,
            home_space=home.id,
            booking=booking.id,
            space=chosen.space,
            period=rest,
            state=State.OFFERED,
            distance_m=chosen.distance_m,
            walk_s=walk_s(chosen.distance_m),
            expires_at=now + OFFER_LASTS_S,
            accepted_booking=None,
            changed_at=now,
        )
        await claims.take(
            tx, kind=Kind.STANDBY, holder=standby.id, space=standby.space, period=rest, now=now,
            expires_at=standby.expires_at,
        )  # fmt: skip
        await rows.add(tx, standby)
        space = await self._space(tx, standby.space)
        fact = {
            "standby": standby.id, "booking": booking.id, "home_space": home.id,
            "space": {
                "id": space.id, "name": space.name, "address": space.address,
                "position": {"lat": space.place.lat, "lon": space.place.lon},
                "seal_key": to_base64url(space.seal_key),
            },
            "period": _wire(rest), "distance_m": round(standby.distance_m), "walk_s": standby.walk_s,
            "expires_at": to_rfc3339(standby.expires_at),
        }  # fmt: skip
        await self._outbox.append(tx, install_audience(home.install), "standby.offered", fact)
        await self._outbox.append(tx, account_audience(home.account), "standby.offered", fact)

    async def _accept(
        self, tx: Tx, standby: Standby, *, booking: str, sealed_plate: bytes
    ) -> tuple[Standby, Booking, Space]:
        if standby.live and standby.accepted_booking == booking:
            found = await self._bookings.get_with_space(tx, booking)
            if found is not None and found[0].sealed_plate == sealed_plate:
                return standby, *found
        if standby.state is not State.OFFERED:
            raise Problem(STANDBY_OVER)
        space = await self._space(tx, standby.space)
        added = await self._bookings.book_held(
            tx,
            standby=standby.id,
            account=standby.account,
            booking=booking,
            space=space,
            period=standby.period,
            sealed_plate=sealed_plate,
        )
        if added is None:
            raise Problem(STANDBY_OVER)
        accepted = replace(standby, state=State.ACCEPTED, accepted_booking=booking, changed_at=self._clock.now())
        await self._write(tx, accepted)
        return accepted, added, space

    async def _decline(self, tx: Tx, standby: Standby) -> Standby:
        if standby.state is State.DECLINED:
            return standby
        if standby.state is not State.OFFERED:
            raise Problem(STANDBY_OVER)
        return await self._end(tx, standby, State.DECLINED)

    async def _end(self, tx: Tx, standby: Standby, state: State) -> Standby:
        """Give the held space back."""
        await claims.release(tx, Kind.STANDBY, standby.id)
        ended = replace(standby, state=state, changed_at=self._clock.now())
        await self._write(tx, ended)
        return ended

    async def _write(self, tx: Tx, standby: Standby) -> None:
        await rows.change(
            tx, standby.id, state=standby.state, accepted_booking=standby.accepted_booking,
            changed_at=standby.changed_at,
        )  # fmt: skip
        fact: dict[str, Any] = {"standby": standby.id, "home_space": standby.home_space, "state": standby.state}
        if standby.accepted_booking is not None:
            fact |= {"booking": standby.accepted_booking, "space": standby.space, "period": _wire(standby.period)}
        await self._outbox.append(tx, install_audience(standby.install), "standby.ended", fact)
        await self._outbox.append(tx, account_audience(standby.account), "standby.ended", fact)

    async def _booking_changed(self, tx: Tx, booking: Booking, cause: Cause) -> None:
        """Follow the two bookings of a standby: the renter's on the owner's space, and the owner's on the found one."""
        if not booking.live:
            for standby in await rows.of_booking(tx, booking.id):
                if standby.state is State.OFFERED:
                    await self._end(tx, standby, State.CANCELED)
        mine = await rows.accepted_as(tx, booking.id)
        if mine is None or not mine.live:
            return
        if not booking.live:
            # what was booked has had its use; what was only accepted never came to be
            used = mine.state is State.BOOKED and cause is not Cause.GRANT_REFUSED
            over = State.EXPIRED if used else State.CANCELED
            await self._write(tx, replace(mine, state=over, changed_at=self._clock.now()))
            if cause is Cause.GRANT_REFUSED:
                await self._find_another(tx, mine)
        elif mine.state is State.ACCEPTED and booking.standing.state is not BookingState.PENDING:
            await self._write(tx, replace(mine, state=State.BOOKED, changed_at=self._clock.now()))

    async def _find_another(self, tx: Tx, standby: Standby) -> None:
        """The other house said no: the owner still stands in front of a taken space."""
        blocking = await self._bookings.get_with_space(tx, standby.booking)
        if blocking is not None and blocking[0].live and blocking[0].period.contains(self._clock.now()):
            await self._find_for(tx, blocking[1], blocking[0])

    async def _tell_none(self, tx: Tx, home: Space, booking: Booking, reason: str) -> None:
        fact = {"booking": booking.id, "home_space": home.id, "reason": reason}
        await self._outbox.append(tx, install_audience(home.install), "standby.none", fact)
        await self._outbox.append(tx, account_audience(home.account), "standby.none", fact)

    async def _own(
        self, tx: ReadTx, standby: str, *, account: str | None = None, install: str | None = None
    ) -> Standby:
        found = await rows.get(tx, standby)
        if found is None or (account or found.account) != found.account or (install or found.install) != found.install:
            raise Problem(NOT_FOUND, "You have no such standby.")
        return found

    async def _space(self, tx: ReadTx, space: str) -> Space:
        found = await self._spaces.get(tx, space)
        if found is None:
            raise RuntimeError("a standby without its space")  # the foreign key forbids it
        return found


def _wire(period: Period) -> dict[str, str]:
    return {"start": to_rfc3339(period.start), "end": to_rfc3339(period.end)}
