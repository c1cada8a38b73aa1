"""Who may do what: every route with every role. A route that is missing in ROWS fails, so none is forgotten.

The world has an owner whose house shares a space, a renter who has booked it, and a stranger. Whoever is not
meant learns nothing of them and changes nothing: the stranger's answers are searched for what is theirs, and what
the two see of their own things is compared before and after.
"""

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from parkshare_backend.app import api_routes
from parkshare_backend.clock import new_id, to_rfc3339
from tests.backend.market import HOUR, SEALED_PLATE, Link, Renting, period, place, publish
from tests.backend.support import NOON, PASSWORD, House, Person, make_person, pair_house, sign_in

ADDRESS = "Hidden Lane 17"
NOTES = "third bell on the left"
OPEN = "open"
FORGED = "pks_" + "A" * 48

type Say = Callable[[World], Any]


@dataclass
class World:
    """The people, and what of theirs the routes are about: path parameters by name."""

    client: TestClient
    owner: Person
    renter: Person
    stranger: Person
    narrow: Person  # the renter, with a token that may only send positions
    space: str
    booking: str
    path: dict[str, str]
    link: Link
    marks: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)

    async def view(self) -> dict[str, Any]:
        """Give what renter and owner see of their own things."""
        seen = {}
        for person in (self.renter, self.owner):
            for path in ("me", "bookings", "bookings?role=owner", "installs", "standbys"):
                answered = await self.client.get(f"/api/v1/{path}", headers=person.headers)
                assert answered.status == 200, await answered.text()
                seen[f"{person.email} {path}"] = await answered.json()
        return seen


@dataclass(frozen=True)
class Row:
    """What one operation answers to each role; `body` makes what is sent."""

    owner: int
    renter: int
    stranger: int
    body: Say | None = None
    query: Say | None = None
    headers: Say | None = None
    narrow: int = 403  # what a token gets that may only send positions
    nobody: int | None = None  # for open routes: what anybody gets
    tells_stranger: tuple[str, ...] = ()  # marks that a stranger may see here, and why that is fine


def _search(_: World) -> dict[str, Any]:
    return {"place": place(), "period": period(NOON + 5 * HOUR, NOON + 6 * HOUR)}


def _booking(world: World) -> dict[str, Any]:
    return {
        "id": new_id(),
        "space": world.space,
        "period": period(NOON + 5 * HOUR, NOON + 6 * HOUR),
        "sealed_plate": SEALED_PLATE,
    }


def _account(_: World) -> dict[str, Any]:
    return {"email": f"{new_id()}@example.org", "password": PASSWORD, "name": "New"}


ROWS: dict[str, Row] = {
    "GET /.well-known/parkshare": Row(200, 200, 200, nobody=200),
    "GET /healthz": Row(200, 200, 200, nobody=200),
    "GET /readyz": Row(200, 200, 200, nobody=200),
    "POST /api/v1/accounts": Row(201, 201, 201, _account, nobody=201),
    "POST /api/v1/tokens": Row(201, 201, 201, lambda w: {"email": w.stranger.email, "password": PASSWORD}, nobody=201),
    "DELETE /api/v1/tokens/current": Row(204, 204, 204),
    "GET /api/v1/me": Row(200, 200, 200),
    "POST /api/v1/pairings": Row(201, 201, 201, lambda _: {"name": "x", **House().public_keys}, nobody=201),
    "POST /api/v1/pairings/poll": Row(400, 400, 400, lambda _: {"device_code": "x" * 43}, nobody=400),
    # A code is shown at the house: whoever has read it there may decide, and decides for their own account.
    "GET /api/v1/pairings/{user_code}": Row(200, 200, 200),
    "POST /api/v1/pairings/{user_code}/approve": Row(200, 200, 200),
    "POST /api/v1/pairings/{user_code}/deny": Row(200, 200, 200),
    "GET /api/v1/installs": Row(200, 200, 200),
    "DELETE /api/v1/installs/{install}": Row(204, 404, 404),
    "POST /api/v1/searches": Row(200, 200, 200, _search),
    "POST /api/v1/bookings": Row(409, 201, 201, _booking, tells_stranger=(ADDRESS, NOTES)),  # it is theirs then
    "GET /api/v1/bookings": Row(200, 200, 200),
    "GET /api/v1/bookings/{booking}": Row(200, 200, 404),
    "POST /api/v1/bookings/{booking}/cancel": Row(404, 200, 404),
    "POST /api/v1/bookings/{booking}/here": Row(404, 200, 404),
    "POST /api/v1/bookings/{booking}/code": Row(404, 202, 404, lambda _: {"code": "123456"}),
    "GET /api/v1/bookings/{booking}/alternatives": Row(404, 200, 404),
    "GET /api/v1/changes": Row(200, 200, 200),
    "GET /api/v1/standbys": Row(200, 200, 200),
    "POST /api/v1/standbys/{standby}/accept": Row(
        404, 404, 404, lambda _: {"booking": new_id(), "sealed_plate": SEALED_PLATE}
    ),
    "POST /api/v1/standbys/{standby}/decline": Row(404, 404, 404),
    "POST /api/v1/positions": Row(
        200, 200, 200, lambda _: {"fixes": [place() | {"at": to_rfc3339(NOON), "accuracy_m": 9}]}, narrow=200
    ),
}
ROUTES = {f"{route.method} {route.path}": route for route in api_routes()}
ROLES = ("owner", "renter", "stranger", "narrow", "nobody", "forged")


@pytest.fixture
async def world(client: TestClient, house: House, owner: Person, renter: Person) -> AsyncIterator[World]:
    stranger = await make_person(client, name="Stan")
    narrow = await sign_in(client, renter.email, scopes=["positions"])
    async with Link(client, house) as link:
        space = await publish(link, address=ADDRESS, access_notes=NOTES)
        booking = str((await Renting(client, renter).book(space.id))["id"])
        await link.report("grant.stored", {"booking": booking, "revision": 1})
        started = await client.post("/api/v1/pairings", json={"name": "Barn", **House().public_keys})
        path = {
            "booking": booking,
            "install": house.install,
            "standby": new_id(),
            "space": space.id,
            "user_code": (await started.json())["user_code"],
        }
        world = World(client, owner, renter, stranger, narrow, space.id, booking, path, link)
        world.marks = (ADDRESS, NOTES, owner.email, renter.email, booking, house.install, owner.id, renter.id, "Olga")
        yield world


def test_every_route_has_its_row() -> None:
    assert set(ROWS) == set(ROUTES), "a new route needs a row: who may use it?"


def expected(operation: str, role: str) -> int:
    """Give the status that a role must get."""
    row, route = ROWS[operation], ROUTES[operation]
    if role in ("nobody", "forged"):
        return 401 if route.scope else (row.nobody or 0)
    return int(getattr(row, role)) if route.scope or role != "narrow" else (row.nobody or 0)


@pytest.mark.parametrize("operation", sorted(set(ROWS) & set(ROUTES)))
@pytest.mark.parametrize("role", ROLES)
async def test_each_role_gets_what_it_may(world: World, operation: str, role: str) -> None:
    row = ROWS[operation]
    before = await world.view()
    headers = {"forged": {"Authorization": f"Bearer {FORGED}"}, "nobody": {}}.get(role)
    if headers is None:
        headers = getattr(world, role).headers
    method, path = operation.split(" ")
    answered = await world.client.request(
        method,
        re.sub(r"\{(\w+)\}", lambda name: world.path[name[1]], path),
        json=row.body(world) if row.body else None,
        params=row.query(world) if row.query else None,
        headers=headers | (row.headers(world) if row.headers else {}),
        allow_redirects=False,
    )
    text = await answered.text()
    assert answered.status == expected(operation, role), text
    if role in ("owner", "renter") or (role == "narrow" and row.narrow != 403):
        return
    if role != "narrow":
        told = [mark for mark in world.marks if mark in text and mark not in row.tells_stranger]
        # What was sent may come back; what is not sent must not.
        assert not [mark for mark in told if mark not in path and mark not in world.path.values()], text
    changed = await world.view()
    if operation not in CHANGES_OWNERS_LIST:
        assert json.dumps(changed, sort_keys=True) == json.dumps(before, sort_keys=True)


# A stranger's own booking on the shared space is news for its owner, and for nobody else.
CHANGES_OWNERS_LIST = {"POST /api/v1/bookings"}


async def test_the_search_for_marks_can_fail(world: World) -> None:
    seen = await world.client.get(f"/api/v1/bookings/{world.booking}", headers=world.renter.headers)
    assert ADDRESS in await seen.text()
    await world.client.post(f"/api/v1/bookings/{world.booking}/cancel", headers=world.renter.headers)
    assert await world.view() != {}


async def test_the_owner_never_learns_who_the_renter_is(world: World) -> None:
    for path in ("bookings?role=owner", f"bookings/{world.booking}", "changes"):
        text = await (await world.client.get(f"/api/v1/{path}", headers=world.owner.headers)).text()
        assert world.booking in text
        for mark in (world.renter.email, world.renter.id, "Rene"):
            assert mark not in text


async def test_a_house_reaches_only_its_own_spaces(world: World) -> None:
    other = await pair_house(world.client, world.stranger)
    before = await world.view()
    async with Link(world.client, other) as link:
        answer = await link.request("space.withdraw", {"space": world.space})
        assert answer["problem"]["type"] == "/problems/not-found"
        answer = await link.request("windows.publish", {"space": world.space, "windows": []})
        assert answer["problem"]["type"] == "/problems/not-found"
        for t, d in (
            ("grant.refused", {"booking": world.booking, "revision": 9, "reason": "no"}),
            ("stay.arrived", {"booking": world.booking, "at": to_rfc3339(NOON)}),
            ("stay.left", {"booking": world.booking, "at": to_rfc3339(NOON)}),
            ("help.offered", {"booking": world.booking, "rung": "call", "at": to_rfc3339(NOON), "phone": "123"}),
        ):
            await link.report(t, d)
    assert await world.view() == before
