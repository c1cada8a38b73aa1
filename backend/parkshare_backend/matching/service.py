"""Finding free spaces: the index proposes, windows and claims decide, the policy orders."""

from collections.abc import Collection, Iterator

from parkshare_backend.bookings import claims
from parkshare_backend.bookings.periods import period_faults
from parkshare_backend.clock import Clock
from parkshare_backend.http.problems import INVALID_REQUEST, FieldProblem, Problem
from parkshare_backend.matching.models import RADIUS_M, Offer, OfferedSpace, SearchRequest, SearchResult
from parkshare_backend.matching.policy import Candidate, Chance, Ranked, rank
from parkshare_backend.spaces.geometry import Point, area_of, distance_m
from parkshare_backend.spaces.models import PeriodAnswer, PointAnswer, PriceAnswer, SizeAnswer
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.service import Space, Spaces
from parkshare_backend.spaces.sizes import Size, fits
from parkshare_backend.store.engine import ReadTx, Store

FIRST_RING_M = 100.0
AREA_ERROR_M = 80.0  # a place lies at most half the diagonal of its cell (111 m by 111 m) from its area
RING_GROWTH = 2.0  # looking at the whole radius at once is 10 to 100 times slower where spaces are dense


class Matching:
    """Answers searches."""

    def __init__(self, *, store: Store, spaces: Spaces, clock: Clock, chance: Chance) -> None:
        self._store = store
        self._spaces = spaces
        self._clock = clock
        self._chance = chance

    async def search(self, account: str, request: SearchRequest) -> SearchResult:
        """Give the nearest spaces that are free for the whole period, never the caller's own."""
        period = request.period.period()
        faults = period_faults(period, now=self._clock.now())
        if faults:
            raise Problem(INVALID_REQUEST, errors=tuple(FieldProblem(fault.pointer, fault.detail) for fault in faults))
        centre = Point(request.place.lat, request.place.lon)
        car = request.vehicle.size() if request.vehicle else None
        async with self._store.read() as tx:
            offers = await self.offers(
                tx, account, centre, period, car=car, radius_m=request.radius_m, limit=request.limit
            )
        return SearchResult(offers=offers)

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
    ) -> list[Offer]:
        """Give the nearest spaces that are free for the whole period, best first; none of `without`."""
        suitable: list[Space] = []
        for reach_m in rings(radius_m):
            free = await self.free_within(tx, centre, period, radius_m=reach_m + AREA_ERROR_M)
            suitable = [
                space
                for space, _ in free
                if space.account != account
                and space.id not in without
                and (car is None or fits(car, space.size))
                and distance_m(centre, area_of(space.place)) <= reach_m
            ]
            if len(suitable) >= limit:
                break
        spaces = {space.id: space for space in suitable}
        # Measured to the rounded area, the radius too: exact distances from three places would tell the address.
        candidates = [Candidate(space.id, distance_m(centre, area_of(space.place)), space.size) for space in suitable]
        ranked = rank(candidates, car=car, chance=self._chance)[:limit]
        return [_offer(offer, spaces[offer.candidate.space], period) for offer in ranked]

    async def free_within(
        self, tx: ReadTx, centre: Point, period: Period, *, radius_m: float
    ) -> list[tuple[Space, float]]:
        """Give all spaces within the radius that are free for the whole period, with their distances in metres."""
        offered = await self._spaces.offered_near(tx, centre, radius_m, period)
        taken = await claims.taken(tx, [space.id for space, _ in offered], period, now=self._clock.now())
        return [(space, distance) for space, distance in offered if space.id not in taken]


def rings(radius_m: float) -> Iterator[float]:
    """Give growing radii up to the whole: who stops when there are enough never looks at a dense city at once."""
    reach_m = FIRST_RING_M
    while reach_m < radius_m:
        yield reach_m
        reach_m *= RING_GROWTH
    yield radius_m


def _offer(offer: Ranked, space: Space, period: Period) -> Offer:
    return Offer(
        space=OfferedSpace(id=space.id, name=space.name, area=PointAnswer.of(area_of(space.place))),
        period=PeriodAnswer.of(period),
        distance_m=round(offer.candidate.distance_m),
        walk_s=offer.walk_s,
        size=SizeAnswer.of(space.size),
        price=PriceAnswer(amount_minor=space.price_minor, currency=space.currency),
        seal_key=space.seal_key,
        reason=offer.reason,
    )
