"""What changed since: page by page and as a stream, the same events in the same form."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.changes import asyncapi, stream
from parkshare_backend.store.outbox import account_audience
from tests.backend.support import FakeClock, Person, make_person

STREAM = "/api/v1/changes/stream"
ROOT = Path(__file__).parent.parent.parent


class Follower:
    """A client of the stream; it remembers what it got, as one with a disk would."""

    def __init__(self, client: TestClient, person: Person) -> None:
        self.client = client
        self.person = person
        self.got: list[dict[str, Any]] = []
        self.socket: ClientWebSocketResponse

    @property
    def after(self) -> int:
        return int(self.got[-1]["q"]) if self.got else 0

    async def dial(self, *, header: bool = True, **headers: str) -> dict[str, Any]:
        """Open, by the header or by the first frame; give the first answer."""
        headers |= self.person.headers if header else {}
        self.socket = await self.client.ws_connect(f"{STREAM}?after={self.after}", headers=headers)
        if not header:
            await self.socket.send_str(json.dumps({"k": "auth", "token": self.person.token}))
        return await self.hear()

    async def hear(self) -> dict[str, Any]:
        message = await self.socket.receive(timeout=5)
        assert message.type is WSMsgType.TEXT, f"closed {self.socket.close_code}"
        return dict(json.loads(message.data))

    async def follow(self, *, until: int) -> None:
        while self.after < until:
            frame = await self.hear()
            assert frame["k"] == "changes"
            assert frame["next"] == frame["items"][-1]["q"]
            self.got += frame["items"]

    async def closed(self) -> int | None:
        while not self.socket.closed:
            await self.socket.receive(timeout=5)
        return self.socket.close_code


async def append(app: web.Application, person: Person, count: int, *, of: int = 0) -> int:
    """Let things happen to an account; give the newest q."""
    q = 0
    async with app[keys.STORE].write() as tx:
        for number in range(count):
            d = {"booking": f"{of}-{number}", "name": 'Zoë "yard" ü \u2028'}
            q = await app[keys.OUTBOX].append(tx, account_audience(person.id), "booking.changed", d)
    return q


async def listed(client: TestClient, person: Person, *, limit: int = 500) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    while True:
        after = items[-1]["q"] if items else 0
        page = await client.get(f"/api/v1/changes?after={after}&limit={limit}", headers=person.headers)
        found = (await page.json())["items"]
        if not found:
            return items
        items += found


@pytest.fixture
async def follower(client: TestClient, renter: Person) -> AsyncIterator[Follower]:
    follower = Follower(client, renter)
    yield follower
    if hasattr(follower, "socket"):
        await follower.socket.close()


@pytest.mark.parametrize("seed", range(4))
async def test_whoever_follows_through_any_breaks_gets_what_the_list_has_none_lost_none_twice_in_order(
    app: web.Application, client: TestClient, owner: Person, follower: Follower, seed: int
) -> None:
    chance = random.Random(seed)
    head = 0
    for step in range(16):
        match chance.choice(["happens", "happens", "others", "breaks", "follows"]):
            case "happens":
                head = await append(app, follower.person, chance.choice([1, 2, 110]), of=step)
            case "others":
                await append(app, owner, 3, of=step)
            case "breaks":
                if hasattr(follower, "socket"):
                    await follower.socket.close()
                ready = await follower.dial(header=chance.random() < 0.5)
                assert (ready["k"], ready["after"], ready["head"]) == ("ready", follower.after, head)
            case "follows" if hasattr(follower, "socket"):
                await follower.follow(until=head)
    if hasattr(follower, "socket"):
        await follower.socket.close()
    await follower.dial()
    head = await append(app, follower.person, 1)
    await follower.follow(until=head)
    assert follower.got == await listed(client, follower.person, limit=chance.choice([7, 500]))
    assert [item["q"] for item in follower.got] == list(range(1, head + 1))


@pytest.mark.parametrize("header", [True, False])
async def test_what_happens_while_one_follows_comes_at_once(
    app: web.Application, follower: Follower, *, header: bool
) -> None:
    await follower.dial(header=header)
    await follower.follow(until=await append(app, follower.person, 1))
    assert follower.got[0]["t"] == "booking.changed"


async def test_a_wrong_token_opens_nothing(client: TestClient, renter: Person) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect(STREAM, headers={"Authorization": "Bearer pks_wrong"})
    assert refused.value.status == 401
    stranger = Follower(client, Person(renter.id, renter.email, "pks_wrong"))
    answer = await stranger.dial(header=False)
    assert answer["problem"]["type"] == "/problems/unauthenticated"
    assert await stranger.closed() == 4401


async def test_a_token_without_the_scope_opens_nothing(client: TestClient) -> None:
    tracker = Follower(client, await make_person(client, scopes=["positions"]))
    with pytest.raises(WSServerHandshakeError) as refused:
        await tracker.dial()
    assert refused.value.status == 403
    assert (await tracker.dial(header=False))["problem"]["type"] == "/problems/insufficient-scope"
    assert await tracker.closed() == 4403


async def test_a_token_in_the_address_is_refused(client: TestClient, renter: Person) -> None:
    answered = await client.get(f"{STREAM}?token={renter.token}", headers=renter.headers)
    assert answered.status == 422
    assert (await answered.json())["errors"][0]["pointer"] == "/query/token"


async def test_a_call_without_a_websocket_is_told_so(client: TestClient, renter: Person) -> None:
    answered = await client.get(STREAM, headers=renter.headers)
    assert answered.status == 400
    assert "WebSocket" in (await answered.json())["detail"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8732", 101),
        ("https://localhost:8732", 403),
        ("http://localhost:8732.evil.example", 403),
        ("https://evil.example", 403),
        ("null", 403),
    ],
)
async def test_a_page_of_somebody_else_is_refused(client: TestClient, renter: Person, origin: str, status: int) -> None:
    follower = Follower(client, renter)
    if status == 101:
        assert (await follower.dial(Origin=origin))["k"] == "ready"
        await follower.socket.close()
        return
    with pytest.raises(WSServerHandshakeError) as refused:
        await follower.dial(Origin=origin)
    assert refused.value.status == status


@pytest.mark.parametrize("said", ["hello", '{"k": "auth"}', '{"k": "auth", "token": 7}'])
async def test_who_does_not_begin_with_a_token_is_sent_away(client: TestClient, said: str) -> None:
    socket = await client.ws_connect(STREAM)
    await socket.send_str(said)
    await socket.receive(timeout=5)
    assert socket.close_code == 4400


async def test_who_says_nothing_is_sent_away(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "AUTH_WITHIN", 0.01)
    socket = await client.ws_connect(STREAM)
    await socket.receive(timeout=5)
    assert socket.close_code == 4408


async def test_a_stream_ends_at_once_when_its_token_is_revoked(client: TestClient, follower: Follower) -> None:
    await follower.dial()
    assert (await client.delete("/api/v1/tokens/current", headers=follower.person.headers)).status == 204
    assert (await follower.hear())["problem"]["type"] == "/problems/unauthenticated"
    assert await follower.closed() == 4401


async def test_an_expired_token_is_told_nothing_more(
    app: web.Application, client: TestClient, clock: FakeClock, follower: Follower
) -> None:
    await follower.dial()
    clock.move(app[keys.SETTINGS].token_days * 86_400 + 1)
    await append(app, follower.person, 1)
    assert (await follower.hear())["k"] == "problem"
    assert await follower.closed() == 4401


async def test_a_quiet_stream_beats_and_looks_at_the_token(
    client: TestClient, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BEAT", 0.02)
    await follower.dial()
    assert (await follower.hear())["k"] == "beat"
    await client.delete("/api/v1/tokens/current", headers=follower.person.headers)
    assert await follower.closed() == 4401


async def test_a_client_that_does_not_read_is_sent_away_and_misses_nothing(
    app: web.Application, client: TestClient, follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "SEND_WITHIN", 0.05)
    head = await append(app, follower.person, 5)
    stuck = asyncio.Event()

    async def never(*_: Any) -> None:
        stuck.set()
        await asyncio.Event().wait()

    await follower.dial()
    await follower.follow(until=head)
    with monkeypatch.context() as patched:
        patched.setattr(web.WebSocketResponse, "send_str", never)
        await append(app, follower.person, 1)
        await stuck.wait()
        assert await follower.closed() == 4413
    await follower.dial()
    await follower.follow(until=head + 1)
    assert [item["q"] for item in follower.got] == list(range(1, head + 2))


async def prune(app: web.Application, clock: FakeClock) -> None:
    clock.move(31 * 86_400)
    async with app[keys.STORE].write() as tx:
        await app[keys.OUTBOX].prune(tx)


async def test_who_is_too_far_behind_must_load_everything_anew(
    app: web.Application, client: TestClient, clock: FakeClock, follower: Follower
) -> None:
    await append(app, follower.person, 4)
    await prune(app, clock)
    head = await append(app, follower.person, 2)
    answered = await client.get("/api/v1/changes?after=3", headers=follower.person.headers)
    problem = await answered.json()
    assert answered.status == 410
    assert (problem["type"], problem["head"], problem["pruned"]) == ("/problems/changes-gone", head, 4)
    assert problem["errors"][0]["pointer"] == "/query/after"
    follower.got = [{"q": 3}]
    assert (await follower.dial())["problem"] == problem
    assert await follower.closed() == 4410
    follower.got = [{"q": problem["head"]}]
    assert (await follower.dial())["k"] == "ready"
    for after, first in ((4, 5), (0, 5)):
        page = await client.get(f"/api/v1/changes?after={after}", headers=follower.person.headers)
        assert (await page.json())["items"][0]["q"] == first


async def test_a_client_of_a_history_that_was_lost_must_load_everything_anew(
    client: TestClient, renter: Person
) -> None:
    answered = await client.get("/api/v1/changes?after=7", headers=renter.headers)
    assert (answered.status, (await answered.json())["head"]) == (410, 0)


async def test_an_account_has_a_bounded_number_of_streams(client: TestClient, renter: Person) -> None:
    followers = [Follower(client, renter) for _ in range(17)]
    for follower in followers[:16]:
        assert (await follower.dial())["k"] == "ready"
    assert (await followers[16].dial())["problem"]["type"] == "/problems/too-many-streams"
    assert await followers[16].closed() == 4429
    await followers[0].socket.close()
    assert (await followers[16].dial())["k"] == "ready"
    for follower in followers[1:]:
        await follower.socket.close()


async def test_the_end_of_the_server_ends_the_streams(app: web.Application, follower: Follower) -> None:
    await follower.dial()
    app[keys.CHANGES].restart()
    assert await follower.closed() == 4503


def test_the_committed_description_of_the_stream_is_current() -> None:
    committed = json.loads((ROOT / "docs/asyncapi.json").read_text())
    assert committed == asyncapi.document(), "run: parkshare-backend asyncapi > docs/asyncapi.json"


def test_every_close_code_is_described() -> None:
    described = json.dumps(asyncapi.document())
    assert not [code for code in stream.Close if str(int(code)) not in described]
