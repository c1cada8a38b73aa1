"""What an operator can see of the server: metrics, health, readiness, and the card that clients read first."""

import asyncio
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from prometheus_client.parser import text_string_to_metric_families

from parkshare_backend import keys
from parkshare_backend.app import build_app
from parkshare_backend.clock import new_id
from parkshare_backend.http.readiness import Readiness
from parkshare_backend.metrics.times import RequestTimes
from parkshare_backend.settings import Settings
from parkshare_backend.store.engine import UnableError
from tests.backend.market import Link, Renting, publish
from tests.backend.process import BackendProcess
from tests.backend.support import FakeClock, House, Person

type Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"metrics_port": 0})


async def scrape(app: web.Application) -> str:
    url = f"http://127.0.0.1:{app[keys.METRICS].port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        return await answer.text()


async def samples(app: web.Application, clock: FakeClock) -> Samples:
    clock.move(5)  # numbers that cost a look at the database are kept for five seconds
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(await scrape(app))
        for sample in family.samples
    }


def of(found: Samples, name: str, **labels: str) -> float:
    return found.get((f"parkshare_{name}", frozenset(labels.items())), 0.0)


async def test_requests_are_counted_by_canonical_route(
    app: web.Application, client: TestClient, clock: FakeClock, renter: Person
) -> None:
    for booking in (new_id(), new_id()):
        await client.get(f"/api/v1/bookings/{booking}", headers=renter.headers)
    await client.get("/healthz")
    await client.request("PROPFIND", "/healthz")
    await client.get(f"/nothing/{renter.id}")
    found = await samples(app, clock)
    count, route = "http_request_seconds_count", "/api/v1/bookings/{booking}"
    assert of(found, count, route=route, method="GET", status="4xx") == 2
    assert of(found, "http_request_seconds_bucket", route=route, method="GET", status="4xx", le="+Inf") == 2
    assert of(found, "http_request_seconds_sum", route=route, method="GET", status="4xx") > 0
    assert of(found, count, route="/healthz", method="GET", status="2xx") == 1
    assert of(found, count, route="(unknown)", method="OTHER", status="4xx") == 1
    assert of(found, count, route="(unknown)", method="GET", status="4xx") == 1


def test_a_time_falls_into_its_bucket() -> None:
    times = RequestTimes()
    for seconds in (0.0, 0.001, 0.0011, 0.3, 99.0):
        times.observe("/x", "GET", 200, seconds)
    [family] = times.collect()
    buckets = {sample.labels["le"]: sample.value for sample in family.samples if sample.name.endswith("_bucket")}
    assert (buckets["0.001"], buckets["0.0025"], buckets["0.25"], buckets["0.5"], buckets["10.0"]) == (2, 3, 3, 4, 4)
    assert buckets["+Inf"] == 5


async def test_what_happens_in_the_market_is_counted(
    app: web.Application, client: TestClient, clock: FakeClock, house: House, renter: Person
) -> None:
    renting = Renting(client, renter)
    await renting.search()
    async with Link(client, house) as link:
        space = await publish(link)
        await renting.search()
        booking = await renting.book(space.id)
        await link.hear_event("booking.proposed", ack=False)
        clock.move(30)
        found = await samples(app, clock)
        assert of(found, "houses_live") == 1
        assert of(found, "house_events_unacknowledged") == 1
        assert of(found, "outbox_lag_seconds") == 35
        await renting.post(f"bookings/{booking['id']}/cancel")
    while app[keys.LINK].live:
        await client.get("/healthz")
    found = await samples(app, clock)
    assert of(found, "searches_total", answer="none") == 1
    assert of(found, "searches_total", answer="full") == 1
    assert of(found, "booking_transitions_total", cause="canceled") == 1
    assert of(found, "write_group_size_count") > 5
    assert of(found, "commit_seconds_count") == of(found, "write_group_size_count")
    assert of(found, "houses_live") == 0


async def test_a_refused_change_of_a_booking_is_not_counted(
    app: web.Application, client: TestClient, clock: FakeClock, house: House, renter: Person
) -> None:
    renting = Renting(client, renter)
    async with Link(client, house) as link:
        booking = await renting.book((await publish(link)).id)

    async def refuses(*_: Any) -> None:
        raise RuntimeError("no")

    app[keys.BOOKINGS].on_change(refuses)
    await renting.post(f"bookings/{booking['id']}/cancel", status=500)
    assert of(await samples(app, clock), "booking_transitions_total", cause="canceled") == 0


async def test_what_is_due_and_not_done_is_told(
    app: web.Application, client: TestClient, clock: FakeClock, renter: Person
) -> None:
    app[keys.DELIVERIES]._look = lambda: asyncio.sleep(0)  # nobody sends
    headers = renter.headers | {"Idempotency-Key": new_id()}
    await client.post("/api/v1/webhooks", json={"url": "https://hooks.example/x"}, headers=headers)
    async with app[keys.STORE].write() as tx:
        await app[keys.OUTBOX].append(tx, f"account:{renter.id}", "booking.changed", {})
    clock.move(20)
    found = await samples(app, clock)
    assert (of(found, "webhooks_waiting"), of(found, "webhook_overdue_seconds")) == (1, 25)


async def test_conflicts_that_are_tried_again_are_counted(
    app: web.Application, client: TestClient, clock: FakeClock
) -> None:
    from parkshare_backend.store.engine import ConflictError

    left = [ConflictError("once"), ConflictError("twice")]

    async def work() -> str:
        if left:
            raise left.pop()
        return "done"

    assert await app[keys.STORE].again(work) == "done"
    assert of(await samples(app, clock), "conflicts_retried_total") == 2


async def test_the_build_and_the_process_are_described(app: web.Application, client: TestClient) -> None:
    text = await scrape(app)
    assert re.search(r'parkshare_build_info\{engine="(sqlite|postgresql)",version="[0-9.]+"\} 1\.0', text)
    assert "process_resident_memory_bytes" in text
    assert "parkshare_loop_lag_seconds_count" in text


async def test_no_label_and_no_name_is_about_anybody(
    app: web.Application, client: TestClient, house: House, renter: Person, owner: Person
) -> None:
    renting = Renting(client, renter)
    async with Link(client, house) as link:
        space = await publish(link, name="Villa Kunterbunt")
        booking = await renting.book(space.id)
        await renting.get(f"bookings/{booking['id']}")
        await client.get(f"/api/v1/bookings/{renter.token}", headers=renter.headers)
        await client.get(f"/feeds/{renter.token}.ics")
        await client.request("X" + renter.id.replace("-", ""), "/healthz")
    lines = (await scrape(app)).splitlines()
    text = "\n".join(line.rpartition(" ")[0] for line in lines if not line.startswith("#"))
    assert "/api/v1/bookings/{booking}" in text
    identity = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{16}|pks_|pkf_|@|Villa|Lindenweg|48\.137|11\.575")
    assert not identity.search(text)
    assert identity.search(text + renter.id)
    for label in re.findall(r'(\w+)="', text):
        assert label in {"route", "method", "status", "le", "cause", "answer", "version", "engine"}


async def test_metrics_are_not_served_with_the_api_and_off_by_default(
    client: TestClient, settings: Settings, make_client: Any, clock: FakeClock
) -> None:
    assert (await client.get("/metrics")).status == 404
    off = build_app(settings.model_copy(update={"metrics_port": None}), clock=clock)
    await make_client(off)
    assert off[keys.METRICS].port is None


async def test_the_card_tells_a_client_what_it_needs_and_may_be_kept(client: TestClient) -> None:
    answered = await client.get("/.well-known/parkshare")
    card = await answered.json()
    assert answered.headers["Cache-Control"] == "public, max-age=300"
    assert card["versions"] == [1]
    assert {"webhooks", "changes-stream", "calendar-feeds"} <= set(card["features"])
    assert card["link"] == "ws://localhost:8732/api/v1/link"
    assert card["changes"] == "ws://localhost:8732/api/v1/changes/stream"
    assert card["minimum_client"]
    for address in (card["openapi"], card["docs"]):
        assert (await client.get(address.removeprefix("http://localhost:8732"))).status == 200


async def test_the_document_of_the_api_is_sent_once(client: TestClient) -> None:
    first = await client.get("/api/v1/openapi.json")
    again = await client.get("/api/v1/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304


async def test_the_list_of_problems_leads_to_each_of_them(client: TestClient) -> None:
    text = await (await client.get("/problems")).text()
    links = re.findall(r'href="(/problems/[a-z-]+)"', text)
    assert len(links) > 20
    assert (await client.get(links[0])).status == 200


async def test_ready_means_that_it_can_write(
    app: web.Application, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await client.get("/readyz")).status == 200

    def unable() -> Any:
        raise UnableError("the disk is full")

    monkeypatch.setattr(app[keys.STORE], "write", unable)
    app[keys.READINESS]._looked_at = None
    answered = await client.get("/readyz")
    assert (answered.status, (await answered.json())["not_ready"]) == (503, "database")
    assert answered.headers["Retry-After"]
    assert (await client.get("/healthz")).status == 200


async def test_a_server_that_is_about_to_end_is_alive_but_not_ready(app: web.Application, client: TestClient) -> None:
    app[keys.READINESS].stop()
    answered = await client.get("/readyz")
    assert (answered.status, (await answered.json())["not_ready"]) == (503, "stopping")
    assert (await client.get("/healthz")).status == 200


async def test_many_who_ask_at_once_cost_one_write(app: web.Application, client: TestClient) -> None:
    writes = []

    class Counted(Readiness):
        async def _write(self) -> None:
            writes.append(1)
            await super()._write()

    readiness = Counted(app[keys.STORE])
    await asyncio.gather(*(readiness.check() for _ in range(50)))
    assert len(writes) == 1


async def test_a_server_that_is_told_to_end_says_so_before_it_stops_listening(
    tmp_path: Path, socket_enabled: None
) -> None:
    server = BackendProcess(tmp_path, PARKSHARE_NOTICE_S="3").start()
    async with aiohttp.ClientSession(base_url=server.url) as session:
        ending = asyncio.create_task(asyncio.to_thread(server.stop))
        while (answered := await session.get("/readyz")).status == 200:
            await answered.read()
        assert (await answered.json())["not_ready"] == "stopping"
        assert (await session.get("/.well-known/parkshare")).status == 200
    assert await ending == 0
