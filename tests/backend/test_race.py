"""Races for one space: two servers on one database, and the rule that only the database can keep."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from parkshare_backend.app import build_app
from parkshare_backend.clock import new_id
from parkshare_backend.settings import Settings
from tests.backend.conftest import MakeClient
from tests.backend.market import HOUR, Link, Published, Renting, booking_request, must, period, publish, share
from tests.backend.support import NOON, FakeClock, House, Person, make_person, sign_in

RACES = 200
AT_ONCE = 10
OVERLAPS = """
    SELECT count(*) FROM {table} AS a JOIN {table} AS b
    ON a.space = b.space AND a.rowid < b.rowid AND a.t0 < b.t1 AND b.t0 < a.t1 {live}
"""
LIVE = "('pending', 'reserved', 'active')"


def ask(database: str, statement: str, *values: Any) -> Any:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(statement, values).fetchone()[0]


@pytest.fixture
async def link(client: TestClient, house: House) -> AsyncIterator[Link]:
    async with Link(client, house) as link:
        yield link


@pytest.fixture
async def space(link: Link) -> Published:
    return await publish(link)


@pytest.fixture
async def racers(
    client: TestClient, renter: Person, settings: Settings, clock: FakeClock, make_client: MakeClient
) -> tuple[Renting, Renting]:
    """Two renters, each at a server of their own; both servers have the same database."""
    second = await make_client(build_app(settings, clock=clock))
    email = (await make_person(client)).email
    return Renting(client, renter), Renting(second, await sign_in(second, email))


async def test_of_two_bookings_that_race_for_one_space_exactly_one_wins_200_times(
    racers: tuple[Renting, Renting], space: Published, database: str
) -> None:
    async def race(round_: int) -> list[int]:
        start = NOON + round_ * 3 * HOUR
        tries = ((start, start + 2 * HOUR), (start + HOUR, start + 3 * HOUR))
        turn = round_ % 2
        return await asyncio.gather(*(attempt(racers[i ^ turn], *tries[i]) for i in range(2)))

    async def attempt(racer: Renting, start: float, end: float) -> int:
        body = booking_request(space.id, start, end)
        async with racer.client.post("/api/v1/bookings", json=body, headers=racer.person.headers) as answered:
            if answered.status != 201:
                assert (await answered.json())["type"] == "/problems/space-taken"
            return answered.status

    for first in range(0, RACES, AT_ONCE):
        for statuses in await asyncio.gather(*(race(first + i) for i in range(AT_ONCE))):
            assert sorted(statuses) == [201, 409]

    assert ask(database, OVERLAPS.format(table="claims", live="")) == 0
    live = f"AND a.state IN {LIVE} AND b.state IN {LIVE}"
    assert ask(database, OVERLAPS.format(table="bookings", live=live)) == 0
    assert ask(database, f"SELECT count(*) FROM bookings WHERE state IN {LIVE}") == RACES
    owned = "SELECT count(*) FROM claims JOIN bookings ON holder = id AND kind = 'booking'"
    assert ask(database, owned) == RACES


async def test_the_database_itself_refuses_an_overlap_whoever_writes(
    racers: tuple[Renting, Renting], space: Published, database: str
) -> None:
    await racers[0].book(space.id, NOON, NOON + HOUR)
    insert = "INSERT INTO claims (kind, holder, space, t0, t1) VALUES ('booking', ?, ?, ?, ?)"
    with closing(sqlite3.connect(database)) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="overlap"):
            connection.execute(insert, (new_id(), space.id, int(NOON) + 60, int(NOON) + 120))
        neighbour = new_id()
        connection.execute(insert, (neighbour, space.id, int(NOON + HOUR), int(NOON + 2 * HOUR)))
        with pytest.raises(sqlite3.IntegrityError, match="overlap"):
            connection.execute("UPDATE claims SET t0 = t0 - 1 WHERE holder = ?", (neighbour,))


async def test_an_owner_who_shrinks_the_window_races_a_renter_who_books_and_no_booking_lies_outside(
    racers: tuple[Renting, Renting], link: Link, space: Published, database: str
) -> None:
    """A trigger of the test's own watches the moment of the insert: a window must cover the booking right then."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("""
            CREATE TRIGGER covered BEFORE INSERT ON bookings WHEN NOT EXISTS (
                SELECT 1 FROM windows WHERE space = NEW.space AND t0 <= NEW.t0 AND t1 >= NEW.t1)
            BEGIN SELECT RAISE(ABORT, 'outside the window'); END
        """)
        connection.commit()
    outcomes: Counter[int] = Counter()
    racer = racers[1]
    for round_ in range(40):
        await share(link, space, [(NOON, NOON + 4 * HOUR)])
        body = booking_request(space.id)
        shrunk = {"space": space.id, "windows": [period(NOON + HOUR, NOON + 4 * HOUR)]}
        # who starts first, and by how much, goes through all cases
        lead_s = (round_ % 8 - 4) * 0.004

        async def book(lead_s: float = lead_s, body: dict[str, Any] = body) -> int:
            await asyncio.sleep(max(0, -lead_s))
            async with racer.client.post("/api/v1/bookings", json=body, headers=racer.person.headers) as answered:
                return answered.status

        async def shrink(lead_s: float = lead_s, shrunk: dict[str, Any] = shrunk) -> None:
            await asyncio.sleep(max(0, lead_s))
            await must(link.request("windows.publish", shrunk))

        status, _ = await asyncio.gather(book(), shrink())
        outcomes[status] += 1
        if status == 201:
            await racer.post(f"bookings/{body['id']}/cancel")
    assert set(outcomes) == {201, 409}, "both orders happened, and neither led to anything else"
