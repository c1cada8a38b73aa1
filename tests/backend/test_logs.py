"""Logs: a whole story at debug level leaves nothing of anybody in them."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from parkshare_backend.clock import new_id, to_rfc3339
from parkshare_backend.logs import REDACTED, redact
from tests.backend.market import SEALED_PLATE, Link, Renting, booking_request, publish
from tests.backend.process import BackendProcess
from tests.backend.support import PASSWORD, House, Person, make_person, pair_house
from tests.simulators.receiver import Receiver

LAT, LON = 48.13715, 11.57549
ADDRESS, NOTES, PHONE, CODE = "Kastanienallee 77", "Zweites Tor links", "+49 89 1234567", "271828"
QUERY = "Sonnenblumenweg"


def traces(log: str, secrets: dict[str, str]) -> list[str]:
    """Tell which secrets a log holds."""
    return [name for name, secret in secrets.items() if secret in log]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """The log of a server that went through everything, and what must not be in it."""
    import pytest_socket

    pytest_socket.enable_socket()
    server = BackendProcess(
        tmp_path_factory.mktemp("server"), PARKSHARE_LOG_LEVEL="debug", PARKSHARE_WEBHOOKS_TO_PRIVATE="true"
    ).start()
    try:
        secrets = asyncio.run(tell(server))
    finally:
        server.stop()
    return server.log.read_text(), secrets


async def tell(server: BackendProcess) -> dict[str, str]:
    """Go through everything that a person, a house and an integrator do; give what is nobody else's business."""
    secrets = {"address": ADDRESS, "notes": NOTES, "phone": PHONE, "code": CODE, "password": PASSWORD, "query": QUERY}
    secrets |= {"lat": "48.137", "lon": "11.575", "plate": SEALED_PLATE}
    async with aiohttp.ClientSession(base_url=server.url) as session, Receiver.listening() as receiver:
        client: Any = session
        owner, renter = await make_person(client, name="Olga"), await make_person(client, name="Rene")
        house = await pair_house(client, owner)
        secrets |= {"seal key": house.public_keys["seal_key"], "sign key": house.public_keys["sign_key"]}
        for who, person in (("owner", owner), ("renter", renter)):
            secrets |= {f"{who}'s token": person.token, f"{who}'s e-mail": person.email}
        secrets |= await integrate(session, renter, receiver)
        booking = await park(client, house, Renting(client, renter))
        await receiver.has(2)
        await mistakes(session, renter, booking)
        secrets |= await enter(session)
        for path in ("changes", "account/export", f"bookings/{booking}", f"bookings/{booking}/trail"):
            await (await session.get(f"/api/v1/{path}", headers=renter.headers)).read()
        await session.delete("/api/v1/tokens/current", headers=renter.headers)
    return secrets


async def integrate(session: aiohttp.ClientSession, renter: Person, receiver: Receiver) -> dict[str, str]:
    async def make(path: str, body: Any) -> Any:
        headers = renter.headers | {"Idempotency-Key": new_id()}
        answered = await session.post(f"/api/v1/{path}", json=body, headers=headers)
        assert answered.status == 201, await answered.text()
        return await answered.json()

    receiver.answer = lambda _: 204 if len(receiver.got) > 1 else 500
    webhook = await make("webhooks", {"url": f"{receiver.url}/hook-with-a-secret"})
    await session.post(f"/api/v1/webhooks/{webhook['id']}/ping", headers=renter.headers)
    dead = await make("webhooks", {"url": "http://127.0.0.1:9/closed-hook-secret"})
    rotated = await (await session.post(f"/api/v1/webhooks/{dead['id']}/rotate", headers=renter.headers)).json()
    feed = await make("account/feeds", {"label": "phone"})
    path = feed["url"].partition("8732")[2]
    assert (await session.get(path)).status == 200
    assert (await session.get(path + "x")).status == 404
    async with session.ws_connect("/api/v1/changes/stream") as socket:
        await socket.send_str(json.dumps({"k": "auth", "token": renter.token}))
        await socket.receive()
    return {
        "webhook's secret": webhook["secret"], "new secret": rotated["secret"], "webhook's url": "hook-with-a-secret",
        "dead url": "closed-hook-secret", "feed": path.rpartition("/")[2].removesuffix(".ics"),
    }  # fmt: skip


async def park(client: Any, house: House, renting: Renting) -> str:
    now = int(time.time())
    place = {"lat": LAT, "lon": LON}
    async with Link(client, house) as link:
        space = await publish(
            link, position=place, address=ADDRESS, access_notes=NOTES, windows=[(now - 3600, now + 86_400)]
        )
        period = {"start": to_rfc3339(now + 1), "end": to_rfc3339(now + 7200)}
        await renting.post("searches", {"place": place, "period": period})
        wish = booking_request(space.id, now + 1, now + 7200)
        booking = str((await renting.post("bookings", wish, status=201))["id"])
        await renting.post("bookings", booking_request(space.id, now + 1, now + 7200), status=409)
        proposed = (await link.hear_event("booking.proposed"))["d"]
        await link.report("grant.stored", {"booking": booking, "revision": proposed["revision"]}, at=now)
        await asyncio.sleep(1.1)
        fix = place | {"accuracy_m": 5, "at": to_rfc3339(time.time())}
        await renting.post("positions", {"fixes": [fix]})
        await renting.post(f"bookings/{booking}/here", status=None)
        offered = {"booking": booking, "rung": "call", "at": to_rfc3339(now), "phone": PHONE}
        await link.report("help.offered", offered, at=now)
        await renting.post(f"bookings/{booking}/code", {"code": CODE}, status=202)
        await link.report("stay.arrived", {"booking": booking, "at": to_rfc3339(time.time())}, at=now)
        await link.report("stay.arrived", {"booking": booking, "phone": PHONE, "at": "never"}, at=now)
        await link.say("nonsense", phone=PHONE, plate=SEALED_PLATE)
    return booking


async def mistakes(session: aiohttp.ClientSession, renter: Person, booking: str) -> None:
    """Put secrets where they do not belong, as programs with defects do."""
    headers = renter.headers
    await session.get(f"/api/v1/me?token={renter.token}", headers=headers)
    await session.get(f"/api/v1/bookings/{renter.token}", headers=headers)
    await session.get(f"/{renter.email}/{renter.token}", headers=headers)
    await session.get("/api/v1/me", headers={"Authorization": renter.token})
    await session.post("/api/v1/bookings", data=SEALED_PLATE, headers=headers | {"Content-Type": "application/json"})
    await session.post("/api/v1/bookings", json={"sealed_plate": SEALED_PLATE, PHONE: CODE}, headers=headers)
    await session.post("/api/v1/searches", json={"place": {"lat": LAT, "lon": str(LON)}}, headers=headers)
    await session.post(f"/api/v1/bookings/{booking}/code", json={"code": CODE + "9"}, headers=headers)
    await session.post("/api/v1/tokens", json={"email": renter.email, "password": PASSWORD + "x"})
    await session.post("/api/v1/places/search", json={"text": QUERY}, headers=headers)
    await session.post("/api/v1/places/reverse", json={"lat": LAT, "lon": LON}, headers=headers)


async def enter(session: aiohttp.ClientSession) -> dict[str, str]:
    """Begin to sign in with a passkey, as far as no authenticator is needed."""
    answered = await session.post("/api/v1/tokens/passkey/options", json={})
    text = await answered.text()
    found = json.loads(text)
    challenge = found.get("options", found.get("public_key", found)).get("challenge") if answered.status < 300 else None
    await session.post("/api/v1/tokens/passkey", json={"credential": {"id": "x", "challenge": challenge}})
    return {"challenge": challenge} if challenge else {}


def test_the_log_of_a_whole_story_holds_no_secret(story: tuple[str, dict[str, str]]) -> None:
    log, secrets = story
    assert traces(log, secrets) == []


def test_the_story_was_logged_and_nothing_in_it_failed(story: tuple[str, dict[str, str]]) -> None:
    log, _ = story
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["level"] for line in lines} >= {"debug", "info"}
    paths = {(line["path"], line["status"]) for line in lines if line["event"] == "http"}
    assert paths >= {
        ("/api/v1/bookings", 201), ("/api/v1/bookings", 409), ("/api/v1/bookings/{booking}/code", 202),
        ("/api/v1/webhooks", 201), ("/api/v1/webhooks/{webhook}/ping", 200),
        ("/feeds/{secret}.ics", 200), ("/api/v1/changes/stream", 101), ("/api/v1/tokens/passkey/options", 200),
    }  # fmt: skip
    assert "link.connected" in log
    assert not [line for line in lines if line["level"] in {"error", "critical"}]


def test_each_secret_would_be_found(story: tuple[str, dict[str, str]]) -> None:
    log, secrets = story
    assert len(secrets) > 18
    for name, secret in secrets.items():
        assert len(secret) >= 5
        assert name in traces(log + json.dumps({"event": f"a line with {secret} in it"}, ensure_ascii=False), secrets)


@pytest.mark.parametrize(
    "text",
    [
        "token pks_" + "a" * 49 + " refused", "GET /feeds/pkf_" + "b" * 43 + ".ics", "key whsec_abc+/def==",
        "for anna@example.org", "postgresql://parkshare:geheim@db/parkshare", "GET /x?token=abc", "A" * 43,
    ],
)  # fmt: skip
def test_a_secret_is_taken_out_of_any_text_by_its_shape(text: str) -> None:
    event = redact(None, "info", {"event": text, "deep": [{"inner": (text,)}]})
    assert REDACTED in event["event"]
    secret = max(text.split(), key=len)
    assert secret not in json.dumps(event)


@pytest.mark.parametrize("name", ["lat", "Position", "sealed_plate", "email", "phone", "url", "d", "password"])
def test_a_secret_is_taken_out_by_its_name_however_deep(name: str) -> None:
    event = redact(None, "info", {"event": "x", name: "geheim", "deep": {"deeper": {name: 48.1}}})
    assert event == {"event": "x", name: REDACTED, "deep": {"deeper": {name: REDACTED}}}


def test_what_is_no_secret_stays_readable() -> None:
    event = {"event": "http", "path": "/api/v1/bookings/{booking}", "status": 200, "took_ms": 1.5, "ok": True}
    assert redact(None, "info", dict(event)) == event
