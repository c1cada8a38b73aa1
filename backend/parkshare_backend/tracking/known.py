"""Which fences are open for an account, remembered for a moment: phones report often, bookings rarely change.

What is remembered is dropped when the account is told something (every change of a booking tells its renter and the
owner of its space), when a space of a fence is published anew, on whichever server on the database that happens, and
after LIFE_S in any case.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.service import EARLY_S, LATE_S
from parkshare_backend.spaces.service import Space
from parkshare_backend.store.bus import Bus
from parkshare_backend.store.engine import Tx
from parkshare_backend.store.outbox import Outbox, account_audience
from parkshare_backend.tracking.fence import FencePolicy, FenceState

LIFE_S = 60.0  # words of other servers may get lost; the outbox notices within a second, this is the last resort
MAX_KNOWN = 20_000  # accounts; the one that reported longest ago makes room
RENTER_HORIZON_S = 60.0  # the camera needs no longer to wake
OWNER_HORIZON_S = 600.0  # the earlier an owner's return is known, the more standbys can be found
TOPIC = "space-published"


@dataclass(frozen=True, slots=True)
class Fence:
    """One fence that is watched for an account, from opens_at until closes_at (UTC epoch seconds).

    forgotten_at is when nothing needs its state any more.
    """

    key: str  # renter:<booking> or owner:<booking>
    booking: Booking
    space: Space
    policy: FencePolicy
    owner: bool
    opens_at: int
    closes_at: int
    forgotten_at: float


def fence_of(booking: Booking, space: Space, *, owner: bool) -> Fence:
    """Draw the fence of a booking: the renter's from half an hour before it, the owner's while it lasts."""
    horizon_s = OWNER_HORIZON_S if owner else RENTER_HORIZON_S
    return Fence(
        key=f"{'owner' if owner else 'renter'}:{booking.id}",
        booking=booking,
        space=space,
        policy=FencePolicy(centre=space.place, range_m=space.range_m, horizon_s=horizon_s),
        owner=owner,
        opens_at=booking.period.start - (0 if owner else EARLY_S),
        closes_at=booking.period.end + (0 if owner else LATE_S),
        forgotten_at=booking.period.end + LATE_S,
    )


@dataclass(slots=True)
class Known:
    """The fences of one account, and how they stood when they were read."""

    fences: tuple[Fence, ...] = ()
    states: dict[str, FenceState] = field(default_factory=dict)
    until: float = 0.0
    dropped: bool = False
    forgotten_at: float = 0.0  # when nothing needs the states of the fences any more that `open` gave last
    _open: tuple[Fence, ...] = ()
    _since: float = math.inf  # from then until _changes_at the same fences are open
    _changes_at: float = -math.inf

    def open(self, now: float) -> tuple[Fence, ...]:
        """Give the fences that are open."""
        if not self._since <= now < self._changes_at:  # a clock may also be put back
            self._open = tuple(fence for fence in self.fences if fence.opens_at <= now < fence.closes_at)
            turns = [at for fence in self.fences for at in (fence.opens_at, fence.closes_at) if at > now]
            self._since, self._changes_at = now, min(turns, default=math.inf)
            self.forgotten_at = max((fence.forgotten_at for fence in self._open), default=0.0)
        return self._open


class KnownFences:
    """The fences of the accounts that reported lately."""

    def __init__(self, *, outbox: Outbox, bus: Bus) -> None:
        self._outbox = outbox
        self._bus = bus
        self._known: OrderedDict[str, tuple[Known, Callable[[], None]]] = OrderedDict()
        bus.subscribe(TOPIC, self._published)
        bus.on_missed(self._clear)

    def get(self, account: str, now: float) -> Known | None:
        """Give what is known of an account."""
        found = self._known.get(account)
        return found[0] if found is not None and now < found[0].until else None

    def begin(self, account: str) -> Known:
        """Listen for changes from now on: call it before you look into the database, then `keep`."""
        self._drop(account)
        known = Known()

        def changed() -> None:
            known.dropped = True
            known.until = 0.0

        self._known[account] = known, self._outbox.listen(account_audience(account), changed)
        while len(self._known) > MAX_KNOWN:
            self._drop(next(iter(self._known)))
        return known

    def keep(self, known: Known, fences: tuple[Fence, ...], states: dict[str, FenceState], *, now: float) -> None:
        """Remember what was read, unless something changed meanwhile."""
        known.fences, known.states = fences, states
        known.until = 0.0 if known.dropped else now + LIFE_S

    def sweep(self, now: float) -> None:
        """Forget whom nobody asked for in a while."""
        for account in [account for account, (known, _) in self._known.items() if known.until <= now]:
            self._drop(account)

    async def space_published(self, tx: Tx, space: str, _address: str) -> None:
        """Drop the fences of a space everywhere once its change is on disk: it may lie elsewhere now."""
        tx.after_commit(lambda: self._bus.publish(TOPIC, space))

    def _published(self, space: str) -> None:
        for known, _ in self._known.values():
            # One that is just being read has no fences yet, and may have read the old place.
            if not known.fences or any(fence.space.id == space for fence in known.fences):
                known.dropped = True
                known.until = 0.0

    def _drop(self, account: str) -> None:
        if (found := self._known.pop(account, None)) is not None:
            found[0].dropped = True
            found[1]()

    def _clear(self) -> None:
        for account in tuple(self._known):
            self._drop(account)
