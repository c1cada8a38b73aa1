"""Webhooks through the door: what is sent, how it is signed, what happens when a receiver fails, who may be called."""

import asyncio
import random
import re
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestClient

import parkshare_backend
from parkshare_backend import keys
from parkshare_backend.clock import new_id
from parkshare_backend.settings import Settings
from parkshare_backend.store.engine import ConflictError, Store
from parkshare_backend.store.outbox import Outbox, account_audience
from parkshare_backend.webhooks import rows
from parkshare_backend.webhooks.deliveries import Deliveries
from parkshare_backend.webhooks.models import Kind
from parkshare_backend.webhooks.schedule import GIVE_UP_AFTER, LONGEST_DELAY, delay
from parkshare_backend.webhooks.sender import Sender, is_public, url_fault
from parkshare_backend.webhooks.service import Webhooks
from tests.backend.process import BackendProcess
from tests.backend.support import FakeClock, Person, make_person
from tests.simulators.receiver import Received, Receiver

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Receivers of these tests listen on this machine."""
    return settings.model_copy(update={"webhooks_to_private": True})


@pytest.fixture
async def receiver(socket_enabled: None) -> AsyncIterator[Receiver]:
    async with Receiver.listening() as receiver:
        yield receiver


class Integrator:
    """An account's program: short words for the calls of the API."""

    def __init__(self, client: TestClient, person: Person) -> None:
        self.client = client
        self.person = person

    async def call(self, method: str, path: str, body: Any = None, *, status: int = 200, **headers: str) -> Any:
        headers = self.person.headers | {"Idempotency-Key": new_id()} | headers
        answered = await self.client.request(method, f"/api/v1/webhooks{path}", json=body, headers=headers)
        assert answered.status == status, await answered.text()
        return await answered.json() if status != 204 else None

    async def add(self, url: str, **more: Any) -> dict[str, Any]:
        return dict(await self.call("POST", "", {"url": url} | more, status=201))

    async def changes(self) -> list[dict[str, Any]]:
        answered = await self.client.get("/api/v1/changes?limit=500", headers=self.person.headers)
        return list((await answered.json())["items"])

    async def until(self, webhook: str, **wanted: Any) -> dict[str, Any]:
        """Look until the webhook shows what is wanted."""
        async with asyncio.timeout(20):
            while True:
                shown = await self.call("GET", f"/{webhook}")
                if all(shown[name] == value for name, value in wanted.items()):
                    return dict(shown)
                await asyncio.sleep(0.005)


@pytest.fixture
async def integrator(client: TestClient, renter: Person) -> Integrator:
    return Integrator(client, renter)


async def happen(app: web.Application, person: Person, *kinds: str) -> int:
    """Let something of each kind happen to an account; give the newest q."""
    q = 0
    async with app[keys.STORE].write() as tx:
        for kind in kinds:
            q = await app[keys.OUTBOX].append(tx, account_audience(person.id), kind, {"name": "Zoë"})
    return q


def verify_as_documented(received: Received, secret: str) -> dict[str, Any]:
    """Run what docs/integrators.md tells integrators to write."""
    text = (ROOT / "docs/integrators.md").read_text()
    code = text.split("```python\n", 1)[1].split("```", 1)[0]
    scope: dict[str, Any] = {}
    exec(code, scope)
    return dict(
        scope["verify"](received.headers, received.body, secret, now=int(received.headers["webhook-timestamp"]))
    )


async def test_what_is_sent_is_what_the_list_of_changes_has_in_its_order(
    app: web.Application, integrator: Integrator, receiver: Receiver
) -> None:
    await happen(app, integrator.person, "booking.changed")
    webhook = await integrator.add(receiver.url)
    await happen(app, integrator.person, *["booking.changed", "standby.none"] * 10)
    got = await receiver.has(20)
    assert [one.item for one in got] == (await integrator.changes())[1:]
    assert len({one.headers["webhook-id"] for one in got}) == 20
    assert (await integrator.until(webhook["id"], cursor=21))["waiting"] == 0
    await happen(app, integrator.person, "booking.changed")
    assert (await receiver.has(21))[-1].q == 22


async def test_a_kind_that_does_not_exist_is_refused_with_the_ones_that_do(integrator: Integrator) -> None:
    body = {"url": "https://example.org/", "kinds": ["booking.changed", "booking.chnaged"]}
    refused = await integrator.call("POST", "", body, status=422)
    assert [error["pointer"] for error in refused["errors"]] == ["/kinds/1"]
    assert all(kind in refused["errors"][0]["detail"] for kind in get_args(Kind))


def test_every_kind_that_an_account_is_told_can_be_wanted() -> None:
    told = re.compile(r'account_audience\([^)]*\), "([a-z.-]+)"')
    package = Path(parkshare_backend.__file__).parent
    assert {kind for file in package.rglob("*.py") for kind in told.findall(file.read_text())} == set(get_args(Kind))


async def test_only_the_wanted_kinds_are_sent(app: web.Application, integrator: Integrator, receiver: Receiver) -> None:
    webhook = await integrator.add(receiver.url, kinds=["standby.none"])
    await happen(app, integrator.person, "booking.changed", "standby.none", "booking.changed")
    await integrator.until(webhook["id"], cursor=3)
    assert [one.q for one in receiver.got] == [2]


async def test_changes_of_others_are_not_sent(
    app: web.Application, integrator: Integrator, receiver: Receiver, owner: Person
) -> None:
    await integrator.add(receiver.url)
    await happen(app, owner, "booking.changed")
    last = await happen(app, integrator.person, "booking.changed")
    assert [one.q for one in await receiver.has(1)] == [last]


async def test_a_delivery_is_verified_by_the_ten_lines_of_the_documentation(
    app: web.Application, integrator: Integrator, receiver: Receiver
) -> None:
    webhook = await integrator.add(receiver.url)
    await happen(app, integrator.person, "booking.changed")
    [received] = await receiver.has(1)
    assert verify_as_documented(received, webhook["secret"]) == received.item
    for broken in (
        Received(received.headers, received.body + b" "),
        Received(received.headers | {"webhook-id": new_id()}, received.body),
        Received(received.headers | {"webhook-signature": "v1,AAAA"}, received.body),
    ):
        with pytest.raises(ValueError, match="signature"):
            verify_as_documented(broken, webhook["secret"])
    with pytest.raises(ValueError, match="signature"):
        verify_as_documented(received, (await integrator.add(receiver.url))["secret"])


async def test_the_secret_is_shown_once_and_both_secrets_hold_for_a_day_after_a_rotation(
    app: web.Application, clock: FakeClock, integrator: Integrator, receiver: Receiver
) -> None:
    old = await integrator.add(receiver.url)
    path = f"/{old['id']}"
    assert "secret" not in await integrator.call("GET", path)
    assert "secret" not in (await integrator.call("GET", ""))["items"][0]
    new = await integrator.call("POST", f"{path}/rotate")
    assert new["secret"] != old["secret"]
    await happen(app, integrator.person, "booking.changed")
    [received] = await receiver.has(1)
    for secret in (old["secret"], new["secret"]):
        verify_as_documented(received, secret)
    await integrator.until(old["id"], cursor=1)
    clock.move(86_401)
    await happen(app, integrator.person, "booking.changed")
    received = (await receiver.has(2))[1]
    verify_as_documented(received, new["secret"])
    with pytest.raises(ValueError, match="signature"):
        verify_as_documented(received, old["secret"])


async def test_a_change_that_is_refused_is_sent_again_and_those_after_it_wait(
    app: web.Application, clock: FakeClock, integrator: Integrator, receiver: Receiver
) -> None:
    webhook = await integrator.add(receiver.url)
    receiver.answer = lambda _: 500
    await happen(app, integrator.person, "booking.changed", "booking.changed")
    failing = await integrator.until(webhook["id"], tries=1)
    assert failing["failing_since"] == "2026-11-22T12:00:00Z"
    clock.move(LONGEST_DELAY)
    await integrator.until(webhook["id"], tries=2)
    receiver.answer = lambda _: 200
    clock.move(LONGEST_DELAY)
    shown = await integrator.until(webhook["id"], cursor=2)
    assert (shown["tries"], shown["failing_since"], shown["next_try_at"]) == (0, None, None)
    assert [one.q for one in receiver.got] == [1, 1, 1, 2]
    assert len({one.headers["webhook-id"] for one in receiver.got[:3]}) == 1
    attempts = (await integrator.call("GET", f"/{webhook['id']}/attempts"))["items"]
    assert [(one["n"], one["q"], one["outcome"], one["status"]) for one in attempts] == [
        (4, 2, "delivered", 200), (3, 1, "delivered", 200), (2, 1, "refused", 500), (1, 1, "refused", 500),
    ]  # fmt: skip


async def test_after_three_days_without_success_it_is_disabled_and_the_account_is_told_once(
    app: web.Application, clock: FakeClock, integrator: Integrator, receiver: Receiver
) -> None:
    webhook = await integrator.add(receiver.url)
    receiver.answer = lambda _: 503
    await happen(app, integrator.person, "booking.changed")
    async with asyncio.timeout(20):
        while (shown := await integrator.call("GET", f"/{webhook['id']}"))["state"] == "active":
            assert shown["tries"] < 40
            if receiver.got and shown["tries"] == len(receiver.got):  # while one is under way, time stands still
                clock.move(LONGEST_DELAY * 1.2)
            await asyncio.sleep(0.01)
    assert (shown["state"], shown["reason"]) == ("disabled", "failing")
    clock.move(GIVE_UP_AFTER)
    told = [change["d"] for change in await integrator.changes() if change["t"] == "webhook.disabled"]
    assert told == [{"webhook": webhook["id"], "reason": "failing", "failing_since": "2026-11-22T12:00:00Z"}]
    receiver.answer = lambda _: 200
    sent = len(receiver.got)
    await integrator.call("PATCH", f"/{webhook['id']}", {"state": "active"})
    assert [one.q for one in (await receiver.has(sent + 2))[sent:]] == [1, 2]


async def test_a_receiver_that_is_gone_is_left_alone_at_once(
    app: web.Application, integrator: Integrator, receiver: Receiver
) -> None:
    webhook = await integrator.add(receiver.url)
    receiver.answer = lambda _: 410
    await happen(app, integrator.person, "booking.changed")
    await integrator.until(webhook["id"], state="disabled", reason="gone")


async def test_a_paused_webhook_is_sent_what_it_missed_when_it_goes_on(
    app: web.Application, integrator: Integrator, receiver: Receiver
) -> None:
    webhook = await integrator.add(receiver.url)
    await integrator.call("PATCH", f"/{webhook['id']}", {"state": "paused"})
    await happen(app, integrator.person, "booking.changed", "booking.changed")
    assert (await integrator.call("GET", f"/{webhook['id']}"))["waiting"] == 2
    await integrator.call("PATCH", f"/{webhook['id']}", {"state": "active"})
    assert [one.q for one in await receiver.has(2)] == [1, 2]


async def test_one_that_was_off_for_longer_than_changes_are_kept_is_told_so(
    app: web.Application, clock: FakeClock, integrator: Integrator, receiver: Receiver
) -> None:
    webhook = await integrator.add(receiver.url)
    await integrator.call("PATCH", f"/{webhook['id']}", {"state": "paused"})
    await happen(app, integrator.person, "booking.changed", "booking.changed")
    clock.move(31 * 86_400)
    async with app[keys.STORE].write() as tx:
        await app[keys.OUTBOX].prune(tx)
    await happen(app, integrator.person, "booking.changed")
    await integrator.call("PATCH", f"/{webhook['id']}", {"state": "active"})
    got = await receiver.has(2)
    assert [(one.item["t"], one.q) for one in got] == [("changes.gone", 2), ("booking.changed", 3)]


async def test_a_ping_tells_what_came_of_it_and_changes_nothing(integrator: Integrator, receiver: Receiver) -> None:
    webhook = await integrator.add(receiver.url)
    path = f"/{webhook['id']}"
    sent = await integrator.call("POST", f"{path}/ping")
    assert (sent["outcome"], sent["status"], sent["q"]) == ("delivered", 204, 0)
    assert receiver.got[0].item["t"] == "webhook.ping"
    receiver.answer = lambda _: 500
    assert (await integrator.call("POST", f"{path}/ping"))["outcome"] == "refused"
    shown = await integrator.call("GET", path)
    assert (shown["tries"], shown["cursor"], shown["failing_since"]) == (0, 0, None)
    assert [one["n"] for one in (await integrator.call("GET", f"{path}/attempts"))["items"]] == [2, 1]


async def test_a_change_can_be_sent_once_more(app: web.Application, integrator: Integrator, receiver: Receiver) -> None:
    webhook = await integrator.add(receiver.url)
    await happen(app, integrator.person, "booking.changed", "booking.changed")
    await integrator.until(webhook["id"], cursor=2)
    await integrator.call("POST", f"/{webhook['id']}/redeliver", {"q": 1})
    assert [one.q for one in receiver.got] == [1, 2, 1]
    assert receiver.got[0].headers["webhook-id"] == receiver.got[2].headers["webhook-id"]
    problem = await integrator.call("POST", f"/{webhook['id']}/redeliver", {"q": 3}, status=404)
    assert problem["errors"][0]["pointer"] == "/q"


async def test_what_is_sent_at_once_is_sent_once_though_its_note_conflicts(
    integrator: Integrator, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = await integrator.add(receiver.url)
    note, conflicts = rows.note, iter([True])

    async def conflicting(*args: Any, **more: Any) -> int | None:
        if next(conflicts, False):
            raise ConflictError
        return await note(*args, **more)

    monkeypatch.setattr(rows, "note", conflicting)
    assert (await integrator.call("POST", f"/{webhook['id']}/ping"))["outcome"] == "delivered"
    assert len(receiver.got) == 1
    assert len((await integrator.call("GET", f"/{webhook['id']}/attempts"))["items"]) == 1


async def test_the_log_keeps_the_last_fifty_attempts(integrator: Integrator, receiver: Receiver) -> None:
    webhook = await integrator.add(receiver.url)
    for _ in range(53):
        await integrator.call("POST", f"/{webhook['id']}/ping")
    kept = (await integrator.call("GET", f"/{webhook['id']}/attempts"))["items"]
    assert [one["n"] for one in kept] == list(range(53, 3, -1))


async def test_a_redirect_is_not_followed(integrator: Integrator, receiver: Receiver) -> None:
    async with Receiver.listening() as elsewhere:
        receiver.answer = lambda _: web.Response(status=307, headers={"Location": elsewhere.url})
        webhook = await integrator.add(receiver.url)
        sent = await integrator.call("POST", f"/{webhook['id']}/ping")
        assert (sent["outcome"], sent["status"], elsewhere.got) == ("redirect", 307, [])


async def test_the_body_of_an_answer_is_not_read(integrator: Integrator, receiver: Receiver) -> None:
    receiver.answer = lambda _: web.Response(body=bytes(20_000_000))
    webhook = await integrator.add(receiver.url)
    assert (await integrator.call("POST", f"/{webhook['id']}/ping"))["outcome"] == "delivered"


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://hooks.example/x", False),
        ("ftp://hooks.example/x", True),
        ("https://", True),
        ("https://anna:secret@hooks.example/", True),
        ("https://hooks.example/#part", True),
        ("https://hooks.example:22/", False),
        ("https://localhost/", False),
        ("https://127.0.0.1/", False),
        ("https://[::1]/", False),
        ("https://10.1.2.3/", False),
        ("https://169.254.169.254/latest/meta-data/", False),
        ("https://[::ffff:192.168.0.1]/", False),
        ("https://[64:ff9b::10.0.0.1]/", False),
        ("https://hooks.example:99999/", True),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused_with_a_remedy(url: str, *, private: bool) -> None:
    fault = url_fault(url, allow_private=private)
    assert fault is not None
    assert fault.endswith(".")


def test_a_public_address_is_taken() -> None:
    assert url_fault("https://hooks.example:8443/a?b=c", allow_private=False) is None
    assert url_fault("https://1.1.1.1/", allow_private=False) is None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "64:ff9b::7f00:1", "64:ff9b:1::1", "192.0.2.1", "2001:db8::1",
        "240.0.0.1", "no address",
    ],
)  # fmt: skip
def test_an_address_of_a_network_that_is_not_the_internet_is_not_public(address: str) -> None:
    assert not is_public(address)
    assert is_public("1.1.1.1")
    assert is_public("2606:4700:4700::1111")


class Rebinding(AbstractResolver):
    """A name server that answers something harmless first, then an address of this machine."""

    def __init__(self, port: int, *answers: str) -> None:
        self.port = port
        self.answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [{"hostname": host, "host": answer, "port": self.port, "family": 2, "proto": 6, "flags": 0}]  # type: ignore[typeddict-item]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_name_that_leads_to_a_private_address_at_the_moment_of_the_call_is_not_called(
    socket_enabled: None, *, allowed: bool
) -> None:
    called = asyncio.Event()

    async def called_by(_: Any, writer: asyncio.StreamWriter) -> None:
        called.set()
        writer.close()

    server = await asyncio.start_server(called_by, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sender = Sender(allow_private=allowed, resolver=lambda: Rebinding(port, "127.0.0.1"))
    assert url_fault("https://hooks.example/", allow_private=False) is None
    outcome = await sender.post("https://hooks.example/", headers={}, body=b"{}")
    literal = await sender.post(f"http://127.0.0.1:{port}/", headers={}, body=b"{}")
    await sender.post(f"http://2130706433:{port}/", headers={}, body=b"{}")
    await sender.close()
    server.close()
    assert called.is_set() is allowed
    for one in (outcome, literal):
        assert (one.word == "address-refused") is not allowed


async def test_private_addresses_are_refused_at_the_door_by_default(
    make_client: Any, settings: Settings, clock: FakeClock
) -> None:
    from parkshare_backend.app import build_app

    client = await make_client(build_app(settings.model_copy(update={"webhooks_to_private": False}), clock=clock))
    integrator = Integrator(client, await make_person(client))
    problem = await integrator.call("POST", "", {"url": "https://192.168.0.7/hook"}, status=422)
    assert problem["errors"][0]["pointer"] == "/url"


async def test_a_webhook_belongs_to_its_account(client: TestClient, integrator: Integrator, owner: Person) -> None:
    webhook = await integrator.add("https://hooks.example/x")
    stranger = Integrator(client, owner)
    path = f"/{webhook['id']}"
    assert (await stranger.call("GET", ""))["items"] == []
    for method, rest, body in (
        ("GET", "", None), ("PATCH", "", {"state": "paused"}), ("DELETE", "", None), ("POST", "/rotate", None),
        ("GET", "/attempts", None), ("POST", "/ping", None), ("POST", "/redeliver", {"q": 1}),
    ):  # fmt: skip
        await stranger.call(method, path + rest, body, status=404)
    assert (await integrator.call("GET", path))["state"] == "active"


async def test_a_token_for_bookings_makes_no_webhook(client: TestClient) -> None:
    integrator = Integrator(client, await make_person(client, scopes=["bookings", "account"]))
    await integrator.call("POST", "", {"url": "https://hooks.example/x"}, status=403)


async def test_an_account_has_a_bounded_number_of_webhooks(integrator: Integrator) -> None:
    for _ in range(10):
        webhook = await integrator.add("https://hooks.example/x")
    problem = await integrator.call("POST", "", {"url": "https://hooks.example/x"}, status=409)
    assert problem["type"] == "/problems/too-many-webhooks"
    await integrator.call("DELETE", f"/{webhook['id']}", status=204)
    await integrator.add("https://hooks.example/x")


async def test_a_change_with_an_old_tag_is_refused(integrator: Integrator) -> None:
    webhook = await integrator.add("https://hooks.example/x")
    path = f"/{webhook['id']}"
    seen = await integrator.client.get(f"/api/v1/webhooks{path}", headers=integrator.person.headers)
    tag = {"If-Match": seen.headers["ETag"]}
    changed = await integrator.call("PATCH", path, {"description": "mine", "kinds": ["booking.changed"]}, **tag)
    assert (changed["description"], changed["kinds"], changed["url"]) == ("mine", ["booking.changed"], webhook["url"])
    await integrator.call("PATCH", path, {"description": "yours"}, status=412, **tag)
    assert (await integrator.call("PATCH", path, {"kinds": None}))["kinds"] is None


async def test_two_instances_never_send_for_one_webhook_at_the_same_time(
    app: web.Application,
    client: TestClient,
    clock: FakeClock,
    database: str,
    integrator: Integrator,
    receiver: Receiver,
) -> None:
    outbox, store = Outbox(clock), Store(database)
    sender = Sender(allow_private=True)
    service = Webhooks(store=store, outbox=outbox, sender=sender, clock=clock, random=random.Random(1))
    other = Deliveries(store=store, outbox=outbox, webhooks=service, clock=clock, random=random.Random(2))
    loops = [asyncio.create_task(other.run()), asyncio.create_task(other.ticks())]
    webhooks = [await integrator.add(receiver.url) for _ in range(2)]
    chance = random.Random(3)
    receiver.answer = lambda _: chance.choice([204, 204, 500])
    for _ in range(15):
        await happen(app, integrator.person, "booking.changed")
        clock.move(5)
        await asyncio.sleep(0.005)
    receiver.answer = lambda _: 204
    for webhook in webhooks:
        async with asyncio.timeout(20):
            while (await integrator.call("GET", f"/{webhook['id']}"))["cursor"] < 15:
                clock.move(LONGEST_DELAY)
                await asyncio.sleep(0.01)
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)
    await sender.close()
    await store.close()
    assert receiver.most_at_once <= 2  # one for each webhook
    for webhook in webhooks:
        log = (await integrator.call("GET", f"/{webhook['id']}/attempts"))["items"]
        qs = [one["q"] for one in reversed(log)]
        assert qs == sorted(qs)
        assert {one["q"] for one in log if one["outcome"] == "delivered"} >= set(range(max(1, qs[0] + 1), 16))


async def test_what_was_sent_but_not_noted_is_sent_again_with_the_same_id(
    app: web.Application, clock: FakeClock, integrator: Integrator, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = await integrator.add(receiver.url)
    noted = rows.settle

    async def dies(*_: Any, **__: Any) -> bool:
        monkeypatch.setattr(rows, "settle", noted)
        raise RuntimeError("the power went")

    monkeypatch.setattr(rows, "settle", dies)
    await happen(app, integrator.person, "booking.changed", "booking.changed")
    await receiver.has(1)
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        while len(receiver.got) < 3:
            clock.move(rows.LEASE_S)
            await asyncio.sleep(0.01)
    await integrator.until(webhook["id"], cursor=2)
    assert [one.q for one in receiver.got] == [1, 1, 2]
    assert receiver.got[0].headers["webhook-id"] == receiver.got[1].headers["webhook-id"]


async def test_one_who_wakes_up_after_its_lease_writes_nothing(
    app: web.Application, clock: FakeClock, integrator: Integrator
) -> None:
    webhook = (await integrator.add("https://hooks.example/x"))["id"]
    async with app[keys.STORE].write() as tx:
        assert await rows.claim(tx, webhook, lease="one", now=clock.now())
        assert not await rows.claim(tx, webhook, lease="two", now=clock.now() + 1)
        assert await rows.claim(tx, webhook, lease="two", now=clock.now() + rows.LEASE_S)
        assert not await rows.settle(tx, webhook, "one", cursor=7)
        assert await rows.settle(tx, webhook, "two", cursor=8)
    assert (await integrator.call("GET", f"/{webhook}"))["cursor"] == 8


@pytest.mark.parametrize("seed", range(3))
def test_tries_grow_apart_up_to_six_hours_and_are_spread(seed: int) -> None:
    chance = random.Random(seed)
    delays = [delay(tries, chance.random()) for tries in range(1, 20)]
    assert 4 <= delays[0] <= 6
    assert all(LONGEST_DELAY * 0.8 <= late <= LONGEST_DELAY * 1.2 for late in delays[8:])
    assert len(set(delays)) == len(delays)


async def test_a_kill_between_sending_and_noting_repeats_and_loses_nothing(
    sqlite_only: None, tmp_path: Path, receiver: Receiver
) -> None:
    server = BackendProcess(tmp_path, PARKSHARE_WEBHOOKS_TO_PRIVATE="true").start()
    try:
        async with aiohttp.ClientSession(base_url=server.url) as session:
            integrator = Integrator(session, await make_person(session))  # type: ignore[arg-type]
            first = await integrator.add(receiver.url, description="a")
            await integrator.call("PATCH", f"/{first['id']}", {"state": "paused"})
            receiver.gate.clear()
            second = await integrator.add("http://127.0.0.1:9/", kinds=["standby.none"])
            with closing(sqlite3.connect(server.database)) as database, database:
                account = integrator.person.id
                database.execute("INSERT INTO outbox_heads VALUES (?, 3, 0)", (account_audience(account),))
                database.executemany(
                    "INSERT INTO outbox VALUES (?, ?, ?, 'booking.changed', ?, '{}')",
                    [(account_audience(account), q, new_id(), time.time()) for q in (1, 2, 3)],
                )
            await integrator.call("PATCH", f"/{first['id']}", {"state": "active"})
            await receiver.has(1)
            server.kill()
            receiver.gate.set()
        with closing(sqlite3.connect(server.database)) as database, database:
            assert database.execute("SELECT cursor FROM webhooks WHERE id = ?", (first["id"],)).fetchone() == (0,)
            database.execute("UPDATE webhooks SET lease_until = 0")  # as if half a minute had passed
        server.start()
        got = await receiver.has(4)
        assert [one.q for one in got] == [1, 1, 2, 3]
        assert got[0].headers["webhook-id"] == got[1].headers["webhook-id"]
        async with aiohttp.ClientSession(base_url=server.url) as session:
            integrator.client = session  # type: ignore[assignment]
            await integrator.until(first["id"], cursor=3)
            await integrator.until(second["id"], cursor=3)
    finally:
        server.stop()
