"""Searching through HTTP: partial answers, plugs, prices, reasons, and refusals that say what else there is."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from parkshare_backend.clock import to_rfc3339
from tests.backend.market import HOUR, Link, Renting, booking_request, must, period, place, publish, space_document
from tests.backend.support import NOON, FakeClock, House, Person, make_person

T2 = {"kind": "IEC_62196_T2", "power_kw": 11.0}


@pytest.fixture
async def link(client: TestClient, house: House) -> AsyncIterator[Link]:
    async with Link(client, house) as link:
        yield link


@pytest.fixture
def rene(client: TestClient, renter: Person) -> Renting:
    return Renting(client, renter)


@pytest.fixture
async def nora(client: TestClient) -> Renting:
    return Renting(client, await make_person(client, name="Nora"))


async def look(renting: Renting, start: float = NOON, end: float = NOON + 2 * HOUR, **more: Any) -> dict[str, Any]:
    return await renting.post("searches", {"place": place(), "period": period(start, end)} | more)


def ids(offers: list[dict[str, Any]]) -> list[str]:
    return [offer["space"]["id"] for offer in offers]


async def test_a_space_that_is_free_for_a_part_of_the_period_is_a_partial_answer(
    rene: Renting, nora: Renting, link: Link
) -> None:
    until = await publish(link)
    later = await publish(link, north_m=400, windows=[(NOON + HOUR / 2, NOON + 9 * HOUR)])
    await nora.book(until.id, NOON + 1.5 * HOUR, NOON + 4 * HOUR)
    found = await look(rene)
    assert found["offers"] == []
    first, last = sorted(found["partial"], key=lambda offer: offer["distance_m"])
    assert (first["space"]["id"], first["period"]) == (until.id, period(NOON, NOON + 1.5 * HOUR))
    assert (last["space"]["id"], last["period"]) == (later.id, period(NOON + HOUR / 2, NOON + 2 * HOUR))
    assert first["partial"]
    assert first["reason"].startswith("Free for the first 1 h 30 min of the 2 h that you asked for")
    assert last["reason"].startswith("Free for the last 1 h 30 min of the 2 h")
    assert first["quote"]["total_minor"] == 375, "the part is what it costs"
    await rene.book(until.id, NOON, NOON + 1.5 * HOUR)


async def test_too_short_a_part_and_one_in_the_middle_help_nobody(rene: Renting, nora: Renting, link: Link) -> None:
    short = await publish(link)
    await nora.book(short.id, NOON + 0.75 * HOUR, NOON + 4 * HOUR)
    await publish(link, north_m=50, windows=[(NOON + 0.25 * HOUR, NOON + 1.75 * HOUR)])
    found = await look(rene)
    assert (found["offers"], found["partial"]) == ([], [])


async def test_a_space_beyond_the_radius_is_a_partial_answer_for_the_whole_period(rene: Renting, link: Link) -> None:
    far = await publish(link, north_m=900)
    await publish(link, north_m=2000)
    found = await look(rene, radius_m=400)
    assert found["offers"] == []
    (offer,) = found["partial"]
    assert (offer["space"]["id"], offer["period"]) == (far.id, period(NOON, NOON + 2 * HOUR))
    assert offer["farther_m"] == pytest.approx(500, abs=80)
    assert "beyond your radius" in offer["reason"]


async def test_partial_answers_come_only_where_whole_ones_are_few_and_never_beside_themselves(
    rene: Renting, nora: Renting, link: Link
) -> None:
    whole = [await publish(link, north_m=i * 30) for i in range(2)]
    parted = await publish(link, north_m=90)
    await nora.book(parted.id, NOON + 1.5 * HOUR, NOON + 4 * HOUR)
    found = await look(rene)
    assert set(ids(found["offers"])) == {space.id for space in whole}
    assert ids(found["partial"]) == [parted.id]
    assert not any(offer["partial"] for offer in found["offers"])
    assert (await look(rene, flexible=False))["partial"] == []
    await publish(link, north_m=120)
    assert (await look(rene))["partial"] == []


async def test_who_needs_a_plug_gets_spaces_that_have_it(rene: Renting, link: Link) -> None:
    await publish(link)
    slow = await publish(link, north_m=200, plug={"kind": "IEC_62196_T2"})
    quick = await publish(link, north_m=600, plug=T2)
    offers = (await look(rene, plug={"kind": "IEC_62196_T2"}))["offers"]
    assert ids(offers) == [slow.id, quick.id]
    assert [offer["plug"] for offer in offers] == [{"kind": "IEC_62196_T2", "power_kw": None}, T2]
    assert ids((await look(rene, plug={"power_kw": 11}))["offers"]) == [quick.id]
    assert (await look(rene, plug={"kind": "CHADEMO"}))["offers"] == []


async def test_who_would_like_a_plug_gets_spaces_with_it_first_if_they_are_near(rene: Renting, link: Link) -> None:
    plain = await publish(link, north_m=100)
    near = await publish(link, north_m=150, plug=T2)
    far = await publish(link, north_m=700, plug=T2)
    offers = (await look(rene, plug={"needed": False}))["offers"]
    assert ids(offers) == [near.id, plain.id, far.id]
    assert {"factor": "plug", "metres": -150, "text": "it has the plug"} in offers[0]["because"]


async def test_no_offer_costs_more_than_the_most_that_was_said(rene: Renting, link: Link) -> None:
    cheap = await publish(link, price={"amount_minor": 200, "currency": "EUR"})
    await publish(link, north_m=50, price={"amount_minor": 201, "currency": "EUR"})
    await publish(link, north_m=90, price={"amount_minor": 10, "currency": "CHF"})
    offers = (await look(rene, max_price={"amount_minor": 200, "currency": "EUR"}))["offers"]
    assert ids(offers) == [cheap.id]


async def test_the_reasons_of_an_offer_add_up_to_its_place(rene: Renting, link: Link) -> None:
    for i in range(6):
        await publish(link, north_m=i * 180, price={"amount_minor": 600 if i == 0 else 300, "currency": "EUR"})
    offers = (await look(rene, vehicle={"length_m": 5.4, "width_m": 1.8}))["offers"]
    sums = [sum(one["metres"] for one in offer["because"]) for offer in offers]
    assert sums == sorted(sums)
    dear = next(offer for offer in offers if offer["price"]["amount_minor"] == 600)
    assert {"factor": "price", "metres": 200, "text": "dearer than usual here"} in dear["because"]
    assert {"factor": "fit", "metres": 60, "text": "your car fits, but it is tight"} in dear["because"]
    assert dear["walk_s"] == pytest.approx(dear["distance_m"], abs=1)
    assert offers[0]["space"]["id"] != dear["space"]["id"]


async def test_an_offer_shows_the_space_as_it_is_now(rene: Renting, link: Link) -> None:
    space = await publish(link)
    before = (await look(rene))["offers"][0]
    changed = {
        "name": "Under the “lime”", "size": {"length_m": 6.0, "width_m": 2.5}, "plug": T2,
        "price": {"amount_minor": 300, "currency": "CHF"}, "terms": {"cancel_percent": 20},
    }  # fmt: skip
    await must(link.request("space.publish", space_document(space.id, **changed)))
    after = (await look(rene))["offers"][0]
    assert after["space"] == before["space"] | {"name": changed["name"]}
    assert after["size"] == {"length_m": 6.0, "width_m": 2.5, "height_m": None}
    assert (after["plug"], after["price"]) == (T2, changed["price"])
    assert (after["quote"]["total_minor"], after["quote"]["currency"]) == (600, "CHF")
    assert after["terms"] == before["terms"] | {"cancel_percent": 20}


async def test_a_space_whose_owner_wants_notice_is_offered_only_to_who_comes_later(rene: Renting, link: Link) -> None:
    space = await publish(link, terms={"notice_minutes": 120, "min_booking_duration": 60})
    assert (await look(rene))["offers"] == []
    assert (await look(rene, NOON + 3 * HOUR, NOON + 3.5 * HOUR))["offers"] == []
    (offer,) = (await look(rene, NOON + 3 * HOUR, NOON + 4 * HOUR))["offers"]
    assert offer["terms"]["notice_minutes"] == 120
    await rene.book(space.id, NOON + 3 * HOUR, NOON + 4 * HOUR)


async def test_a_space_with_a_car_in_the_way_is_not_offered_for_a_period_that_starts_soon(
    rene: Renting, nora: Renting, link: Link, clock: FakeClock
) -> None:
    space = await publish(link)
    stay = (await nora.book(space.id, NOON, NOON + HOUR))["id"]
    await link.report("grant.stored", {"booking": stay, "revision": 1})
    await link.report("stay.arrived", {"booking": stay, "at": to_rfc3339(NOON)})
    await clock.pass_time(HOUR + 700)
    now = clock.now()
    await link.report("stay.overstayed", {"booking": stay, "at": to_rfc3339(now)}, at=now)
    assert (await look(rene, now, now + HOUR))["offers"] == []
    assert ids((await look(rene, now + 3 * HOUR, now + 4 * HOUR))["offers"]) == [space.id]
    await link.report("stay.left", {"booking": stay, "at": to_rfc3339(now + 60)}, at=now + 60)
    assert ids((await look(rene, now, now + HOUR))["offers"]) == [space.id]


async def test_a_refused_booking_says_what_else_there_is_and_that_can_be_held(
    rene: Renting, nora: Renting, link: Link
) -> None:
    wished = await publish(link)
    near = [await publish(link, north_m=i * 300) for i in range(1, 5)]
    await nora.book(wished.id)
    refused = await rene.post("bookings", booking_request(wished.id), status=409)
    assert refused["type"] == "/problems/space-taken"
    assert ids(refused["alternatives"]) == [space.id for space in near[:3]]
    assert not any(offer["partial"] for offer in refused["alternatives"])
    best = refused["alternatives"][0]
    await rene.post("holds", {"space": best["space"]["id"], "period": best["period"]}, status=201)
    held = await nora.post("holds", {"space": best["space"]["id"], "period": best["period"]}, status=409)
    assert best["space"]["id"] not in ids(held["alternatives"])


@pytest.mark.parametrize(
    ("booking", "problem"),
    [
        ({"period": period(NOON + 10 * HOUR, NOON + 12 * HOUR)}, "not-offered"),
        ({"vehicle": {"length_m": 5.9}}, "does-not-fit"),
        ({"period": period(NOON, NOON + HOUR / 2)}, "not-on-these-terms"),
    ],
)
async def test_whatever_space_is_refused_the_alternatives_can_be_booked(
    rene: Renting, link: Link, booking: dict[str, Any], problem: str
) -> None:
    wished = await publish(link, windows=[(NOON, NOON + 9 * HOUR)], terms={"min_booking_duration": 60})
    other = await publish(link, north_m=300, size={"length_m": 6.5})
    refused = await rene.post("bookings", booking_request(wished.id) | booking, status=409)
    assert refused["type"] == f"/problems/{problem}"
    assert ids(refused["alternatives"]) == [other.id]
    await rene.post("bookings", booking_request(other.id) | booking, status=201)


async def test_a_refusal_offers_a_part_of_the_space_itself_when_nothing_else_is_near(
    rene: Renting, nora: Renting, link: Link
) -> None:
    space = await publish(link)
    await nora.book(space.id, NOON + 1.5 * HOUR, NOON + 2 * HOUR)
    refused = await rene.post("bookings", booking_request(space.id), status=409)
    (offer,) = refused["alternatives"]
    assert (offer["space"]["id"], offer["partial"]) == (space.id, True)
    assert offer["period"] == period(NOON, NOON + 1.5 * HOUR)


async def test_a_refusal_for_another_reason_offers_nothing(rene: Renting, link: Link) -> None:
    space = await publish(link)
    refused = await rene.post("bookings", booking_request(space.id, NOON - HOUR, NOON), status=422)
    assert "alternatives" not in refused


async def test_an_offer_tells_nothing_of_an_address_but_its_area(rene: Renting, link: Link) -> None:
    for i in range(5):
        await publish(link, north_m=i * 3)
    offers = (await look(rene, place={"lat": 48.139, "lon": 11.58}))["offers"]
    assert len({(offer["distance_m"], tuple(offer["space"]["area"].values())) for offer in offers}) == 1


async def test_in_a_dense_street_the_terms_of_the_nearest_do_not_hide_the_others(rene: Renting, link: Link) -> None:
    for _ in range(25):
        await publish(link, terms={"notice_minutes": 24 * 60})
    free = await publish(link, north_m=800)
    assert ids((await look(rene, limit=1))["offers"]) == [free.id]


async def test_a_plug_that_cannot_be_is_refused_where_it_stands(rene: Renting) -> None:
    refused = await rene.post(
        "searches", {"place": place(), "period": period(NOON, NOON + HOUR), "plug": {"kind": "a plug"}}, status=422
    )
    assert refused["errors"][0]["pointer"] == "/plug/kind"
