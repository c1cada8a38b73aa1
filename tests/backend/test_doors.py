"""The short ways of the server do what the long ones do: the door before the router, the answer written in one piece.

An address with a query is none of the door's, and an answer that ends its connection is written by aiohttp: so the
same request can go the short way and the long one through the same server.
"""

import asyncio
from typing import Any

import orjson
from aiohttp import hdrs, web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from hypothesis import HealthCheck, given, settings as how, strategies as st

from parkshare_backend import keys
from parkshare_backend.app import build_app
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.http.answers import JsonAnswer, dress
from parkshare_backend.http.request_ids import RequestIds
from parkshare_backend.settings import Settings
from tests.backend.conftest import MakeClient
from tests.backend.market import HOUR, Link, Renting, place, publish
from tests.backend.support import NOON, FakeClock, House, Person, make_person

# Of each answer and of the connection; everything else must be equal, and there as often.
OWN = {"date", "x-request-id", "connection"}
LONG = {"Connection": "close"}
GOOD = {"fixes": [place() | {"at": to_rfc3339(NOON), "accuracy_m": 8.0, "speed_ms": 13.9}]}

numbers = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**70), 2**70))
times = st.one_of(
    st.just(to_rfc3339(NOON)), st.sampled_from(["2026-11-22t12:00:00+25:00", "2026-11-22", "", "now"]), st.text()
)
odd = st.one_of(st.none(), st.booleans(), numbers, st.text(), st.lists(st.integers(), max_size=2))
fixes = st.fixed_dictionaries(
    {"lat": numbers | st.floats(-90, 90), "lon": numbers | st.floats(-180, 180), "at": times},
    optional={"accuracy_m": odd | st.floats(0, 100), "speed_ms": odd, "course": odd, "mock": odd, "odd": odd},
)
documents = st.one_of(
    st.builds(lambda found: {"fixes": found}, st.lists(fixes, max_size=3)),
    st.builds(lambda found: {"fixes": found}, odd),
    odd,
)
bodies = st.one_of(
    st.just(orjson.dumps(GOOD)),
    documents.map(lambda found: orjson.dumps(found, default=str) if _fits(found) else b"{"),
    st.binary(max_size=40),
    st.sampled_from([b'{"fixes":[NaN]}', b"[" * 40, b'{"fixes":"\\u0000"}', b'{"fixes":"\\ud800"}', b" " * 300_000]),
)
types = st.sampled_from(["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "text/plain", ""])
prefers = st.sampled_from([None, "handling=lenient", "respond-async", 'Handling="lenient"; wait=3'])
authorizations = st.sampled_from(
    ["token", "token", "token", "", "Bearer", "Basic eDp5", "Bearer pks_x", "bearer  token"]
)
methods = st.sampled_from(["POST", "POST", "POST", "GET", "HEAD", "OPTIONS", "PUT", "PROPFIND"])


def _fits(found: Any) -> bool:
    try:
        orjson.dumps(found, default=str)
    except TypeError:
        return False
    return True


async def told(client: TestClient, method: str, path: str, **sent: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    """Send a request; give what was answered, without what is of each answer."""
    answer = await client.request(method, path, allow_redirects=False, **sent)
    headers = sorted((name.lower(), value) for name, value in answer.headers.items() if name.lower() not in OWN)
    assert "X-Request-Id" in answer.headers, (answer.status, answer.headers, await answer.read())
    return answer.status, headers, await answer.read()


async def both(client: TestClient, method: str, path: str, **sent: Any) -> None:
    """Send a request both ways and compare."""
    headers = sent.pop("headers", {})
    short = await told(client, method, path, headers=headers, **sent)
    assert short == await told(client, method, f"{path}?long=1", headers=headers | LONG, **sent)


@given(method=methods, body=bodies, kind=types, prefer=prefers, authorization=authorizations)
@how(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_both_ways_answer_the_same(
    client: TestClient, renter: Person, method: str, body: bytes, kind: str, prefer: str | None, authorization: str
) -> None:
    headers = {"Content-Type": kind, "Authorization": authorization.replace("token", f"Bearer {renter.token}", 1)}
    await both(client, method, "/api/v1/positions", data=body, headers=headers | ({"Prefer": prefer} if prefer else {}))


async def test_both_ways_answer_the_same_of_a_live_booking(
    client: TestClient, renter: Person, house: House, clock: FakeClock
) -> None:
    rene = Renting(client, renter)
    async with Link(client, house) as link:
        booking = (await rene.book((await publish(link)).id))["id"]
        assert (await rene.fixes((15, NOON)))["near"] == [booking]
        # Not newer any more: it moves nothing, so the answer is the same as often as it is asked for.
        await both(client, "POST", "/api/v1/positions", json=GOOD, headers=renter.headers)


async def test_both_ways_count_against_the_same_allowance(
    settings: Settings, clock: FakeClock, make_client: MakeClient
) -> None:
    client = await make_client(build_app(settings.model_copy(update={"rate_limits": 1.0}), clock=clock))
    people = [await make_person(client) for _ in range(2)]
    answers = []
    for way, person in zip(("", "?long=1"), people, strict=True):
        sent = {"json": GOOD, "headers": person.headers | (LONG if way else {})}
        answers.append([await told(client, "POST", f"/api/v1/positions{way}", **sent) for _ in range(122)])
    assert answers[0] == answers[1]
    assert [status for status, _, _ in answers[0]] == [200] * 120 + [429] * 2
    clock.move(HOUR)
    mixed = [await told(client, "POST", f"/api/v1/positions{way}", json=GOOD, headers=people[0].headers)
             for way in ("", "?long=1")]  # fmt: skip
    left = [dict(headers)["ratelimit"] for _, headers, _ in mixed]
    assert left == ['"normal";r=119;t=1', '"normal";r=118;t=1']


async def test_every_operation_without_a_name_in_its_address_answers_the_same_both_ways(
    app: web.Application, client: TestClient, renter: Person
) -> None:
    for route in app[keys.API]:
        if "{" in route.path or route.path == "/.well-known/parkshare":
            continue
        for signed in ({}, renter.headers):
            if signed and route.method != hdrs.METH_GET:
                continue  # it would be done twice
            if route.query and signed:
                continue  # an unknown parameter is a problem of its own
            await both(client, route.method, route.path, headers=dict(signed))


async def test_the_router_would_find_what_the_door_finds(app: web.Application) -> None:
    for route in app[keys.API]:
        if "{" in route.path:
            continue
        found = await app.router.resolve(make_mocked_request(route.method, route.path))
        assert found.http_exception is None
        assert found.route.resource is not None
        assert found.route.resource.canonical == route.path


async def test_an_answer_that_somebody_adds_to_is_sent_with_it(make_client: MakeClient) -> None:
    async def handle(_request: web.Request) -> web.Response:
        answer = JsonAnswer(b"{}", status=201)
        answer.headers["Location"] = "/there"
        dress(answer, "name", ("policy", "left"))
        return answer

    app = web.Application()
    app.router.add_get("/", handle)
    app[keys.API] = ()
    answer = await (await make_client(app)).get("/")
    assert (answer.status, await answer.json()) == (201, {})
    expected = {"Location": "/there", "X-Request-Id": "name", "RateLimit": "left", "Content-Type": "application/json"}
    assert {name: answer.headers[name] for name in expected} == expected


def test_names_of_requests_are_unique_and_in_order() -> None:
    ids = RequestIds()
    names = [ids.next() for _ in range(10_000)]
    assert names == sorted(set(names))
    assert {len(name) for name in names} == {36}
    assert len({RequestIds().next()[24:] for _ in range(100)}) == 100


async def test_a_client_that_does_not_read_is_not_answered_on_and_on(socket_enabled: None) -> None:
    handled = 0

    async def answer(_request: web.Request) -> web.StreamResponse:
        nonlocal handled
        handled += 1
        response = JsonAnswer(b"1" * 30_000, status=200)
        dress(response, "id", None)
        return response

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2000)
        stands = -1
        while stands < handled:
            stands = handled
            await asyncio.sleep(0.3)
        assert 1 < stands < 1000  # what the buffers of both sides hold; not 60 MB
        writer.close()
