"""Calendar feeds: what a calendar program gets to read, and for how long."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from icalendar import Calendar, Event

from parkshare_backend import keys
from parkshare_backend.clock import new_id
from tests.backend.market import HOUR, Link, Renting, publish
from tests.backend.support import NOON, FakeClock, House, Person, make_person

NAME = 'Müller, "Hof"; \\n BEGIN:VEVENT 🚗 ' + "x" * 60


async def make_feed(client: TestClient, person: Person, *, label: str = "phone") -> dict[str, Any]:
    headers = person.headers | {"Idempotency-Key": new_id()}
    made = await client.post("/api/v1/account/feeds", json={"label": label}, headers=headers)
    assert made.status == 201, await made.text()
    return dict(await made.json())


def path_of(feed: dict[str, Any]) -> str:
    return str(feed["url"].removeprefix("http://localhost:8732"))


async def read(client: TestClient, feed: dict[str, Any], **headers: str) -> Calendar:
    answered = await client.get(path_of(feed), headers=headers)
    assert answered.status == 200, await answered.text()
    assert answered.headers["Content-Type"] == "text/calendar; charset=utf-8"
    return Calendar.from_ical(await answered.read())


def events(calendar: Calendar) -> dict[str, Event]:
    return {str(event["uid"]): event for event in calendar.walk("VEVENT")}


@pytest.fixture
async def renting(client: TestClient, renter: Person) -> Renting:
    return Renting(client, renter)


async def test_a_renter_sees_bookings_with_the_address_while_they_live(
    app: web.Application, client: TestClient, house: House, renting: Renting
) -> None:
    async with Link(client, house) as link:
        space = await publish(link, name=NAME, address="Lindenweg 4; Hof, links")
        booking = await renting.book(space.id, NOON + HOUR, NOON + 3 * HOUR)
    feed = await make_feed(client, renting.person)
    calendar = await read(client, feed)
    assert calendar["version"] == "2.0"
    assert calendar["refresh-interval"].dt == timedelta(hours=1)
    [(uid, event)] = events(calendar).items()
    assert uid == f"{booking['id']}@{app[keys.LINK].server}"
    assert event["summary"] == f"Parking: {NAME}".strip()
    assert event["location"] == "Lindenweg 4; Hof, links"
    assert event["status"] == "TENTATIVE"
    assert event["sequence"] == booking["revision"]
    assert event["dtstart"].dt == datetime(2026, 11, 22, 13, tzinfo=UTC)
    assert event["dtend"].dt == datetime(2026, 11, 22, 15, tzinfo=UTC)
    assert event["dtstamp"].dt == event["last-modified"].dt == datetime(2026, 11, 22, 12, tzinfo=UTC)


async def test_a_canceled_booking_stays_under_its_name_as_canceled_without_the_address(
    client: TestClient, house: House, renting: Renting
) -> None:
    async with Link(client, house) as link:
        space = await publish(link)
        booking = await renting.book(space.id)
    feed = await make_feed(client, renting.person)
    before = events(await read(client, feed))
    await renting.post(f"bookings/{booking['id']}/cancel")
    after = events(await read(client, feed))
    assert before.keys() == after.keys()
    [event] = after.values()
    assert event["status"] == "CANCELLED"
    assert event["sequence"] > next(iter(before.values()))["sequence"]
    assert "location" not in event


async def test_an_owner_sees_an_alias_and_nothing_else_of_a_renter(
    client: TestClient, house: House, owner: Person
) -> None:
    stranger = await make_person(client, name="Rosalinde Kowalski")
    async with Link(client, house) as link:
        space = await publish(link)
        await Renting(client, stranger).book(space.id)
        alias = (await link.hear_event("booking.proposed"))["d"]["renter"]["alias"]
    answered = await client.get(path_of(await make_feed(client, owner)))
    text = await answered.text()
    [event] = events(Calendar.from_ical(text)).values()
    assert event["summary"] == f"{alias}: Courtyard"
    for secret in ("Rosalinde", stranger.email, stranger.id, "Lindenweg", "Second gate"):
        assert secret not in text


async def test_odd_names_break_no_line(client: TestClient, house: House, renting: Renting) -> None:
    async with Link(client, house) as link:
        space = await publish(link, name=NAME)
        await renting.book(space.id)
    raw = await (await client.get(path_of(await make_feed(client, renting.person)))).read()
    assert raw.count(b"\r\nBEGIN:VEVENT") == 1
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    assert Calendar.from_ical(raw).to_ical() == raw


async def test_old_bookings_leave_the_calendar(
    client: TestClient, clock: FakeClock, house: House, renting: Renting
) -> None:
    async with Link(client, house) as link:
        space = await publish(link)
        await renting.book(space.id)
    feed = await make_feed(client, renting.person)
    clock.move(89 * 86_400)
    assert events(await read(client, feed))
    clock.move(2 * 86_400)
    assert not events(await read(client, feed))


async def test_what_did_not_change_is_not_sent_again(client: TestClient, house: House, renting: Renting) -> None:
    async with Link(client, house) as link:
        space = await publish(link)
        booking = await renting.book(space.id)
    path = path_of(await make_feed(client, renting.person))
    first = await client.get(path)
    again = await client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")
    await renting.post(f"bookings/{booking['id']}/cancel")
    changed = await client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


async def test_a_deleted_feed_shows_nothing(client: TestClient, renter: Person, owner: Person) -> None:
    feed, kept = await make_feed(client, renter), await make_feed(client, renter, label="wall")
    address = f"/api/v1/account/feeds/{feed['id']}"
    assert (await client.delete(address, headers=owner.headers)).status == 404
    assert (await client.get(path_of(feed))).status == 200
    assert (await client.delete(address, headers=renter.headers)).status == 204
    assert (await client.get(path_of(feed))).status == 404
    assert (await client.get(path_of(kept))).status == 200
    listed = await (await client.get("/api/v1/account/feeds", headers=renter.headers)).json()
    assert [item["label"] for item in listed["items"]] == ["wall"]
    assert kept["url"].rpartition("/")[2].removesuffix(".ics") not in str(listed)


@pytest.mark.parametrize("secret", ["", "x", "pkf_" + "A" * 43, "pkf_" + "A" * 400, "..%2f..", "%00"])
async def test_a_guessed_address_shows_nothing(client: TestClient, secret: str) -> None:
    assert (await client.get(f"/feeds/{secret}.ics")).status == 404


async def test_an_account_has_a_bounded_number_of_feeds(client: TestClient, renter: Person) -> None:
    for _ in range(10):
        await make_feed(client, renter)
    headers = renter.headers | {"Idempotency-Key": new_id()}
    refused = await client.post("/api/v1/account/feeds", json={}, headers=headers)
    assert (refused.status, (await refused.json())["type"]) == (409, "/problems/too-many-feeds")
