"""What the server remembers to be quick never gives a right that is gone, and never withholds one that has come."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.store.bus import Bus
from parkshare_backend.store.engine import Store
from parkshare_backend.store.outbox import Outbox, account_audience
from parkshare_backend.tracking.known import LIFE_S, TOPIC, KnownFences
from tests.backend.market import HOUR, Link, Published, Renting, must, place, publish, space_document
from tests.backend.support import NOON, FakeClock, House, Person, sign_in


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


async def test_a_revoked_token_opens_nothing_from_the_next_request_on(client: TestClient, renter: Person) -> None:
    fixes = {"fixes": [place() | {"at": to_rfc3339(NOON)}]}
    for _ in range(2):
        assert (await client.post("/api/v1/positions", json=fixes, headers=renter.headers)).status == 200
    assert (await client.delete("/api/v1/tokens/current", headers=renter.headers)).status == 204
    assert (await client.post("/api/v1/positions", json=fixes, headers=renter.headers)).status == 401
    again = await sign_in(client, renter.email)
    assert (await client.post("/api/v1/positions", json=fixes, headers=again.headers)).status == 200


async def test_a_fix_belongs_to_nothing_once_its_booking_was_canceled(rene: Renting, space: Published) -> None:
    booking = (await rene.book(space.id))["id"]
    assert (await rene.fixes((15, NOON)))["near"] == [booking]
    await rene.post(f"bookings/{booking}/cancel")
    assert await rene.fixes((15, NOON)) == {
        "accepted": 0, "ignored": [{"index": 0, "reason": "not-needed"}], "near": [],
    }  # fmt: skip


async def test_a_new_booking_is_known_at_once_to_who_was_not_needed_before(rene: Renting, space: Published) -> None:
    assert (await rene.fixes((15, NOON)))["ignored"][0]["reason"] == "not-needed"
    booking = (await rene.book(space.id))["id"]
    assert (await rene.fixes((15, NOON)))["near"] == [booking]


async def test_a_space_that_moved_is_watched_where_it_is_now(
    rene: Renting, link: Link, space: Published, clock: FakeClock
) -> None:
    booking = (await rene.book(space.id))["id"]
    assert (await rene.fixes((3000, NOON)))["near"] == []
    await must(link.request("space.publish", space_document(space.id, position=place(3000))))
    clock.move(1)
    assert (await rene.fixes((3000, NOON + 1)))["near"] == [booking]


async def test_a_booking_that_becomes_due_is_watched_from_that_very_second(
    rene: Renting, space: Published, clock: FakeClock
) -> None:
    booking = (await rene.book(space.id, NOON + HOUR, NOON + 2 * HOUR))["id"]
    clock.move(30 * 60 - 1)
    assert (await rene.fixes((15, clock.now())))["accepted"] == 0
    clock.move(1)
    assert (await rene.fixes((15, clock.now())))["near"] == [booking]


async def test_nothing_of_the_database_is_asked_while_nothing_happens(
    app: web.Application, rene: Renting, space: Published, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rene.book(space.id)
    await rene.fixes((3000, NOON))

    def asked(*_: object) -> None:
        raise AssertionError("the database was asked")

    clock.move(5)
    monkeypatch.setattr(app[keys.STORE]._engine, "read", asked)
    monkeypatch.setattr(app[keys.STORE]._engine, "write", asked)
    assert (await rene.fixes((2990, clock.now())))["accepted"] == 1


async def test_what_changes_while_it_is_read_is_not_kept(store: Store, clock: FakeClock) -> None:
    bus = Bus(store.url)
    outbox = Outbox(clock, bus)
    known = KnownFences(outbox=outbox, bus=bus)
    for change in (
        lambda: outbox.wake(account_audience("anna")),
        lambda: bus.publish(TOPIC, "a space"),
        lambda: known.begin("anna"),
    ):
        reading = known.begin("anna")
        change()
        known.keep(reading, (), {}, now=NOON)
        assert known.get("anna", NOON) is None
    reading = known.begin("anna")
    known.keep(reading, (), {}, now=NOON)
    assert known.get("anna", NOON + LIFE_S - 1) is reading
    assert known.get("anna", NOON + LIFE_S) is None
