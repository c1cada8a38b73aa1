"""Finding free spaces: the index proposes, the terms of each space decide, the policy orders."""

from collections.abc import Collection
from random import Random as Shuffler
from secrets import SystemRandom
from typing import NamedTuple

from msgspec.structs import replace
from orjson import Fragment

from parkshare_backend.bookings import claims, terms
from parkshare_backend.bookings.periods import period_faults
from parkshare_backend.bookings.rows import refused
from parkshare_backend.clock import Clock, Random
from parkshare_backend.http.problems import INVALID_REQUEST, FieldProblem, Problem
from parkshare_backend.matching.index import ANY_PRICE, Density, Found, Wanted, nearest
from parkshare_backend.matching.models import FARTHEST_M, RADIUS_M, Sought
from parkshare_backend.matching.offers import Offered, WrittenResult, result, written
from parkshare_backend.matching.parts import free_part, useful_s
from parkshare_backend.matching.policy import Chance, Lack, Ranked, rank
from parkshare_backend.money.pricing import Pricing
from parkshare_backend.risk.policy import REACH_S
from parkshare_backend.spaces.geometry import AREA_ERROR_M, Point, area_of, distance_m
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.plugs import Plug
from parkshare_backend.spaces.service import Space, Spaces
from parkshare_backend.spaces.sizes import Size
from parkshare_backend.store.engine import ReadTx, Store

CHOICE = 10  # how many more than asked for are looked at: the nearest is not always the best
WIDER = 4  # how many times more, when terms left too few
MOST = 400
FEW = 3  # with fewer offers than that, partial ones help
FARTHER = 3.0  # how many times the radius a space may be away that is farther than asked for
NEARBY = 200  # how many spaces are given to those who ask for all of a small circle
_ANY_CAR = Size()


class Search(NamedTuple):
    """What is wanted, how many of it, and a plug that would be welcome and is not needed."""

    wanted: Wanted
    limit: int
    welcome: Plug | None = None


class Matching:
    """Answers searches."""

    def __init__(self, *, store: Store, spaces: Spaces, pricing: Pricing, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._spaces = spaces
        self._pricing = pricing
        self._clock = clock
        self._chance = chance
        self._density = Density()

    async def search(self, account: str, sought: Sought) -> WrittenResult:
        """Give the best spaces that are free for the whole period, and partial ones where there are few."""
        period, limit = sought.period, sought.limit
        faults = period_faults(period, now=self._clock.now())
        if faults:
            raise Problem(INVALID_REQUEST, errors=tuple(FieldProblem(fault.pointer, fault.detail) for fault in faults))
        async with self._store.read() as tx:
            wanted = self._wanted(account, sought, without=await refused(tx, account, period))
            search = Search(wanted=wanted, limit=limit, welcome=None if sought.plug_needed else sought.plug)
            whole = await self._whole(tx, search)
            few = sought.flexible and len(whole) < min(FEW, limit)
            partial = await self._partial(tx, search, whole) if few else []
            priced = await self._priced(tx, account, [*whole, *partial], period)
        return result(priced[: len(whole)], priced[len(whole) :])

    async def offers(
        self,
        tx: ReadTx,
        account: str,
        centre: Point,
        period: Period,
        *,
        car: Size | None,
        radius_m: float = RADIUS_M,
        limit: int,
        without: Collection[str] = (),
        flexible: bool = False,
    ) -> list[Offered]:
        """Give the best spaces that are free for the whole period; flexible fills up with partial ones."""
        wanted = Wanted(
            centre=centre, period=period, radius_m=radius_m, account=account, car=car or Size(),
            without={*without, *await refused(tx, account, period)}, clear=self._soon(period),
        )  # fmt: skip
        search = Search(wanted=wanted, limit=limit)
        choices = await self._whole(tx, search)
        if flexible and len(choices) < limit:
            choices = [*choices, *await self._partial(tx, search, choices)][:limit]
        return await self._priced(tx, account, choices, period)

    async def instead_of(
        self,
        tx: ReadTx,
        account: str,
        space: Space,
        period: Period,
        *,
        car: Size | None,
        limit: int,
        centre: Point | None = None,
        without: Collection[str] = (),
    ) -> list[Offered]:
        """Give what somebody could take who cannot have this space as they wished, partial offers last.

        A part of the period on the space itself may be among them. Distances are from the space's area, unless the
        asker knows where it lies and a centre is given.
        """
        near = centre or area_of(space.place)
        return await self.offers(tx, account, near, period, car=car, limit=limit, without=without, flexible=True)

    async def after_refusal(
        self, account: str, space: str, period: Period, *, car: Size | None, limit: int
    ) -> list[Fragment]:
        """Give alternatives to a space that was just refused, as they go into the answer."""
        async with self._store.read() as tx:
            found = await self._spaces.get(tx, space)
            offers = await self.instead_of(tx, account, found, period, car=car, limit=limit) if found else []
        return written(offers)

    async def free_within(
        self, tx: ReadTx, centre: Point, period: Period, *, radius_m: float
    ) -> list[tuple[Space, float]]:
        """Give the spaces within the radius that are free for the whole period, with exact distances in metres."""
        wanted = Wanted(centre=centre, period=period, radius_m=radius_m + AREA_ERROR_M)
        found = await nearest(tx, wanted, count=NEARBY, now=self._clock.now())
        within = {one.space: away for one in found if (away := distance_m(centre, one.place)) <= radius_m}
        spaces = await self._spaces.get_many(tx, within)
        return sorted(((spaces[space], away) for space, away in within.items()), key=lambda one: one[1])

    def _wanted(self, account: str, sought: Sought, *, without: Collection[str]) -> Wanted:
        return Wanted(
            centre=sought.centre,
            period=sought.period,
            radius_m=sought.radius_m,
            account=account,
            car=sought.car or _ANY_CAR,
            most_minor=ANY_PRICE if sought.most_minor is None else sought.most_minor,
            currency=sought.currency,
            plug=sought.plug if sought.plug_needed else None,
            without=without,
            clear=self._soon(sought.period),
        )

    def _soon(self, period: Period) -> bool:
        """Tell whether a car that is in the way now may still be there when the period starts."""
        return period.start <= self._clock.now() + REACH_S

    async def _whole(self, tx: ReadTx, search: Search) -> list[Ranked[Found]]:
        """Give the best spaces that are free for the whole period, in order."""
        found = await self._allowed(tx, search.wanted, count=search.limit + CHOICE)
        return self._best(search, found)

    async def _allowed(self, tx: ReadTx, wanted: Wanted, *, count: int) -> list[Found]:
        """Give the nearest free spaces whose terms allow the period: the same question as the booking asks."""
        now, looked_at = self._clock.now(), count
        while True:
            found = await nearest(tx, wanted, count=looked_at, now=now, density=self._density)
            allowed = _allowing(found, wanted.period, now)
            if len(allowed) >= count or len(found) < looked_at or looked_at >= MOST:
                return allowed[:count]
            looked_at = min(MOST, looked_at * WIDER)

    async def _partial(self, tx: ReadTx, search: Search, whole: list[Ranked[Found]]) -> list[Ranked[Found]]:
        """Give what is nearly what was asked for: farther than the radius, or free for a part of the period."""
        wanted, known = search.wanted, {one.candidate.space for one in whole}
        wider = wanted._replace(radius_m=min(FARTHEST_M, wanted.radius_m * FARTHER))
        free = await self._allowed(tx, wider, count=search.limit + len(known))
        farther = [_nearly(one, wanted.period, wanted) for one in free if one.distance_m > wanted.radius_m]
        for_a_part = await self._for_a_part(tx, search, known | {one.space for one in free})
        return self._best(search, [*farther, *for_a_part])

    async def _for_a_part(self, tx: ReadTx, search: Search, known: Collection[str]) -> list[Found]:
        period, now = search.wanted.period, self._clock.now()
        least = useful_s(period)
        found: dict[str, Found] = {}
        # Whoever is free for a useful part that begins or ends with the period is free for the least of it.
        for end in (Period(period.start, period.start + least), Period(period.end - least, period.end)):
            if least < period.end - period.start:
                nearby = await nearest(tx, search.wanted._replace(period=end), count=search.limit + len(known), now=now)
                found |= {one.space: one for one in nearby if one.space not in known}
        windows = await self._spaces.windows_of(tx, found, period)
        taken = await claims.periods_of(tx, found, period, now=now)
        parts = [(one, free_part(period, windows.get(space, []), taken.get(space, []))) for space, one in found.items()]
        return [
            _nearly(one, part, search.wanted)
            for one, part in parts
            if part is not None and part != period and not terms.faults(one.terms, part, now)
        ]

    def _best(self, search: Search, free: list[Found]) -> list[Ranked[Found]]:
        car = search.wanted.car if search.wanted.car != _ANY_CAR else None
        wish = search.welcome or search.wanted.plug
        return rank(free, car=car, chance=self._chance, wish=wish, most=search.limit)

    async def _priced(self, tx: ReadTx, account: str, choices: list[Ranked[Found]], asked: Period) -> list[Offered]:
        quote = self._pricing.quote
        periods, quotes = [], []
        for choice in choices:
            space = choice.candidate
            period = asked if space.lack is None else space.lack.free
            periods.append(period)
            quotes.append(quote(space.price_minor, space.currency, period))
        lacking = await self._pricing.lacking(tx, account, quotes)
        return list(map(Offered, choices, periods, quotes, lacking, strict=True))


def _allowing(found: list[Found], period: Period, now: float) -> list[Found]:
    """Give the spaces whose terms allow a period; rows that say the same share one object, so few are asked twice."""
    allowing, last, fine = [], None, False
    for one in found:
        if one.terms is not last:
            last = one.terms
            fine = not terms.faults(last, period, now)
        if fine:
            allowing.append(one)
    return allowing


def _nearly(found: Found, free: Period, wanted: Wanted) -> Found:
    """Give a space that is nearly what was asked for, with what it lacks."""
    return replace(found, lack=Lack(free, wanted.period, max(0.0, found.distance_m - wanted.radius_m)))


def shuffler(random: Random) -> Chance:
    """Give what shuffles offers: their order is no secret, and to ask the system for each draw takes twice as long.

    One that was handed in is used itself: a simulation owns all chance.
    """
    return Shuffler(random.randbytes(16)) if isinstance(random, SystemRandom) else random  # noqa: S311
