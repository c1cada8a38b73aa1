"""Tags of answers, pages of lists, old routes, preferences: the conventions that every route can use."""

import re
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from parkshare_backend.clock import new_id
from parkshare_backend.http.api import Context, Deprecated, Reply, Routes
from parkshare_backend.http.cursors import PageQuery, cursor, read_cursor
from parkshare_backend.http.models import Answer, Page, Request
from tests.backend.conftest import MakeClient
from tests.backend.market import HOUR, NOON, SEALED_PLATE, Link, period, publish
from tests.backend.support import House, Person

THING = {"revision": 1, "name": "bow"}


class Thing(Answer):
    """What the routes of these tests show."""

    revision: int
    name: str


class Renamed(Request):
    """What can be changed of it."""

    name: str
    inner: dict[str, Renamed] | None = None
    more: list[Renamed] | None = None


class Numbers(Page[int]):
    """A list to page through."""


things = Routes()


def shown() -> Reply:
    return Reply(Thing.model_validate(THING), revision=THING["revision"])


@things.get("/test/thing", scope=None, response=Thing, tagged=True)
async def look(_ctx: Context) -> Reply:
    """Show the thing."""
    return shown()


@things.patch("/test/thing", scope=None, request=Renamed, response=Thing, tagged=True)
async def rename(ctx: Context, body: Renamed) -> Reply:
    """Change the thing."""
    ctx.precondition.check(THING["revision"])
    THING.update(name=body.name, revision=THING["revision"] + 1)
    return shown()


@things.put("/test/thing", scope=None, request=Renamed, response=Thing, if_match=True)
async def replace(ctx: Context, body: Renamed) -> Reply:
    """Replace the thing: only by who has seen it."""
    return await rename(ctx, body)


@things.get("/test/numbers", scope=None, query=PageQuery, response=Numbers)
async def count(ctx: Context) -> Numbers:
    """Count to ten."""
    query = ctx.query(PageQuery)
    after = read_cursor(query.cursor, int, str)
    first = after[0] + 1 if after else 1
    numbers = list(range(first, 11))
    page = numbers[: query.limit]
    return Numbers(items=page, next=cursor(page[-1], "x") if len(numbers) > len(page) else None)


OLD = Deprecated(since=1_795_348_800, sunset=1_811_000_000, instead="/problems/not-found")


@things.get("/test/old", scope=None, response=Thing, deprecated=OLD)
async def old(_ctx: Context) -> Thing:
    """Show the thing as people did before."""
    return Thing.model_validate(THING)


@pytest.fixture
async def client(app: web.Application, make_client: MakeClient) -> TestClient:
    THING.update(revision=1, name="bow")
    things.setup(app)
    return await make_client(app)


async def test_an_answer_that_did_not_change_is_not_sent_again(client: TestClient) -> None:
    first = await client.get("/test/thing")
    tag = first.headers["ETag"]
    assert re.fullmatch(r'"1\.[0-9a-f]{16}"', tag)
    for said in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = await client.get("/test/thing", headers={"If-None-Match": said})
        assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", tag), said
    THING["name"] = "lock"
    changed = await client.get("/test/thing", headers={"If-None-Match": tag})
    assert changed.status == 200
    assert changed.headers["ETag"] != tag


async def test_nobody_writes_over_what_they_have_not_seen(client: TestClient) -> None:
    tag = (await client.get("/test/thing")).headers["ETag"]
    first = await client.patch("/test/thing", json={"name": "one"}, headers={"If-Match": tag})
    assert first.status == 200
    late = await client.patch("/test/thing", json={"name": "two"}, headers={"If-Match": tag})
    assert (late.status, (await late.json())["type"]) == (412, "/problems/precondition-failed")
    assert THING["name"] == "one"
    fresh = await client.patch("/test/thing", json={"name": "two"}, headers={"If-Match": first.headers["ETag"]})
    assert fresh.status == 200


async def test_what_only_looks_different_does_not_refuse_a_change(client: TestClient) -> None:
    tag = (await client.get("/test/thing")).headers["ETag"]
    THING["name"] = "seen otherwise"
    assert (await client.patch("/test/thing", json={"name": "x"}, headers={"If-Match": tag})).status == 200


async def test_a_change_without_a_tag_goes_where_it_may_and_is_refused_where_it_may_not(client: TestClient) -> None:
    assert (await client.patch("/test/thing", json={"name": "x"})).status == 200
    refused = await client.put("/test/thing", json={"name": "y"})
    assert (refused.status, (await refused.json())["type"]) == (428, "/problems/precondition-required")
    assert THING["name"] == "x"
    assert (await client.put("/test/thing", json={"name": "y"}, headers={"If-Match": "*"})).status == 200


@pytest.mark.parametrize("unusable", ["1", '"1', "'1'", '"a" "b"', '*, "a"'])
async def test_a_tag_that_is_none_is_refused(client: TestClient, unusable: str) -> None:
    for method, header in (("GET", "If-None-Match"), ("PATCH", "If-Match")):
        body = {} if method == "GET" else {"json": {"name": "x"}}
        answer = await client.request(method, "/test/thing", headers={header: unusable}, **body)
        assert (answer.status, (await answer.json())["type"]) == (400, "/problems/bad-request")


async def test_a_list_is_read_page_by_page_without_gaps(client: TestClient) -> None:
    seen: list[int] = []
    query = "?limit=3"
    while True:
        page = await (await client.get(f"/test/numbers{query}")).json()
        seen += page["items"]
        if page["next"] is None:
            break
        query = f"?limit=3&cursor={page['next']}"
    assert seen == list(range(1, 11))


FOREIGN = [
    "x", "AAAA", "!", cursor("text", "x"), cursor(1), cursor(1, 2), cursor(1.5, "x"), cursor(2**60, "x"),
    cursor(1, "nul\0"), "A" * 501, new_id(), "",
]  # fmt: skip


@pytest.mark.parametrize("foreign", FOREIGN, ids=range(len(FOREIGN)))
async def test_a_cursor_of_something_else_is_refused_with_its_field(client: TestClient, foreign: str) -> None:
    answer = await client.get("/test/numbers", params={"cursor": foreign})
    problem = await answer.json()
    assert (answer.status, problem["errors"][0]["pointer"]) == (422, "/query/cursor"), problem


async def test_an_old_route_says_so(client: TestClient) -> None:
    headers = (await client.get("/test/old")).headers
    assert headers["Deprecation"] == "@1795348800"
    assert headers["Sunset"] == "Sat, 22 May 2027 15:33:20 GMT"
    assert headers["Link"] == '</problems/not-found>; rel="deprecation"'
    assert "Deprecation" not in (await client.get("/test/thing")).headers


async def test_a_newer_client_may_ask_that_unknown_fields_are_passed_over(client: TestClient) -> None:
    body = {"name": "x", "colour": "red", "more": [{"name": "y", "colour": "red", "size": {"a": 1}}]}
    refused = await client.patch("/test/thing", json=body)
    assert refused.status == 422
    pointers = {error["pointer"] for error in (await refused.json())["errors"]}
    assert pointers == {"/colour", "/more/0/colour", "/more/0/size"}
    taken = await client.patch("/test/thing", json=body, headers={"Prefer": "return=minimal, handling=lenient"})
    assert (taken.status, taken.headers["Preference-Applied"]) == (200, "handling=lenient")
    wrong = await client.patch("/test/thing", json=body | {"name": 7}, headers={"Prefer": "handling=lenient"})
    assert [error["pointer"] for error in (await wrong.json())["errors"]] == ["/name"]


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (b'{"name": "a\\u0000b"}', "/name"),
        (b'{"name": "x", "more": [{"name": "ok"}, {"name": "\\u0000"}]}', "/more/1/name"),
        (b'{"na\\u0000me": "x"}', ""),
    ],
)
async def test_a_nul_is_refused_where_it_stands(client: TestClient, raw: bytes, pointer: str) -> None:
    answer = await client.patch("/test/thing", data=raw, headers={"Content-Type": "application/json"})
    problem = await answer.json()
    assert (answer.status, [error["pointer"] for error in problem["errors"]]) == (422, [pointer])


@pytest.mark.parametrize(
    "raw",
    [
        b'{"name": "\\ud800"}', b'{"name": "\\udc00x"}', b'{"name": "\\ud800\\u0041"}', b'{"name": "\x00"}',
        b'{"name": "\xed\xa0\x80"}', b'{"name": NaN}', b'{"name": Infinity}', b'{"name": -Infinity}',
        b'{"name": "x",}', b'\xef\xbb\xbf{"name": "x"}', b'{"name": "x"} {"name": "y"}',
        b'{"name": "x", "inner": ' + b'{"a": ' * 40 + b"1" + b"}" * 41,
    ],
)  # fmt: skip
async def test_what_is_no_json_is_refused_the_same_way_whoever_parses_it(client: TestClient, raw: bytes) -> None:
    answer = await client.patch("/test/thing", data=raw, headers={"Content-Type": "application/json"})
    assert (answer.status, (await answer.json())["type"]) == (400, "/problems/malformed-json")


async def test_whole_pairs_of_surrogates_and_the_words_of_numbers_are_ordinary_text(client: TestClient) -> None:
    for name in ('"\\ud83d\\ude97"', '"NaN"', '"Infinity \\u0041"'):
        raw = f'{{"name": {name}}}'
        answer = await client.patch("/test/thing", data=raw, headers={"Content-Type": "application/json"})
        assert answer.status == 200, await answer.text()


@pytest.mark.parametrize("odd", ["%00", "a%00b", "%ED%A0%80", "%C0%80", "%FF"])
async def test_odd_bytes_in_an_address_are_no_defect(client: TestClient, renter: Person, odd: str) -> None:
    from yarl import URL

    for path in (
        f"/api/v1/bookings/{odd}", f"/api/v1/pairings/{odd}", f"/problems/{odd}", f"/api/v1/bookings?role={odd}",
        f"/api/v1/bookings?cursor={odd}", f"/api/v1/bookings?{odd}=1", f"/api/v1/installs/{odd}",
    ):  # fmt: skip
        answer = await client.get(URL(path, encoded=True), headers=renter.headers)
        assert 400 <= answer.status < 500, path


async def test_a_booking_has_a_tag(client: TestClient, house: House, renter: Person, owner: Person) -> None:
    async with Link(client, house) as link:
        space = await publish(link)
    body = {"id": new_id(), "space": space.id, "period": period(NOON, NOON + HOUR), "sealed_plate": SEALED_PLATE}
    made = await client.post("/api/v1/bookings", json=body, headers=renter.headers)
    path, tag = f"/api/v1/bookings/{body['id']}", made.headers["ETag"]
    assert (await client.get(path, headers=renter.headers | {"If-None-Match": tag})).status == 304
    others: dict[str, Any] = owner.headers | {"If-None-Match": tag}
    assert (await client.get(path, headers=others)).status == 200  # the owner is shown less
    assert (await client.get("/api/v1/me", headers=renter.headers)).headers["ETag"]
