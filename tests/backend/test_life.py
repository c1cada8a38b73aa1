"""The life of a booking over HTTP and the link: approval, changes of the period, taking back, cars that do not come."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from parkshare_backend.clock import to_rfc3339
from tests.backend.market import HOUR, Link, Published, Renting, booking_request, period, publish, share
from tests.backend.support import NOON, FakeClock, House, Person, make_person

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


@pytest.fixture
async def nora(client: TestClient) -> Renting:
    """Another renter."""
    return Renting(client, await make_person(client, name="Nora"))


@pytest.fixture
def olga(client: TestClient, owner: Person) -> Renting:
    """The owner at her phone."""
    return Renting(client, owner)


def fact(booking: str, at: float = NOON, **more: Any) -> dict[str, Any]:
    return {"booking": booking, "at": to_rfc3339(at)} | more


async def reserve(who: Renting, link: Link, space: Published, start: float = NOON, end: float = END) -> str:
    booking = str((await who.book(space.id, start, end))["id"])
    await stored(link, booking, 1)
    return booking


async def stored(link: Link, booking: str, revision: int) -> None:
    await link.report("grant.stored", {"booking": booking, "revision": revision})


async def parked(who: Renting, link: Link, space: Published) -> str:
    booking = await reserve(who, link, space)
    await link.report("stay.arrived", fact(booking))
    return booking


async def change(who: Renting, booking: str, start: float, end: float, *, status: int = 200) -> dict[str, Any]:
    """Ask for another period as it is seen now."""
    seen = await who.client.get(f"/api/v1/bookings/{booking}", headers=who.person.headers)
    answered = await who.client.patch(
        f"/api/v1/bookings/{booking}",
        json={"period": period(start, end)},
        headers=who.person.headers | {"If-Match": seen.headers["ETag"]},
    )
    assert answered.status == status, await answered.text()
    return dict(await answered.json())


async def told(who: Renting, cause: str) -> list[dict[str, Any]]:
    items = (await who.get("changes?limit=500"))["items"]
    return [item["d"] for item in items if item["d"].get("cause") == cause]


class TestApproval:
    @pytest.fixture
    async def space(self, link: Link) -> Published:
        return await publish(link, terms={"approval": "owner", "approval_minutes": 60})

    async def test_the_house_is_told_of_the_booking_only_when_the_owner_has_agreed(
        self, rene: Renting, olga: Renting, link: Link, space: Published
    ) -> None:
        booked = await rene.book(space.id)
        assert (booked["state"], booked["waits_for"]) == ("pending", "owner")
        asked = await link.hear_event()
        assert (asked["t"], asked["d"]["booking"]) == ("booking.asked", booked["id"])
        assert "sealed_plate" not in asked["d"]
        agreed = await olga.post(f"bookings/{booked['id']}/approve")
        assert (agreed["state"], agreed["waits_for"]) == ("pending", "house")
        assert (await link.hear_event())["t"] == "booking.proposed"
        await stored(link, booked["id"], 1)
        seen = await rene.get(f"bookings/{booked['id']}")
        assert (seen["state"], seen["waits_for"]) == ("reserved", None)

    async def test_the_space_is_nobody_elses_while_the_owner_thinks(
        self, rene: Renting, nora: Renting, space: Published
    ) -> None:
        await rene.book(space.id)
        refused = await nora.post("bookings", booking_request(space.id), status=409)
        assert refused["type"] == "/problems/space-taken"

    async def test_a_declined_booking_frees_the_space_and_is_not_asked_for_again(
        self, rene: Renting, nora: Renting, olga: Renting, link: Link, space: Published
    ) -> None:
        other = await publish(link, north_m=200)
        booked = await rene.book(space.id)
        said = await olga.post(f"bookings/{booked['id']}/decline", {"reason": "own-use"})
        assert said["state"] == "rejected"
        (news,) = await told(rene, "declined")
        assert news["reason"] == "own-use"
        assert [offer["space"] for offer in news["alternatives"]] == [other.id]
        again = await rene.post("bookings", booking_request(space.id), status=409)
        assert again["type"] == "/problems/owner-refused"
        await nora.book(space.id)
        withdrawn = await link.hear_event("booking.canceled")
        assert (withdrawn["d"]["booking"], withdrawn["d"]["reason"]) == (booked["id"], "owner")

    async def test_a_request_that_nobody_answers_lapses(
        self, rene: Renting, nora: Renting, link: Link, space: Published, clock: FakeClock
    ) -> None:
        booked = await rene.book(space.id, NOON + 5 * HOUR, NOON + 6 * HOUR)
        await clock.pass_time(59 * 60)
        assert (await rene.get(f"bookings/{booked['id']}"))["state"] == "pending"
        await clock.pass_time(2 * 60)
        assert (await rene.get(f"bookings/{booked['id']}"))["state"] == "rejected"
        assert (await link.hear_event("booking.canceled"))["d"]["reason"] == "unanswered"
        await nora.book(space.id, NOON + 5 * HOUR, NOON + 6 * HOUR)

    async def test_the_owner_can_answer_in_their_house(self, rene: Renting, link: Link, space: Published) -> None:
        one, other = await rene.book(space.id), await rene.book(space.id, END, END + HOUR)
        await link.report("booking.approved", {"booking": one["id"]})
        await link.report("booking.declined", {"booking": other["id"]})
        await link.report("booking.approved", {"booking": other["id"]})  # too late: it changes nothing
        assert (await rene.get(f"bookings/{one['id']}"))["waits_for"] == "house"
        assert (await rene.get(f"bookings/{other['id']}"))["state"] == "rejected"

    async def test_only_the_owner_of_the_space_can_agree(
        self, rene: Renting, nora: Renting, olga: Renting, space: Published
    ) -> None:
        booked = await rene.book(space.id)
        for person in (rene, nora):
            await person.post(f"bookings/{booked['id']}/approve", status=404)
        await olga.post(f"bookings/{booked['id']}/approve")
        await olga.post(f"bookings/{booked['id']}/approve")  # twice is once
        refused = await olga.post(f"bookings/{booked['id']}/decline", {}, status=409)
        assert refused["type"] == "/problems/not-possible-now"

    async def test_a_house_that_starts_over_is_not_told_of_what_waits_for_its_owner(
        self, client: TestClient, house: House, rene: Renting, link: Link, space: Published
    ) -> None:
        booked = await rene.book(space.id)
        await link.socket.close()
        house.epoch = "another"
        async with Link(client, house) as again:
            snap = await again.hear("snap")
            assert (snap["of"], snap["d"]) == ("bookings", [])
        assert (await rene.get(f"bookings/{booked['id']}"))["waits_for"] == "owner"


class TestExtension:
    async def test_the_end_is_later_when_the_house_has_agreed(
        self, rene: Renting, link: Link, space: Published
    ) -> None:
        booking = await parked(rene, link, space)
        asked = await rene.post(f"bookings/{booking}/extend", {"end": to_rfc3339(END + HOUR)})
        assert asked["period"] == period(NOON, END)
        assert asked["wanted"] == period(NOON, END + HOUR)
        assert (asked["waits_for"], asked["revision"]) == ("house", 2)
        proposed = await link.hear_event("booking.changed")
        assert (proposed["d"]["revision"], proposed["d"]["period"]) == (2, period(NOON, END + HOUR))
        await stored(link, booking, 2)
        seen = await rene.get(f"bookings/{booking}")
        assert (seen["period"], seen["wanted"], seen["state"]) == (period(NOON, END + HOUR), None, "active")
        assert await told(rene, "extended")

    async def test_the_time_after_the_old_end_is_nobody_elses_while_the_house_is_asked(
        self, rene: Renting, nora: Renting, link: Link, space: Published
    ) -> None:
        booking = await parked(rene, link, space)
        await rene.post(f"bookings/{booking}/extend", {"end": to_rfc3339(END + HOUR)})
        refused = await nora.post("bookings", booking_request(space.id, END, END + HOUR), status=409)
        assert refused["type"] == "/problems/space-taken"

    async def test_the_old_end_stays_and_the_time_is_free_again_when_the_house_refuses(
        self, rene: Renting, nora: Renting, link: Link, space: Published
    ) -> None:
        other = await publish(link, north_m=200)
        booking = await parked(rene, link, space)
        await rene.post(f"bookings/{booking}/extend", {"end": to_rfc3339(END + HOUR)})
        await link.report("grant.refused", {"booking": booking, "revision": 2, "reason": "outside-windows"})
        seen = await rene.get(f"bookings/{booking}")
        assert (seen["period"], seen["wanted"], seen["state"]) == (period(NOON, END), None, "active")
        (news,) = await told(rene, "change-refused")
        assert news["reason"] == "outside-windows"
        assert [offer["space"] for offer in news["alternatives"]] == [other.id]
        await nora.book(space.id, END, END + HOUR)

    async def test_a_house_that_says_nothing_leaves_the_old_end(
        self, rene: Renting, nora: Renting, link: Link, space: Published, clock: FakeClock
    ) -> None:
        booking = await parked(rene, link, space)
        await rene.post(f"bookings/{booking}/extend", {"end": to_rfc3339(END + HOUR)})
        await clock.pass_time(2 * HOUR + 1)
        seen = await rene.get(f"bookings/{booking}")
        assert (seen["period"], seen["wanted"]) == (period(NOON, END), None)
        await stored(link, booking, 2)  # now it is too late
        assert (await rene.get(f"bookings/{booking}"))["period"] == period(NOON, END)
        await nora.book(space.id, END + HOUR / 2, END + HOUR)

    async def test_who_cannot_stay_is_offered_places_for_the_rest(
        self, rene: Renting, nora: Renting, link: Link, space: Published
    ) -> None:
        other = await publish(link, north_m=200)
        booking = await parked(rene, link, space)
        await nora.book(space.id, END, END + HOUR)
        refused = await rene.post(f"bookings/{booking}/extend", {"end": to_rfc3339(END + HOUR)}, status=409)
        assert refused["type"] == "/problems/space-taken"
        assert [offer["space"]["id"] for offer in refused["alternatives"]] == [other.id]
        seen = await rene.get(f"bookings/{booking}")
        assert (seen["period"], seen["revision"]) == (period(NOON, END), 1)
        # and what was refused is not claimed by halves
        await nora.book(space.id, END + HOUR, END + 2 * HOUR)

    async def test_nobody_stays_longer_than_the_space_is_offered(
        self, rene: Renting, link: Link, space: Published
    ) -> None:
        booking = await parked(rene, link, space)
        await share(link, space, [(NOON, END)])
        refused = await rene.post(f"bookings/{booking}/extend", {"end": to_rfc3339(END + HOUR)}, status=409)
        assert refused["type"] == "/problems/not-offered"

    async def test_nobody_stays_longer_than_the_terms_allow(self, rene: Renting, link: Link) -> None:
        space = await publish(link, terms={"max_booking_duration": 120})
        booking = await parked(rene, link, space)
        refused = await rene.post(f"bookings/{booking}/extend", {"end": to_rfc3339(END + HOUR)}, status=422)
        assert [error["pointer"] for error in refused["errors"]] == ["/end"]

    async def test_an_overstay_ends_with_the_later_end(
        self, rene: Renting, link: Link, space: Published, clock: FakeClock
    ) -> None:
        booking = await parked(rene, link, space)
        await clock.pass_time(2 * HOUR + 900)
        await link.report("stay.overstayed", fact(booking, END + 900))
        assert (await rene.get(f"bookings/{booking}"))["overstay"]
        await rene.post(f"bookings/{booking}/extend", {"end": to_rfc3339(END + HOUR)})
        await stored(link, booking, 2)
        await link.report("stay.extended", fact(booking, END + 910))
        assert not (await rene.get(f"bookings/{booking}"))["overstay"]
        await clock.pass_time(HOUR)
        assert (await rene.get(f"bookings/{booking}"))["overstay"]  # until it is over again

    async def test_saying_it_twice_asks_once(self, rene: Renting, link: Link, space: Published) -> None:
        booking = await parked(rene, link, space)
        for _ in range(2):
            asked = await rene.post(f"bookings/{booking}/extend", {"end": to_rfc3339(END + HOUR)})
            assert asked["revision"] == 2
        other = await rene.post(f"bookings/{booking}/extend", {"end": to_rfc3339(END + 2 * HOUR)}, status=409)
        assert other["type"] == "/problems/not-possible-now"

    async def test_an_earlier_end_is_no_extension(self, rene: Renting, link: Link, space: Published) -> None:
        booking = await parked(rene, link, space)
        refused = await rene.post(f"bookings/{booking}/extend", {"end": to_rfc3339(END - HOUR)}, status=422)
        assert [error["pointer"] for error in refused["errors"]] == ["/end"]


class TestRelease:
    async def test_the_rest_is_free_at_once_and_the_house_told(
        self, rene: Renting, nora: Renting, link: Link, space: Published, clock: FakeClock
    ) -> None:
        booking = await parked(rene, link, space)
        await clock.pass_time(HOUR / 2)
        given = await rene.post(f"bookings/{booking}/release", {"end": to_rfc3339(NOON + HOUR)})
        assert given["period"] == period(NOON, NOON + HOUR)
        changed = await link.hear_event("booking.changed")
        assert (changed["d"]["revision"], changed["d"]["period"]) == (2, period(NOON, NOON + HOUR))
        await nora.book(space.id, NOON + HOUR, END)
        assert await told(rene, "shortened")

    async def test_without_an_end_it_is_free_from_now_on(
        self, rene: Renting, link: Link, space: Published, clock: FakeClock
    ) -> None:
        booking = await parked(rene, link, space)
        await clock.pass_time(HOUR)
        given = await rene.post(f"bookings/{booking}/release", {})
        assert given["period"] == period(NOON, NOON + HOUR)

    @pytest.mark.parametrize("end", [NOON - HOUR, END + HOUR])
    async def test_an_end_that_frees_nothing_is_refused(
        self, rene: Renting, link: Link, space: Published, end: float
    ) -> None:
        booking = await parked(rene, link, space)
        refused = await rene.post(f"bookings/{booking}/release", {"end": to_rfc3339(end)}, status=422)
        assert [error["pointer"] for error in refused["errors"]] == ["/end"]

    async def test_before_the_start_there_is_nothing_to_release(
        self, rene: Renting, link: Link, space: Published
    ) -> None:
        booking = await reserve(rene, link, space, NOON + HOUR, END)
        refused = await rene.post(f"bookings/{booking}/release", {}, status=409)
        assert refused["type"] == "/problems/not-possible-now"


class TestChange:
    async def test_another_period_is_the_renters_when_the_house_has_agreed(
        self, rene: Renting, nora: Renting, link: Link, space: Published
    ) -> None:
        booking = await reserve(rene, link, space, NOON + HOUR, NOON + 3 * HOUR)
        asked = await change(rene, booking, NOON + 2 * HOUR, NOON + 4 * HOUR)
        assert (asked["period"], asked["wanted"]) == (
            period(NOON + HOUR, NOON + 3 * HOUR),
            period(NOON + 2 * HOUR, NOON + 4 * HOUR),
        )
        await stored(link, booking, 2)
        assert (await rene.get(f"bookings/{booking}"))["period"] == period(NOON + 2 * HOUR, NOON + 4 * HOUR)
        await nora.book(space.id, NOON + HOUR, NOON + 2 * HOUR)  # what was given up is free
        refused = await nora.post("bookings", booking_request(space.id, NOON + 3 * HOUR, NOON + 5 * HOUR), status=409)
        assert refused["type"] == "/problems/space-taken"

    async def test_an_earlier_end_needs_nobody(self, rene: Renting, link: Link, space: Published) -> None:
        booking = await reserve(rene, link, space, NOON + HOUR, NOON + 3 * HOUR)
        asked = await change(rene, booking, NOON + HOUR, NOON + 2 * HOUR)
        assert (asked["period"], asked["wanted"]) == (period(NOON + HOUR, NOON + 2 * HOUR), None)

    async def test_it_is_possible_until_the_terms_say(self, rene: Renting, link: Link, clock: FakeClock) -> None:
        space = await publish(link, terms={"change_until_minutes": 60})
        booking = await reserve(rene, link, space, NOON + 2 * HOUR, NOON + 3 * HOUR)
        await clock.pass_time(HOUR + 60)
        refused = await change(rene, booking, NOON + 2 * HOUR, NOON + 4 * HOUR, status=409)
        assert refused["type"] == "/problems/not-on-these-terms"

    async def test_what_somebody_else_changed_in_between_is_not_overwritten(
        self, rene: Renting, link: Link, space: Published
    ) -> None:
        booking = await reserve(rene, link, space, NOON + HOUR, NOON + 2 * HOUR)
        body, headers = {"period": period(NOON + HOUR, NOON + 3 * HOUR)}, rene.person.headers
        url = f"/api/v1/bookings/{booking}"
        assert (await rene.client.patch(url, json=body, headers=headers)).status == 428
        assert (await rene.client.patch(url, json=body, headers=headers | {"If-Match": '"7.ab"'})).status == 412

    async def test_a_period_that_has_nothing_in_common_is_another_booking(
        self, rene: Renting, link: Link, space: Published
    ) -> None:
        booking = await reserve(rene, link, space, NOON + HOUR, NOON + 2 * HOUR)
        refused = await change(rene, booking, NOON + 5 * HOUR, NOON + 6 * HOUR, status=422)
        assert [error["pointer"] for error in refused["errors"]] == ["/period"]


class TestTakingBack:
    async def test_the_owner_takes_the_space_back_and_the_renter_hears_where_else_there_is_room(
        self, rene: Renting, olga: Renting, link: Link, space: Published
    ) -> None:
        other = await publish(link, north_m=200)
        booking = await reserve(rene, link, space, NOON + 3 * HOUR, NOON + 4 * HOUR)
        taken = await olga.post(f"bookings/{booking}/take-back", {"reason": "own-use"})
        assert (taken["state"], taken["taken_back_90_days"]) == ("canceled", 1)
        (news,) = await told(rene, "taken-back")
        assert (news["reason"], [offer["space"] for offer in news["alternatives"]]) == ("own-use", [other.id])
        assert "alternatives" not in (await told(olga, "taken-back"))[0]
        withdrawn = await link.hear_event("booking.canceled")
        assert (withdrawn["d"]["booking"], withdrawn["d"]["reason"]) == (booking, "owner")
        again = booking_request(space.id, NOON + 3 * HOUR, NOON + 4 * HOUR)
        assert (await rene.post("bookings", again, status=409))["type"] == "/problems/owner-refused"

    async def test_it_needs_the_notice_of_the_terms(
        self, rene: Renting, olga: Renting, link: Link, clock: FakeClock
    ) -> None:
        space = await publish(link, terms={"take_back_minutes": 120})
        booking = await reserve(rene, link, space, NOON + 3 * HOUR, NOON + 4 * HOUR)
        await clock.pass_time(HOUR + 60)
        refused = await olga.post(f"bookings/{booking}/take-back", {}, status=409)
        assert refused["type"] == "/problems/not-on-these-terms"
        assert (await rene.get(f"bookings/{booking}"))["state"] == "reserved"

    async def test_nobody_takes_a_space_from_under_a_car(
        self, rene: Renting, olga: Renting, link: Link, space: Published
    ) -> None:
        booking = await parked(rene, link, space)
        refused = await olga.post(f"bookings/{booking}/take-back", {}, status=409)
        assert refused["type"] == "/problems/not-possible-now"

    async def test_the_renter_cannot_take_it_back(self, rene: Renting, link: Link, space: Published) -> None:
        booking = await reserve(rene, link, space, NOON + 3 * HOUR, NOON + 4 * HOUR)
        await rene.post(f"bookings/{booking}/take-back", {}, status=404)


class TestNoShow:
    @pytest.fixture
    async def space(self, link: Link) -> Published:
        return await publish(link, terms={"noshow_timeout": 30})

    @pytest.fixture
    async def missed(self, rene: Renting, link: Link, space: Published, clock: FakeClock) -> str:
        """A booking whose car has not come in half an hour."""
        booking = await reserve(rene, link, space)
        await clock.pass_time(29 * 60)
        assert (await rene.get(f"bookings/{booking}"))["state"] == "reserved"
        await clock.pass_time(2 * 60)
        return booking

    async def test_the_window_is_free_again(
        self, rene: Renting, nora: Renting, link: Link, space: Published, missed: str
    ) -> None:
        assert (await rene.get(f"bookings/{missed}"))["state"] == "no_show"
        booked = await nora.book(space.id, NOON + HOUR, END)
        lost = await link.hear_event("booking.canceled")
        assert (lost["d"]["booking"], lost["d"]["reason"]) == (missed, "no-show")
        assert (await link.hear_event())["d"]["booking"] == booked["id"]

    async def test_a_car_that_comes_after_all_has_its_right_again(
        self, rene: Renting, nora: Renting, link: Link, space: Published, missed: str
    ) -> None:
        await link.report("stay.arrived", fact(missed, NOON + 40 * 60))
        assert (await rene.get(f"bookings/{missed}"))["state"] == "active"
        refused = await nora.post("bookings", booking_request(space.id, NOON + HOUR, END), status=409)
        assert refused["type"] == "/problems/space-taken"

    async def test_a_car_that_comes_when_the_time_is_somebody_elses_takes_nothing_from_them(
        self, rene: Renting, nora: Renting, link: Link, space: Published, missed: str
    ) -> None:
        booked = await nora.book(space.id, NOON + HOUR, END)
        await stored(link, booked["id"], 1)
        await link.report("stay.arrived", fact(missed, NOON + 40 * 60))
        assert (await rene.get(f"bookings/{missed}"))["state"] == "active"
        assert (await nora.get(f"bookings/{booked['id']}"))["state"] == "reserved"

    async def test_a_house_that_starts_over_keeps_the_grant_of_a_car_that_may_still_come(
        self, client: TestClient, house: House, link: Link, missed: str
    ) -> None:
        await link.socket.close()
        house.epoch = "another"
        async with Link(client, house) as again:
            (item,) = (await again.hear("snap"))["d"]
            assert (item["booking"], item["state"]) == (missed, "no_show")

    async def test_the_end_of_the_period_changes_nothing_more(
        self, rene: Renting, link: Link, missed: str, clock: FakeClock
    ) -> None:
        await clock.pass_time(3 * HOUR)
        assert (await rene.get(f"bookings/{missed}"))["state"] == "no_show"
        assert (await rene.causes()).count("no-show") == 1


async def test_a_renter_whom_the_owner_refused_at_the_gate_cannot_book_the_time_again(
    rene: Renting, nora: Renting, link: Link, space: Published
) -> None:
    booking = await reserve(rene, link, space)
    await link.report("admission.decided", fact(booking, decision="refuse", by="owner"))
    await rene.post(f"bookings/{booking}/cancel")
    refused = await rene.post("bookings", booking_request(space.id, NOON + HOUR, END), status=409)
    assert refused["type"] == "/problems/owner-refused"
    await rene.book(space.id, END, END + HOUR)  # another time is not refused
    await nora.book(space.id, NOON + HOUR, END)


async def test_a_camera_that_does_not_know_a_car_refuses_nobody_for_later(
    rene: Renting, link: Link, space: Published
) -> None:
    booking = await reserve(rene, link, space)
    await link.report("admission.decided", fact(booking, decision="refuse", by="plate"))
    await rene.post(f"bookings/{booking}/cancel")
    await rene.book(space.id)
