"""Holds through HTTP: a space kept for five minutes while somebody decides."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.clock import new_id, to_rfc3339
from tests.backend.direct import value
from tests.backend.market import HOUR, Link, Published, Renting, booking_request, period, publish
from tests.backend.support import NOON, FakeClock, House, Person, make_person

HOLD_S = 300


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


@pytest.fixture
async def nora(client: TestClient) -> Renting:
    return Renting(client, await make_person(client, name="Nora"))


def wanted(space: str, start: float = NOON, end: float = NOON + 2 * HOUR, **more: object) -> dict[str, object]:
    return {"space": space, "period": period(start, end)} | more


async def give_back(renting: Renting, hold: str) -> int:
    async with renting.client.delete(f"/api/v1/holds/{hold}", headers=renting.person.headers) as answered:
        return answered.status


async def test_a_held_space_is_kept_for_its_holder_with_its_price_and_terms(
    rene: Renting, nora: Renting, space: Published
) -> None:
    hold = await rene.post("holds", wanted(space.id), status=201)
    assert hold["expires_at"] == to_rfc3339(NOON + HOLD_S)
    assert (hold["space"], hold["period"]) == (space.id, period(NOON, NOON + 2 * HOUR))
    assert hold["quote"]["total_minor"] == 500
    assert hold["terms"]["approval"] == "instant"
    assert await nora.search() == []
    refused = await nora.post("bookings", booking_request(space.id), status=409)
    assert refused["type"] == "/problems/space-taken"
    booking = await rene.post("bookings", booking_request(space.id, hold=hold["id"]), status=201)
    assert booking["state"] == "pending"
    assert await give_back(rene, hold["id"]) == 404, "the booking has used it"


async def test_a_booking_may_ask_for_more_than_its_hold_if_that_is_free(
    rene: Renting, nora: Renting, space: Published
) -> None:
    await nora.book(space.id, NOON + 4 * HOUR, NOON + 5 * HOUR)
    hold = await rene.post("holds", wanted(space.id), status=201)
    longer = booking_request(space.id, NOON, NOON + 5 * HOUR, hold=hold["id"])
    assert (await rene.post("bookings", longer, status=409))["type"] == "/problems/space-taken"
    assert await nora.search() == [], "the refused booking left the hold as it was"
    await rene.post("bookings", booking_request(space.id, NOON, NOON + 4 * HOUR, hold=hold["id"]), status=201)


async def test_an_expired_hold_holds_nothing_and_is_swept(
    rene: Renting, nora: Renting, space: Published, clock: FakeClock, app: web.Application, database: str
) -> None:
    hold = await rene.post("holds", wanted(space.id), status=201)
    clock.move(HOLD_S - 1)
    assert await nora.search(NOON + HOUR, NOON + 2 * HOUR) == []
    clock.move(1)
    assert [offer["space"]["id"] for offer in await nora.search(NOON + HOUR, NOON + 2 * HOUR)] == [space.id]
    await nora.book(space.id, NOON + HOUR, NOON + 2 * HOUR)
    again = booking_request(space.id, NOON + HOUR, NOON + 2 * HOUR, hold=hold["id"])
    assert (await rene.post("bookings", again, status=409))["type"] == "/problems/space-taken"
    await app[keys.STORE].again(lambda: app[keys.HOLDS].sweep(clock.now()))
    assert value(database, "SELECT count(*) FROM holds") == 0
    assert value(database, "SELECT count(*) FROM claims WHERE kind = 'hold'") == 0


async def test_a_hold_that_is_given_back_frees_the_space_at_once(
    rene: Renting, nora: Renting, space: Published
) -> None:
    hold = (await rene.post("holds", wanted(space.id), status=201))["id"]
    assert await give_back(nora, hold) == 404
    assert await nora.search() == []
    assert await give_back(rene, hold) == 204
    assert await give_back(rene, hold) == 404
    await nora.book(space.id)


async def test_the_same_hold_asked_for_twice_is_one_hold(rene: Renting, nora: Renting, space: Published) -> None:
    body = wanted(space.id, id=new_id())
    first = await rene.post("holds", body, status=201)
    assert await rene.post("holds", body, status=200) == first
    other = body | {"period": period(NOON, NOON + HOUR)}
    assert (await rene.post("holds", other, status=409))["type"] == "/problems/id-reused"
    assert (await nora.post("holds", body, status=409))["type"] == "/problems/id-reused"


async def test_nobody_holds_more_than_three_spaces_at_once(rene: Renting, link: Link, clock: FakeClock) -> None:
    spaces = [await publish(link, north_m=i * 20) for i in range(5)]
    held = [await rene.post("holds", wanted(space.id), status=201) for space in spaces[:3]]
    refused = await rene.post("holds", wanted(spaces[3].id), status=409)
    assert refused["type"] == "/problems/too-many-holds"
    assert await give_back(rene, held[0]["id"]) == 204
    await rene.post("holds", wanted(spaces[3].id), status=201)
    clock.move(HOLD_S)
    await rene.post("holds", wanted(spaces[4].id, NOON + HOUR), status=201)


async def test_a_hold_is_refused_for_the_reasons_of_a_booking(
    rene: Renting, nora: Renting, owner: Person, space: Published, link: Link
) -> None:
    olga = Renting(rene.client, owner)
    assert (await olga.post("holds", wanted(space.id), status=409))["type"] == "/problems/own-space"
    assert (await rene.post("holds", wanted(new_id()), status=404))["type"] == "/problems/not-found"
    late = wanted(space.id, NOON - HOUR)
    assert (await rene.post("holds", late, status=422))["errors"][0]["pointer"] == "/period/start"
    long = wanted(space.id, vehicle={"length_m": 6.5})
    assert (await rene.post("holds", long, status=409))["type"] == "/problems/does-not-fit"
    evening = await publish(link, north_m=30, windows=[(NOON + 6 * HOUR, NOON + 9 * HOUR)])
    assert (await rene.post("holds", wanted(evening.id), status=409))["type"] == "/problems/not-offered"
    await rene.post("holds", wanted(space.id), status=201)
    taken = await nora.post("holds", wanted(space.id), status=409)
    assert taken["type"] == "/problems/space-taken"


async def test_the_hold_of_another_space_does_not_help(rene: Renting, space: Published, link: Link) -> None:
    other = await publish(link, north_m=30)
    hold = await rene.post("holds", wanted(other.id), status=201)
    refused = await rene.post("bookings", booking_request(space.id, hold=hold["id"]), status=409)
    assert refused["type"] == "/problems/hold-of-another-space"
    assert refused["errors"][0]["pointer"] == "/hold"


async def test_of_those_who_want_to_hold_one_space_at_once_exactly_one_does(
    client: TestClient, space: Published, database: str
) -> None:
    people = [Renting(client, await make_person(client)) for _ in range(6)]

    async def attempt(renting: Renting, i: int) -> int:
        body = wanted(space.id, NOON + i * 600, NOON + 2 * HOUR + i * 600)
        async with client.post("/api/v1/holds", json=body, headers=renting.person.headers) as answered:
            assert answered.status == 201 or (await answered.json())["type"] == "/problems/space-taken"
            return answered.status

    statuses = await asyncio.gather(*(attempt(renting, i) for i, renting in enumerate(people)))
    assert sorted(statuses) == [201, 409, 409, 409, 409, 409]
    assert value(database, "SELECT count(*) FROM claims") == 1


async def test_a_hold_and_a_booking_that_race_never_both_win(client: TestClient, link: Link) -> None:
    nora = Renting(client, await make_person(client))
    for round_ in range(6):
        rene = Renting(client, await make_person(client))  # three rounds would be too many holds for one
        space = await publish(link, north_m=round_ * 10)
        hold = rene.client.post("/api/v1/holds", json=wanted(space.id), headers=rene.person.headers)
        book = nora.client.post("/api/v1/bookings", json=booking_request(space.id), headers=nora.person.headers)
        calls = (hold, book) if round_ % 2 else (book, hold)
        statuses = [answered.status for answered in await asyncio.gather(*calls)]
        assert sorted(statuses) == [201, 409]
