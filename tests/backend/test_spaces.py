"""Publishing spaces and windows, and searching them: through the link and over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from parkshare_backend.clock import new_id
from tests.backend.market import DAY, HOUR, MONTH, Link, Renting, must, period, place, publish, share, space_document
from tests.backend.support import NOON, FakeClock, House, Person, make_person, pair_house


@pytest.fixture
async def link(client: TestClient, house: House) -> AsyncIterator[Link]:
    async with Link(client, house) as link:
        yield link


@pytest.fixture
def rene(client: TestClient, renter: Person) -> Renting:
    return Renting(client, renter)


async def test_a_published_space_is_offered_with_its_area_and_not_its_address(link: Link, rene: Renting) -> None:
    space = await publish(link, north_m=120)
    [offer] = await rene.search()
    assert offer["space"] == {
        "id": space.id,
        "name": "Courtyard",
        "area": {"lat": 48.138, "lon": pytest.approx(11.575, abs=1e-3)},
    }
    assert offer["price"] == {"amount_minor": 250, "currency": "EUR"}
    assert offer["period"] == period(NOON, NOON + 2 * HOUR)
    assert offer["size"] == {"length_m": 5.5, "width_m": 2.5, "height_m": 2.2}
    assert offer["walk_s"] == pytest.approx(offer["distance_m"], abs=1)
    assert offer["reason"].startswith("The nearest space that is free for the whole period")
    assert "Lindenweg" not in str(offer)
    assert "Second gate" not in str(offer)


async def test_offers_come_nearest_first_and_no_more_than_asked_for(link: Link, rene: Renting) -> None:
    spaces = [await publish(link, north_m=distance) for distance in (900, 30, 1400, 300)]
    near, middle, far = spaces[1], spaces[3], spaces[0]
    assert [offer["space"]["id"] for offer in await rene.search(limit=3)] == [near.id, middle.id, far.id]
    assert len(await rene.search(radius_m=500)) == 2


async def test_an_owner_is_not_offered_their_own_space(link: Link, client: TestClient, owner: Person) -> None:
    await publish(link)
    assert await Renting(client, owner).search() == []


async def test_a_space_is_offered_only_when_one_window_covers_the_whole_period(link: Link, rene: Renting) -> None:
    space = await publish(link, windows=[(NOON, NOON + HOUR), (NOON + 2 * HOUR, NOON + 4 * HOUR)])
    assert not await rene.search(NOON, NOON + 2 * HOUR)
    assert not await rene.search(NOON, NOON + 4 * HOUR)
    assert await rene.search(NOON + 2 * HOUR, NOON + 4 * HOUR)
    await share(link, space, [(NOON, NOON + HOUR), (NOON + HOUR, NOON + 2 * HOUR)])
    assert await rene.search(NOON, NOON + 2 * HOUR), "windows that touch are one"


async def test_a_booked_space_is_not_offered_for_any_part_of_the_period(link: Link, rene: Renting) -> None:
    space = await publish(link)
    await rene.book(space.id, NOON + HOUR, NOON + 2 * HOUR)
    assert not await rene.search(NOON + 1.5 * HOUR, NOON + 3 * HOUR)
    assert await rene.search(NOON + 2 * HOUR, NOON + 3 * HOUR)
    assert await rene.search(NOON, NOON + HOUR)


async def test_a_space_that_is_too_small_for_the_car_is_not_offered(link: Link, rene: Renting) -> None:
    await publish(link)
    assert await rene.search(vehicle={"length_m": 5.5, "width_m": 2.0})
    assert not await rene.search(vehicle={"length_m": 5.6})
    assert not await rene.search(vehicle={"height_m": 2.3})


async def test_sharing_is_switched_off_and_on_by_the_house(link: Link, rene: Renting) -> None:
    space = await publish(link)
    state = {"space": space.id, "barrier": "up", "sharing": False, "fault": None}
    await link.report("space.state", state)
    assert not await rene.search()
    await link.report("space.state", state | {"sharing": True, "barrier": "sideways"})
    assert await rene.search()


async def test_a_withdrawn_space_is_gone_and_its_live_booking_keeps_its_right(link: Link, rene: Renting) -> None:
    space = await publish(link)
    booking = await rene.book(space.id)
    assert await must(link.request("space.withdraw", {"space": space.id})) == {}
    assert not await rene.search(NOON + 3 * HOUR, NOON + 4 * HOUR)
    assert (await rene.get(f"bookings/{booking['id']}"))["state"] == "pending"
    await must(link.request("space.publish", space_document(space.id)))
    assert not await rene.search(NOON + 3 * HOUR, NOON + 4 * HOUR), "its windows went with it"


async def test_a_space_that_moved_is_found_at_its_new_place_only(link: Link, rene: Renting) -> None:
    space = await publish(link)
    answer = await must(link.request("space.publish", space_document(space.id, position=place(5000))))
    assert answer == {"revision": 2}
    assert not await rene.search()
    assert await rene.search(place=place(5000))


async def test_a_space_across_the_antimeridian_is_found(link: Link, rene: Renting) -> None:
    await publish(link, position={"lat": -17.0, "lon": -179.9995})
    assert await rene.search(place={"lat": -17.0, "lon": 179.9995})


async def test_a_space_belongs_to_the_house_that_published_it_first(link: Link, client: TestClient) -> None:
    space = await publish(link)
    stranger = await make_person(client, name="Stranger")
    async with Link(client, await pair_house(client, stranger)) as other:
        stolen = await other.request("space.publish", space_document(space.id))
        assert stolen["problem"]["type"] == "/problems/space-elsewhere"
        for t, d in (("windows.publish", {"windows": []}), ("space.withdraw", {})):
            assert (await other.request(t, {"space": space.id} | d))["problem"]["status"] == 404


async def test_an_account_has_so_many_spaces_and_can_still_change_the_ones_it_has(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parkshare_backend.spaces.service.MAX_SPACES", 2)
    kept, gone = await publish(link), await publish(link)
    await must(link.request("space.withdraw", {"space": gone.id}))
    refused = await link.request("space.publish", space_document(new_id()))
    assert refused["problem"]["type"] == "/problems/too-many-spaces"
    for space in (kept, gone):
        assert await must(link.request("space.publish", space_document(space.id))) == {"revision": 2}


async def test_a_house_that_was_paired_anew_has_its_spaces_back(
    link: Link, client: TestClient, owner: Person, house: House
) -> None:
    space = await publish(link)
    again = await pair_house(client, owner)
    async with Link(client, again) as other:
        early = await other.request("space.publish", space_document(space.id))
        assert early["problem"]["type"] == "/problems/space-elsewhere"
        revoked = await client.delete(f"/api/v1/installs/{house.install}", headers=owner.headers)
        assert revoked.status == 204, await revoked.text()
        await link.closed()
        assert await must(other.request("space.publish", space_document(space.id))) == {"revision": 2}


async def test_windows_in_the_past_are_dropped_and_the_rest_replaces_what_was(link: Link, rene: Renting) -> None:
    space = await publish(link)
    windows = [period(NOON - 2 * HOUR, NOON - HOUR), period(NOON + HOUR, NOON + 3 * HOUR)]
    answer = await must(link.request("windows.publish", {"space": space.id, "windows": windows}))
    assert answer == {"windows": 1}
    assert not await rene.search(NOON, NOON + 2 * HOUR)
    assert await rene.search(NOON + HOUR, NOON + 2 * HOUR)


IMPOSSIBLE_SPACES: list[tuple[dict[str, Any], str]] = [
    ({"space": "not-an-id"}, "/d/space"),
    ({"name": " "}, "/d/name"),
    ({"name": "a\u0000b"}, "/d/name"),
    ({"position": {"lat": 91, "lon": 0}}, "/d/position/lat"),
    ({"position": {"lat": 0, "lon": -180.1}}, "/d/position/lon"),
    ({"position": {"lat": "48", "lon": 0}}, "/d/position/lat"),
    ({"size": {"length_m": 0}}, "/d/size/length_m"),
    ({"size": {"width_m": 51}}, "/d/size/width_m"),
    ({"range_m": 9}, "/d/range_m"),
    ({"range_m": 2001}, "/d/range_m"),
    ({"price": {"amount_minor": -1, "currency": "EUR"}}, "/d/price/amount_minor"),
    ({"price": {"amount_minor": 1.5, "currency": "EUR"}}, "/d/price/amount_minor"),
    ({"price": {"amount_minor": 1, "currency": "euro"}}, "/d/price/currency"),
    ({"seal_key": "AAAA"}, "/d/seal_key"),
    ({"address": "x" * 301}, "/d/address"),
    ({"access_notes": "x" * 1001}, "/d/access_notes"),
    ({"sharing": "yes"}, "/d/sharing"),
]


async def test_an_impossible_space_is_refused_at_its_field(link: Link) -> None:
    for changed, pointer in IMPOSSIBLE_SPACES:
        answer = await link.request("space.publish", space_document(new_id(), **changed))
        assert answer["problem"]["type"] == "/problems/invalid-request", changed
        assert [error["pointer"] for error in answer["problem"]["errors"]] == [pointer], changed


IMPOSSIBLE_WINDOWS: list[tuple[list[Any], str]] = [
    ([period(*MONTH), period(NOON + HOUR, NOON + HOUR)], "/d/windows/1/end"),
    ([period(NOON + HOUR, NOON)], "/d/windows/0/end"),
    ([period(NOON, NOON + 30 * DAY)], "/d/windows/0/end"),
    ([{"start": "2026-11-22T14:00:00", "end": "2026-11-22T15:00:00Z"}], "/d/windows/0/start"),
    ([period(*MONTH)] * 1001, "/d/windows"),
]


async def test_impossible_windows_are_refused_and_change_nothing(link: Link, rene: Renting) -> None:
    space = await publish(link)
    for windows, pointer in IMPOSSIBLE_WINDOWS:
        answer = await link.request("windows.publish", {"space": space.id, "windows": windows})
        assert [error["pointer"] for error in answer["problem"]["errors"]] == [pointer], pointer
        assert await rene.search()


SEARCH = {"place": place(), "period": period(NOON, NOON + HOUR)}


IMPOSSIBLE_SEARCHES: list[tuple[dict[str, Any], str]] = [
    ({"period": SEARCH["period"]}, "/place"),
    ({"place": place()}, "/period"),
    (SEARCH | {"place": {"lat": 90.5, "lon": 0}}, "/place/lat"),
    (SEARCH | {"place": {"lat": 0}}, "/place/lon"),
    (SEARCH | {"place": "Lindenweg 4"}, "/place"),
    (SEARCH | {"period": period(NOON + HOUR, NOON)}, "/period/end"),
    (SEARCH | {"period": period(NOON - 61, NOON + HOUR)}, "/period/start"),
    (SEARCH | {"period": period(NOON, NOON + 299)}, "/period/end"),
    (SEARCH | {"period": period(NOON, NOON + 15 * DAY)}, "/period/end"),
    (SEARCH | {"period": period(NOON + 28 * DAY, NOON + 28 * DAY + HOUR)}, "/period/end"),
    (SEARCH | {"period": {"start": "tomorrow", "end": "2026-11-22T14:00:00Z"}}, "/period/start"),
    (SEARCH | {"radius_m": 49}, "/radius_m"),
    (SEARCH | {"limit": 0}, "/limit"),
    (SEARCH | {"limit": 51}, "/limit"),
    (SEARCH | {"vehicle": {"length_m": -1}}, "/vehicle/length_m"),
    (SEARCH | {"vehicle": {"wheels": 4}}, "/vehicle/wheels"),
    (SEARCH | {"palce": place()}, "/palce"),
]


async def test_an_impossible_search_is_refused_at_its_field(rene: Renting) -> None:
    for body, pointer in IMPOSSIBLE_SEARCHES:
        problem = await rene.post("searches", body, status=422)
        assert problem["type"] == "/problems/invalid-request", body
        assert [error["pointer"] for error in problem["errors"]] == [pointer], body
        assert problem["errors"][0]["detail"]


async def test_near_equal_spaces_are_shuffled_for_simultaneous_renters(link: Link, rene: Renting) -> None:
    for i in range(4):
        await publish(link, north_m=10 * i)
    first = {(await rene.search())[0]["space"]["id"] for _ in range(40)}
    assert len(first) > 1


async def test_a_search_looks_at_the_time_of_now(link: Link, rene: Renting, clock: FakeClock) -> None:
    await publish(link)
    clock.move(2 * HOUR)
    await rene.post("searches", SEARCH, status=422)


async def test_the_radius_of_a_search_tells_no_more_than_the_area_does(link: Link, rene: Renting) -> None:
    """Two spaces in one cell of the rounding look the same from everywhere, however small the radius."""
    spaces = {(await publish(link, north_m=north_m)).id for north_m in (-45, 45)}
    shown = {(offer["space"]["area"]["lat"], offer["space"]["area"]["lon"]) for offer in await rene.search()}
    assert len(shown) == 1
    for north_m in range(-160, 161, 10):
        for radius_m in (50, 100, 150):
            found = {offer["space"]["id"] for offer in await rene.search(place=place(north_m), radius_m=radius_m)}
            assert found in (set(), spaces), (north_m, radius_m)
