"""Keeping a space for somebody who decides: a claim like any other, which ends by itself after a few minutes."""

import structlog

from parkshare_backend.bookings.service import ID_REUSED, Bookings
from parkshare_backend.bookings.terms_wire import TermsAnswer
from parkshare_backend.clock import Clock, new_id
from parkshare_backend.holds import rows
from parkshare_backend.holds.models import HoldAnswer, HoldRequest
from parkshare_backend.holds.rows import Hold
from parkshare_backend.http.problems import NOT_FOUND, Problem, define
from parkshare_backend.money.models import QuoteAnswer
from parkshare_backend.money.pricing import Pricing
from parkshare_backend.spaces.models import PeriodAnswer
from parkshare_backend.spaces.service import Space
from parkshare_backend.spaces.sizes import Size
from parkshare_backend.store.engine import ReadTx, Store, Tx

HOLD_S = 5 * 60.0
AT_ONCE = 3  # live holds of one account: enough to compare, too few to empty a street
SWEEP_BATCH = 200

TOO_MANY_HOLDS = define(
    "too-many-holds", 409, "Too many holds at once",
    f"An account keeps at most {AT_ONCE} spaces at a time. Give one back, book it, or wait until one has expired.",
)  # fmt: skip

log = structlog.get_logger()


class Holds:
    """The holds of all accounts."""

    def __init__(self, *, store: Store, bookings: Bookings, pricing: Pricing, clock: Clock) -> None:
        self._store = store
        self._bookings = bookings
        self._pricing = pricing
        self._clock = clock

    async def hold(self, account: str, request: HoldRequest) -> tuple[HoldAnswer, bool]:
        """Keep a space; the last of the answer is false if the same request was answered before."""
        period = request.period.period()
        car = request.vehicle.size() if request.vehicle else Size()
        async with self._store.write() as tx:
            now = self._clock.now()
            known = await rows.get(tx, request.id) if request.id else None
            if known is not None and (known.account, known.space, known.period) != (account, request.space, period):
                raise Problem(
                    ID_REUSED, "A hold with this id is of another space or period. Make a new id.", pointer="/id"
                )
            self._bookings.check_period(period)
            space = await self._bookings.bookable(tx, account, space=request.space, period=period, car=car)
            if known is not None and known.expires_at > now:
                return await self._answer(tx, known, space), False
            await self._make_room(tx, account, now)
            hold = Hold(
                id=request.id or new_id(), account=account, space=space.id, period=period, expires_at=now + HOLD_S
            )
            await rows.add(tx, hold, now=now)
            return await self._answer(tx, hold, space), True

    async def give_back(self, account: str, hold: str) -> None:
        """End a hold before its time; the space is free for others at once."""
        async with self._store.write() as tx:
            found = await rows.get(tx, hold)
            if found is None or found.account != account:
                raise Problem(NOT_FOUND, "You have no such hold: it was used, given back, or has expired.")
            await rows.drop(tx, found.id)

    async def sweep(self, now: float) -> int:
        """Delete the holds whose time is over; nobody has counted them since."""
        async with self._store.read() as tx:
            if not await rows.expired(tx, now, limit=1):
                return 0
        async with self._store.write() as tx:
            over = await rows.expired(tx, now, limit=SWEEP_BATCH)
            for hold in over:
                await rows.drop(tx, hold.id)
        log.info("holds.swept", expired=len(over))
        return len(over)

    async def _make_room(self, tx: Tx, account: str, now: float) -> None:
        live = 0
        for hold in await rows.of_account(tx, account):
            if hold.expires_at > now:
                live += 1
            else:
                await rows.drop(tx, hold.id)
        if live >= AT_ONCE:
            raise Problem(TOO_MANY_HOLDS)

    async def _answer(self, tx: ReadTx, hold: Hold, space: Space) -> HoldAnswer:
        quoted = self._pricing.quote(space.price_minor, space.currency, hold.period)
        (short_by,) = await self._pricing.lacking(tx, hold.account, [quoted])
        return HoldAnswer(
            id=hold.id,
            space=hold.space,
            period=PeriodAnswer.of(hold.period),
            expires_at=hold.expires_at,
            quote=QuoteAnswer.of(quoted, short_by_minor=short_by),
            terms=TermsAnswer.of(space.terms),
        )
