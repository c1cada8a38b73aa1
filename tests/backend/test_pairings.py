"""Linking a house: the calls of RFC 8628's shape."""

import re

import pytest
from aiohttp.test_utils import TestClient
from hypothesis import given, settings as examples, strategies as st

from parkshare_backend.accounts.secrets import fingerprint, is_token, make_token, read_user_code
from parkshare_backend.app import build_app
from parkshare_backend.settings import Settings
from tests.backend.conftest import MakeClient
from tests.backend.support import FakeClock, House, HouseLink, Person, make_person, pair_house


async def start(client: TestClient, house: House) -> dict:
    answer = await client.post("/api/v1/pairings", json={"name": "Home", **house.public_keys})
    assert answer.status == 201
    return await answer.json()


async def poll(client: TestClient, pairing: dict) -> tuple[int, dict]:
    answer = await client.post("/api/v1/pairings/poll", json={"device_code": pairing["device_code"]})
    return answer.status, await answer.json()


async def test_a_house_is_linked_once_its_owner_approves(client: TestClient, owner: Person, clock: FakeClock) -> None:
    house = House()
    pairing = await start(client, house)
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", pairing["user_code"])
    assert pairing["verification_uri_complete"].endswith(f"/link?user_code={pairing['user_code']}")
    assert pairing["expires_in"] == 900

    status, problem = await poll(client, pairing)
    assert (status, problem["type"]) == (400, "/problems/authorization-pending")

    seen = await client.get(f"/api/v1/pairings/{pairing['user_code'].lower()}", headers=owner.headers)
    shown = await seen.json()
    keys_ = (house.sign.public_key().public_bytes_raw(), house.seal.public_key().public_bytes_raw())
    assert shown["fingerprint"] == fingerprint(*keys_)
    assert shown["state"] == "pending"

    approved = await client.post(f"/api/v1/pairings/{pairing['user_code']}/approve", headers=owner.headers)
    assert (await approved.json())["state"] == "approved"
    clock.move(5)
    status, paired = await poll(client, pairing)
    assert status == 200
    assert paired["account"]["id"] == owner.id
    listed = await (await client.get("/api/v1/installs", headers=owner.headers)).json()
    assert [install["id"] for install in listed["items"]] == [paired["install"]]


async def test_a_denied_house_hears_it_and_is_not_linked(client: TestClient, owner: Person) -> None:
    pairing = await start(client, House())
    denied = await client.post(f"/api/v1/pairings/{pairing['user_code']}/deny", headers=owner.headers)
    assert (await denied.json())["state"] == "denied"
    status, problem = await poll(client, pairing)
    assert (status, problem["type"]) == (400, "/problems/access-denied")
    assert (await (await client.get("/api/v1/installs", headers=owner.headers)).json())["items"] == []


async def test_a_code_is_decided_once(client: TestClient, owner: Person, renter: Person) -> None:
    pairing = await start(client, House())
    path = f"/api/v1/pairings/{pairing['user_code']}"
    assert (await client.post(f"{path}/approve", headers=owner.headers)).status == 200
    for other in ("approve", "deny"):
        again = await client.post(f"{path}/{other}", headers=renter.headers)
        assert (again.status, (await again.json())["type"]) == (409, "/problems/already-decided")
    assert (await (await client.get("/api/v1/installs", headers=renter.headers)).json())["items"] == []


async def test_a_house_that_polls_too_fast_must_slow_down(client: TestClient, clock: FakeClock) -> None:
    pairing = await start(client, House())
    assert (await poll(client, pairing))[1]["type"] == "/problems/authorization-pending"
    clock.move(1)
    status, problem = await poll(client, pairing)
    assert (status, problem["type"], problem["interval"]) == (400, "/problems/slow-down", 10)
    clock.move(6)
    assert (await poll(client, pairing))[1]["type"] == "/problems/slow-down"
    clock.move(15)
    assert (await poll(client, pairing))[1]["type"] == "/problems/authorization-pending"


async def test_an_expired_code_links_nothing(client: TestClient, owner: Person, clock: FakeClock) -> None:
    pairing = await start(client, House())
    clock.move(901)
    approved = await client.post(f"/api/v1/pairings/{pairing['user_code']}/approve", headers=owner.headers)
    assert (approved.status, (await approved.json())["errors"][0]["pointer"]) == (404, "/user_code")
    status, problem = await poll(client, pairing)
    assert (status, problem["type"]) == (400, "/problems/expired-code")
    assert problem["errors"][0]["pointer"] == "/device_code"


async def test_an_answer_that_the_house_lost_is_given_again(
    client: TestClient, owner: Person, clock: FakeClock
) -> None:
    pairing = await start(client, House())
    await client.post(f"/api/v1/pairings/{pairing['user_code']}/approve", headers=owner.headers)
    first = await poll(client, pairing)
    clock.move(5)
    assert await poll(client, pairing) == first
    assert first[0] == 200


async def test_guessing_user_codes_is_bounded(settings: Settings, clock: FakeClock, make_client: MakeClient) -> None:
    limited = await make_client(build_app(settings.model_copy(update={"rate_limits": 1.0}), clock=clock))
    guesser = await make_person(limited)
    statuses = [
        (await limited.get(f"/api/v1/pairings/BBBB-BBB{letter}", headers=guesser.headers)).status
        for letter in "BCDFGHJKLMNP"
    ]
    assert statuses == [404] * 10 + [429] * 2


async def test_a_token_without_the_scope_approves_nothing(client: TestClient) -> None:
    pairing = await start(client, House())
    searcher = await make_person(client, scopes=["search"])
    refused = await client.post(f"/api/v1/pairings/{pairing['user_code']}/approve", headers=searcher.headers)
    assert refused.status == 403


async def test_a_revoked_house_loses_its_connection_and_stays_out(client: TestClient, owner: Person) -> None:
    house = await pair_house(client, owner)
    async with HouseLink(client, house) as link:
        revoked = await client.delete(f"/api/v1/installs/{house.install}", headers=owner.headers)
        assert revoked.status == 204
        assert await link.closed() == 4403
    again = HouseLink(client, house)
    await again.dial()
    await again.say_auth()
    assert (await again.hear("refused"))["type"] == "/problems/install-revoked"
    assert await again.closed() == 4403


async def test_nobody_revokes_another_persons_house(client: TestClient, house: House, renter: Person) -> None:
    refused = await client.delete(f"/api/v1/installs/{house.install}", headers=renter.headers)
    assert refused.status == 404
    async with HouseLink(client, house) as link:
        assert link.ready


@examples(max_examples=50)
@given(st.randoms(use_true_random=False), st.data())
def test_a_token_with_one_changed_character_is_no_token(random, data: st.DataObject) -> None:  # noqa: ANN001
    token = make_token(random)
    assert is_token(token)
    at = data.draw(st.integers(4, len(token) - 8))
    other = data.draw(st.sampled_from("ABCabc019_-").filter(lambda letter: letter != token[at]))
    assert not is_token(token[:at] + other + token[at + 1 :])


@pytest.mark.parametrize("typed", ["WDJB-MJHT", "wdjb mjht", " wdjbmjht ", "WD JB-MJ HT"])
def test_a_user_code_is_read_as_people_type_it(typed: str) -> None:
    assert read_user_code(typed) == "WDJB-MJHT"


@pytest.mark.parametrize("typed", ["", "WDJB-MJH", "WDJB-MJHTT", "WDJB-MJHA", "ÄDJB-MJHT", "1234-5678"])
def test_what_is_no_user_code_is_none(typed: str) -> None:
    assert read_user_code(typed) is None
