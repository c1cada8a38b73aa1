"""Races for one space: two servers on one database, and the rule that only the database can keep."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp.test_utils import TestClient

from parkshare_backend.app import build_app
from parkshare_backend.clock import new_id
from parkshare_backend.settings import Settings
from tests.backend import direct
from tests.backend.conftest import MakeClient
from tests.backend.market import HOUR, Link, Published, Renting, booking_request, must, period, publish, share
from tests.backend.support import NOON, FakeClock, House, Person, make_person, sign_in

RACES = 200
AT_ONCE = 10
OVERLAPS = """
    SELECT count(*) FROM {table} AS a JOIN {table} AS b
    ON a.space = b.space AND a.{key} < b.{key} AND a.t0 < b.t1 AND b.t0 < a.t1 {live}
"""
OUTSIDE = "NOT EXISTS (SELECT 1 FROM windows WHERE space = NEW.space AND t0 <= NEW.t0 AND t1 >= NEW.t1)"
# The trigger of a test, as each engine says it.
COVERED = {
    "sqlite": [
        f"""
        CREATE TRIGGER covered BEFORE INSERT ON bookings WHEN {OUTSIDE}
        BEGIN SELECT RAISE(ABORT, 'outside the window'); END
        """
    ],
    "postgresql": [
        f"""
        CREATE FUNCTION covered() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF {OUTSIDE} THEN RAISE EXCEPTION 'outside the window'; END IF; RETURN NEW; END $$
        """,
        "CREATE TRIGGER covered BEFORE INSERT ON bookings FOR EACH ROW EXECUTE FUNCTION covered()",
    ],
}
LIVE = "('pending', 'reserved', 'active')"


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

    assert direct.value(database, OVERLAPS.format(table="claims", key="holder", live="")) == 0
    live = f"AND a.state IN {LIVE} AND b.state IN {LIVE}"
    assert direct.value(database, OVERLAPS.format(table="bookings", key="id", live=live)) == 0
    assert direct.value(database, f"SELECT count(*) FROM bookings WHERE state IN {LIVE}") == RACES
    owned = "SELECT count(*) FROM claims JOIN bookings ON holder = id AND kind = 'booking'"
    assert direct.value(database, owned) == RACES


async def test_the_database_itself_refuses_an_overlap_whoever_writes(
    racers: tuple[Renting, Renting], space: Published, database: str
) -> None:
    await racers[0].book(space.id, NOON, NOON + HOUR)
    insert = "INSERT INTO claims (kind, holder, space, t0, t1) VALUES ('booking', :holder, :space, :t0, :t1)"
    inside = {"holder": new_id(), "space": space.id, "t0": int(NOON) + 60, "t1": int(NOON) + 120}
    with pytest.raises(sa.exc.IntegrityError, match="overlap"):
        direct.change(database, insert, **inside)
    after = {"holder": new_id(), "space": space.id, "t0": int(NOON + HOUR), "t1": int(NOON + 2 * HOUR)}
    direct.change(database, insert, **after)
    with pytest.raises(sa.exc.IntegrityError, match="overlap"):
        direct.change(database, "UPDATE claims SET t0 = t0 - 1 WHERE holder = :holder", holder=after["holder"])


async def test_an_owner_who_shrinks_the_window_races_a_renter_who_books_and_no_booking_lies_outside(
    racers: tuple[Renting, Renting], link: Link, space: Published, database: str, engine: str
) -> None:
    """A trigger of the test's own watches the moment of the insert: a window must cover the booking right then."""
    direct.change(database, *COVERED[engine])
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
    if engine == "postgresql":
        direct.change(database, "DROP TRIGGER covered ON bookings", "DROP FUNCTION covered")
    assert set(outcomes) == {201, 409}, "both orders happened, and neither led to anything else"
