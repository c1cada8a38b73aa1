"""Booking, from the request to the end of the stay: what the renter sees and what the house is told."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.clock import new_id, to_rfc3339
from tests.backend.market import (
    DAY,
    HOUR,
    SEALED_PLATE,
    Link,
    Published,
    Renting,
    booking_request,
    must,
    period,
    place,
    publish,
    share,
    space_document,
)
from tests.backend.support import NOON, FakeClock, House, Person, make_person, pair_house

END = NOON + 2 * HOUR


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


async def reserved(rene: Renting, link: Link, space: Published, **more: Any) -> str:
    """Book, and let the house store the grant."""
    booking = await rene.book(space.id, **more)
    await link.report("grant.stored", {"booking": booking["id"], "revision": 1})
    return str(booking["id"])


async def state_of(rene: Renting, booking: str) -> str:
    return str((await rene.get(f"bookings/{booking}"))["state"])


async def sweep(client: TestClient, clock: FakeClock) -> None:
    app = client.app
    assert app is not None
    # As the server does: its own sweep may be at it at the same moment, and one of two then tries again.
    await app[keys.STORE].again(lambda: app[keys.BOOKINGS].sweep(clock.now()))


async def test_a_booking_is_proposed_to_the_house_with_the_sealed_plate_and_no_name(
    rene: Renting, link: Link, space: Published
) -> None:
    booking = await rene.book(space.id)
    proposed = (await link.hear_event("booking.proposed"))["d"]
    alias = proposed.pop("renter")["alias"]
    assert proposed == {
        "booking": booking["id"],
        "space": space.id,
        "revision": 1,
        "state": "pending",
        "period": period(NOON, END),
        "sealed_plate": SEALED_PLATE,
    }
    assert "Rene" not in alias
    again = await rene.book(space.id, END, END + HOUR)
    assert (await link.hear_event("booking.proposed"))["d"]["renter"]["alias"] == alias, "the house knows them again"
    assert again["id"] != booking["id"]


async def test_the_renter_of_a_live_booking_is_told_where_the_space_is(
    rene: Renting, link: Link, space: Published
) -> None:
    booking = await rene.book(space.id)
    assert booking["space"] == {
        "id": space.id,
        "name": "Courtyard",
        "address": "Lindenweg 4",
        "position": place(),
        "access_notes": "Second gate",
        "plug": None,
    }
    canceled = await rene.post(f"bookings/{booking['id']}/cancel")
    hidden = dict.fromkeys(("address", "position", "access_notes", "plug"))
    assert canceled["space"] == {"id": space.id, "name": "Courtyard"} | hidden


async def test_only_the_renter_and_the_owner_see_a_booking_and_only_the_renter_may_act(
    rene: Renting, space: Published, client: TestClient, owner: Person
) -> None:
    booking = await rene.book(space.id)
    olga = Renting(client, owner)
    seen = await olga.get(f"bookings/{booking['id']}")
    assert seen["state"] == "pending"
    assert (await olga.get("bookings?role=owner"))["items"] == [seen]
    assert (await olga.get("bookings"))["items"] == []
    stranger = Renting(client, await make_person(client))
    await stranger.get(f"bookings/{booking['id']}", status=404)
    for person in (olga, stranger):
        for act in ("cancel", "here"):
            await person.post(f"bookings/{booking['id']}/{act}", status=404)


async def test_the_same_request_again_answers_the_same_booking(rene: Renting, space: Published) -> None:
    request = booking_request(space.id)
    first = await rene.post("bookings", request, status=201)
    assert await rene.post("bookings", request, status=200) == first
    assert len((await rene.get("bookings"))["items"]) == 1


async def test_a_repeat_is_answered_even_when_the_period_has_begun(
    rene: Renting, space: Published, clock: FakeClock
) -> None:
    request = booking_request(space.id)
    await rene.post("bookings", request, status=201)
    clock.move(HOUR)
    await rene.post("bookings", request, status=200)


async def test_an_id_with_other_content_or_of_somebody_else_is_refused(
    rene: Renting, space: Published, client: TestClient
) -> None:
    request = booking_request(space.id)
    await rene.post("bookings", request, status=201)
    other = Renting(client, await make_person(client))
    for person, changed in ((rene, {"period": period(NOON, END + HOUR)}), (rene, {"vehicle": {}}), (other, {})):
        problem = await person.post("bookings", request | changed, status=409)
        assert problem["type"] == "/problems/id-reused"


async def test_a_taken_period_is_refused_and_its_neighbours_are_free(rene: Renting, space: Published) -> None:
    await rene.book(space.id, NOON + HOUR, END)
    for start, end in ((NOON, NOON + HOUR + 1), (END - 1, END + HOUR), (NOON + 1.2 * HOUR, NOON + 1.5 * HOUR)):
        problem = await rene.post("bookings", booking_request(space.id, start, end), status=409)
        assert problem["type"] == "/problems/space-taken"
        assert problem["errors"][0]["pointer"] == "/period"
    await rene.book(space.id, NOON, NOON + HOUR)
    await rene.book(space.id, END, END + HOUR)


async def test_what_the_owner_does_not_share_cannot_be_booked(rene: Renting, link: Link, space: Published) -> None:
    await share(link, space, [(NOON, NOON + HOUR)])
    problem = await rene.post("bookings", booking_request(space.id), status=409)
    assert problem["type"] == "/problems/not-offered"
    await must(link.request("space.publish", space_document(space.id, sharing=False)))
    problem = await rene.post("bookings", booking_request(space.id, NOON, NOON + HOUR), status=409)
    assert problem["type"] == "/problems/not-offered"


async def test_nobody_books_their_own_space_or_one_that_their_car_does_not_fit(
    rene: Renting, space: Published, client: TestClient, owner: Person
) -> None:
    own = await Renting(client, owner).post("bookings", booking_request(space.id), status=409)
    assert own["type"] == "/problems/own-space"
    large = await rene.post("bookings", booking_request(space.id, vehicle={"height_m": 2.3}), status=409)
    assert large["type"] == "/problems/does-not-fit"


IMPOSSIBLE_BOOKINGS: list[tuple[dict[str, Any], str]] = [
    ({"id": "1"}, "/id"),
    ({"id": "f47ac10b-58cc-4372-a567-0e02b2c3d479"}, "/id"),
    ({"space": ""}, "/space"),
    ({"period": period(END, NOON)}, "/period/end"),
    ({"period": period(NOON, NOON)}, "/period/end"),
    ({"period": period(NOON - 61, END)}, "/period/start"),
    ({"period": period(NOON, NOON + 299)}, "/period/end"),
    ({"period": period(NOON, NOON + 14 * DAY + 1)}, "/period/end"),
    ({"period": period(NOON + 28 * DAY, NOON + 28 * DAY + 600)}, "/period/end"),
    ({"period": {"start": to_rfc3339(NOON)}}, "/period/end"),
    ({"period": {"start": "2026-11-22T12:00:00", "end": "2026-11-22T14:00:00Z"}}, "/period/start"),
    ({"sealed_plate": SEALED_PLATE[:-1]}, "/sealed_plate"),
    ({"sealed_plate": SEALED_PLATE + "AAAA"}, "/sealed_plate"),
    ({"sealed_plate": "AB-123-CD"}, "/sealed_plate"),
    ({"sealed_plate": "!" * 235}, "/sealed_plate"),
    ({"vehicle": {"length_m": "long"}}, "/vehicle/length_m"),
    ({"plate": "AB-123-CD"}, "/plate"),
]


async def test_an_impossible_booking_is_refused_at_its_field(rene: Renting, space: Published) -> None:
    for changed, pointer in IMPOSSIBLE_BOOKINGS:
        problem = await rene.post("bookings", booking_request(space.id) | changed, status=422)
        assert problem["type"] == "/problems/invalid-request", changed
        assert [error["pointer"] for error in problem["errors"]] == [pointer], changed
    missing = await rene.post("bookings", booking_request(new_id()), status=404)
    assert missing["errors"][0]["pointer"] == "/space"
    assert not (await rene.get("bookings"))["items"]


async def test_a_query_or_an_id_that_cannot_be_is_refused(rene: Renting) -> None:
    for query in ("limit=0", "limit=101", "cursor=x", "role=guest", "order=asc"):
        problem = await rene.get(f"bookings?{query}", status=422)
        assert problem["errors"][0]["pointer"] == f"/query/{query.split('=')[0]}"
    for query in ("after=-1", "limit=501", "after=x"):
        await rene.get(f"changes?{query}", status=422)
    await rene.get("bookings/not-an-id", status=404)
    await rene.get(f"bookings/{new_id()}", status=404)


async def test_a_token_without_the_scope_is_refused(client: TestClient, space: Published) -> None:
    tracker = Renting(client, await make_person(client, scopes=["positions"]))
    await tracker.post("bookings", booking_request(space.id), status=403)
    await tracker.post("searches", {}, status=403)
    await tracker.get("changes", status=403)
    searcher = Renting(client, await make_person(client, scopes=["search"]))
    await searcher.post("positions", {"fixes": []}, status=403)


async def test_the_house_reserves_arrives_and_fulfils(rene: Renting, link: Link, space: Published) -> None:
    booking = await reserved(rene, link, space)
    assert await state_of(rene, booking) == "reserved"
    await link.report(
        "admission.decided", {"booking": booking, "decision": "admit", "by": "plate", "at": to_rfc3339(NOON)}
    )
    await link.report("stay.arrived", {"booking": booking, "at": to_rfc3339(NOON)})
    assert await state_of(rene, booking) == "active"
    await link.report("stay.left", {"booking": booking, "at": to_rfc3339(NOON)})
    assert await state_of(rene, booking) == "fulfilled"
    assert await rene.search(), "the rest of the period is free again"
    assert await rene.causes() == ["proposed", "grant-stored", "arrived", "left"]


async def test_a_refused_grant_frees_the_space_and_tells_the_renter_why(
    rene: Renting, link: Link, space: Published
) -> None:
    booking = await rene.book(space.id)
    await link.report("grant.refused", {"booking": booking["id"], "revision": 1, "reason": "cannot-open-plate"})
    assert await state_of(rene, booking["id"]) == "rejected"
    last = (await rene.get("changes"))["items"][-1]
    assert (last["t"], last["d"]["state"], last["d"]["reason"]) == ("booking.changed", "rejected", "cannot-open-plate")
    await rene.book(space.id)


async def test_a_canceled_booking_frees_the_space_and_the_house_is_told_with_a_higher_revision(
    rene: Renting, link: Link, space: Published
) -> None:
    booking = await reserved(rene, link, space)
    assert (await rene.post(f"bookings/{booking}/cancel"))["state"] == "canceled"
    told = (await link.hear_event("booking.canceled"))["d"]
    assert told == {"booking": booking, "space": space.id, "revision": 2, "reason": "renter"}
    assert (await rene.post(f"bookings/{booking}/cancel"))["state"] == "canceled", "twice is once"
    await rene.book(space.id)


async def test_a_car_that_stands_there_cannot_be_canceled_away(rene: Renting, link: Link, space: Published) -> None:
    booking = await reserved(rene, link, space)
    await link.report("stay.arrived", {"booking": booking, "at": to_rfc3339(NOON)})
    problem = await rene.post(f"bookings/{booking}/cancel", status=409)
    assert problem["type"] == "/problems/not-possible-now"
    assert await state_of(rene, booking) == "active"


async def test_a_grant_that_crosses_a_cancellation_changes_nothing(rene: Renting, link: Link, space: Published) -> None:
    booking = await rene.book(space.id)
    await rene.post(f"bookings/{booking['id']}/cancel")
    await link.report("grant.stored", {"booking": booking["id"], "revision": 1})
    assert await state_of(rene, booking["id"]) == "canceled"


async def test_another_house_cannot_speak_about_the_booking(
    rene: Renting, link: Link, space: Published, client: TestClient
) -> None:
    booking = await rene.book(space.id)
    async with Link(client, await pair_house(client, await make_person(client))) as other:
        await other.report("grant.stored", {"booking": booking["id"], "revision": 1})
        await other.report("stay.arrived", {"booking": booking["id"], "at": to_rfc3339(NOON)})
    assert await state_of(rene, booking["id"]) == "pending"


async def test_i_am_here_is_told_to_the_house_from_30_minutes_before_until_the_end(
    rene: Renting, link: Link, space: Published, clock: FakeClock
) -> None:
    booking = await reserved(rene, link, space, start=NOON + HOUR, end=END)
    early = await rene.post(f"bookings/{booking}/here", status=409)
    assert "2026-11-22T12:30:00Z" in early["detail"]
    clock.move(0.5 * HOUR)
    assert (await rene.post(f"bookings/{booking}/here"))["near"]
    told = (await link.hear_event("renter.near"))["d"]
    assert told == {"booking": booking, "space": space.id, "at": to_rfc3339(NOON + 0.5 * HOUR), "source": "here"}
    clock.move(1.5 * HOUR)
    await rene.post(f"bookings/{booking}/here", status=409)


async def test_the_end_makes_a_no_show_of_who_never_came_and_frees_nothing_before(
    rene: Renting, link: Link, space: Published, clock: FakeClock, client: TestClient
) -> None:
    booking = await reserved(rene, link, space)
    clock.move(2 * HOUR - 1)
    await sweep(client, clock)
    assert await state_of(rene, booking) == "reserved"
    clock.move(1)
    await sweep(client, clock)
    assert await state_of(rene, booking) == "no_show"


async def test_the_clockwork_settles_what_is_due_by_itself(
    rene: Renting, link: Link, space: Published, clock: FakeClock
) -> None:
    booking = await reserved(rene, link, space)
    await clock.pass_time(2 * HOUR)
    assert await state_of(rene, booking) == "no_show"


async def test_a_booking_that_the_house_never_answered_is_rejected_at_its_end_and_taken_back(
    rene: Renting, link: Link, space: Published, clock: FakeClock, client: TestClient
) -> None:
    booking = await rene.book(space.id)
    clock.move(2 * HOUR)
    await sweep(client, clock)
    assert await state_of(rene, booking["id"]) == "rejected"
    assert (await link.hear_event("booking.canceled"))["d"]["reason"] == "unanswered"


async def test_a_car_that_stays_past_the_end_is_an_overstay_and_not_a_loss(
    rene: Renting, link: Link, space: Published, clock: FakeClock, client: TestClient
) -> None:
    booking = await reserved(rene, link, space)
    await link.report("stay.arrived", {"booking": booking, "at": to_rfc3339(NOON)})
    clock.move(2 * HOUR)
    await sweep(client, clock)
    seen = await rene.get(f"bookings/{booking}")
    assert (seen["state"], seen["overstay"]) == ("active", True)
    clock.move(HOUR)
    await link.report("stay.left", {"booking": booking, "at": to_rfc3339(NOON + 3 * HOUR)})
    seen = await rene.get(f"bookings/{booking}")
    assert (seen["state"], seen["overstay"]) == ("fulfilled", True)


async def test_facts_of_a_stay_that_come_after_the_end_correct_a_no_show(
    rene: Renting, link: Link, space: Published, clock: FakeClock, client: TestClient
) -> None:
    booking = await reserved(rene, link, space)
    clock.move(3 * HOUR)
    await sweep(client, clock)
    await link.report("stay.arrived", {"booking": booking, "at": to_rfc3339(NOON + 60)})
    await sweep(client, clock)
    await link.report("stay.left", {"booking": booking, "at": to_rfc3339(NOON + 600)})
    seen = await rene.get(f"bookings/{booking}")
    assert (seen["state"], seen["overstay"]) == ("fulfilled", False)


async def test_a_house_that_starts_over_gets_every_live_booking(
    rene: Renting, link: Link, space: Published, client: TestClient, house: House
) -> None:
    kept = await reserved(rene, link, space)
    gone = await rene.book(space.id, END, END + HOUR)
    await rene.post(f"bookings/{gone['id']}/cancel")
    await link.socket.close()
    house.epoch, house.got = "another", 0
    async with Link(client, house) as again:
        assert not again.ready["resumed"]
        snap = await again.hear("snap")
    assert [(entry["booking"], entry["state"]) for entry in snap["d"]] == [(kept, "reserved")]
    assert snap["d"][0]["sealed_plate"] == SEALED_PLATE


async def test_bookings_are_listed_newest_first_page_by_page(rene: Renting, space: Published) -> None:
    made = [(await rene.book(space.id, NOON + i * HOUR, NOON + (i + 1) * HOUR))["id"] for i in range(5)]
    first = await rene.get("bookings?limit=2")
    second = await rene.get(f"bookings?limit=2&cursor={first['next']}")
    third = await rene.get(f"bookings?limit=2&cursor={second['next']}")
    assert [item["id"] for page in (first, second, third) for item in page["items"]] == made[::-1]
    assert third["next"] is None


async def test_changes_are_told_in_order_to_renter_and_owner_and_from_where_they_left(
    rene: Renting, space: Published, client: TestClient, owner: Person
) -> None:
    booking = await rene.book(space.id)
    first = await rene.get("changes")
    await rene.post(f"bookings/{booking['id']}/cancel")
    rest = await rene.get(f"changes?after={first['next']}")
    assert [item["d"]["cause"] for item in rest["items"]] == ["canceled"]
    assert (await rene.get(f"changes?after={rest['next']}")) == {"items": [], "next": rest["next"]}
    assert await Renting(client, owner).causes() == ["proposed", "canceled"]
    assert "Lindenweg" not in str(first)
