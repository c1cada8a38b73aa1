"""The fence of one space for one phone: which fixes count, and when the phone went in or out.

Pure: standard library only. One entry point, step(), for a fix, and tick() for silence. The rules and their
figures were compared with those of OwnTracks, Home Assistant, ArcGIS and Google; benchmarks/fence.py repeats
the comparison. A phone's position is a hint for the house, never an authority.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from parkshare_backend.spaces.geometry import METRES_PER_DEGREE, Point, distance_m
from parkshare_backend.tracking.approach import Approach, follow
from parkshare_backend.tracking.fix import Clock, Fix

# A reported accuracy is the 68 % radius of a two-dimensional error; 1.515 times that is its standard deviation
# seen along one direction, inverted.
RADIUS_TO_SIGMA = 1.515
_FAR = 10.0  # accuracies


@dataclass(frozen=True, slots=True, kw_only=True)
class FencePolicy:
    """One fence and the rules for it. Lengths in metres, times in seconds, speed in metres per second."""

    centre: Point
    range_m: float = 80.0
    exit_margin_m: float = 50.0
    max_accuracy_m: float = 150.0
    min_accuracy_m: float = 5.0  # phones claim better; buildings say otherwise
    teleport_speed_ms: float = 70.0  # faster than any car we admit
    future_tolerance_s: float = 60.0
    max_age_s: float = 120.0
    sure: float = 0.95  # one such fix is enough to be in
    likely: float = 0.5  # two such fixes are
    vote_lasts_s: float = 180.0
    exit_fixes: int = 2
    exit_after_s: float = 60.0
    far_factor: float = 5.0  # beyond this many ranges one fix is enough to be out
    stale_after_s: float = 900.0
    horizon_s: float = 60.0  # an ETA below this is an approach


class Place(StrEnum):
    """Where the phone is, as far as its fixes tell."""

    OUTSIDE = "outside"
    INSIDE = "inside"
    LEAVING = "leaving"  # seen beyond the exit range, not yet long enough
    STALE = "stale"  # was inside, and has been silent since; not an exit


class Kind(StrEnum):
    """What can happen at a fence."""

    ENTERED = "entered"
    LEFT = "left"
    STALE = "stale"
    APPROACHING = "approaching"
    APPROACH_LOST = "approach-lost"


class Ignored(StrEnum):
    """Why a fix moves nothing."""

    MOCK = "mock"
    FUTURE = "future"
    NOT_NEWER = "not-newer"
    OLD = "old"
    INACCURATE = "inaccurate"
    TELEPORT = "teleport"


@dataclass(frozen=True, slots=True)
class FenceEvent:
    """A transition; seq counts the transitions of this fence, so that each is told once."""

    kind: Kind
    at: float
    seq: int


@dataclass(slots=True)  # not frozen, though nobody changes one: to make a frozen one takes three times as long
class Spot:
    """A fix that was believed: our time, place, and accuracy in metres."""

    at: float
    lat: float
    lon: float
    radius_m: float


@dataclass(frozen=True, slots=True)
class Vote:
    """A first sign of being inside; by_position is false if only the phone's own fence said so."""

    at: float
    by_position: bool


@dataclass(slots=True)  # as Spot
class FenceState:
    """What the machine remembers of one phone and one fence."""

    place: Place = Place.OUTSIDE
    clock: Clock = Clock()  # noqa: RUF009 - immutable
    newest_at: float = -math.inf  # of every fix that was believed or put in quarantine
    anchor: Spot | None = None  # the last fix that was believed
    quarantined: Spot | None = None  # the last fix that would have needed a teleport
    vote: Vote | None = None
    leaving: tuple[float, int] | None = None  # since when, and how many fixes said so
    approach: Approach = Approach()  # noqa: RUF009 - immutable
    seq: int = 0

    @property
    def inside(self) -> bool:
        """Tell whether the phone counts as near: silence and a first sign of leaving don't end that."""
        return self.place is not Place.OUTSIDE

    @property
    def near(self) -> bool:
        """Tell whether the phone is inside, or will be soon."""
        return self.place is not Place.OUTSIDE or self.approach.announced


@dataclass(slots=True)  # as Spot
class Step:
    """What one fix led to."""

    state: FenceState
    events: tuple[FenceEvent, ...] = ()
    ignored: Ignored | None = None


def probability_inside(distance: float, radius_m: float, policy: FencePolicy) -> float:
    """Give the probability that the phone is within the range, for a normal error along the line to the centre."""
    z = RADIUS_TO_SIGMA * (policy.range_m - distance) / max(radius_m, policy.min_accuracy_m)
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))


def step(state: FenceState, fix: Fix, policy: FencePolicy) -> Step:
    """Take one fix into account. Fixes may come late, twice, from wrong clocks, or from nowhere near the phone."""
    clock, at, heard_at = state.clock, fix.at, fix.received_at
    if fix.sent_at is not None and not fix.mock:
        clock = clock.learn(fix)
    if clock.samples:
        at = clock.correct(at)
    spot = Spot(min(at, heard_at), fix.lat, fix.lon, fix.radius_m)
    ignored = _unusable(state, fix, at, spot, policy)
    if ignored is not None:
        return Step(state if clock is state.clock else replace(state, clock=clock), ignored=ignored)
    if state.anchor is not None and not _believable(state.anchor, state.quarantined, spot, policy):
        state = replace(state, clock=clock, newest_at=spot.at, quarantined=spot)
        return Step(state, ignored=Ignored.TELEPORT)
    if heard_at - spot.at > policy.max_age_s:
        return Step(_moved(state, clock, spot), ignored=Ignored.OLD)
    distance = distance_m(spot, policy.centre)
    if state.place is not Place.OUTSIDE:
        return _step_inside(_moved(state, clock, spot), spot, distance, policy)
    return _step_outside(state, clock, spot, distance, policy, entered=fix.entered)


def _moved(state: FenceState, clock: Clock, spot: Spot) -> FenceState:
    return replace(state, clock=clock, newest_at=spot.at, anchor=spot, quarantined=None)


def _unusable(state: FenceState, fix: Fix, at: float, spot: Spot, policy: FencePolicy) -> Ignored | None:
    """Tell why a fix can't even be put on the track; `at` is its time by our clock."""
    if fix.mock:
        return Ignored.MOCK
    if at > fix.received_at + policy.future_tolerance_s:
        return Ignored.FUTURE
    if spot.at <= state.newest_at:
        return Ignored.NOT_NEWER
    if spot.radius_m > policy.max_accuracy_m:
        return Ignored.INACCURATE
    return None


def tick(state: FenceState, *, now: float, policy: FencePolicy) -> Step:
    """Let time pass without a fix: a phone that fell silent inside is stale, not gone."""
    if state.place not in (Place.INSIDE, Place.LEAVING) or state.anchor is None:
        return Step(state)
    if now - state.anchor.at < policy.stale_after_s:
        return Step(state)
    return _emit(replace(state, place=Place.STALE, leaving=None), Kind.STALE, now)


def _believable(anchor: Spot, quarantined: Spot | None, spot: Spot, policy: FencePolicy) -> bool:
    """Tell whether the phone can have moved there: from the last believed fix, or from one that was not believed.

    A single fix from nowhere (a cached one, a wrong cell) stays in quarantine; a second that agrees with it
    shows that the phone is really there.
    """
    speed_ms = policy.teleport_speed_ms
    # No way is longer than that along the meridian and the parallel as if it were the equator. Most fixes lie that
    # near to the last one, and this takes a fifth of the time of the distance.
    at_most_m = METRES_PER_DEGREE * (abs(anchor.lat - spot.lat) + abs(anchor.lon - spot.lon))
    if at_most_m <= speed_ms * (spot.at - anchor.at) or _reachable(anchor, spot, speed_ms):
        return True
    return quarantined is not None and _reachable(quarantined, spot, speed_ms)


def _reachable(a: Spot, b: Spot, speed_ms: float) -> bool:
    return distance_m(a, b) <= speed_ms * (b.at - a.at) + a.radius_m + b.radius_m


def _step_outside(
    state: FenceState, clock: Clock, spot: Spot, distance: float, policy: FencePolicy, *, entered: bool
) -> Step:
    # So far outside the chance is zero to the last digit, and most fixes are.
    far = distance - policy.range_m > _FAR * max(spot.radius_m, policy.min_accuracy_m)
    chance = 0.0 if far else probability_inside(distance, spot.radius_m, policy)
    by_position = chance >= policy.likely
    vote = state.vote if state.vote and spot.at - state.vote.at <= policy.vote_lasts_s else None
    seconded = vote is not None and (by_position or (entered and vote.by_position))
    if chance >= policy.sure or seconded:
        inside = FenceState(Place.INSIDE, clock, newest_at=spot.at, anchor=spot, seq=state.seq)
        return _emit(inside, Kind.ENTERED, spot.at)
    vote = Vote(spot.at, by_position) if by_position or entered else None
    before = state.approach
    approach = follow(before, at=spot.at, distance_m=distance, range_m=policy.range_m, horizon_s=policy.horizon_s)
    # Made, not replaced: most fixes end here, and `replace` takes more than twice as long.
    state = FenceState(Place.OUTSIDE, clock, spot.at, spot, None, vote, state.leaving, approach, state.seq)
    if approach.announced == before.announced:
        return Step(state)
    return _emit(state, Kind.APPROACHING if approach.announced else Kind.APPROACH_LOST, spot.at)


def _step_inside(state: FenceState, spot: Spot, distance: float, policy: FencePolicy) -> Step:
    exit_m = policy.range_m + policy.exit_margin_m
    surely_m = distance - spot.radius_m
    if surely_m > policy.far_factor * policy.range_m:
        return _leave(state, spot)
    if surely_m > exit_m:
        since, fixes = state.leaving or (spot.at, 0)
        if fixes + 1 >= policy.exit_fixes and spot.at - since >= policy.exit_after_s:
            return _leave(state, spot)
        return Step(replace(state, place=Place.LEAVING, leaving=(since, fixes + 1)))
    if distance < exit_m or state.place is Place.STALE:
        return Step(replace(state, place=Place.INSIDE, leaving=None))
    return Step(state)


def _leave(state: FenceState, spot: Spot) -> Step:
    outside = replace(state, place=Place.OUTSIDE, leaving=None, vote=None, approach=Approach())
    return _emit(outside, Kind.LEFT, spot.at)


def _emit(state: FenceState, kind: Kind, at: float) -> Step:
    seq = state.seq + 1
    return Step(replace(state, seq=seq), (FenceEvent(kind, at, seq),))
