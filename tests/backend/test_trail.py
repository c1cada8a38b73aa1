"""The trail of a booking: everything that happened to it, for both sides, and never changed."""

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from aiohttp.test_utils import TestClient
from sqlalchemy.exc import DBAPIError

from parkshare_backend import keys
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.tables import BOOKINGS, TRAIL
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.spaces.service import Space
from parkshare_backend.store.contract import UnableError
from parkshare_backend.store.engine import Tx
from tests.backend.market import HOUR, Link, Published, Renting, booking_request, period, publish
from tests.backend.support import NOON, FakeClock, House, Person, make_person

END = NOON + 2 * HOUR


@pytest.fixture
async def link(client: TestClient, house: House) -> AsyncIterator[Link]:
    async with Link(client, house) as link:
        yield link


@pytest.fixture
async def space(link: Link) -> Published:
    return await publish(link, terms={"approval": "owner"})


@pytest.fixture
def rene(client: TestClient, renter: Person) -> Renting:
    return Renting(client, renter)


@pytest.fixture
def olga(client: TestClient, owner: Person) -> Renting:
    """The owner at her phone."""
    return Renting(client, owner)


@pytest.fixture
async def told(rene: Renting, olga: Renting, link: Link, space: Published, clock: FakeClock) -> str:
    """A booking to which a lot has happened."""
    booking = str((await rene.book(space.id))["id"])
    await olga.post(f"bookings/{booking}/approve")
    await link.report("grant.stored", {"booking": booking, "revision": 1})
    await rene.post(f"bookings/{booking}/here")
    at = to_rfc3339(NOON)
    await link.report("help.offered", {"booking": booking, "rung": "call", "phone": "+49 30 000000", "at": at})
    await link.report("admission.decided", {"booking": booking, "decision": "admit", "by": "owner", "at": at})
    await link.report("stay.arrived", {"booking": booking, "at": at})
    await rene.post(f"bookings/{booking}/extend", {"end": to_rfc3339(END + HOUR)})
    await link.report("grant.refused", {"booking": booking, "revision": 2, "reason": "not-sharing"})
    await clock.pass_time(2 * HOUR + 60)
    await link.report("stay.left", {"booking": booking, "at": to_rfc3339(END + 30)})
    return booking


async def test_it_says_in_order_what_happened_who_did_it_and_why(rene: Renting, told: str) -> None:
    items = (await rene.get(f"bookings/{told}/trail"))["items"]
    assert [(item["cause"], item["by"]) for item in items] == [
        ("proposed", "renter"),
        ("approved", "owner"),
        ("grant-stored", "house"),
        ("help", "house"),
        ("admission", "owner"),
        ("arrived", "house"),
        ("change-asked", "renter"),
        ("change-refused", "house"),
        ("ended", "server"),
        ("left", "house"),
    ]
    assert [item["n"] for item in items] == list(range(1, 11))
    assert items[7]["d"]["reason"] == "not-sharing"
    assert items[6]["d"]["wanted"] == period(NOON, END + HOUR)
    assert (items[9]["at"], items[9]["d"]["state"], items[9]["d"]["overstay"]) == (
        to_rfc3339(END + 30), "fulfilled", True,
    )  # fmt: skip


async def test_renter_and_owner_read_the_same_and_nobody_else_anything(
    client: TestClient, rene: Renting, olga: Renting, told: str
) -> None:
    assert await rene.get(f"bookings/{told}/trail") == await olga.get(f"bookings/{told}/trail")
    stranger = Renting(client, await make_person(client, name="Nora"))
    await stranger.get(f"bookings/{told}/trail", status=404)


async def test_neither_a_phone_number_nor_where_the_renter_was_stays_in_it(rene: Renting, told: str) -> None:
    trail = str(await rene.get(f"bookings/{told}/trail"))
    assert "000000" not in trail
    assert "near" not in trail


async def test_every_change_that_people_are_told_of_is_in_it(rene: Renting, told: str) -> None:
    trail = [item["cause"] for item in (await rene.get(f"bookings/{told}/trail"))["items"]]
    changes = [cause for cause in await rene.causes() if cause not in {"renter-near", "renter-away"}]
    assert [cause for cause in trail if cause != "admission"] == changes


@pytest.mark.parametrize(
    "statement",
    [sa.update(TRAIL).values(cause="nothing"), sa.delete(TRAIL), sa.delete(TRAIL).where(TRAIL.c.n == 1)],
    ids=["change", "delete all", "delete one"],
)
async def test_the_database_itself_refuses_to_change_it(
    client: TestClient, rene: Renting, told: str, statement: sa.UpdateBase
) -> None:
    with pytest.raises((DBAPIError, UnableError)):
        async with client.app[keys.STORE].write() as tx:  # type: ignore[union-attr]
            await tx.execute(statement)
    assert len((await rene.get(f"bookings/{told}/trail"))["items"]) == 10


async def test_it_goes_with_its_booking_only(client: TestClient, told: str) -> None:
    async with client.app[keys.STORE].write() as tx:  # type: ignore[union-attr]
        await tx.execute(sa.delete(BOOKINGS).where(BOOKINGS.c.id == told))
        assert await tx.scalar(sa.select(sa.func.count()).select_from(TRAIL)) == 0


async def test_a_booking_that_fails_on_the_way_leaves_neither_itself_nor_a_trail_nor_news(
    client: TestClient, rene: Renting, space: Published
) -> None:
    async def fails(_tx: Tx, _booking: Booking, _space: Space) -> None:
        raise RuntimeError("a defect of a listener")

    before = await rene.causes()
    client.app[keys.BOOKINGS].on_added(fails)  # type: ignore[union-attr]
    request = booking_request(space.id)
    await rene.post("bookings", request, status=500)
    await rene.get(f"bookings/{request['id']}", status=404)
    assert await rene.causes() == before
    async with client.app[keys.STORE].read() as tx:  # type: ignore[union-attr]
        assert await tx.scalar(sa.select(sa.func.count()).select_from(TRAIL)) == 0
