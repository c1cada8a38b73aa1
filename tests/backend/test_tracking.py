"""Positions over HTTP: when the house hears that its renter is near, and when nobody hears anything."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.app import build_app
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.settings import Settings
from tests.backend import direct
from tests.backend.conftest import MakeClient
from tests.backend.market import HOUR, Link, Published, Renting, period, place, publish
from tests.backend.support import NOON, FakeClock, House, Person, make_person, sign_in

END = NOON + 2 * HOUR


@pytest.fixture
async def link(client: TestClient, house: House) -> AsyncIterator[Link]:
    async with Link(client, house) as link:
        yield link


@pytest.fixture
async def space(link: Link) -> Published:
    return await publish(link)


@pytest.fixture
def rene(client: TestClient, renter: Person) -> Renting:
    return Renting(client, renter)


async def test_a_fix_at_the_space_tells_the_house_that_the_renter_is_near(
    rene: Renting, link: Link, space: Published, clock: FakeClock
) -> None:
    booking = (await rene.book(space.id))["id"]
    assert await rene.fixes((15, NOON)) == {"accepted": 1, "ignored": [], "near": [booking]}
    told = (await link.hear_event("renter.near"))["d"]
    assert told == {"booking": booking, "space": space.id, "at": to_rfc3339(NOON), "source": "position"}
    assert (await rene.get(f"bookings/{booking}"))["near"]
    assert "renter-near" in await rene.causes()


async def test_the_house_hears_of_one_entry_once_however_many_fixes_follow(
    rene: Renting, link: Link, space: Published, clock: FakeClock
) -> None:
    await rene.book(space.id)
    for _ in range(5):
        await rene.fixes((15, clock.now()))
        clock.move(10)
    assert (await rene.causes()).count("renter-near") == 1


async def test_the_house_hears_once_of_an_entry_that_many_requests_report_at_the_same_moment(
    rene: Renting, link: Link, space: Published, clock: FakeClock
) -> None:
    booking = (await rene.book(space.id))["id"]
    clock.move(10)
    answers = await asyncio.gather(*(rene.fixes((15, NOON + late)) for late in range(8)))
    assert all(answer["near"] == [booking] for answer in answers)
    assert sum(answer["accepted"] for answer in answers) >= 1
    assert (await rene.causes()).count("renter-near") == 1
    clock.move(30)
    answers = await asyncio.gather(*(rene.fixes((1000, clock.now() + late)) for late in range(8)))
    assert all(answer["near"] == [] for answer in answers)
    assert (await link.hear_event("renter.away"))["d"]["booking"] == booking
    assert (await rene.causes()).count("renter-away") == 1


async def test_a_drive_is_an_approach_and_driving_away_is_told_too(
    rene: Renting, link: Link, space: Published, clock: FakeClock
) -> None:
    booking = (await rene.book(space.id))["id"]
    for north_m in range(1000, -100, -100):
        answer = await rene.fixes((north_m, clock.now()))
        clock.move(10)
    assert answer["near"] == [booking]
    assert (await rene.causes()).count("renter-near") == 2, "once for the approach, once for the entry"
    clock.move(20)
    answer = await rene.fixes((1000, clock.now()))
    assert answer["near"] == []
    assert (await link.hear_event("renter.away"))["d"]["booking"] == booking


async def test_a_fix_that_is_old_inaccurate_mocked_or_twice_is_counted_and_leads_to_nothing(
    rene: Renting, link: Link, space: Published, clock: FakeClock
) -> None:
    await rene.book(space.id)
    fixes: list[dict[str, Any]] = [
        place(5) | {"at": to_rfc3339(NOON - 600), "accuracy_m": 5},
        place(5) | {"at": to_rfc3339(NOON - 30), "accuracy_m": 5000},
        place(5) | {"at": to_rfc3339(NOON - 20), "accuracy_m": 5, "mock": True},
        place(5) | {"at": to_rfc3339(NOON + 61), "accuracy_m": 5},
        place(900) | {"at": to_rfc3339(NOON - 10), "accuracy_m": 5},
        place(5) | {"at": to_rfc3339(NOON - 10), "accuracy_m": 5},
        place(5) | {"at": to_rfc3339(NOON - 5), "accuracy_m": 5},
    ]
    answer = await rene.post("positions", {"fixes": fixes})
    reasons = {entry["index"]: entry["reason"] for entry in answer["ignored"]}
    assert reasons == {0: "old", 1: "inaccurate", 2: "mock", 3: "future", 5: "not-newer", 6: "teleport"}
    assert answer["accepted"] == 1
    assert answer["near"] == []
    assert await rene.causes() == ["proposed"]


async def test_without_a_booking_that_is_due_a_fix_is_forgotten_at_once(
    rene: Renting, link: Link, space: Published, clock: FakeClock
) -> None:
    not_needed = {"accepted": 0, "ignored": [{"index": 0, "reason": "not-needed"}], "near": []}
    assert await rene.fixes((5, NOON)) == not_needed
    await rene.book(space.id, NOON + HOUR, END)
    assert await rene.fixes((5, NOON)) == not_needed, "more than 30 minutes early"
    clock.move(0.5 * HOUR)
    assert (await rene.fixes((5, clock.now())))["near"]


async def test_a_fence_opens_and_closes_to_the_second_while_the_phone_goes_on_reporting(
    rene: Renting, link: Link, space: Published, clock: FakeClock
) -> None:
    booking = (await rene.book(space.id, NOON + HOUR, END))["id"]
    clock.move(0.5 * HOUR - 1)
    assert (await rene.fixes((900, clock.now())))["accepted"] == 0
    clock.move(1)
    assert (await rene.fixes((900, clock.now())))["accepted"] == 1
    clock.move(-1)  # the server's clock is put right
    assert (await rene.fixes((900, clock.now())))["accepted"] == 0
    clock.move(1)
    assert (await rene.fixes((900, clock.now())))["accepted"] == 1
    # With the car there the booking lives on after its end; else the clockwork would close it at some moment.
    await link.report("grant.stored", {"booking": booking, "revision": 1})
    await link.report("stay.arrived", {"booking": booking, "at": to_rfc3339(clock.now())})
    clock.move(END + 0.25 * HOUR - 1 - clock.now())
    assert (await rene.fixes((900, clock.now())))["accepted"] == 1
    clock.move(1)
    assert (await rene.fixes((900, clock.now())))["accepted"] == 0


async def test_a_canceled_booking_is_watched_no_more(rene: Renting, link: Link, space: Published) -> None:
    booking = (await rene.book(space.id))["id"]
    await rene.post(f"bookings/{booking}/cancel")
    assert (await rene.fixes((5, NOON)))["accepted"] == 0


async def test_nothing_of_a_position_is_in_the_database(
    rene: Renting, link: Link, space: Published, database: str
) -> None:
    await rene.book(space.id)
    await rene.fixes((17.3, NOON))
    latitude = place(17.3)["lat"]
    assert direct.value(database, "SELECT count(*) FROM fence_events") > 0
    for table in direct.tables(database):
        assert str(latitude)[:9] not in str(direct.rows(database, f'SELECT * FROM "{table}"')), table


async def test_a_restart_remembers_who_is_inside_and_tells_nothing_twice(
    rene: Renting, link: Link, space: Published, settings: Settings, clock: FakeClock, make_client: MakeClient
) -> None:
    booking = (await rene.book(space.id))["id"]
    await rene.fixes((15, NOON))
    clock.move(20)
    restarted = await make_client(build_app(settings, clock=clock))
    after = Renting(restarted, await sign_in(restarted, rene.person.email))
    assert (await after.fixes((14, clock.now())))["near"] == [booking]
    assert (await after.causes()).count("renter-near") == 1
    clock.move(60)
    assert (await after.fixes((2000, clock.now())))["near"] == []
    assert "renter-away" in await after.causes()


async def test_a_last_fix_is_forgotten_when_its_booking_is_over(
    rene: Renting, link: Link, space: Published, clock: FakeClock, client: TestClient
) -> None:
    await rene.book(space.id)
    await rene.fixes((900, NOON))
    tracking = client.app[keys.TRACKING]  # type: ignore[union-attr]
    await tracking.sweep(clock.now())
    assert tracking.watched == 1
    await tracking.sweep(END + HOUR)
    assert tracking.watched == 0


async def test_a_last_fix_is_kept_for_a_booking_that_began_while_another_lasted(
    rene: Renting, link: Link, space: Published, clock: FakeClock, client: TestClient
) -> None:
    await rene.book(space.id)
    await rene.fixes((900, NOON))
    await rene.book(space.id, END, END + HOUR)
    clock.move(END - HOUR / 4 - NOON)
    await rene.fixes((900, clock.now()))
    tracking = client.app[keys.TRACKING]  # type: ignore[union-attr]
    await tracking.sweep(END + HOUR)
    assert tracking.watched == 1
    await tracking.sweep(END + 2 * HOUR)
    assert tracking.watched == 0


async def test_a_trackers_token_may_report_and_nothing_else(client: TestClient) -> None:
    tracker = Renting(client, await make_person(client, scopes=["positions"]))
    assert (await tracker.fixes((5, NOON)))["accepted"] == 0
    await tracker.get("bookings", status=403)


FIX = place() | {"at": to_rfc3339(NOON)}
IMPOSSIBLE_POSITIONS: list[tuple[Any, str]] = [
    ({}, "/fixes"),
    ({"fixes": []}, "/fixes"),
    ({"fixes": [FIX] * 101}, "/fixes"),
    ({"fixes": [FIX, FIX | {"lat": 90.01}]}, "/fixes/1/lat"),
    ({"fixes": [FIX | {"lon": -181}]}, "/fixes/0/lon"),
    ({"fixes": [FIX | {"lat": "48"}]}, "/fixes/0/lat"),
    ({"fixes": [{"lat": 1, "lon": 1}]}, "/fixes/0/at"),
    ({"fixes": [FIX | {"at": 1795348800}]}, "/fixes/0/at"),
    ({"fixes": [FIX | {"accuracy_m": -1}]}, "/fixes/0/accuracy_m"),
    ({"fixes": [FIX | {"course": 361}]}, "/fixes/0/course"),
    ({"fixes": [FIX | {"speed_ms": -1}]}, "/fixes/0/speed_ms"),
    ({"fixes": [FIX | {"mock": 1}]}, "/fixes/0/mock"),
    ({"fixes": [FIX | {"speed": 5}]}, "/fixes/0/speed"),
    ({"fixes": [FIX], "device": "x"}, "/device"),
]


async def test_impossible_positions_are_refused_at_their_field(rene: Renting) -> None:
    for body, pointer in IMPOSSIBLE_POSITIONS:
        problem = await rene.post("positions", body, status=422)
        assert [error["pointer"] for error in problem["errors"]] == [pointer], body
    period_of_nobody = await rene.post("positions", {"fixes": [FIX | period(NOON, END)]}, status=422)
    assert len(period_of_nobody["errors"]) == 2


async def test_a_last_fix_is_forgotten_at_once_when_its_booking_is_given_back(
    rene: Renting, space: Published, app: web.Application, client: TestClient, owner: Person
) -> None:
    booking = (await rene.book(space.id))["id"]
    olga = Renting(client, owner)
    await rene.fixes((15, NOON))
    await olga.fixes((15, NOON))
    assert app[keys.TRACKING].watched == 2
    await rene.post(f"bookings/{booking}/cancel")
    assert app[keys.TRACKING].watched == 0
