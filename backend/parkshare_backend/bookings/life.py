"""The one place where bookings come to be and change: state, claim, trail and news in one transaction."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from parkshare_backend.bookings import claims, rows, trail
from parkshare_backend.bookings.claims import Kind
from parkshare_backend.bookings.due import next_look
from parkshare_backend.bookings.facts import change, history, proposal, request_for_owner
from parkshare_backend.bookings.lifecycle import WHO, By, Cause, State, advance
from parkshare_backend.bookings.lookup import BookingLookup
from parkshare_backend.bookings.outcome import after
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.clock import Clock
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.service import Space, Spaces
from parkshare_backend.store.engine import ReadTx, Store, Tx
from parkshare_backend.store.outbox import Fact, Outbox, account_audience, install_audience

type Listener = Callable[[Tx, Booking, Cause], Awaitable[None]]
type Added = Callable[[Tx, Booking, Space], Awaitable[Booking]]
type Adding = Callable[[Tx, Booking, Space], Awaitable[bool]]
type Wished = Callable[[Tx, Booking, Period], Awaitable[None]]
type Instead = Callable[[ReadTx, Booking, Space], Awaitable[list[dict[str, Any]]]]

# After these the renter is told in the same breath what else is free.
_TURNED_AWAY = frozenset({Cause.DECLINED, Cause.LAPSED, Cause.TAKEN_BACK, Cause.GRANT_REFUSED})
_OWNER_SAID_NO = frozenset({Cause.DECLINED, Cause.TAKEN_BACK})
# Words of `booking.changed` that are no cause of the lifecycle, and who is behind them; the others are the house's.
_WHO_ELSE = {"proposed": By.RENTER, "renter-near": By.RENTER, "renter-away": By.RENTER, "change-asked": By.RENTER}
# Where the renter was on the way is told, and not kept.
_PASSING = frozenset({"renter-near", "renter-away"})


class Life(BookingLookup):
    """What happens to bookings, whoever brought it about."""

    def __init__(self, *, store: Store, outbox: Outbox, spaces: Spaces, clock: Clock) -> None:
        super().__init__(store=store, spaces=spaces)
        self._outbox = outbox
        self._clock = clock
        self._listeners: list[Listener] = []
        self._added: list[Added] = []
        self._adding: list[Adding] = []
        self._wished: list[Wished] = []
        self._instead: Instead | None = None

    def on_change(self, listener: Listener) -> None:
        """Call this in the transaction in which the state or the period of a booking changes, after the change."""
        self._listeners.append(listener)

    def on_added(self, call: Added) -> None:
        """Call this in the transaction in which a space gets a new booking; it gives the booking as it is after it."""
        self._added.append(call)

    def on_adding(self, call: Adding) -> None:
        """Call this before a new booking is written; one that it answers False for waits for `proceed`."""
        self._adding.append(call)

    def on_wish(self, call: Wished) -> None:
        """Call this before the house is asked for another period of a booking; it raises Problem if that can't be."""
        self._wished.append(call)

    def on_turned_away(self, instead: Instead) -> None:
        """Ask this what else is free for a renter who does not get the space after all."""
        self._instead = instead

    async def advance(
        self,
        tx: Tx,
        booking: Booking,
        space: Space,
        cause: Cause,
        *,
        at: float | None = None,
        by: By | None = None,
        period: Period | None = None,
        reason: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Booking:
        """Let something happen to a booking, with all that follows: claim, trail, news for house and people, listeners.

        period: the new one of a booking that changes it.

        Raises:
            TransitionRefused: it can't happen in this state, or not through them.

        """
        now = self._clock.now()
        moment, until = now if at is None else at, period or booking.period
        standing = advance(booking.standing, cause, by=by, at=moment, end=until.end)
        if standing == booking.standing and until == booking.period:
            if cause is Cause.ENDED:
                await rows.change(tx, booking.id, due_at=None if booking.period.end <= now else next_look(booking))
            return booking
        instead = await self._for_whom_is_turned_away(tx, booking, space, cause)
        changed = after(booking, standing, cause, until, at=moment)
        await self._claim_as_it_is_now(tx, booking, changed, now=now)
        await rows.keep(tx, changed, due_at=next_look(changed))
        if cause in _OWNER_SAID_NO:
            await rows.refuse_again(tx, changed)
        await self._tell_house(tx, booking, changed, space, cause)
        await self.tell(
            tx, changed, space, cause=cause, by=by, at=moment, reason=reason, more=more, for_renter=instead,
        )  # fmt: skip
        for listener in self._listeners:
            await listener(tx, changed, cause)
        return changed

    async def wish(self, tx: Tx, booking: Booking, space: Space, wanted: Period, *, until: float) -> Booking:
        """Ask the house for another period of a booking; both periods are the renter's until it has answered.

        Raises:
            Problem: SPACE_TAKEN.

        """
        for call in self._wished:
            await call(tx, booking, wanted)
        both = Period(min(booking.period.start, wanted.start), max(booking.period.end, wanted.end))
        await self._claim(tx, booking, both)
        changed = replace(booking, wanted=wanted, answer_until=until, revision=booking.revision + 1)
        await rows.keep(tx, changed, due_at=next_look(changed))
        await self._outbox.append(tx, install_audience(space.install), "booking.changed", proposal(changed, space))
        await self.tell(tx, changed, space, cause="change-asked")
        return changed

    async def drop_wish(self, tx: Tx, booking: Booking, space: Space, *, by: By, reason: str) -> Booking:
        """Leave the period as it was: the house said no to another one, or nothing."""
        await self._claim(tx, booking, booking.period)
        changed = replace(booking, wanted=None, answer_until=None, revision=booking.revision + 1)
        await rows.keep(tx, changed, due_at=next_look(changed))
        # A house that took the wish in and was not heard must know that it is off.
        await self._outbox.append(tx, install_audience(space.install), "booking.changed", proposal(changed, space))
        instead = None
        if self._instead is not None and booking.wanted is not None and booking.wanted.end > booking.period.end:
            rest = replace(booking, period=Period(booking.period.end, booking.wanted.end))
            instead = {"alternatives": await self._instead(tx, rest, space)}
        await self.tell(tx, changed, space, cause="change-refused", by=by, reason=reason, for_renter=instead)
        return changed

    async def proceed(self, tx: Tx, booking: Booking, space: Space, *, cause: str) -> Booking:
        """Tell the house, or the owner, of a booking that waited for its payment."""
        changed = replace(booking, unpaid=False)
        await rows.keep(tx, changed, due_at=next_look(changed))
        await self.tell(tx, changed, space, cause=cause, by=By.SERVER, for_house=_proposed(changed, space))
        return changed

    async def note(
        self,
        tx: Tx,
        booking: Booking,
        space: Space,
        *,
        cause: str,
        more: Mapping[str, Any] | None = None,
        for_renter: Mapping[str, Any] | None = None,
    ) -> None:
        """Write what changed beside the state of a booking, and tell people."""
        await rows.note(tx, booking)
        await self.tell(tx, booking, space, cause=cause, more=more, for_renter=for_renter)

    async def tell(
        self,
        tx: Tx,
        booking: Booking,
        space: Space,
        *,
        cause: str,
        by: By | None = None,
        at: float | None = None,
        reason: str | None = None,
        more: Mapping[str, Any] | None = None,
        for_renter: Mapping[str, Any] | None = None,
        for_house: Sequence[Fact] = (),
        first: bool = False,
    ) -> None:
        """Write what happened into the trail and tell both sides; `more` says it closer, `for_renter` to one only.

        for_house: what the house is told in the same breath.
        """
        if cause not in _PASSING:
            who = by or (WHO[cause][0] if isinstance(cause, Cause) else _WHO_ELSE.get(cause, By.HOUSE))
            when = self._clock.now() if at is None else at
            said = history(booking, reason=reason, more=more or {})
            await trail.write(tx, booking.id, at=when, cause=str(cause), by=who, d=said, first=first)
        fact = change(booking, cause=str(cause), reason=reason, more=more or {})
        told = {space.account: fact, booking.account: {**fact, **(for_renter or {})}}
        people = [Fact(account_audience(account), "booking.changed", d) for account, d in told.items()]
        await self._outbox.append_all(tx, [*for_house, *people])

    async def propose_again(self, tx: Tx, space: Space) -> None:
        """Tell the live bookings of a space to the house that took it over; what was said to the old one is lost."""
        for booking in await rows.live_on_spaces(tx, [space.id]):
            await self._outbox.append_all(tx, _proposed(booking, space))

    async def _add(self, tx: Tx, booking: Booking, space: Space) -> Booking:
        """Write a new booking whose claim is taken, and tell of it."""
        for ask in self._adding:
            if not await ask(tx, booking, space):
                booking = replace(booking, unpaid=True)
        await rows.add(tx, booking, due_at=next_look(booking))
        await self._make_room(tx, booking, booking.period)
        await self.tell(tx, booking, space, cause="proposed", for_house=_proposed(booking, space), first=True)
        for call in self._added:
            booking = await call(tx, booking, space)
        return booking

    async def _tell_house(self, tx: Tx, before: Booking, booking: Booking, space: Space, cause: Cause) -> None:
        if booking.unpaid:
            return
        if cause is Cause.APPROVED:
            await self._outbox.append_all(tx, _proposed(booking, space))
        elif cause is Cause.SHORTENED:
            await self._outbox.append(tx, install_audience(space.install), "booking.changed", proposal(booking, space))
        elif booking.revision > before.revision:
            reason = {Cause.CANCELED: "renter", Cause.TAKEN_BACK: "owner", Cause.DECLINED: "owner"}
            await self._withdraw(tx, booking, space, reason=reason.get(cause, "unanswered"))

    async def _withdraw(self, tx: Tx, booking: Booking, space: Space, *, reason: str) -> None:
        fact = {"booking": booking.id, "space": space.id, "revision": booking.revision, "reason": reason}
        await self._outbox.append(tx, install_audience(space.install), "booking.canceled", fact)

    async def _for_whom_is_turned_away(
        self, tx: Tx, booking: Booking, space: Space, cause: Cause
    ) -> dict[str, Any] | None:
        """Look for other spaces as long as the booking lives: afterwards its renter may not know where it is."""
        if cause not in _TURNED_AWAY or self._instead is None or not booking.waiting:
            return None
        return {"alternatives": await self._instead(tx, booking, space)}

    async def _claim_as_it_is_now(self, tx: Tx, before: Booking, booking: Booking, *, now: float) -> None:
        """Bring the claim, and what the house keeps of a car that has not come, in line with a changed booking."""
        if before.standing.state is State.NO_SHOW:
            await rows.forget_no_show(tx, booking.id)
        if before.live and not booking.live:
            await claims.release(tx, Kind.BOOKING, booking.id)
        elif booking.live and not before.live:
            await self._claim_again(tx, booking, now=now)
        elif before.period != booking.period or (before.wanted and not booking.wanted):
            await self._claim(tx, booking, booking.period)
        if booking.standing.state is State.NO_SHOW and now < booking.period.end:
            await rows.keep_no_show(tx, booking)

    async def _claim(self, tx: Tx, booking: Booking, period: Period) -> None:
        await claims.release(tx, Kind.BOOKING, booking.id)
        await claims.take(
            tx, kind=Kind.BOOKING, holder=booking.id, space=booking.space, period=period, now=self._clock.now()
        )
        await self._make_room(tx, booking, period)

    async def _claim_again(self, tx: Tx, booking: Booking, *, now: float) -> None:
        """Take what is left of the period for a car that stands there after all.

        What is told late about a period that is over takes nothing from anybody. Nor does a car that comes when
        somebody else has the time by now: that it stands there is a fact, and the other one's right stays theirs.
        """
        rest = Period(max(booking.period.start, int(now)), booking.period.end)
        if rest.end <= now or await claims.taken(tx, {booking.space}, rest, now=now):
            return
        await claims.take(tx, kind=Kind.BOOKING, holder=booking.id, space=booking.space, period=rest, now=now)

    async def _make_room(self, tx: Tx, new: Booking, period: Period) -> None:
        """Tell the house that a car which has not come has lost its right: its time is somebody else's now."""
        for missed in await rows.no_shows_on(tx, new.space, now=self._clock.now()):
            if missed.id == new.id or not missed.period.overlaps(period):
                continue
            lost = replace(missed, revision=missed.revision + 1)
            await rows.forget_no_show(tx, lost.id)
            await rows.keep(tx, lost, due_at=None)
            await self._withdraw(tx, lost, await self._space_of(tx, lost), reason="no-show")


def _proposed(booking: Booking, space: Space) -> list[Fact]:
    """Give what the house is told of a booking that is new to it: nothing before it is paid."""
    house = install_audience(space.install)
    if booking.unpaid:
        return []
    if booking.standing.waits_for_owner:
        # Only for a notice to the owner: the house decides nothing before they have.
        return [Fact(house, "booking.asked", request_for_owner(booking, space))]
    return [Fact(house, "booking.proposed", proposal(booking, space))]
