"""The next booking is protected: its renter hears in time that a car is in the way, and where else there is room."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from parkshare_backend.clock import to_rfc3339
from parkshare_backend.risk.policy import REACH_S, Coming, Hindrance, Kind, at_risk
from tests.backend.market import HOUR, Link, Published, Renting, publish
from tests.backend.support import NOON, FakeClock, House, Person, make_person, pair_house

END = NOON + 2 * HOUR
HEAD = "17:" + "ab" * 32


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


@pytest.fixture
async def nora(client: TestClient) -> Renting:
    """The next renter."""
    return Renting(client, await make_person(client, name="Nora"))


def fact(booking: str, at: float, **more: Any) -> dict[str, Any]:
    return {"booking": booking, "at": to_rfc3339(at)} | more


async def reserve(
    who: Renting, link: Link, space: Published, start: float = NOON, end: float = END, **more: Any
) -> str:
    booking = str((await who.book(space.id, start, end, **more))["id"])
    await link.report("grant.stored", {"booking": booking, "revision": 1})
    return booking


@pytest.fixture
async def stay(rene: Renting, link: Link, space: Published) -> str:
    """A booking from noon to two whose car stands there."""
    booking = await reserve(rene, link, space)
    await link.report("stay.arrived", fact(booking, NOON))
    return booking


async def overstay(link: Link, clock: FakeClock, stay: str) -> None:
    """Let the period and its grace go by, with the car still there."""
    await clock.pass_time(END + 600 - clock.now())
    await link.report("stay.overstayed", fact(stay, END + 600, record=HEAD))


async def risky(who: Renting, booking: str) -> bool:
    return bool((await who.get(f"bookings/{booking}"))["at_risk"])


async def told(who: Renting, cause: str) -> list[dict[str, Any]]:
    items = (await who.get("changes?limit=500"))["items"]
    return [item["d"] for item in items if item["d"].get("cause") == cause]


async def test_the_end_of_a_stay_is_told_before_and_after_to_its_renter_and_to_the_owner(
    rene: Renting, link: Link, stay: str, clock: FakeClock, client: TestClient, owner: Person
) -> None:
    await link.report("stay.ending", fact(stay, END - 900))
    await link.report("stay.ending", fact(stay, END - 900))
    await overstay(link, clock, stay)
    await link.report("stay.overstayed", fact(stay, END + 600, record=HEAD))
    await link.report("stay.ending", fact(stay, END - 60))
    for person in (rene, Renting(client, owner)):
        assert [change["booking"] for change in await told(person, "ending")] == [stay]
        assert [change["record"] for change in await told(person, "overstayed")] == [HEAD]
    seen = await rene.get(f"bookings/{stay}")
    assert (seen["state"], seen["overstay"], seen["at_risk"]) == ("active", True, False)


async def test_the_next_renter_hears_of_an_overstay_with_up_to_three_other_spaces(
    nora: Renting, link: Link, space: Published, stay: str, clock: FakeClock, client: TestClient, owner: Person
) -> None:
    other = await pair_house(client, await make_person(client, name="Otto"))
    async with Link(client, other) as neighbour:
        near = [await publish(neighbour, north_m=200 * step) for step in (1, 2, 3, 4)]
        await publish(neighbour, north_m=150, size={"length_m": 3.9, "width_m": 2.0, "height_m": None})
    car = {"length_m": 4.5}
    booking = await reserve(nora, link, space, END + HOUR, END + 3 * HOUR, vehicle=car)
    await overstay(link, clock, stay)
    assert await risky(nora, booking)
    (news,) = await told(nora, "at-risk")
    assert news["at_risk"]
    assert [one["space"] for one in news["alternatives"]] == [one.id for one in near[:3]]
    nearest = news["alternatives"][0]
    assert 100 < nearest["distance_m"] < 300
    assert nearest["price"] == {"amount_minor": 250, "currency": "EUR"}
    assert nearest["reason"].startswith("The nearest space")
    (to_owner,) = await told(Renting(client, owner), "at-risk")
    assert "alternatives" not in to_owner
    offers = (await nora.get(f"bookings/{booking}/alternatives"))["offers"]
    assert [offer["space"]["id"] for offer in offers] == [one.id for one in near]
    assert offers[0]["period"] == {"start": to_rfc3339(END + HOUR), "end": to_rfc3339(END + 3 * HOUR)}


async def test_who_is_at_risk_can_cancel_although_the_period_runs_and_book_another_space(
    nora: Renting, link: Link, space: Published, stay: str, clock: FakeClock
) -> None:
    other = await publish(link, north_m=100)
    booking = await reserve(nora, link, space, END, END + 2 * HOUR)
    await overstay(link, clock, stay)
    offers = (await nora.get(f"bookings/{booking}/alternatives"))["offers"]
    assert [offer["space"]["id"] for offer in offers] == [other.id]
    assert offers[0]["period"] == {"start": to_rfc3339(clock.now()), "end": to_rfc3339(END + 2 * HOUR)}
    canceled = await nora.post(f"bookings/{booking}/cancel")
    assert (canceled["state"], canceled["at_risk"]) == ("canceled", False)
    again = (await nora.get(f"bookings/{booking}/alternatives"))["offers"]
    assert [offer["space"]["id"] for offer in again] == [other.id], "also when it is canceled already"
    await nora.book(other.id, clock.now(), END + 2 * HOUR)


@pytest.mark.parametrize(("t", "cause"), [("stay.left", "left"), ("stay.extended", "extended")])
async def test_the_space_is_safe_again_when_the_overstay_is_over(
    rene: Renting, nora: Renting, link: Link, space: Published, stay: str, clock: FakeClock, t: str, cause: str
) -> None:
    booking = await reserve(nora, link, space, END + HOUR, END + 2 * HOUR)
    await overstay(link, clock, stay)
    assert await risky(nora, booking)
    await link.report(t, fact(stay, END + 900, record=HEAD))
    assert not await risky(nora, booking)
    assert len(await told(nora, "safe-again")) == 1
    assert len(await told(rene, cause)) == 1
    for _ in range(2):
        await link.report("stay.overstayed", fact(stay, END + 600))
        await link.report(t, fact(stay, END + 900))
    assert not await risky(nora, booking), "the old news came once more"
    assert [len(await told(nora, cause)) for cause in ("at-risk", "safe-again")] == [1, 1]


async def test_the_record_of_the_house_stands_in_the_change_that_both_read(
    rene: Renting, link: Link, stay: str, client: TestClient, owner: Person
) -> None:
    await link.report("stay.left", fact(stay, NOON + 60, record=HEAD))
    for person in (rene, Renting(client, owner)):
        assert [change["record"] for change in await told(person, "left")] == [HEAD]


@pytest.mark.parametrize("record", ["", "17", "17:short", 17, ["17"], HEAD + "0"])
async def test_a_record_that_is_none_costs_no_fact(rene: Renting, link: Link, stay: str, record: Any) -> None:
    await link.report("stay.left", fact(stay, NOON + 60, record=record))
    (change,) = await told(rene, "left")
    assert "record" not in change


async def test_an_overstay_that_is_reported_after_the_car_left_is_harmless(
    rene: Renting, nora: Renting, link: Link, space: Published, stay: str, clock: FakeClock
) -> None:
    booking = await reserve(nora, link, space, END, END + HOUR)
    await clock.pass_time(2 * HOUR + 700)
    await link.report("stay.left", fact(stay, END - 60))
    await link.report("stay.overstayed", fact(stay, END + 600))
    assert not await risky(nora, booking)
    seen = await rene.get(f"bookings/{stay}")
    assert (seen["state"], seen["overstay"]) == ("fulfilled", False)
    assert await told(rene, "overstayed") == []


async def test_an_overstay_before_the_end_is_a_wrong_clock_and_harmless(
    rene: Renting, nora: Renting, link: Link, space: Published, stay: str
) -> None:
    booking = await reserve(nora, link, space, END, END + HOUR)
    await link.report("stay.overstayed", fact(stay, NOON + 600))
    assert not await risky(nora, booking)
    assert not (await rene.get(f"bookings/{stay}"))["overstay"]


async def test_a_house_whose_clock_is_an_hour_fast_ends_no_stay_an_hour_early(
    rene: Renting, nora: Renting, link: Link, space: Published, stay: str, clock: FakeClock
) -> None:
    booking = await reserve(nora, link, space, END, END + HOUR)
    await clock.pass_time(HOUR + 600)
    await link.report("stay.overstayed", fact(stay, END + 600))
    assert not (await rene.get(f"bookings/{stay}"))["overstay"]
    assert not await risky(nora, booking)


async def test_an_overstay_says_too_that_the_car_arrived_when_that_news_was_lost(
    rene: Renting, nora: Renting, link: Link, space: Published, clock: FakeClock
) -> None:
    stay = await reserve(rene, link, space)
    booking = await reserve(nora, link, space, END + HOUR, END + 2 * HOUR)
    await overstay(link, clock, stay)
    seen = await rene.get(f"bookings/{stay}")
    assert (seen["state"], seen["overstay"]) == ("active", True), "it was a no-show before"
    assert await risky(nora, booking)


async def test_only_the_next_booking_is_at_risk_and_the_one_after_it_when_that_one_is_gone(
    nora: Renting, link: Link, space: Published, stay: str, clock: FakeClock, client: TestClient
) -> None:
    otto = Renting(client, await make_person(client, name="Otto"))
    first = await reserve(nora, link, space, END, END + HOUR)
    second = await reserve(otto, link, space, END + HOUR, END + 2 * HOUR)
    await overstay(link, clock, stay)
    assert (await risky(nora, first), await risky(otto, second)) == (True, False)
    await nora.post(f"bookings/{first}/cancel")
    assert await risky(otto, second)


async def test_a_later_booking_is_at_risk_once_it_comes_within_two_hours(
    nora: Renting, link: Link, space: Published, stay: str, clock: FakeClock
) -> None:
    booking = await reserve(nora, link, space, END + 3 * HOUR, END + 4 * HOUR)
    await overstay(link, clock, stay)
    assert not await risky(nora, booking)
    await clock.pass_time(HOUR - 601)
    assert not await risky(nora, booking)
    await clock.pass_time(2)
    await clock.pass_time(5)
    assert await risky(nora, booking)
    assert len(await told(nora, "at-risk")) == 1


async def test_a_booking_that_is_made_while_the_overstay_goes_on_is_at_risk_at_once(
    nora: Renting, link: Link, space: Published, stay: str, clock: FakeClock
) -> None:
    await overstay(link, clock, stay)
    made = await nora.book(space.id, clock.now(), END + 2 * HOUR)
    assert made["at_risk"]
    assert len(await told(nora, "at-risk")) == 1


async def test_a_taken_bay_puts_the_booking_it_names_at_risk_until_the_bay_is_free(
    rene: Renting, link: Link, space: Published, client: TestClient, owner: Person
) -> None:
    booking = await reserve(rene, link, space, NOON + HOUR, NOON + 2 * HOUR)
    for _ in range(2):
        await link.report("bay.taken", fact(booking, NOON, record=HEAD))
    assert await risky(rene, booking)
    for person in (rene, Renting(client, owner)):
        assert [change["record"] for change in await told(person, "at-risk")] == [HEAD]
    for _ in range(2):
        await link.report("bay.free", fact(booking, NOON + 60))
    assert not await risky(rene, booking)
    assert len(await told(rene, "safe-again")) == 1
    await link.report("bay.taken", fact(booking, NOON + 120))
    assert await risky(rene, booking), "taken once more"


async def test_a_bay_that_is_free_before_it_is_taken_was_taken_before(
    rene: Renting, link: Link, space: Published
) -> None:
    booking = await reserve(rene, link, space)
    await link.report("bay.free", fact(booking, NOON + 60))
    await link.report("bay.taken", fact(booking, NOON + 30))
    assert not await risky(rene, booking)
    await link.report("bay.taken", fact(booking, NOON + 90))
    await link.report("bay.free", fact(booking, NOON + 60))
    assert await risky(rene, booking)


async def test_a_bay_is_not_taken_for_a_booking_that_is_over_or_whose_car_stands_there(
    rene: Renting, nora: Renting, link: Link, space: Published, stay: str
) -> None:
    over = await reserve(nora, link, space, END, END + HOUR)
    await nora.post(f"bookings/{over}/cancel")
    for booking in (over, stay):
        await link.report("bay.taken", fact(booking, NOON + 60))
        await link.report("bay.free", fact(booking, NOON + 90))
    assert [await risky(nora, over), await risky(rene, stay)] == [False, False]
    assert [await told(who, "at-risk") for who in (rene, nora)] == [[], []]


async def test_a_car_that_arrives_has_found_the_bay_free_whatever_was_heard_before(
    nora: Renting, link: Link, space: Published, stay: str, clock: FakeClock, client: TestClient
) -> None:
    otto = Renting(client, await make_person(client, name="Otto"))
    booking = await reserve(nora, link, space, END, END + HOUR)
    after = await reserve(otto, link, space, END + HOUR, END + 2 * HOUR)
    await overstay(link, clock, stay)
    assert await risky(nora, booking)
    await link.report("stay.arrived", fact(booking, END + 700))
    assert not await risky(nora, booking)
    assert not await risky(otto, after)


async def test_a_house_cannot_put_the_bookings_of_another_at_risk(
    rene: Renting, link: Link, space: Published, stay: str, nora: Renting, client: TestClient, clock: FakeClock
) -> None:
    booking = await reserve(nora, link, space, END, END + HOUR)
    await clock.pass_time(2 * HOUR + 700)
    other = await pair_house(client, await make_person(client, name="Otto"))
    async with Link(client, other) as stranger:
        await stranger.report("stay.overstayed", fact(stay, END + 600))
        await stranger.report("bay.taken", fact(booking, END + 600))
    assert not await risky(nora, booking)
    assert await told(rene, "overstayed") == []


async def test_only_the_renter_asks_for_alternatives_and_only_while_the_period_lasts(
    rene: Renting, stay: str, client: TestClient, owner: Person, clock: FakeClock
) -> None:
    for person in (owner, await make_person(client)):
        await Renting(client, person).get(f"bookings/{stay}/alternatives", status=404)
    await rene.get(f"bookings/{stay}/alternatives?limit=0", status=422)
    clock.move(2 * HOUR)
    refused = await rene.get(f"bookings/{stay}/alternatives", status=409)
    assert refused["type"] == "/problems/not-possible-now"


async def test_nobody_is_sent_from_one_taken_space_to_another_or_to_their_own(
    nora: Renting, rene: Renting, link: Link, space: Published, stay: str, clock: FakeClock, client: TestClient
) -> None:
    second = await publish(link, north_m=100)
    blocked = await reserve(rene, link, second, END, END + HOUR)
    async with Link(client, await pair_house(client, nora.person)) as own:
        await publish(own, north_m=50)
    booking = await reserve(nora, link, space, END, END + HOUR)
    await link.report("bay.taken", fact(blocked, NOON))
    await rene.post(f"bookings/{blocked}/cancel")
    await reserve(rene, link, second, END + HOUR, END + 2 * HOUR)
    await overstay(link, clock, stay)
    offers = (await nora.get(f"bookings/{booking}/alternatives"))["offers"]
    assert [offer["space"]["id"] for offer in offers] == [second.id], "nobody has heard of a car there any more"
    taken = await reserve(rene, link, second, END + 2 * HOUR, END + 3 * HOUR)
    await link.report("bay.taken", fact(taken, clock.now()))
    assert (await nora.get(f"bookings/{booking}/alternatives"))["offers"] == []


async def test_an_owner_who_comes_home_is_not_sent_to_a_space_on_which_a_car_is_in_the_way(
    nora: Renting, link: Link, space: Published, stay: str, client: TestClient
) -> None:
    other = await pair_house(client, await make_person(client, name="Otto"))
    async with Link(client, other) as neighbour:
        free = await publish(neighbour, north_m=200)
        booking = await reserve(nora, neighbour, free, END, END + HOUR)
        await neighbour.report("bay.taken", fact(booking, NOON))
        await link.report("owner.near", {"space": space.id, "at": to_rfc3339(NOON)})
        assert (await link.hear_event("standby.none"))["d"]["home_space"] == space.id
        await neighbour.report("bay.free", fact(booking, NOON + 1))
        await link.report("owner.near", {"space": space.id, "at": to_rfc3339(NOON)})
        assert (await link.hear_event("standby.offered"))["d"]["space"]["id"] == free.id


async def test_a_house_whose_clock_was_fast_for_a_while_is_heard_after_it(
    rene: Renting, link: Link, space: Published, clock: FakeClock
) -> None:
    booking = await reserve(rene, link, space)
    await link.report("help.offered", fact(booking, NOON + HOUR, rung="harder"))
    await link.report("bay.taken", fact(booking, NOON + HOUR))
    clock.move(180)
    await link.report("help.offered", fact(booking, NOON + 180, rung="owner"))
    await link.report("bay.free", fact(booking, NOON + 180))
    seen = await rene.get(f"bookings/{booking}")
    assert (seen["help"]["rung"], seen["at_risk"]) == ("owner", False)


async def test_an_early_departure_frees_the_rest_of_the_window_and_no_late_fact_takes_it_back(
    rene: Renting, nora: Renting, link: Link, space: Published, stay: str, clock: FakeClock
) -> None:
    await clock.pass_time(HOUR)
    assert await nora.search(clock.now(), END) == []
    await link.report("stay.left", fact(stay, NOON + HOUR - 5))
    assert [offer["space"]["id"] for offer in await nora.search(clock.now(), END)] == [space.id]
    booking = await reserve(nora, link, space, clock.now(), END)
    for t, at in (
        ("stay.arrived", NOON),
        ("stay.ending", NOON + HOUR - 10),
        ("stay.left", NOON + HOUR - 5),
        ("stay.overstayed", END + 600),
        ("stay.extended", NOON + HOUR),
    ):
        await link.report(t, fact(stay, at))
    await link.report("grant.stored", {"booking": stay, "revision": 1})
    assert (await rene.get(f"bookings/{stay}"))["state"] == "fulfilled"
    seen = await nora.get(f"bookings/{booking}")
    assert (seen["state"], seen["at_risk"]) == ("reserved", False)
    assert await nora.search(clock.now(), END) == [], "it is the new renter's, and nobody else's"
    await clock.pass_time(HOUR + 5)
    assert (await rene.get(f"bookings/{stay}"))["overstay"] is False


@pytest.mark.parametrize("early", [REACH_S, REACH_S + 1])
def test_an_overstay_reaches_two_hours_ahead(early: int) -> None:
    coming = [Coming("next", early, early + 60), Coming("later", early + 60, early + 120)]
    hindrances = [Hindrance(Kind.OVERSTAY, "car")]
    assert at_risk(hindrances, coming, now=0) == ({"next"} if early <= REACH_S else set())


def test_a_booking_whose_period_is_over_is_not_the_next_one() -> None:
    coming = [Coming("missed", 0, 100), Coming("next", 100, 200)]
    assert at_risk([Hindrance(Kind.OVERSTAY, "car")], coming, now=100) == {"next"}
    assert at_risk([Hindrance(Kind.TAKEN, "missed")], coming, now=100) == set()
