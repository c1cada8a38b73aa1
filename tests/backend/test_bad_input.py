"""What bad input gets: a problem that names the field and says what to do."""

import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.app import api_routes
from parkshare_backend.clock import new_id
from parkshare_backend.http.models import Id
from parkshare_backend.http.problems import KINDS
from tests.backend.conftest import MakeClient
from tests.backend.support import PASSWORD, House, Person

GOOD_ACCOUNT = {"email": "eve@example.org", "password": PASSWORD, "name": "Eve"}
GOOD_KEYS = House().public_keys


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("accounts", {**GOOD_ACCOUNT, "emial": "x"}, "/emial"),
        ("accounts", {"email": "eve@example.org", "password": PASSWORD}, "/name"),
        ("accounts", {**GOOD_ACCOUNT, "email": "no at sign"}, "/email"),
        ("accounts", {**GOOD_ACCOUNT, "email": 7}, "/email"),
        ("accounts", {**GOOD_ACCOUNT, "password": "short"}, "/password"),
        ("accounts", {**GOOD_ACCOUNT, "password": "x" * 201}, "/password"),
        ("accounts", {**GOOD_ACCOUNT, "name": "   "}, "/name"),
        ("accounts", {**GOOD_ACCOUNT, "name": "Eve\x00"}, "/name"),
        ("accounts", [1], ""),
        ("accounts", "text", ""),
        ("tokens", {"email": "eve@example.org", "password": PASSWORD, "scopes": ["root"]}, "/scopes/0"),
        ("tokens", {"email": "eve@example.org", "password": PASSWORD, "scopes": []}, "/scopes"),
        ("pairings", {"name": "Home", **GOOD_KEYS, "sign_key": "AAAA"}, "/sign_key"),
        ("pairings", {"name": "Home", **GOOD_KEYS, "seal_key": "=" * 43}, "/seal_key"),
        ("pairings", {"name": "Home", **GOOD_KEYS, "a/b~c": 1}, "/a~1b~0c"),
        ("pairings/poll", {"device_code": ""}, "/device_code"),
        ("pairings/poll", {"device_code": "x" * 101}, "/device_code"),
    ],
)
async def test_a_wrong_field_is_named(client: TestClient, path: str, body: Any, pointer: str) -> None:
    answer = await client.post(f"/api/v1/{path}", json=body)
    problem = await answer.json()
    assert answer.status == 422, problem
    assert answer.content_type == "application/problem+json"
    assert problem["type"] == "/problems/invalid-request"
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert all(error["detail"] for error in problem["errors"])
    assert "x" * 50 not in json.dumps(problem)  # what was sent is not sent back


@pytest.mark.parametrize(
    ("raw", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed-json"),
        (b"", "application/json", 400, "malformed-json"),
        (b"\xff\xfe", "application/json", 400, "malformed-json"),
        (b'{"email": NaN}', "application/json", 400, "malformed-json"),
        (nested(33).encode(), "application/json", 400, "malformed-json"),
        (nested(100_000).encode(), "application/json", 400, "malformed-json"),
        (b'{"email": "' + b"x" * 256 * 1024 + b'"}', "application/json", 413, "too-large"),
        (b"{}", "text/plain", 415, "unsupported-media-type"),
        (b"{}", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
    ],
    # A body must not become a test's name: what a test starts inherits that name in its environment.
    ids=["cut", "empty", "no text", "not a number", "deep", "too deep", "too long", "plain text", "form"],
)
async def test_a_body_that_cannot_be_read_is_refused(
    client: TestClient, raw: bytes, content_type: str, status: int, code: str
) -> None:
    answer = await client.post("/api/v1/accounts", data=raw, headers={"Content-Type": content_type})
    problem = await answer.json()
    assert (answer.status, problem["type"], problem["status"]) == (status, f"/problems/{code}", status)


async def test_nothing_is_made_of_a_refused_body(client: TestClient) -> None:
    await client.post("/api/v1/accounts", json={**GOOD_ACCOUNT, "unknown": 1})
    assert (await client.post("/api/v1/accounts", json=GOOD_ACCOUNT)).status == 201


async def test_a_query_parameter_that_is_unknown_twice_or_wrong_is_named(client: TestClient, owner: Person) -> None:
    for query, pointer in (
        ("?afer=1", "/query/afer"),
        ("?after=1&after=2", "/query/after"),
        ("?after=x", "/query/after"),
    ):
        answer = await client.get(f"/api/v1/changes{query}", headers=owner.headers)
        assert answer.status == 422
        assert (await answer.json())["errors"][0]["pointer"] == pointer


async def test_an_unknown_address_or_method_is_a_problem_too(client: TestClient) -> None:
    missing = await client.get("/api/v1/nothing")
    assert (missing.status, (await missing.json())["type"]) == (404, "/problems/not-found")
    wrong = await client.put("/api/v1/accounts")
    assert (wrong.status, (await wrong.json())["type"]) == (405, "/problems/method-not-allowed")
    assert wrong.headers["Allow"] == "POST"


async def test_a_route_with_a_scope_refuses_who_has_no_token(client: TestClient) -> None:
    for route in api_routes():
        if route.scope is None:
            continue
        path = route.path
        for name, kind in route.path_types.items():
            path = path.replace(f"{{{name}}}", new_id() if kind is Id else "BBBB-BBBB")
        answer = await client.request(route.method, path)
        assert answer.status == 401, route.path
        assert (await answer.json())["type"] == "/problems/unauthenticated"


async def test_every_problem_has_a_page(client: TestClient) -> None:
    for code, kind in KINDS.items():
        answer = await client.get(f"/problems/{code}")
        assert answer.status == 200
        assert kind.meaning.split()[0] in await answer.text()
    assert (await client.get("/problems/never-heard")).status == 404


async def test_our_own_defect_is_a_500_that_tells_nothing(
    app: web.Application, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(**_: Any) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(app[keys.ACCOUNTS], "register", broken)
    client = await make_client(app)
    answer = await client.post("/api/v1/accounts", json=GOOD_ACCOUNT)
    assert answer.status == 500
    assert "42" not in await answer.text()
    assert answer.headers["X-Request-Id"]


async def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for path in ("/healthz", "/link", "/problems/not-found", "/nothing"):
        headers = (await client.get(path)).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
