"""From fixes to facts: who is near which space. Positions live in memory, and only while a booking needs them."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from parkshare_backend.bookings.lifecycle import Cause
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.service import EARLY_S, LATE_S, Bookings
from parkshare_backend.clock import Clock
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.service import Space
from parkshare_backend.store.engine import Store, Tx
from parkshare_backend.tracking import rows
from parkshare_backend.tracking.fence import FenceEvent, FenceState, Kind, Place, step, tick
from parkshare_backend.tracking.fix import Fix
from parkshare_backend.tracking.known import LIFE_S, Fence, Known, KnownFences, fence_of
from parkshare_backend.tracking.models import FixBody, WrittenFix, WrittenPositions

NOT_NEEDED = "not-needed"  # no booking of the sender is due: the fix is forgotten at once

type Reported = Fix | FixBody

log = structlog.get_logger()


class OwnerNear(Protocol):
    """Who wants to hear that an owner comes home while somebody has their space."""

    async def owner_near(self, tx: Tx, home: Space, *, at: float) -> None:
        """Find a standby if one is needed."""


@dataclass(slots=True)
class Watch:
    """What is remembered of one account: how its open fences stand, and until when that is needed."""

    states: dict[str, FenceState] = field(default_factory=dict)
    closes_at: float = 0.0
    turn: asyncio.Lock | None = None  # one request at a time writes; most accounts hardly ever need one

    @property
    def busy(self) -> bool:
        """Tell whether somebody writes."""
        return self.turn is not None and self.turn.locked()


class Tracking:
    """Watches the fences of live bookings."""

    def __init__(
        self, *, store: Store, bookings: Bookings, standby: OwnerNear, clock: Clock, known: KnownFences
    ) -> None:
        self._known = known
        self._store = store
        self._bookings = bookings
        self._standby = standby
        self._clock = clock
        self._watches: dict[str, Watch] = defaultdict(Watch)
        bookings.on_change(self._booking_changed)

    @property
    def watched(self) -> int:
        """How many accounts something is remembered of."""
        return len(self._watches)

    async def report(self, account: str, fixes: Sequence[Reported]) -> WrittenPositions:
        """Take position reports into account; each that can't be used is named with its reason."""
        now = self._clock.now()
        known = self._known.get(account, now) or await self._look(account, now)
        fences = known.open(now)
        if not fences:
            self._watches.pop(account, None)
            ignored: list[WrittenFix] = [{"index": i, "reason": NOT_NEEDED} for i in range(len(fixes))]
            return {"accepted": 0, "ignored": ignored, "near": []}
        watch = self._watches[account]
        watch.closes_at = known.forgotten_at
        states = {fence.key: watch.states.get(fence.key) or known.states[fence.key] for fence in fences}
        ignored, events = _step_all(fences, states, fixes, now)
        if events or watch.busy:
            ignored, states = await self._written(account, watch, known, fences, fixes)
        else:  # nothing waits, so nobody comes between
            watch.states = states
        near = [fence.booking.id for fence in fences if states[fence.key].near and not fence.owner]
        return {"accepted": len(fixes) - len(ignored), "ignored": ignored, "near": near}

    async def _written(
        self, account: str, watch: Watch, known: Known, fences: Sequence[Fence], fixes: Sequence[Reported]
    ) -> tuple[list[WrittenFix], dict[str, FenceState]]:
        """Take fixes into account that lead to events, each once: they are written before they count."""
        watch.turn = watch.turn or asyncio.Lock()
        async with watch.turn:
            states = {fence.key: watch.states.get(fence.key) or known.states[fence.key] for fence in fences}
            ignored, events = _step_all(fences, states, fixes, self._clock.now())
            if events:
                async with self._store.write() as tx:
                    for fence, event in events:
                        if await rows.add(tx, account, fence.key, event):
                            await self._follow(tx, fence, event)
            # Only now: had the write failed, the next fix must lead to the same events again.
            watch.states = states
        return ignored, states

    async def _booking_changed(self, tx: Tx, booking: Booking, _cause: Cause) -> None:
        """Forget the last fixes for a booking that is over before its time."""
        found = None if booking.live else await self._bookings.get_with_space(tx, booking.id)
        if found is not None:
            watched = ((booking.account, f"renter:{booking.id}"), (found[1].account, f"owner:{booking.id}"))
            tx.after_commit(lambda: self._forget(watched))

    def _forget(self, watched: Iterable[tuple[str, str]]) -> None:
        for account, fence in watched:
            watch = self._watches.get(account)
            if watch is not None and watch.states.pop(fence, None) is not None and not watch.states:
                del self._watches[account]

    async def sweep(self, now: float) -> None:
        """Forget the last fixes of everybody whose bookings are over."""
        self._known.sweep(now)
        over = [account for account, watch in self._watches.items() if watch.closes_at <= now and not watch.busy]
        for account in over:
            del self._watches[account]
        if over:
            async with self._store.write() as tx:
                await rows.forget_old(tx, now)

    async def _look(self, account: str, now: float) -> Known:
        """Look up the fences of the account that are open now or soon: what it rents, what it owns and others have."""
        known, begun = self._known.begin(account), int(now)
        soon = begun + int(LIFE_S) + 1
        async with self._store.read() as tx:
            rented = await self._bookings.live_of_renter(tx, account, Period(begun - LATE_S, soon + EARLY_S))
            lent = await self._bookings.live_on_own(tx, account, Period(begun, soon))
            fences = tuple(fence_of(booking, space, owner=False) for booking, space in rented) + tuple(
                fence_of(booking, space, owner=True) for booking, space in lent
            )
            states = {fence.key: await rows.restore(tx, account, fence.key) for fence in fences}
        self._known.keep(known, fences, states, now=now)
        return known

    async def _follow(self, tx: Tx, fence: Fence, event: FenceEvent) -> None:
        arrives = event.kind in (Kind.ENTERED, Kind.APPROACHING)
        leaves = event.kind in (Kind.LEFT, Kind.APPROACH_LOST)
        log.info("tracking.fence", booking=fence.booking.id, kind=event.kind, owner=fence.owner)
        if fence.owner:
            if arrives:
                await self._standby.owner_near(tx, fence.space, at=event.at)
            return
        found = await self._bookings.get_with_space(tx, fence.booking.id)
        if found is None or not found[0].live:  # it ended between our look and this write
            return
        if arrives:
            await self._bookings.renter_near(tx, *found, at=event.at, source="position")
        elif leaves:
            await self._bookings.renter_away(tx, *found, at=event.at)


def _step_all(
    fences: Sequence[Fence], states: dict[str, FenceState], fixes: Sequence[Reported], received_at: float
) -> tuple[list[WrittenFix], list[tuple[Fence, FenceEvent]]]:
    """Take every fix through every fence; `states` is changed. A fix is ignored if it moved no fence."""
    ignored: list[WrittenFix] = []
    events: list[tuple[Fence, FenceEvent]] = []
    for fence in fences:
        if (state := states[fence.key]).place is Place.OUTSIDE:
            continue  # to a phone outside silence means nothing
        silent = tick(state, now=received_at, policy=fence.policy)
        states[fence.key] = silent.state
        events += [(fence, event) for event in silent.events]
    for index, report in enumerate(fixes):
        fix = report if isinstance(report, Fix) else report.as_fix()
        fix.received_at = received_at
        moved, why = False, None
        for fence in fences:
            done = step(states[fence.key], fix, fence.policy)
            states[fence.key] = done.state
            if done.events:
                events += [(fence, event) for event in done.events]
            if done.ignored is None:
                moved = True
            else:
                why = why or done.ignored
        if why is not None and not moved:
            ignored.append({"index": index, "reason": why})
    return ignored, events
