"""Periods, sizes, places, the order of offers and the choice of a standby: the pure rules of the backend."""

import itertools
from math import cos, dist, radians, sin
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings, strategies as st

from parkshare_backend.bookings.periods import period_faults
from parkshare_backend.matching import policy as matching
from parkshare_backend.matching.parts import free_part, useful_s
from parkshare_backend.spaces.geometry import (
    AREA_ERROR_M,
    NUMBERS_OF_AREA,
    Point,
    area_number,
    area_of,
    distance_m,
    located,
    reach_cm,
    spot_of,
)
from parkshare_backend.spaces.periods import Period, merge
from parkshare_backend.spaces.plugs import Plug
from parkshare_backend.spaces.sizes import Size, fits
from parkshare_backend.standby import policy as standby

NOW = 1_800_000_000
HOUR = 3600
DAY = 24 * HOUR
LARGE = Size(6, 3, 3)


class Bay(NamedTuple):
    """A candidate."""

    space: str
    distance_m: float
    size: Size
    price_minor: int | None = None
    currency: str = ""
    plug: Plug | None = None
    lack: matching.Lack | None = None


lengths = st.one_of(st.none(), st.floats(1, 8))
sizes = st.builds(Size, lengths, lengths, lengths)
points = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))
periods = st.builds(lambda start, length: Period(start, start + length), st.integers(0, 100), st.integers(1, 30))
candidate_lists = st.lists(st.tuples(st.floats(0, 2000), sizes), max_size=15).map(
    lambda rows: [Bay(f"s{i}", distance, size) for i, (distance, size) in enumerate(rows)]
)


@pytest.mark.parametrize(
    ("start", "end", "pointer"),
    [
        (NOW + HOUR, NOW + HOUR, "/period/end"),
        (NOW + HOUR, NOW, "/period/end"),
        (NOW - 61, NOW + HOUR, "/period/start"),
        (NOW, NOW + 299, "/period/end"),
        (NOW, NOW + 14 * DAY + 1, "/period/end"),
        (NOW + 28 * DAY, NOW + 28 * DAY + HOUR, "/period/end"),
    ],
)
def test_an_impossible_period_is_refused_at_its_field_with_a_remedy(start: int, end: int, pointer: str) -> None:
    faults = period_faults(Period(start, end), now=NOW)
    assert [fault.pointer for fault in faults] == [pointer]
    assert "hoose" in faults[0].detail or "book twice" in faults[0].detail


@pytest.mark.parametrize(
    ("start", "end"),
    [(NOW - 60, NOW + HOUR), (NOW, NOW + 300), (NOW, NOW + 14 * DAY), (NOW + 27 * DAY, NOW + 28 * DAY)],
)
def test_the_edges_of_what_can_be_booked_can_be_booked(start: int, end: int) -> None:
    assert period_faults(Period(start, end), now=NOW) == []


@settings(max_examples=100)
@given(st.lists(periods, max_size=10))
def test_merged_windows_hold_the_same_seconds_and_never_touch(given_periods: list[Period]) -> None:
    merged = merge(given_periods)
    seconds = {second for period in given_periods for second in range(period.start, period.end)}
    assert {second for period in merged for second in range(period.start, period.end)} == seconds
    assert all(a.end < b.start for a, b in itertools.pairwise(merged))


@settings(max_examples=200)
@given(points, st.floats(1, 20_000), st.floats(0, 360), st.floats(0, 1))
def test_every_point_within_the_radius_lies_within_reach_of_the_spot(
    centre: Point, radius: float, bearing: float, share: float
) -> None:
    reach = share * radius / 111_195
    lat = max(-90.0, min(90.0, centre.lat + reach * cos(radians(bearing))))
    lon = centre.lon + reach * sin(radians(bearing)) / max(cos(radians(centre.lat)), 1e-6)
    other = Point(lat, (lon + 180) % 360 - 180)
    away, reach_of = dist(spot_of(centre), spot_of(other)), reach_cm(radius)
    if distance_m(centre, other) <= radius:
        assert away <= reach_of
    if away > reach_of + 2:
        assert distance_m(centre, other) > radius


def test_distances_are_right_at_the_poles_and_across_the_antimeridian() -> None:
    assert distance_m(Point(-17, 179.999), Point(-17, -179.999)) == pytest.approx(212.7, abs=0.1)
    assert distance_m(Point(89.999, 0), Point(89.999, 180)) == pytest.approx(222.4, abs=0.1)
    assert distance_m(Point(-90, 12), Point(-90, -120)) == pytest.approx(0, abs=1e-6)


@settings(max_examples=100)
@given(points)
def test_an_area_is_near_the_place_and_not_the_place(place: Point) -> None:
    assert distance_m(place, area_of(place)) < AREA_ERROR_M


@given(points)
def test_what_is_kept_of_an_area_is_that_of_the_place(place: Point) -> None:
    lat = round(place.lat / 0.001) * 0.001
    step = 0.001 / max(cos(radians(lat)), 0.01)
    lon = max(-180.0, min(180.0, round(place.lon / step) * step))
    assert area_of(place) == area_of(place) == Point(round(lat, 6), round(lon, 6))


@settings(max_examples=200)
@given(points, st.floats(-0.002, 0.002), st.floats(-0.002, 0.002))
def test_no_two_areas_have_the_same_number(place: Point, north: float, east: float) -> None:
    lon = (place.lon + east + 180) % 360 - 180
    other = Point(max(-90.0, min(90.0, place.lat + north)), lon)
    assert 0 < area_number(place) * NUMBERS_OF_AREA < 2**60
    if area_number(other) == area_number(place):
        assert located(other) == located(place)


def test_areas_of_a_district_have_numbers_in_a_row() -> None:
    eight_by_eight = [Point((8 * 40 + i) / 1000, (8 * 70 + j) / 1000) for i in range(8) for j in range(8)]
    numbers = sorted(area_number(place) for place in eight_by_eight)
    assert numbers == list(range(numbers[0], numbers[0] + 64))


def test_neighbours_share_an_area_so_it_does_not_tell_the_house() -> None:
    street = [Point(48.13702 + i * 0.00005, 11.57502) for i in range(8)]
    assert len({area_of(house) for house in street}) == 1


@settings(max_examples=150)
@given(candidate_lists, sizes, st.integers())
def test_every_offer_fits_and_no_fitting_space_is_lost(candidates: list[Bay], car: Size, seed: int) -> None:
    ranked = matching.rank(candidates, car=car, chance=Random(seed))
    assert sorted(offer.candidate.space for offer in ranked) == sorted(
        candidate.space for candidate in candidates if fits(car, candidate.size)
    )


@settings(max_examples=150)
@given(candidate_lists, st.integers())
def test_a_space_never_comes_before_one_that_is_clearly_nearer(candidates: list[Bay], seed: int) -> None:
    distances = [offer.candidate.distance_m for offer in matching.rank(candidates, car=None, chance=Random(seed))]
    for i, earlier in enumerate(distances):
        assert all(earlier - later <= matching.NEAR_EQUAL_M for later in distances[i + 1 :])


@settings(max_examples=100)
@given(
    candidate_lists, st.lists(st.sampled_from(["whole", "first", "farther"]), min_size=15, max_size=15), st.integers()
)
def test_what_was_asked_for_comes_before_what_is_only_nearly_so(
    candidates: list[Bay], kinds: list[str], seed: int
) -> None:
    changes: dict[str, dict[str, Any]] = {
        "whole": {},
        "first": {"lack": matching.Lack(Period(0, HOUR), Period(0, 2 * HOUR))},
        "farther": {"lack": matching.Lack(Period(0, HOUR), Period(0, HOUR), farther_m=10.0)},
    }
    mixed = [candidate._replace(**changes[kind]) for candidate, kind in zip(candidates, kinds, strict=False)]
    ranked = [offer.candidate.lack is None for offer in matching.rank(mixed, car=None, chance=Random(seed))]
    assert ranked == sorted(ranked, reverse=True)


def test_half_the_usual_price_is_worth_a_walk_of_a_hundred_metres_and_not_of_two_hundred() -> None:
    usual = [Bay(f"usual{i}", 100, LARGE, price_minor=400, currency="EUR") for i in range(3)]
    for away, first in ((140, "half"), (260, "usual")):
        half = Bay("half", away, LARGE, price_minor=200, currency="EUR")
        ranked = matching.rank([*usual, half], car=None, chance=Random(1))
        assert ranked[0].candidate.space.startswith(first)
    assert "cheaper than usual here" in next(one.reason for one in ranked if one.candidate.space == "half")


def test_prices_of_different_currencies_are_not_compared() -> None:
    candidates = [
        Bay("yen", 300, LARGE, price_minor=400, currency="JPY"),
        Bay("euro", 100, LARGE, price_minor=2, currency="EUR"),
    ]
    ranked = matching.rank(candidates, car=None, chance=Random(1))
    assert [one.candidate.space for one in ranked] == ["euro", "yen"]
    assert all(reason.factor is not matching.Factor.PRICE for one in ranked for reason in one.because)


minutes = st.builds(
    lambda start, length: Period(start * 300, (start + length) * 300), st.integers(0, 60), st.integers(1, 40)
)


@settings(max_examples=300)
@given(minutes, st.lists(minutes, max_size=4), st.lists(minutes, max_size=4))
def test_the_free_part_is_the_longest_at_an_end_and_useful_or_none(
    period: Period, windows: list[Period], taken: list[Period]
) -> None:
    shared = merge(windows)

    def free(at: int) -> bool:
        return any(one.contains(at) for one in shared) and not any(one.contains(at) for one in taken)

    slots = [free(at) for at in range(period.start, period.end, 300)]
    at_start = next((i for i, is_free in enumerate(slots) if not is_free), len(slots)) * 300
    at_end = next((i for i, is_free in enumerate(reversed(slots)) if not is_free), len(slots)) * 300
    part = free_part(period, shared, taken)
    if max(at_start, at_end) < useful_s(period):
        assert part is None
    else:
        assert part is not None
        assert part.end - part.start == max(at_start, at_end)
        assert part.start == period.start or part.end == period.end
        assert period.covers(part)
        assert all(free(at) for at in range(part.start, part.end, 300))


def test_simultaneous_renters_are_spread_over_near_equal_spaces() -> None:
    candidates = [Bay(f"s{i}", 100 + i, LARGE) for i in range(10)]
    chance = Random(1)
    first = {matching.rank(candidates, car=None, chance=chance)[0].candidate.space for _ in range(100)}
    assert len(first) == 10


def test_the_reason_says_how_far_it_is_on_foot_and_whether_the_car_fits() -> None:
    candidates = [Bay("near", 120, LARGE), Bay("far", 480, LARGE)]
    near, far = matching.rank(candidates, car=Size(4.5, 1.8, 1.5), chance=Random(1))
    assert near.reason == "The nearest space that is free for the whole period; 2 min on foot, and your car fits."
    assert far.reason == "Free for the whole period, 360 m further than the nearest; 8 min on foot, and your car fits."
    assert near.walk_s == 120


def test_the_standby_is_the_nearest_that_fits_and_never_the_owners_own() -> None:
    candidates = [
        standby.Candidate("home", 0, LARGE),
        standby.Candidate("tiny", 10, Size(2.5, 1.8, 2.5)),
        standby.Candidate("far", 300, LARGE),
        standby.Candidate("near", 200, LARGE),
    ]
    chosen = standby.choose(candidates, home_space="home", home_size=LARGE)
    assert isinstance(chosen, standby.Candidate)
    assert chosen.space == "near"


def test_an_owner_hears_why_there_is_no_standby() -> None:
    home = standby.Candidate("home", 0, LARGE)
    tiny = standby.Candidate("tiny", 10, Size(2.5, 1.8, 2.5))
    assert standby.choose([home], home_space="home", home_size=LARGE) is standby.NoStandby.NOTHING_FREE
    assert standby.choose([home, tiny], home_space="home", home_size=LARGE) is standby.NoStandby.NOTHING_FITS


def test_an_owner_of_a_small_space_may_get_another_small_one() -> None:
    small = Size(4, 2, 1.9)
    chosen = standby.choose([standby.Candidate("other", 50, small)], home_space="home", home_size=small)
    assert isinstance(chosen, standby.Candidate)
