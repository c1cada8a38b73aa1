"""What the backend's tests share: a clock that stands still, an owner, a house on the link."""

import asyncio
import heapq
import json
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from aiohttp.test_utils import TestClient
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from parkshare_backend.clock import new_id, to_rfc3339
from parkshare_backend.http.models import to_base64url
from parkshare_backend.link.protocol import signed_bytes

NOON = 1_795_348_800.0  # 2026-11-22T12:00:00Z
PASSWORD = "correct horse battery"


class FakeClock:
    """A clock that moves only when a test moves it; sleepers wake when their time has come."""

    def __init__(self, now: float = NOON) -> None:
        self._now = now
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0
        self._slept = asyncio.Event()

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._now + seconds, self._count, woken))
        self._slept.set()
        await woken

    def move(self, seconds: float) -> None:
        """Let time pass and wake whoever waited for it."""
        self._now += seconds
        while self._sleepers and self._sleepers[0][0] <= self._now:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass until every loop that it woke has done its work and sleeps again."""
        loops = len(self._sleepers)
        self.move(seconds)
        async with asyncio.timeout(10):
            while len(self._sleepers) < loops:
                await self._slept.wait()
                self._slept.clear()


@dataclass(frozen=True)
class Person:
    """An account with a token; `headers` sign a request."""

    id: str
    email: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


_people = iter(range(1, 1_000_000))


async def make_person(client: TestClient, *, scopes: list[str] | None = None, name: str = "Anna") -> Person:
    """Register and sign in over HTTP."""
    email = f"person{next(_people)}@example.org"
    made = await client.post("/api/v1/accounts", json={"email": email, "password": PASSWORD, "name": name})
    assert made.status == 201, await made.text()
    return await sign_in(client, email, scopes=scopes)


async def sign_in(client: TestClient, email: str, *, scopes: list[str] | None = None) -> Person:
    body = {"email": email, "password": PASSWORD} | ({"scopes": scopes} if scopes else {})
    answered = await client.post("/api/v1/tokens", json=body)
    assert answered.status == 201, await answered.text()
    token = await answered.json()
    return Person(token["account"]["id"], email, token["token"])


@dataclass
class House:
    """A linked house: its keys, and what it would keep on its disk between connections."""

    install: str = ""
    sign: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    seal: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    epoch: str = ""
    got: int = 0  # of the server's log
    q: int = 0  # of the house's own log

    @property
    def public_keys(self) -> dict[str, str]:
        return {
            "sign_key": to_base64url(self.sign.public_key().public_bytes_raw()),
            "seal_key": to_base64url(self.seal.public_key().public_bytes_raw()),
        }


async def pair_house(client: TestClient, owner: Person, *, name: str = "Home", house: House | None = None) -> House:
    """Link a house to an owner through the pairing calls."""
    house = house or House()
    started = await client.post("/api/v1/pairings", json={"name": name, **house.public_keys})
    assert started.status == 201, await started.text()
    pairing = await started.json()
    approved = await client.post(f"/api/v1/pairings/{pairing['user_code']}/approve", headers=owner.headers)
    assert approved.status == 200, await approved.text()
    polled = await client.post("/api/v1/pairings/poll", json={"device_code": pairing["device_code"]})
    assert polled.status == 200, await polled.text()
    house.install = (await polled.json())["install"]
    return house


class HouseLink:
    """The house's side of one connection: `async with HouseLink(client, house) as link`."""

    def __init__(self, client: TestClient | ClientSession, house: House, *, url: str = "/api/v1/link") -> None:
        self.client = client
        self.house = house
        self.url = url
        self.hello: dict[str, Any] = {}
        self.ready: dict[str, Any] = {}
        self.socket: ClientWebSocketResponse

    async def __aenter__(self) -> Self:
        await self.dial()
        await self.say_auth()
        self.ready = await self.hear("ready")
        self.house.epoch = self.hello["epoch"]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()

    async def dial(self) -> None:
        self.socket = await self.client.ws_connect(self.url)
        self.hello = await self.hear("hello")

    async def say_auth(self, **changed: Any) -> None:
        signed = {
            "host": self.socket._response.request_info.headers["Host"],
            "install": self.house.install,
            "nonce": self.hello["nonce"],
            "time": self.hello["time"],
        } | changed.pop("signed", {})
        frame = {
            "v": 1,
            "install": self.house.install,
            "sig": to_base64url(self.house.sign.sign(signed_bytes(**signed))),
            "resume": {"epoch": self.house.epoch, "got": self.house.got},
            "features": [],
        } | changed
        await self.say("auth", **frame)

    async def say(self, k: str, **members: Any) -> None:
        await self.socket.send_str(json.dumps({"k": k, **members}))

    async def hear(self, k: str | None = None, *, within: float = 5) -> dict[str, Any]:
        """Give the next frame; with k the next of that kind, others are passed over."""
        while True:
            message = await self.socket.receive(timeout=within)
            assert message.type is WSMsgType.TEXT, f"closed {self.socket.close_code}, waiting for {k}"
            frame = json.loads(message.data)
            if k in {None, frame["k"]}:
                return frame

    async def hear_event(self, t: str | None = None, *, ack: bool = True) -> dict[str, Any]:
        """Give the next event (of a type), acknowledged and remembered unless told otherwise."""
        while True:
            event = await self.hear("ev")
            if ack:
                self.house.got = event["q"]
                await self.say("ack", q=event["q"])
            if t in {None, event["t"]}:
                return event

    async def report(self, t: str, d: dict[str, Any], *, at: float = NOON, wait: bool = True, **changed: Any) -> int:
        """Say an event; with wait, give back when the server has it on disk."""
        q = changed.pop("q", None) or self.house.q + 1
        self.house.q = max(self.house.q, q)
        await self.say("ev", **{"q": q, "id": new_id(), "t": t, "at": to_rfc3339(at), "d": d} | changed)
        while wait and (await self.hear("ack"))["q"] < q:
            pass
        return q

    async def request(self, t: str, d: dict[str, Any], *, key: str | None = None) -> dict[str, Any]:
        """Ask and give the whole `res` frame."""
        asked = new_id()
        await self.say("req", id=asked, t=t, key=key or new_id(), d=d)
        while (answer := await self.hear("res"))["id"] != asked:
            pass
        return answer

    async def closed(self, *, within: float = 5) -> int | None:
        """Wait for the end and give its code."""
        while not self.socket.closed:
            await self.socket.receive(timeout=within)
        return self.socket.close_code
