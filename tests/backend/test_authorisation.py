"""Who may do what: every route with every role. A route that is missing in ROWS fails, so none is forgotten.

The world has an owner whose house shares a space, a renter who has booked it, and a stranger. Whoever is not
meant learns nothing of them and changes nothing: the stranger's answers are searched for what is theirs, and what
the two see of their own things is compared before and after.
"""

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
OWN = ("webhooks", "account/feeds", "account/passkeys", "account/balance", "account/statement")
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
    etag: str = ""
    marks: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)

    async def view(self) -> dict[str, Any]:
        """Give what renter and owner see of their own things."""
        seen = {}
        for person in (self.renter, self.owner):
            for path in ("me", "bookings", "bookings?role=owner", "installs", "standbys", "account/places", *OWN):
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


def _hold(world: World) -> dict[str, Any]:
    return {"space": world.space, "period": period(NOON + 8 * HOUR, NOON + 9 * HOUR)}


def _proof(_: World) -> dict[str, Any]:
    return {"proof": {"password": PASSWORD}}


def _hold_later(space: str) -> dict[str, Any]:
    return {"space": space, "period": period(NOON + 24 * HOUR, NOON + 25 * HOUR)}


def _saved(_: World) -> dict[str, Any]:
    return {"label": "Work", "position": place()}


def _key(_: World) -> dict[str, str]:
    return {"Idempotency-Key": new_id()}


# A credential that nobody asked for, where one is added and where one is to open an account.
_NO_CEREMONY, _NO_ENTRY = 422, 401

ROWS: dict[str, Row] = {
    "GET /.well-known/parkshare": Row(200, 200, 200, nobody=200),
    "GET /healthz": Row(200, 200, 200, nobody=200),
    "GET /readyz": Row(200, 200, 200, nobody=200),
    "POST /api/v1/accounts": Row(201, 201, 201, _account, nobody=201),
    "POST /api/v1/tokens": Row(201, 201, 201, lambda w: {"email": w.stranger.email, "password": PASSWORD}, nobody=201),
    "DELETE /api/v1/tokens/current": Row(204, 204, 204, narrow=204),  # each token may end itself
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
    "GET /api/v1/bookings/{booking}/trail": Row(200, 200, 404),
    "PATCH /api/v1/bookings/{booking}": Row(
        404, 200, 404, lambda _: {"period": period(NOON, NOON + 3 * HOUR)}, headers=lambda w: {"If-Match": w.etag}
    ),
    "POST /api/v1/bookings/{booking}/extend": Row(404, 200, 404, lambda _: {"end": to_rfc3339(NOON + 3 * HOUR)}),
    "POST /api/v1/bookings/{booking}/release": Row(404, 200, 404, lambda _: {"end": to_rfc3339(NOON + HOUR)}),
    "POST /api/v1/bookings/{booking}/approve": Row(200, 404, 404),
    "POST /api/v1/bookings/{booking}/decline": Row(409, 404, 404, lambda _: {}),
    "POST /api/v1/bookings/{booking}/take-back": Row(409, 404, 404, lambda _: {}),  # too short a notice
    "POST /api/v1/holds": Row(409, 201, 201, _hold),
    "DELETE /api/v1/holds/{hold}": Row(404, 204, 404),
    "GET /api/v1/tokens": Row(200, 200, 200),
    "DELETE /api/v1/tokens/{token}": Row(404, 204, 404),
    "POST /api/v1/tokens/revoke": Row(200, 200, 200, lambda _: {"which": "others"}),
    "GET /api/v1/account/export": Row(200, 200, 200),
    # A booking that somebody else has on their space comes first; one of their own that waits is given back.
    "DELETE /api/v1/account": Row(409, 204, 204, _proof),
    "POST /api/v1/accounts/passkey/options": Row(
        200, 200, 200, lambda _: {"email": "new@example.org", "name": "N"}, nobody=200
    ),
    "POST /api/v1/accounts/passkey": Row(*(_NO_CEREMONY,) * 3, lambda _: {"credential": {}}, nobody=_NO_CEREMONY),
    "POST /api/v1/tokens/passkey/options": Row(200, 200, 200, lambda w: {"email": w.renter.email}, nobody=200),
    "POST /api/v1/tokens/passkey": Row(*(_NO_ENTRY,) * 3, lambda _: {"credential": {}}, nobody=_NO_ENTRY),
    "GET /api/v1/account/passkeys": Row(200, 200, 200),
    "POST /api/v1/account/passkeys/options": Row(200, 200, 200),
    "POST /api/v1/account/passkeys": Row(*(_NO_CEREMONY,) * 3, lambda _: {"name": "x", "credential": {}}, headers=_key),
    # whose passkey is whose, test_passkeys shows: here there is none
    "PUT /api/v1/account/passkeys/{passkey}": Row(404, 404, 404, lambda _: {"name": "mine"}),
    "DELETE /api/v1/account/passkeys/{passkey}": Row(404, 404, 404),
    "POST /api/v1/account/confirm/options": Row(200, 200, 200),
    "POST /api/v1/account/confirm": Row(204, 204, 204, _proof),
    "PUT /api/v1/account/password": Row(204, 204, 204, lambda w: _proof(w) | {"password": PASSWORD + " anew"}),
    "DELETE /api/v1/account/password": Row(409, 409, 409, _proof),  # it is the only way in
    "POST /api/v1/places/search": Row(200, 200, 200, lambda _: {"text": "home"}),
    "POST /api/v1/places/reverse": Row(200, 200, 200, lambda _: place()),
    "GET /api/v1/account/places": Row(200, 200, 200),
    "POST /api/v1/account/places": Row(201, 201, 201, _saved, headers=_key),
    "DELETE /api/v1/account/places/{place}": Row(404, 204, 404),
    "GET /api/v1/account/balance": Row(200, 200, 200),
    "GET /api/v1/account/statement": Row(200, 200, 200),
    "GET /api/v1/account/report/{year}": Row(200, 200, 200),
    "GET /api/v1/account/seller": Row(404, 404, 404),
    "PUT /api/v1/account/seller": Row(
        200, 200, 200, lambda _: {"legal_name": "A", "address": "Street 1", "country": "DE"}
    ),
    "POST /api/v1/payments/webhook": Row(404, 404, 404, lambda _: {}, nobody=404),  # no provider is set up
    "POST /api/v1/webhooks": Row(201, 201, 201, lambda _: {"url": "https://example.org/hook"}, headers=_key),
    "GET /api/v1/webhooks": Row(200, 200, 200),
    "GET /api/v1/webhooks/{webhook}": Row(404, 200, 404),
    "PATCH /api/v1/webhooks/{webhook}": Row(404, 200, 404, lambda _: {"state": "paused"}),
    "DELETE /api/v1/webhooks/{webhook}": Row(404, 204, 404),
    "POST /api/v1/webhooks/{webhook}/rotate": Row(404, 200, 404),
    "GET /api/v1/webhooks/{webhook}/attempts": Row(404, 200, 404),
    "POST /api/v1/webhooks/{webhook}/ping": Row(404, 200, 404),
    "POST /api/v1/webhooks/{webhook}/redeliver": Row(404, 200, 404, lambda _: {"q": 1}),
    "POST /api/v1/account/feeds": Row(201, 201, 201, lambda _: {"label": "phone"}, headers=_key),
    "GET /api/v1/account/feeds": Row(200, 200, 200),
    "DELETE /api/v1/account/feeds/{feed}": Row(404, 204, 404),
    "POST /api/v1/positions": Row(
        200, 200, 200, lambda _: {"fixes": [place() | {"at": to_rfc3339(NOON), "accuracy_m": 9}]}, narrow=200
    ),
}
ROUTES = {f"{route.method} {route.path}": route for route in api_routes()}


@pytest.fixture
async def world(client: TestClient, house: House, owner: Person, renter: Person) -> AsyncIterator[World]:
    stranger = await make_person(client, name="Stan")
    narrow = await sign_in(client, renter.email, scopes=["positions"])
    async with Link(client, house) as link:
        space = await publish(link, address=ADDRESS, access_notes=NOTES)
        booking = str((await Renting(client, renter).book(space.id))["id"])
        await link.report("grant.stored", {"booking": booking, "revision": 1})
        path = {
            "booking": booking,
            "install": house.install,
            "standby": new_id(),
            "space": space.id,
        }
        mine = Renting(client, renter)
        for name, route, body in (
            ("hold", "holds", _hold_later(space.id)),
            ("place", "account/places", {"label": "Secret grandmother", "position": place()}),
            ("webhook", "webhooks", {"url": "https://example.org/secret-hook"}),
            ("feed", "account/feeds", {"label": "secret feed"}),
        ):
            made = await client.post(
                f"/api/v1/{route}", json=body, headers=renter.headers | {"Idempotency-Key": new_id()}
            )
            assert made.status == 201, await made.text()
            path[name] = (await made.json())["id"]
        path["token"] = next(one["id"] for one in (await mine.get("tokens"))["items"] if not one["current"])
        path |= {"passkey": new_id(), "year": "2026.csv"}
        seen = await client.get(f"/api/v1/bookings/{booking}", headers=renter.headers)
        world = World(client, owner, renter, stranger, narrow, space.id, booking, path, link, seen.headers["ETag"])
        world.marks = (ADDRESS, NOTES, owner.email, renter.email, booking, house.install, owner.id, renter.id, "Olga")
        world.marks += ("Secret grandmother", "secret-hook", "secret feed")
        yield world


def test_every_route_has_its_row() -> None:
    assert set(ROWS) == set(ROUTES), "a new route needs a row: who may use it?"


def expected(operation: str, role: str) -> int:
    """Give the status that a role must get."""
    row, route = ROWS[operation], ROUTES[operation]
    if role in ("nobody", "forged"):
        return 401 if route.scope else (row.nobody or 0)
    return int(getattr(row, role)) if route.scope or role != "narrow" else (row.nobody or 0)


async def ask(world: World, operation: str, headers: dict[str, str]) -> tuple[int, str]:
    """Do what the operation is about with the things of renter and owner; give status and text."""
    row = ROWS[operation]
    method, path = operation.split(" ")
    if "{user_code}" in path:  # each is decided once
        started = await world.client.post("/api/v1/pairings", json={"name": "Barn", **House().public_keys})
        world.path["user_code"] = (await started.json())["user_code"]
    answered = await world.client.request(
        method,
        re.sub(r"\{(\w+)\}", lambda name: world.path[name[1]], path),
        json=row.body(world) if row.body else None,
        headers=headers | (row.headers(world) if row.headers else {}),
        allow_redirects=False,
    )
    return answered.status, await answered.text()


@pytest.mark.parametrize("operation", sorted(set(ROWS) & set(ROUTES)))
@pytest.mark.parametrize("role", ["owner", "renter"])
async def test_who_is_meant_gets_what_it_may(world: World, operation: str, role: str) -> None:
    status, text = await ask(world, operation, getattr(world, role).headers)
    assert status == expected(operation, role), text


@pytest.mark.parametrize("role", ["stranger", "narrow", "nobody", "forged"])
async def test_who_is_not_meant_learns_nothing_and_changes_nothing(world: World, role: str) -> None:
    before = await world.view()
    wrong = []
    for operation in sorted(set(ROWS) & set(ROUTES)):
        row = ROWS[operation]
        if role == "narrow" and row.narrow != FORBIDDEN:
            continue  # what a token of the renter may do like any other
        status, text = await ask(world, operation, await headers_of(world, role))
        if status != expected(operation, role):
            wrong.append(f"{operation}: {status}, not {expected(operation, role)}: {text[:200]}")
        # What was sent may come back; what is not sent must not.
        told = [mark for mark in world.marks if mark in text and mark not in row.tells_stranger]
        told = [mark for mark in told if mark not in world.path.values()]
        if told:
            wrong.append(f"{operation} tells {told}")
    assert wrong == []
    after = await world.view()
    for seen in NEWS_FOR_THE_OWNER:
        before.pop(f"{world.owner.email} {seen}")
        after.pop(f"{world.owner.email} {seen}")
    assert after == before


async def headers_of(world: World, role: str) -> dict[str, str]:
    """Give what a role sends; the stranger is somebody new each time, for some operations end them."""
    match role:
        case "nobody":
            return {}
        case "forged":
            return {"Authorization": f"Bearer {FORGED}"}
        case "narrow":
            return world.narrow.headers
    world.stranger = await make_person(world.client, name="Stan")
    return world.stranger.headers


FORBIDDEN = 403
# A stranger may book the shared space: that is news for its owner, and for nobody else.
NEWS_FOR_THE_OWNER = ("bookings?role=owner", "account/statement", "account/balance")


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
