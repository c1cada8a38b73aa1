"""Owners who come home while somebody has their space: two houses, one renter, and the backend between them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.clock import new_id, to_rfc3339
from tests.backend.market import (
    HOUR,
    SEALED_PLATE,
    Link,
    Published,
    Renting,
    booking_request,
    must,
    period,
    publish,
    share,
)
from tests.backend.support import NOON, FakeClock, House, Person, make_person, pair_house

END = NOON + 2 * HOUR
SMALL = {"length_m": 2.5, "width_m": 1.6, "height_m": 2.0}


@dataclass
class Street:
    """Olga's house with a space that Rene has booked, and Nina's house 200 m away with one that is free."""

    olga: Renting
    rene: Renting
    home: Link
    neighbour: Link
    space: Published
    free: Published
    booking: str
    clock: FakeClock

    async def owner_near(self, *, at: float | None = None) -> None:
        at = self.clock.now() if at is None else at
        await self.home.report("owner.near", {"space": self.space.id, "at": to_rfc3339(at)})

    async def offered(self) -> dict[str, Any]:
        await self.owner_near()
        return dict((await self.home.hear_event("standby.offered"))["d"])

    async def accept(self, offer: str, **changed: Any) -> dict[str, Any]:
        d = {"standby": offer, "booking": new_id(), "sealed_plate": SEALED_PLATE} | changed
        return await self.home.request("standby.accept", d)

    async def sweep(self) -> None:
        app = self.home.client.app  # type: ignore[union-attr]
        await app[keys.STORE].again(lambda: app[keys.BOOKINGS].sweep(self.clock.now()))
        await app[keys.STORE].again(lambda: app[keys.STANDBY].sweep(self.clock.now()))

    async def free_is_free(self) -> bool:
        offers = await self.rene.search(self.clock.now(), self.clock.now() + HOUR)
        return self.free.id in [offer["space"]["id"] for offer in offers]


@pytest.fixture
async def street(
    client: TestClient, house: House, owner: Person, renter: Person, clock: FakeClock
) -> AsyncIterator[Street]:
    nina = await make_person(client, name="Nina")
    async with (
        Link(client, house) as home,
        Link(client, await pair_house(client, nina)) as neighbour,
    ):
        space = await publish(home)
        free = await publish(neighbour, north_m=200, name="Nina's", address="Lindenweg 40")
        rene = Renting(client, renter)
        booking = (await rene.book(space.id))["id"]
        await home.report("grant.stored", {"booking": booking, "revision": 1})
        yield Street(Renting(client, owner), rene, home, neighbour, space, free, booking, clock)


async def test_an_owner_who_comes_home_is_offered_the_nearest_free_space_for_the_rest_of_the_period(
    street: Street,
) -> None:
    street.clock.move(HOUR)
    offered = await street.offered()
    assert offered.pop("standby")
    assert offered == {
        "booking": street.booking,
        "home_space": street.space.id,
        "space": {
            "id": street.free.id,
            "name": "Nina's",
            "address": "Lindenweg 40",
            "position": {"lat": pytest.approx(48.1388, abs=1e-4), "lon": 11.575},
            "seal_key": "A" * 43,
        },
        "period": period(NOON + HOUR, END),
        "distance_m": 200,
        "walk_s": 200,
        "expires_at": to_rfc3339(NOON + HOUR + 300),
    }
    assert not await street.free_is_free(), "it is held"


async def test_from_the_offer_to_the_grant_of_the_other_house(street: Street) -> None:
    offered = await street.offered()
    mine = new_id()
    answer = await must(street.accept(offered["standby"], booking=mine))
    assert answer == {"booking": {"id": mine, "state": "pending", "period": offered["period"], "space": street.free.id}}
    accepted = (await street.home.hear_event("standby.ended"))["d"]
    assert (accepted["state"], accepted["booking"]) == ("accepted", mine)
    proposed = (await street.neighbour.hear_event("booking.proposed"))["d"]
    assert (proposed["booking"], proposed["space"], proposed["sealed_plate"]) == (mine, street.free.id, SEALED_PLATE)
    await street.neighbour.report("grant.stored", {"booking": mine, "revision": 1})
    booked = (await street.home.hear_event("standby.ended"))["d"]
    assert booked == {
        "standby": offered["standby"],
        "home_space": street.space.id,
        "state": "booked",
        "booking": mine,
        "space": street.free.id,
        "period": offered["period"],
    }
    assert (await street.olga.get(f"bookings/{mine}"))["space"]["address"] == "Lindenweg 40"
    assert not await street.free_is_free()
    assert (await street.olga.get("standbys"))["items"][0]["state"] == "booked"


async def test_accepting_twice_is_once_and_with_another_booking_it_is_over(street: Street) -> None:
    offered = await street.offered()
    mine = new_id()
    first = await must(street.accept(offered["standby"], booking=mine))
    assert await must(street.accept(offered["standby"], booking=mine)) == first
    assert (await street.accept(offered["standby"]))["problem"]["type"] == "/problems/standby-over"


async def test_an_owner_may_answer_over_http_too(street: Street) -> None:
    offered = await street.offered()
    [seen] = (await street.olga.get("standbys"))["items"]
    assert (seen["id"], seen["state"], seen["space"]["address"]) == (offered["standby"], "offered", "Lindenweg 40")
    body = {"booking": new_id(), "sealed_plate": SEALED_PLATE}
    accepted = await street.olga.post(f"standbys/{offered['standby']}/accept", body)
    assert (accepted["state"], accepted["accepted_booking"]) == ("accepted", body["booking"])
    assert (await street.home.hear_event("standby.ended"))["d"]["state"] == "accepted"
    again = await street.olga.post(f"standbys/{offered['standby']}/decline", status=409)
    assert again["type"] == "/problems/standby-over"


async def test_a_declined_standby_is_free_at_once_and_the_owner_is_not_asked_again_soon(street: Street) -> None:
    offered = await street.offered()
    assert await must(street.home.request("standby.decline", {"standby": offered["standby"]})) == {}
    assert (await street.home.hear_event("standby.ended"))["d"]["state"] == "declined"
    assert await street.free_is_free()
    await street.owner_near()
    assert len((await street.olga.get("standbys"))["items"]) == 1
    street.clock.move(0.5 * HOUR)
    await street.owner_near()
    assert len((await street.olga.get("standbys"))["items"]) == 2


async def test_an_offer_that_nobody_answers_expires_and_cannot_be_accepted(street: Street) -> None:
    offered = await street.offered()
    street.clock.move(300)
    assert (await street.accept(offered["standby"]))["problem"]["type"] == "/problems/standby-over"
    assert await street.free_is_free(), "an expired hold is nobody's, swept or not"
    await street.sweep()
    assert (await street.home.hear_event("standby.ended"))["d"]["state"] == "expired"
    assert (await street.offered())["standby"] != offered["standby"]


async def test_an_expired_hold_does_not_stop_another_renter_before_the_sweep(street: Street) -> None:
    await street.offered()
    request = booking_request(street.free.id, NOON + 400, END)
    assert (await street.rene.post("bookings", request, status=409))["type"] == "/problems/space-taken"
    street.clock.move(300)
    await street.rene.post("bookings", request, status=201)


async def test_a_renter_who_cancels_gives_the_owner_their_space_and_the_standby_back(street: Street) -> None:
    await street.offered()
    await street.rene.post(f"bookings/{street.booking}/cancel")
    assert (await street.home.hear_event("standby.ended"))["d"]["state"] == "canceled"
    assert await street.free_is_free()


async def test_one_standby_for_one_booking_however_often_the_owner_comes_near(street: Street) -> None:
    for _ in range(3):
        await street.owner_near()
    assert len((await street.olga.get("standbys"))["items"]) == 1


async def test_an_owner_nobody_is_in_the_way_of_needs_no_standby(street: Street) -> None:
    await street.rene.post(f"bookings/{street.booking}/cancel")
    await street.owner_near()
    assert (await street.olga.get("standbys"))["items"] == []


async def test_old_news_of_an_owner_lead_to_nothing(street: Street) -> None:
    street.clock.move(HOUR)
    await street.owner_near(at=NOON)
    assert (await street.olga.get("standbys"))["items"] == []


async def test_an_owner_hears_why_there_is_no_standby(street: Street) -> None:
    await share(street.neighbour, street.free, [(NOON, NOON + HOUR)])
    await street.owner_near()
    none = (await street.home.hear_event("standby.none"))["d"]
    assert none == {"booking": street.booking, "home_space": street.space.id, "reason": "nothing-free-nearby"}
    await publish(street.neighbour, north_m=50, size=SMALL)
    await street.owner_near()
    assert (await street.home.hear_event("standby.none"))["d"]["reason"] == "nothing-fits"
    street.clock.move(2 * HOUR - 299)
    await street.owner_near()
    assert (await street.home.hear_event("standby.none"))["d"]["reason"] == "nearly-over"


async def test_when_the_other_house_refuses_the_next_space_is_offered(street: Street) -> None:
    second = await publish(street.neighbour, north_m=400)
    offered = await street.offered()
    mine = new_id()
    await must(street.accept(offered["standby"], booking=mine))
    await street.neighbour.report("grant.refused", {"booking": mine, "revision": 1, "reason": "not-sharing"})
    next_offer = (await street.home.hear_event("standby.offered"))["d"]
    assert next_offer["space"]["id"] == second.id
    states = [item["state"] for item in (await street.olga.get("standbys"))["items"]]
    assert states == ["offered", "canceled"]


async def test_the_owners_own_phone_finds_a_standby_before_they_arrive(street: Street) -> None:
    for north_m in range(3000, 2000, -150):
        await street.olga.fixes((north_m, street.clock.now()))
        street.clock.move(10)
    [offered] = (await street.olga.get("standbys"))["items"]
    assert offered["state"] == "offered"


async def test_a_house_cannot_touch_the_standby_of_another(street: Street) -> None:
    offered = await street.offered()
    stolen = await street.neighbour.request(
        "standby.accept", {"standby": offered["standby"], "booking": new_id(), "sealed_plate": SEALED_PLATE}
    )
    assert stolen["problem"]["status"] == 404
    await street.neighbour.report("owner.near", {"space": street.space.id, "at": to_rfc3339(NOON)})
    await street.rene.post(f"standbys/{offered['standby']}/decline", status=404)
    assert (await street.olga.get("standbys"))["items"][0]["state"] == "offered"


async def test_an_acceptance_that_cannot_be_is_refused_at_its_field_and_the_offer_stands(street: Street) -> None:
    offered = await street.offered()
    for changed, pointer in (
        ({"booking": "1"}, "/d/booking"),
        ({"sealed_plate": "AB-123-CD"}, "/d/sealed_plate"),
        ({"standby": None}, "/d/standby"),
    ):
        refused = await street.accept(offered["standby"], **changed)
        assert [error["pointer"] for error in refused["problem"]["errors"]] == [pointer]
    reused = await street.accept(offered["standby"], booking=street.booking)
    assert reused["problem"]["type"] == "/problems/id-reused"
    await must(street.accept(offered["standby"]))


async def test_an_offer_that_has_just_expired_does_not_stand_in_the_way_of_the_next(street: Street) -> None:
    first = await street.offered()
    await street.clock.pass_time(298)
    street.clock.move(2.5)  # over, and not yet swept up
    second = await street.offered()
    assert second["standby"] != first["standby"]
    states = [standby["state"] for standby in (await street.olga.get("standbys"))["items"]]
    assert states == ["offered", "expired"]


async def test_a_house_that_takes_its_word_back_cancels_the_standby_and_is_not_asked_again(street: Street) -> None:
    further = await publish(street.neighbour, north_m=300)
    offered = await street.offered()
    mine = new_id()
    await must(street.accept(offered["standby"], booking=mine))
    await street.neighbour.report("grant.stored", {"booking": mine, "revision": 1})
    await street.neighbour.report("grant.refused", {"booking": mine, "revision": 1, "reason": "cannot-open-plate"})
    again = (await street.home.hear_event("standby.offered"))["d"]
    assert again["space"]["id"] == further.id
    states = [standby["state"] for standby in (await street.olga.get("standbys"))["items"]]
    assert states == ["offered", "canceled"]


async def test_where_a_standby_was_is_shown_no_longer_once_it_is_over(street: Street) -> None:
    offered = await street.offered()
    [seen] = (await street.olga.get("standbys"))["items"]
    assert seen["space"]["address"] == "Lindenweg 40"
    declined = await street.olga.post(f"standbys/{offered['standby']}/decline")
    [seen] = (await street.olga.get("standbys"))["items"]
    assert declined == seen
    assert (seen["space"]["address"], seen["space"]["position"]) == (None, None)
