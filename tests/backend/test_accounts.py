"""Accounts and tokens, over HTTP."""

import pytest
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.http.auth import Scope
from tests.backend import direct
from tests.backend.support import PASSWORD, FakeClock, Person, make_person, sign_in


async def test_an_account_signs_in_and_reads_itself(client: TestClient) -> None:
    made = await client.post(
        "/api/v1/accounts", json={"email": "Anna@Example.org", "password": PASSWORD, "name": "Anna"}
    )
    assert made.status == 201
    anna = await sign_in(client, "anna@example.ORG")
    me = await (await client.get("/api/v1/me", headers=anna.headers)).json()
    assert me["id"] == (await made.json())["id"]
    assert me["email"] == "anna@example.org"
    assert me["scopes"] == sorted(Scope)


async def test_one_email_has_one_account_whatever_its_case(client: TestClient, owner: Person) -> None:
    again = {"email": owner.email.upper(), "password": PASSWORD, "name": "Again"}
    refused = await client.post("/api/v1/accounts", json=again)
    assert refused.status == 409
    problem = await refused.json()
    assert problem["type"] == "/problems/email-taken"
    assert problem["errors"][0]["pointer"] == "/email"


async def test_a_wrong_email_and_a_wrong_password_answer_alike(client: TestClient, owner: Person) -> None:
    answers = [
        await client.post("/api/v1/tokens", json={"email": email, "password": password})
        for email, password in ((owner.email, "wrong password"), ("nobody@example.org", PASSWORD))
    ]
    assert [answer.status for answer in answers] == [401, 401]
    first, second = [await answer.json() for answer in answers]
    assert first == second


async def test_an_unknown_email_costs_a_hash_too(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = client.app[keys.PASSWORDS]
    checked: list[str] = []
    check = passwords._check
    monkeypatch.setattr(passwords, "_check", lambda encoded, text: checked.append(encoded) or check(encoded, text))
    await client.post("/api/v1/tokens", json={"email": "nobody@example.org", "password": PASSWORD})
    assert len(checked) == 1
    assert checked[0].startswith("$argon2id$")


async def test_a_token_ends_when_it_expires(client: TestClient, owner: Person, clock: FakeClock) -> None:
    clock.move(90 * 86_400 - 1)
    assert (await client.get("/api/v1/me", headers=owner.headers)).status == 200
    clock.move(2)
    refused = await client.get("/api/v1/me", headers=owner.headers)
    assert refused.status == 401
    assert (await refused.json())["type"] == "/problems/unauthenticated"
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_revoked_token_opens_nothing(client: TestClient, owner: Person) -> None:
    assert (await client.delete("/api/v1/tokens/current", headers=owner.headers)).status == 204
    assert (await client.get("/api/v1/me", headers=owner.headers)).status == 401


async def test_a_token_without_the_scope_is_refused_and_told_which(client: TestClient) -> None:
    tracker = await make_person(client, scopes=["positions"])
    refused = await client.get("/api/v1/me", headers=tracker.headers)
    assert refused.status == 403
    assert "account" in (await refused.json())["detail"]


async def test_the_database_holds_no_token_and_no_password(client: TestClient, owner: Person, database: str) -> None:
    stored = direct.everything(database)
    assert owner.email.encode() in stored
    assert owner.token.encode() not in stored
    assert PASSWORD.encode() not in stored


async def test_a_mistyped_token_is_refused(client: TestClient, owner: Person) -> None:
    swapped = owner.token[:9] + ("A" if owner.token[9] != "A" else "B") + owner.token[10:]
    for token in (swapped, owner.token.lower(), "pks_", "x" * 5000, owner.token + " x"):
        answer = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status == 401
