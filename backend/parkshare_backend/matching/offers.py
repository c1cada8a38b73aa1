"""From what the index found to what people are shown: candidates for the policy, and offers."""

from collections.abc import Iterable
from dataclasses import dataclass

from parkshare_backend.bookings.terms_wire import TermsAnswer
from parkshare_backend.matching.index import Found, Wanted
from parkshare_backend.matching.models import BecauseAnswer, Offer, OfferedSpace
from parkshare_backend.matching.policy import Candidate, Chance, Part, Ranked, rank
from parkshare_backend.money.models import QuoteAnswer
from parkshare_backend.spaces.models import PeriodAnswer, PlugAnswer, PointAnswer, PriceAnswer, SizeAnswer
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.plugs import Plug
from parkshare_backend.spaces.sizes import Size


@dataclass(frozen=True, slots=True)
class Choice:
    """A space that somebody may choose, the period for which it is free, and why it stands where it stands."""

    found: Found
    period: Period
    ranked: Ranked


def ranked(
    free: Iterable[tuple[Found, Period]], wanted: Wanted, *, chance: Chance, welcome: Plug | None
) -> list[Choice]:
    """Put free spaces in order, best first."""
    by_space = {found.space: (found, period) for found, period in free}
    candidates = [_candidate(found, period, wanted) for found, period in by_space.values()]
    car = wanted.car if wanted.car != Size() else None
    placed = rank(candidates, car=car, chance=chance, wish=welcome or wanted.plug)
    return [Choice(*by_space[one.candidate.space], one) for one in placed]


def offer(choice: Choice, quote: QuoteAnswer) -> Offer:
    """Write an offer: of where the space is, nothing but its area."""
    found, candidate = choice.found, choice.ranked.candidate
    return Offer(
        space=OfferedSpace(id=found.space, name=found.name, area=PointAnswer.of(found.area)),
        period=PeriodAnswer.of(choice.period),
        partial=not candidate.whole,
        distance_m=round(found.distance_m),
        farther_m=round(candidate.farther_m),
        walk_s=choice.ranked.walk_s,
        size=SizeAnswer.of(found.size),
        plug=PlugAnswer.of(found.plug),
        price=PriceAnswer(amount_minor=found.price_minor, currency=found.currency),
        quote=quote,
        terms=TermsAnswer.of(found.terms),
        seal_key=found.seal_key,
        reason=choice.ranked.reason,
        because=[BecauseAnswer.of(one) for one in choice.ranked.because],
    )


def _candidate(found: Found, period: Period, wanted: Wanted) -> Candidate:
    asked = wanted.period
    part = Part.WHOLE if period == asked else Part.FIRST if period.start == asked.start else Part.LAST
    return Candidate(
        found.space,
        found.distance_m,
        found.size,
        price_minor=found.price_minor,
        currency=found.currency,
        plug=found.plug,
        farther_m=max(0.0, found.distance_m - wanted.radius_m),
        part=part,
        free_s=period.end - period.start,
        asked_s=asked.end - asked.start,
    )
