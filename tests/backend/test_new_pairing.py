"""A house that was revoked, and one that was paired anew in its place."""

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.accounts.installs import Install
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.store.engine import ReadTx
from tests.backend.market import Link, Renting, booking_request, must, publish, space_document
from tests.backend.support import NOON, House, HouseLink, Person, pair_house


@pytest.fixture
def rene(client: TestClient, renter: Person) -> Renting:
    return Renting(client, renter)


async def revoke(client: TestClient, owner: Person, house: House) -> None:
    answer = await client.delete(f"/api/v1/installs/{house.install}", headers=owner.headers)
    assert answer.status == 204


async def test_the_space_of_a_revoked_house_cannot_be_found_or_booked(
    client: TestClient, owner: Person, house: House, rene: Renting
) -> None:
    async with Link(client, house) as link:
        space = await publish(link)
    assert await rene.search()
    await revoke(client, owner, house)
    assert await rene.search() == []
    problem = await rene.post("bookings", booking_request(space.id), status=409)
    assert problem["type"] == "/problems/not-offered"


async def test_a_new_house_is_told_of_the_live_bookings_on_the_spaces_that_it_takes_over(
    client: TestClient, owner: Person, house: House, rene: Renting
) -> None:
    async with Link(client, house) as link:
        space = await publish(link)
        over = await rene.book(space.id)
        await rene.post(f"bookings/{over['id']}/cancel")
    waiting = await rene.book(space.id)
    await revoke(client, owner, house)
    async with Link(client, await pair_house(client, owner)) as link:
        await must(link.request("space.publish", space_document(space.id)))
        proposed = (await link.hear_event())["d"]
        assert (proposed["booking"], proposed["state"]) == (waiting["id"], "pending")
        await link.report("grant.stored", {"booking": waiting["id"], "revision": proposed["revision"]})
    assert (await rene.get(f"bookings/{waiting['id']}"))["state"] == "reserved"


async def test_facts_that_a_new_house_tells_before_it_published_its_spaces_again_count(
    client: TestClient, owner: Person, house: House, rene: Renting
) -> None:
    async with Link(client, house) as link:
        space = await publish(link)
        booking = (await rene.book(space.id))["id"]
    await revoke(client, owner, house)
    async with Link(client, await pair_house(client, owner)) as link:
        await link.report("grant.stored", {"booking": booking, "revision": 1})
        await link.report("stay.arrived", {"booking": booking, "at": to_rfc3339(NOON)})
    assert (await rene.get(f"bookings/{booking}"))["state"] == "active"


async def test_a_second_house_of_the_owner_cannot_speak_for_the_first_while_that_is_linked(
    client: TestClient, owner: Person, house: House, rene: Renting
) -> None:
    async with Link(client, house) as link:
        space = await publish(link)
        booking = (await rene.book(space.id))["id"]
    async with Link(client, await pair_house(client, owner)) as link:
        await link.report("grant.stored", {"booking": booking, "revision": 1})
    assert (await rene.get(f"bookings/{booking}"))["state"] == "pending"


async def test_a_house_that_is_revoked_while_it_comes_in_stays_out(
    app: web.Application, client: TestClient, owner: Person, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    installs = app[keys.INSTALLS]
    get = installs.get

    async def look_then_revoke(tx: ReadTx, install: str) -> Install | None:
        found = await get(tx, install)
        monkeypatch.undo()
        await installs.revoke(owner.id, install)
        return found

    monkeypatch.setattr(installs, "get", look_then_revoke)
    link = HouseLink(client, house)
    await link.dial()
    await link.say_auth()
    assert await link.closed() == 4403


async def test_a_house_that_lies_about_the_log_disturbs_nobody_for_long(
    app: web.Application, client: TestClient, owner: Person, house: House
) -> None:
    liar = await pair_house(client, owner)
    epochs: list[Any] = []
    for _ in range(3):
        link = HouseLink(client, liar)
        await link.dial()
        epochs.append(link.hello["epoch"])
        await link.say_auth(resume={"epoch": link.hello["epoch"], "got": 2**50})
        while not link.socket.closed and (await link.socket.receive(timeout=5)).type.name == "TEXT":
            break
        await link.socket.close()
    async with HouseLink(client, house) as steady:
        again = HouseLink(client, liar)
        await again.dial()
        await again.say_auth(resume={"epoch": again.hello["epoch"], "got": 2**50})
        assert not (await again.hear("ready"))["resumed"]
        assert await steady.report("never.heard", {})
        await again.socket.close()
    assert len(set(epochs)) <= 2
