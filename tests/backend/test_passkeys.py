"""Passkeys, over HTTP, with a virtual authenticator."""

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.app import build_app
from parkshare_backend.clock import new_id
from parkshare_backend.http.models import from_base64url, to_base64url
from parkshare_backend.settings import Settings
from tests.backend.authenticator import EDDSA, ES256, Authenticator
from tests.backend.conftest import MakeClient
from tests.backend.support import PASSWORD, FakeClock, Person, make_person, sign_in
from tests.backend.traces import occurrences

ORIGIN = "http://localhost:8732"  # of the default settings


@pytest.fixture
def phone() -> Authenticator:
    return Authenticator(ORIGIN)


async def ask(
    client: TestClient, path: str, body: Any = None, *, by: Person | None = None, status: int | None = None
) -> dict[str, Any]:
    headers = {"Idempotency-Key": new_id()} | (by.headers if by else {})
    answered = await client.post(f"/api/v1/{path}", json=body, headers=headers)
    assert status is None or answered.status == status, await answered.text()
    return {} if answered.status == 204 else dict(await answered.json())


async def sign_up(client: TestClient, phone: Authenticator, email: str = "paula@example.org") -> Person:
    begun = await ask(client, "accounts/passkey/options", {"email": email, "name": "Paula"}, status=200)
    made = await ask(client, "accounts/passkey", {"credential": phone.create(begun["options"])}, status=201)
    return Person(made["account"]["id"], email, made["token"])


async def add(client: TestClient, person: Person, phone: Authenticator, *, name: str = "Phone", **lies: Any) -> dict:
    begun = await ask(client, "account/passkeys/options", by=person, status=200)
    body = {"name": name, "credential": phone.create(begun["options"], **lies)}
    return await ask(client, "account/passkeys", body, by=person)


async def enter(client: TestClient, phone: Authenticator, *, email: str | None = None, **how: Any) -> dict[str, Any]:
    begun = await ask(client, "tokens/passkey/options", {"email": email} if email else {}, status=200)
    return await ask(client, "tokens/passkey", {"credential": phone.get(begun["options"], **how)})


async def proof(client: TestClient, person: Person, phone: Authenticator, **how: Any) -> dict[str, Any]:
    begun = await ask(client, "account/confirm/options", by=person, status=200)
    return {"passkey": phone.get(begun["options"], **how)}


async def listed(client: TestClient, person: Person) -> dict[str, Any]:
    return dict(await (await client.get("/api/v1/account/passkeys", headers=person.headers)).json())


async def remove(client: TestClient, person: Person, passkey: str) -> tuple[int, str]:
    answered = await client.delete(f"/api/v1/account/passkeys/{passkey}", headers=person.headers)
    return answered.status, "" if answered.status == 204 else (await answered.json())["type"]


@pytest.mark.parametrize("algorithm", [ES256, EDDSA])
async def test_an_account_with_a_passkey_needs_no_password_and_no_name_to_sign_in(
    client: TestClient, algorithm: int
) -> None:
    phone = Authenticator(ORIGIN, algorithm=algorithm)
    paula = await sign_up(client, phone)
    entered = await enter(client, phone)
    assert entered["account"] == {"id": paula.id, "name": "Paula"}
    me = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {entered['token']}"})
    assert (await me.json())["email"] == "paula@example.org"


async def test_a_passkey_is_added_named_renamed_and_removed(
    client: TestClient, owner: Person, phone: Authenticator
) -> None:
    first = await add(client, owner, phone, name="Phone")
    second = await add(client, owner, Authenticator(ORIGIN, synced=True), name="Laptop")
    found = await listed(client, owner)
    assert [(key["name"], key["synced"]) for key in found["items"]] == [("Phone", False), ("Laptop", True)]
    assert found["has_password"]
    renamed = await client.put(
        f"/api/v1/account/passkeys/{second['id']}", json={"name": "Old laptop"}, headers=owner.headers
    )
    assert (await renamed.json())["name"] == "Old laptop"
    assert await remove(client, owner, first["id"]) == (204, "")
    assert [key["name"] for key in (await listed(client, owner))["items"]] == ["Old laptop"]
    assert (await enter(client, phone))["type"] == "/problems/passkey-refused"


async def test_a_passkey_can_be_bound_to_an_email(client: TestClient, phone: Authenticator, owner: Person) -> None:
    await sign_up(client, phone)
    assert "token" in await enter(client, phone, email="Paula@Example.org")
    assert (await enter(client, phone, email=owner.email))["type"] == "/problems/passkey-refused"


async def test_options_tell_nobody_who_has_an_account(client: TestClient, phone: Authenticator) -> None:
    paula = await sign_up(client, phone)
    known, unknown, unnamed = [
        (await ask(client, "tokens/passkey/options", body, status=200))["options"]
        for body in ({"email": paula.email}, {"email": "nobody@example.org"}, {})
    ]
    for options in (known, unknown, unnamed):
        options.pop("challenge")
    assert known == unknown == unnamed


async def test_everything_that_is_wrong_with_a_passkey_looks_the_same(client: TestClient, phone: Authenticator) -> None:
    await sign_up(client, phone)
    stranger = Authenticator(ORIGIN)
    stranger.create({**(await ask(client, "accounts/passkey/options", {"email": "x@y", "name": "X"}))["options"]})
    elsewhere = Authenticator("https://evil.example", passkeys=phone.passkeys)
    unverified = Authenticator(ORIGIN, verifies=False, passkeys=phone.passkeys)
    answers = [
        await enter(client, stranger),
        await enter(client, elsewhere),
        await enter(client, unverified),
        await enter(client, phone, challenge="A" * 43),
        await ask(client, "tokens/passkey", {"credential": {}}),
        await ask(client, "tokens/passkey", {"credential": {"id": "AA", "response": {"clientDataJSON": "%%"}}}),
    ]
    assert {str(answer) for answer in answers} == {str(answers[0])}
    assert (answers[0]["status"], answers[0]["type"]) == (401, "/problems/passkey-refused")


async def test_a_passkey_of_another_site_is_refused(client: TestClient, owner: Person) -> None:
    assert (await add(client, owner, Authenticator(ORIGIN), rp="evil.example"))["type"] == "/problems/passkey-unusable"
    assert (await add(client, owner, Authenticator("https://evil.example")))["type"] == "/problems/passkey-unusable"
    unverified = Authenticator(ORIGIN, verifies=False)
    assert (await add(client, owner, unverified))["type"] == "/problems/passkey-unusable"
    assert (await listed(client, owner))["items"] == []


async def test_an_assertion_for_another_site_opens_nothing(client: TestClient, phone: Authenticator) -> None:
    await sign_up(client, phone)
    phone.passkeys[-1].rp = "evil.example"
    assert (await enter(client, phone))["type"] == "/problems/passkey-refused"


async def test_a_challenge_is_good_once(client: TestClient, phone: Authenticator) -> None:
    await sign_up(client, phone)
    begun = await ask(client, "tokens/passkey/options", {})
    credential = phone.get(begun["options"])
    assert "token" in await ask(client, "tokens/passkey", {"credential": credential}, status=201)
    assert (await ask(client, "tokens/passkey", {"credential": credential}))["type"] == "/problems/passkey-refused"
    again = phone.get(begun["options"])
    assert (await ask(client, "tokens/passkey", {"credential": again}))["type"] == "/problems/passkey-refused"


async def test_a_challenge_is_good_for_five_minutes(client: TestClient, phone: Authenticator, clock: FakeClock) -> None:
    await sign_up(client, phone)
    begun = await ask(client, "tokens/passkey/options", {})
    clock.move(301)
    late = {"credential": phone.get(begun["options"])}
    assert (await ask(client, "tokens/passkey", late))["type"] == "/problems/passkey-refused"


async def test_a_challenge_for_one_purpose_serves_no_other(
    client: TestClient, phone: Authenticator, owner: Person, renter: Person
) -> None:
    await add(client, owner, phone)
    confirming = await ask(client, "account/confirm/options", by=owner)
    signing_in = {"credential": phone.get(confirming["options"])}
    assert (await ask(client, "tokens/passkey", signing_in))["type"] == "/problems/passkey-refused"
    of_another = await ask(client, "account/passkeys/options", by=renter)
    body = {"name": "Phone", "credential": Authenticator(ORIGIN).create(of_another["options"])}
    assert (await ask(client, "account/passkeys", body, by=owner))["type"] == "/problems/passkey-unusable"


async def test_a_challenge_of_one_instance_is_answered_at_another(
    client: TestClient, phone: Authenticator, settings: Settings, clock: FakeClock, make_client: MakeClient
) -> None:
    other = await make_client(build_app(settings, clock=clock))
    begun = await ask(client, "accounts/passkey/options", {"email": "two@example.org", "name": "Two"})
    made = await ask(other, "accounts/passkey", {"credential": phone.create(begun["options"])}, status=201)
    assert made["account"]["name"] == "Two"


async def test_a_counter_that_goes_back_is_refused_and_shown(client: TestClient, phone: Authenticator) -> None:
    paula = await sign_up(client, phone)
    await enter(client, phone)
    await enter(client, phone)
    phone.passkeys[-1].count = 0
    assert (await enter(client, phone))["type"] == "/problems/passkey-refused"
    (passkey,) = (await listed(client, paula))["items"]
    assert passkey["suspected_at"] == "2026-11-22T12:00:00Z"


async def test_a_passkey_that_counts_nothing_works_again_and_again(client: TestClient) -> None:
    synced = Authenticator(ORIGIN, counts=False, synced=True)
    paula = await sign_up(client, synced)
    assert "token" in await enter(client, synced)
    assert "token" in await enter(client, synced)
    assert (await listed(client, paula))["items"][0]["suspected_at"] is None


async def test_one_passkey_belongs_to_one_account(
    client: TestClient, phone: Authenticator, owner: Person, renter: Person
) -> None:
    await add(client, owner, phone)
    taken = await add(client, renter, Authenticator(ORIGIN), taken_id=phone.passkeys[-1].id)
    assert (taken["status"], taken["type"]) == (409, "/problems/passkey-known")
    assert (await enter(client, phone))["account"]["id"] == owner.id


async def test_a_device_is_told_which_passkeys_the_account_has(
    client: TestClient, phone: Authenticator, owner: Person
) -> None:
    await add(client, owner, phone)
    options = (await ask(client, "account/passkeys/options", by=owner))["options"]
    assert [entry["id"] for entry in options["excludeCredentials"]] == [to_base64url(phone.passkeys[-1].id)]


async def test_the_last_way_in_stays(client: TestClient, phone: Authenticator) -> None:
    paula = await sign_up(client, phone)
    (only,) = (await listed(client, paula))["items"]
    assert await remove(client, paula, only["id"]) == (409, "/problems/last-way-in")
    assert len((await listed(client, paula))["items"]) == 1
    body = {"password": PASSWORD, "proof": await proof(client, paula, phone)}
    assert (await client.put("/api/v1/account/password", json=body, headers=paula.headers)).status == 204
    assert await remove(client, paula, only["id"]) == (204, "")
    assert (await sign_in(client, paula.email)).id == paula.id


async def test_a_password_goes_only_when_a_passkey_stays(
    client: TestClient, phone: Authenticator, owner: Person
) -> None:
    known = {"proof": {"password": PASSWORD}}
    refused = await client.delete("/api/v1/account/password", json=known, headers=owner.headers)
    assert (refused.status, (await refused.json())["type"]) == (409, "/problems/last-way-in")
    await add(client, owner, phone)
    assert (await client.delete("/api/v1/account/password", json=known, headers=owner.headers)).status == 204
    tried = await client.post("/api/v1/tokens", json={"email": owner.email, "password": PASSWORD})
    assert tried.status == 401
    assert "token" in await enter(client, phone)


async def test_nobody_gets_into_an_account_without_a_password_by_any_password(
    client: TestClient, phone: Authenticator
) -> None:
    paula = await sign_up(client, phone)
    for password in ("", "no account has this password", PASSWORD):
        tried = await client.post("/api/v1/tokens", json={"email": paula.email, "password": password})
        assert (tried.status, (await tried.json())["type"]) == (401, "/problems/wrong-credentials")


async def test_an_old_session_proves_itself_before_it_changes_the_ways_in(
    client: TestClient, phone: Authenticator, owner: Person, clock: FakeClock
) -> None:
    first = await add(client, owner, phone)
    clock.move(601)
    assert (await add(client, owner, Authenticator(ORIGIN)))["type"] == "/problems/confirm-first"
    assert await remove(client, owner, first["id"]) == (403, "/problems/confirm-first")
    wrong = await ask(client, "account/confirm", {"proof": {"password": "wrong password"}}, by=owner)
    assert wrong["type"] == "/problems/wrong-proof"
    await ask(client, "account/confirm", {"proof": await proof(client, owner, phone)}, by=owner, status=204)
    assert (await add(client, owner, Authenticator(ORIGIN), name="Laptop"))["name"] == "Laptop"


async def test_the_passkey_of_another_account_proves_nothing(
    client: TestClient, phone: Authenticator, owner: Person, renter: Person
) -> None:
    await add(client, renter, phone)
    await add(client, owner, Authenticator(ORIGIN))
    body = {"proof": await proof(client, owner, phone)}
    assert (await ask(client, "account/confirm", body, by=owner))["type"] == "/problems/wrong-proof"


async def test_an_email_that_has_an_account_gets_no_second_one(
    client: TestClient, phone: Authenticator, owner: Person
) -> None:
    begun = await ask(client, "accounts/passkey/options", {"email": owner.email.upper(), "name": "Eve"}, status=200)
    refused = await ask(client, "accounts/passkey", {"credential": phone.create(begun["options"])})
    assert refused["type"] == "/problems/email-taken"
    assert (await enter(client, phone))["type"] == "/problems/passkey-refused"


async def test_a_closed_server_takes_no_account_with_a_passkey(
    settings: Settings, clock: FakeClock, make_client: MakeClient
) -> None:
    closed = await make_client(build_app(settings.model_copy(update={"registration_open": False}), clock=clock))
    refused = await ask(closed, "accounts/passkey/options", {"email": "a@b", "name": "A"})
    assert refused["type"] == "/problems/registration-closed"


async def test_an_app_may_use_passkeys_when_its_origin_is_set(
    settings: Settings, clock: FakeClock, make_client: MakeClient
) -> None:
    app_origin = "android:apk-key-hash:0123456789abcdef"
    client = await make_client(build_app(settings.model_copy(update={"passkey_origins": (app_origin,)}), clock=clock))
    android = Authenticator(app_origin)
    await sign_up(client, android)
    assert "token" in await enter(client, android)


async def test_the_database_holds_no_challenge(client: TestClient) -> None:
    begun = await ask(client, "tokens/passkey/options", {"email": "secret@example.org"})
    challenge = begun["options"]["challenge"]
    found = await occurrences(client.app[keys.STORE], challenge, from_base64url(challenge))
    assert found == set()


async def test_garbage_in_a_credential_is_refused(client: TestClient, phone: Authenticator, owner: Person) -> None:
    await add(client, owner, phone)
    begun = await ask(client, "account/confirm/options", by=owner)
    good = phone.get(begun["options"])
    for name in ("authenticatorData", "signature", "clientDataJSON", "userHandle"):
        for value in ("", "AAAA", "\x00", "🚗", 7, None, [], {"a": 1}):
            spoilt = {**good, "response": {**good["response"], name: value}}
            if name == "userHandle" and value in ("", None):
                continue  # an authenticator need not say whose it is
            answer = await ask(client, "account/confirm", {"proof": {"passkey": spoilt}}, by=owner)
            assert answer["status"] in {403, 422}, (name, value)


async def test_a_person_without_the_scope_sees_no_passkeys(client: TestClient) -> None:
    tracker = await make_person(client, scopes=["positions"])
    assert (await client.get("/api/v1/account/passkeys", headers=tracker.headers)).status == 403


def test_the_party_is_the_host_of_the_public_address(app: web.Application) -> None:
    assert app[keys.PASSKEYS].party.id == "localhost"
    assert app[keys.PASSKEYS].party.origins == (ORIGIN,)
