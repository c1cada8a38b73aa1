"""Facts that come late or at an awkward moment: none is lost, none is taken twice."""

import sqlite3

import pytest
import sqlalchemy as sa
from aiohttp import web
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.link.tables import SET_ASIDE
from parkshare_backend.store import sqlite
from tests.backend.market import HOUR, Link, Renting, publish
from tests.backend.support import NOON, FakeClock, House, Person, make_person

END = NOON + 2 * HOUR


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up early on a database that another program holds."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.02)


async def test_a_database_that_cannot_be_written_costs_no_fact_however_often_the_house_tries(
    sqlite_only: None,
    impatient: None,
    database: str,
    app: web.Application,
    client: TestClient,
    house: House,
    renter: Person,
) -> None:
    rene = Renting(client, renter)
    async with Link(client, house) as link:
        space = await publish(link)
        booking = (await rene.book(space.id))["id"]
    fact = {"booking": booking, "at": to_rfc3339(NOON)}
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(5):
        async with Link(client, house) as link:
            answer = await link.request("space.withdraw", {"space": space.id})
            assert answer["problem"]["type"] == "/problems/unavailable"
            await link.report("stay.arrived", fact, q=1, wait=False)
            assert await link.closed() == 1011
    refused = await client.post(f"/api/v1/bookings/{booking}/cancel", headers=renter.headers)
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    other.close()
    async with Link(client, house) as link:
        await link.report("stay.arrived", fact, q=1)
    assert (await rene.get(f"bookings/{booking}"))["state"] == "active"
    async with app[keys.STORE].read() as tx:
        assert not await tx.all(sa.select(SET_ASIDE))


async def test_a_stay_that_the_house_could_only_tell_after_the_end_corrects_an_unanswered_booking(
    client: TestClient, house: House, renter: Person, clock: FakeClock
) -> None:
    rene = Renting(client, renter)
    async with Link(client, house) as link:
        space = await publish(link)
        booking = (await rene.book(space.id))["id"]
    await clock.pass_time(3 * HOUR)
    assert (await rene.get(f"bookings/{booking}"))["state"] == "rejected"
    async with Link(client, house) as link:
        await link.report("grant.stored", {"booking": booking, "revision": 1})
        await link.report("stay.arrived", {"booking": booking, "at": to_rfc3339(NOON + 60)})
        assert (await rene.get(f"bookings/{booking}"))["state"] == "active"
        await link.report("stay.left", {"booking": booking, "at": to_rfc3339(END - 60)})
    seen = await rene.get(f"bookings/{booking}")
    assert (seen["state"], seen["overstay"]) == ("fulfilled", False)


async def test_an_arrival_that_is_told_late_counts_although_the_next_booking_has_begun(
    client: TestClient, house: House, renter: Person, clock: FakeClock
) -> None:
    rene, next_one = Renting(client, renter), Renting(client, await make_person(client))
    async with Link(client, house) as link:
        space = await publish(link)
        booking = (await rene.book(space.id))["id"]
        await link.report("grant.stored", {"booking": booking, "revision": 1})
        await clock.pass_time(2 * HOUR + 10)
        await next_one.book(space.id, END - 30, END + HOUR)
        await link.report("stay.arrived", {"booking": booking, "at": to_rfc3339(END - 60)})
    assert (await rene.get(f"bookings/{booking}"))["state"] == "active"
