"""Two servers on one PostgreSQL: what happens at one is known at the other at once, and one may die."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_socket

from parkshare_backend.store.bus import MAX_PAYLOAD, Bus, packed
from parkshare_backend.store.engine import Store, database_url
from tests.backend.conftest import TEMPLATE
from tests.backend.market import HOUR, Link, Published, Renting, publish, space_document
from tests.backend.process import BackendProcess
from tests.backend.support import House, HouseLink, Person, make_person, pair_house

AT_ONCE = 1.0  # seconds; what the servers promise each other
pytestmark = pytest.mark.usefixtures("postgresql_only", "socket_enabled")


@pytest.fixture(scope="module")
def servers(
    engine: str, migrated: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[BackendProcess]]:
    """Two servers that all tests share: starting is most of the work."""
    if engine != "postgresql":
        pytest.skip("about a PostgreSQL server; run with --engine postgresql")
    postgres = request.getfixturevalue("postgres")
    pytest_socket.enable_socket()  # no test has begun yet that could ask for it
    url = postgres.create("two_servers", template=TEMPLATE)
    running = [BackendProcess(tmp_path_factory.mktemp("server"), PARKSHARE_DATABASE=url) for _ in range(2)]
    try:
        for server in running:
            server.launch()
        for server in running:
            server.wait_until_ready()
        yield running
    finally:
        for server in running:
            server.stop()


class Http:
    """Enough of a TestClient for the shared helpers, against a process."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.get, self.post, self.delete = session.get, session.post, session.delete
        self.ws_connect = session.ws_connect


@pytest.fixture
async def doors(servers: list[BackendProcess]) -> AsyncIterator[list[Any]]:
    sessions = [aiohttp.ClientSession(base_url=server.url) for server in servers]
    yield [Http(session) for session in sessions]
    for session in sessions:
        await session.close()


@pytest.fixture
async def owner(doors: list[Any]) -> Person:
    return await make_person(doors[0])


@pytest.fixture
async def house(doors: list[Any], owner: Person) -> House:
    return await pair_house(doors[0], owner)


def soon() -> tuple[float, float]:
    start = (int(time.time()) // 3600 + 1) * HOUR
    return float(start), float(start + 2 * HOUR)


async def published(link: HouseLink) -> Published:
    return await publish(link, windows=[(soon()[0], soon()[0] + 24 * HOUR)])


async def test_a_booking_made_at_one_server_reaches_a_house_at_the_other_at_once(
    doors: list[Any], house: House
) -> None:
    async with Link(doors[1], house) as link:
        space = await published(link)
        rene = Renting(doors[0], await make_person(doors[0]))
        for number in range(3):
            start = soon()[0] + number * 3 * HOUR
            booked = await rene.book(space.id, start, start + HOUR)
            async with asyncio.timeout(AT_ONCE):
                assert (await link.hear_event("booking.proposed"))["d"]["booking"] == booked["id"]


async def test_the_houses_of_a_killed_server_go_on_at_the_other_where_they_were(
    servers: list[BackendProcess], doors: list[Any], house: House
) -> None:
    rene = Renting(doors[0], await make_person(doors[0]))
    async with Link(doors[1], house) as link:
        space = await published(link)
        first = await rene.book(space.id, *soon())
        assert (await link.hear_event("booking.proposed"))["d"]["booking"] == first["id"]
        servers[1].kill()
        assert await link.closed(within=10) != 1000
    second = await rene.book(space.id, soon()[1], soon()[1] + HOUR)
    async with Link(doors[0], house) as link:
        assert link.ready["resumed"]
        assert (await link.hear_event("booking.proposed"))["d"]["booking"] == second["id"]
        assert (await link.request("space.publish", space_document(space.id)))["ok"]
    await asyncio.to_thread(servers[1].start)


async def test_a_house_that_comes_to_the_other_server_leaves_the_first(doors: list[Any], house: House) -> None:
    async with Link(doors[0], house) as older, Link(doors[1], house) as newer:
        async with asyncio.timeout(AT_ONCE):
            assert await older.closed() == 4409
        await published(newer)


async def test_a_house_that_is_revoked_at_one_server_is_ended_at_the_other(
    doors: list[Any], owner: Person, house: House
) -> None:
    async with Link(doors[1], house) as link:
        revoked = await doors[0].delete(f"/api/v1/installs/{house.install}", headers=owner.headers)
        assert revoked.status == 204
        async with asyncio.timeout(AT_ONCE):
            assert await link.closed() == 4403


async def test_a_token_that_is_revoked_at_one_server_opens_nothing_at_the_other(
    doors: list[Any], owner: Person
) -> None:
    for door in doors:
        assert (await door.get("/api/v1/me", headers=owner.headers)).status == 200
    assert (await doors[0].delete("/api/v1/tokens/current", headers=owner.headers)).status == 204
    async with asyncio.timeout(AT_ONCE):
        while (await doors[1].get("/api/v1/me", headers=owner.headers)).status != 401:  # noqa: ASYNC110 - of a process
            await asyncio.sleep(0.02)


async def test_a_code_given_at_one_server_reaches_the_house_at_the_other_and_no_disk(
    doors: list[Any], owner: Person, house: House, postgres: Any
) -> None:
    start = float(int(time.time()))
    async with Link(doors[1], house) as link:
        space = await publish(link, windows=[(start - HOUR, start + 24 * HOUR)])
        rene = Renting(doors[0], await make_person(doors[0]))
        booking = (await rene.book(space.id, start, start + HOUR))["id"]
        await link.hear_event("booking.proposed")
        await link.report("grant.stored", {"booking": booking, "revision": 1}, at=start)
        houses = (await (await doors[0].get("/api/v1/installs", headers=owner.headers)).json())["items"]
        assert houses[0]["connected"] is True
        await rene.post(f"bookings/{booking}/code", {"code": "424242"}, status=202)
        hint = await link.hear("eph")
        assert (hint["t"], hint["d"]["code"]) == ("renter.code", "424242")
    for path in (postgres.folder / "data" / "pg_notify").iterdir():
        assert b"424242" not in path.read_bytes()
    async with asyncio.timeout(10):  # the other server writes down that it left, a moment after it did
        while houses[0]["connected"]:
            await asyncio.sleep(0.05)
            houses = (await (await doors[0].get("/api/v1/installs", headers=owner.headers)).json())["items"]


async def test_words_between_servers_are_heard_once_each_and_survive_a_broken_connection(
    database: str, postgres: Any
) -> None:
    buses = [Bus(database_url(database)) for _ in range(2)]
    heard: list[str] = []
    missed = asyncio.Event()
    buses[1].subscribe("topic", heard.append)
    buses[1].on_missed(missed.set)
    tasks = [asyncio.create_task(bus.run()) for bus in buses]
    try:
        for bus in buses:
            await bus.listening()
        buses[0].publish("topic", "before")
        buses[0].publish("topic", "before")
        while not heard:  # noqa: ASYNC110 - a word of a server
            await asyncio.sleep(0.01)
        missed.clear()
        postgres.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%'", database="postgres"
        )
        async with asyncio.timeout(10):
            await missed.wait()
            while "after" not in heard:
                buses[0].publish("topic", "after")
                await asyncio.sleep(0.05)
        assert heard[0] == "before"
        assert set(heard) == {"before", "after"}
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_words_are_packed_into_payloads_that_postgresql_takes() -> None:
    words = [("topic", f"word {number}" * 20) for number in range(200)]
    payloads = list(packed("me", [*words, *words, ("topic", "x" * MAX_PAYLOAD)]))
    assert 1 < len(payloads) < 10
    assert all(len(payload.encode()) <= MAX_PAYLOAD for payload in payloads)
    assert sum(payload.count('"word 7word') for payload in payloads) == 1


async def test_only_one_server_at_a_time_does_what_one_must_do_alone(database: str) -> None:
    stores = [Store(database) for _ in range(2)]
    async with stores[0].alone("work") as first, stores[1].alone("work") as second, stores[1].alone("other") as other:
        assert (first, second, other) == (True, False, True)
    async with stores[1].alone("work") as later:
        assert later
    for store in stores:
        await store.close()


def test_servers_that_start_together_migrate_once(postgres: Any, tmp_path: Path) -> None:
    url = postgres.create("together")
    folders = [tmp_path / str(number) for number in range(2)]
    for folder in folders:
        folder.mkdir()
    processes = [BackendProcess(folder, PARKSHARE_DATABASE=url) for folder in folders]
    try:
        for process in processes:
            process.launch()
        for process in processes:
            process.wait_until_ready()
    finally:
        for process in processes:
            process.stop()
    assert postgres.sql("SELECT count(*) FROM server", database="together") == "2"
    postgres.drop("together")
