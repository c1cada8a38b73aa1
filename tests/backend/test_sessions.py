"""Sessions, over HTTP: what an account sees of its tokens, and their end."""

from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.accounts.cache import LIFE, TokenCache
from parkshare_backend.app import build_app
from parkshare_backend.http.auth import Principal, Scope
from parkshare_backend.settings import Settings
from parkshare_backend.store.bus import Bus
from parkshare_backend.store.contract import UnableError
from parkshare_backend.store.engine import Store
from tests.backend.conftest import MakeClient
from tests.backend.support import PASSWORD, FakeClock, Person, make_person, sign_in

HOUR = 3600.0


async def sessions(client: TestClient, person: Person) -> list[dict[str, Any]]:
    answered = await client.get("/api/v1/tokens", headers=person.headers)
    assert answered.status == 200, await answered.text()
    return list((await answered.json())["items"])


async def works(client: TestClient, person: Person) -> bool:
    status = (await client.get("/api/v1/me", headers=person.headers)).status
    assert status in {200, 401}
    return status == 200


async def test_an_account_sees_where_it_is_signed_in(client: TestClient, owner: Person, clock: FakeClock) -> None:
    clock.move(90)
    body = {"email": owner.email, "password": PASSWORD, "label": "Phone", "scopes": ["positions"]}
    await client.post("/api/v1/tokens", json=body)
    phone, here = await sessions(client, owner)
    assert (phone["label"], phone["scopes"], phone["current"]) == ("Phone", ["positions"], False)
    assert phone["created_at"] == "2026-11-22T12:01:30Z"
    assert here["current"]
    assert owner.token not in str((phone, here))


async def test_when_a_token_was_used_is_told_to_the_hour_and_no_closer(
    client: TestClient, owner: Person, clock: FakeClock
) -> None:
    clock.move(2 * HOUR + 1234)
    assert (await sessions(client, owner))[0]["last_used_at"] == "2026-11-22T14:00:00Z"
    await client.app[keys.SESSIONS].sweep(clock.now())
    restarted = client.app[keys.SESSIONS]
    assert not restarted._used
    assert (await sessions(client, owner))[0]["last_used_at"] == "2026-11-22T14:00:00Z"


async def test_what_could_not_be_written_of_a_tokens_use_is_written_the_next_time(
    client: TestClient, owner: Person, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = client.app[keys.SESSIONS]
    clock.move(2 * HOUR)
    assert (await sessions(client, owner))[0]["last_used_at"] == "2026-11-22T14:00:00Z"

    async def fails(_work: object) -> None:
        raise UnableError("the disk is full")

    known._used["somebody"] = clock.now()
    with monkeypatch.context() as broken:
        broken.setattr(known._store, "again", fails)
        with pytest.raises(UnableError):
            await known.sweep(clock.now())
    assert "somebody" in known._used


async def test_a_revoked_token_is_refused_by_the_very_next_request(client: TestClient, owner: Person) -> None:
    other = await sign_in(client, owner.email)
    assert await works(client, other)
    (theirs,) = [session["id"] for session in await sessions(client, owner) if not session["current"]]
    assert (await client.delete(f"/api/v1/tokens/{theirs}", headers=owner.headers)).status == 204
    assert not await works(client, other)
    assert await works(client, owner)
    assert (await client.delete(f"/api/v1/tokens/{theirs}", headers=owner.headers)).status == 404


async def test_nobody_revokes_the_token_of_another_account(client: TestClient, owner: Person, renter: Person) -> None:
    (theirs,) = [session["id"] for session in await sessions(client, owner)]
    assert (await client.delete(f"/api/v1/tokens/{theirs}", headers=renter.headers)).status == 404
    assert await works(client, owner)


@pytest.mark.parametrize("scope", list(Scope))
async def test_a_token_of_any_scope_may_end_itself(client: TestClient, scope: Scope) -> None:
    person = await make_person(client, scopes=[scope])
    assert (await client.delete("/api/v1/tokens/current", headers=person.headers)).status == 204
    assert (await client.delete("/api/v1/tokens/current", headers=person.headers)).status == 401


async def test_all_other_sessions_end_at_once(client: TestClient, owner: Person, renter: Person) -> None:
    others = [await sign_in(client, owner.email) for _ in range(3)]
    assert all([await works(client, other) for other in others])
    answered = await client.post("/api/v1/tokens/revoke", json={"which": "others"}, headers=owner.headers)
    assert await answered.json() == {"revoked": 3}
    assert not any([await works(client, other) for other in others])
    assert await works(client, owner)
    assert await works(client, renter)


async def test_signing_out_everywhere_ends_the_own_session_too(client: TestClient, owner: Person) -> None:
    answered = await client.post("/api/v1/tokens/revoke", json={"which": "all"}, headers=owner.headers)
    assert await answered.json() == {"revoked": 1}
    assert not await works(client, owner)


async def test_a_changed_password_ends_the_other_sessions(client: TestClient, owner: Person) -> None:
    other = await sign_in(client, owner.email)
    assert await works(client, other)
    body = {"password": "a new long password", "proof": {"password": PASSWORD}}
    assert (await client.put("/api/v1/account/password", json=body, headers=owner.headers)).status == 204
    assert not await works(client, other)
    assert await works(client, owner)
    old, new = [
        (await client.post("/api/v1/tokens", json={"email": owner.email, "password": password})).status
        for password in (PASSWORD, "a new long password")
    ]
    assert (old, new) == (401, 201)


async def test_a_password_changes_only_for_who_knows_the_old_one(client: TestClient, owner: Person) -> None:
    body = {"password": "a new long password", "proof": {"password": "wrong password"}}
    refused = await client.put("/api/v1/account/password", json=body, headers=owner.headers)
    assert (refused.status, (await refused.json())["type"]) == (403, "/problems/wrong-proof")
    assert (await sign_in(client, owner.email)).id == owner.id
    for proof in ({}, {"password": "x", "passkey": {}}):
        faulty = await client.put("/api/v1/account/password", json={**body, "proof": proof}, headers=owner.headers)
        assert faulty.status == 422


async def test_the_oldest_of_too_many_sessions_makes_room_and_opens_nothing(
    client: TestClient, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parkshare_backend.accounts.sessions.MAX_TOKENS", 2)
    assert await works(client, owner)
    second, third = await sign_in(client, owner.email), await sign_in(client, owner.email)
    assert not await works(client, owner)
    assert await works(client, second)
    assert await works(client, third)


async def test_an_instance_that_heard_nothing_is_wrong_for_seconds_only(
    client: TestClient, owner: Person, settings: Settings, clock: FakeClock, make_client: MakeClient
) -> None:
    deaf = await make_client(build_app(settings, clock=clock))
    assert await works(deaf, owner)
    await client.delete("/api/v1/tokens/current", headers=owner.headers)
    clock.move(LIFE)
    assert not await works(deaf, owner)


async def test_instances_tell_each_other_which_tokens_are_forgotten(store: Store) -> None:
    bus = Bus(store.url)
    here, there = TokenCache(), TokenCache()
    here.join(bus)
    there.join(bus)
    there.keep(b"hash", Principal("anna", "token", frozenset()), until=10.0, mark=there.mark())
    async with store.write() as tx:
        here.forget(tx, "anna")
        assert there.get(b"hash", 1.0) is not None  # not before it is on disk
    assert there.get(b"hash", 1.0) is None


async def test_what_was_read_before_a_token_was_forgotten_is_not_remembered(store: Store) -> None:
    cache, principal = TokenCache(), Principal("anna", "token", frozenset())
    mark = cache.mark()
    async with store.write() as tx:
        cache.forget(tx, "anna")
    cache.keep(b"hash", principal, until=10.0, mark=mark)
    assert cache.get(b"hash", 1.0) is None
    cache.keep(b"hash", principal, until=10.0, mark=cache.mark())
    assert cache.get(b"hash", 1.0) == principal
    assert cache.get(b"hash", 10.0) is None


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parkshare_backend.accounts.cache.MAX_KNOWN", 2)
    cache = TokenCache()
    for n in range(4):
        cache.keep(b"%d" % n, Principal(f"account {n}", "token", frozenset()), until=10.0, mark=cache.mark())
    assert [cache.get(b"%d" % n, 0.0) is not None for n in range(4)] == [False, False, True, True]
    assert set(cache._of_account) == {"account 2", "account 3"}
