"""The link as a house meets it: proving itself, durable events both ways, resuming, ending."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.accounts.installs import Install
from parkshare_backend.app import build_app
from parkshare_backend.clock import new_id
from parkshare_backend.http.models import Request
from parkshare_backend.http.problems import INVALID_REQUEST, Problem
from parkshare_backend.link import session
from parkshare_backend.link.service import check
from parkshare_backend.link.tables import SET_ASIDE
from parkshare_backend.settings import Settings
from parkshare_backend.store.engine import ReadTx, Tx
from parkshare_backend.store.outbox import EVENTS, install_audience
from tests.backend.conftest import MakeClient
from tests.backend.support import FakeClock, House, HouseLink, Person, make_person, pair_house


class Heard:
    """A feature for the link's own tests: remembers what it was told, in memory and in the outbox."""

    def __init__(self, app: web.Application) -> None:
        self.events: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.failures = 0
        self.rows: list[dict[str, Any]] = []
        self._outbox = app[keys.OUTBOX]
        link = app[keys.LINK]
        link.on_event("test.said", self.said)
        link.on_request("test.ask", self.asked)
        link.on_snapshot("tests", self.snapshot)

    async def said(self, tx: Tx, install: Install, at: float, d: dict[str, Any]) -> None:
        if d.get("refuse"):
            raise Problem(INVALID_REQUEST, pointer="/d/refuse")
        if d.get("fail") and self.failures < d["fail"]:
            self.failures += 1
            raise RuntimeError("our own defect")
        self.events.append(d)
        await self._outbox.append(tx, install_audience(install.id), "test.echo", d, at=at)

    async def asked(self, tx: Tx, install: Install, d: dict[str, Any]) -> dict[str, Any]:
        class Ask(Request):
            number: int

        self.requests.append(d)
        return {"twice": check(Ask, d).number * 2}

    async def snapshot(self, tx: ReadTx, install: Install) -> list[dict[str, Any]]:
        return self.rows


@pytest.fixture
def heard(app: web.Application) -> Heard:
    return Heard(app)


async def tell(app: web.Application, house: House, number: int) -> None:
    async with app[keys.STORE].write() as tx:
        await app[keys.OUTBOX].append(tx, install_audience(house.install), "test.fact", {"number": number})


async def test_a_house_that_proves_itself_is_ready_and_starts_with_a_snapshot(
    heard: Heard, client: TestClient, house: House
) -> None:
    heard.rows = [{"booking": "b1"}]
    async with HouseLink(client, house) as link:
        assert link.hello["v"] == [1, 1]
        assert link.ready == {"k": "ready", "resumed": False, "head": 0, "got": 0}
        snaps = {}
        while "tests" not in snaps:
            snap = await link.hear("snap")
            snaps[snap["of"]] = snap
        assert snaps["tests"] == {
            "k": "snap", "of": "tests", "q": 0, "part": 1, "parts": 1, "d": [{"booking": "b1"}],
        }  # fmt: skip


async def test_facts_arrive_in_order_and_are_forgotten_once_acknowledged(
    app: web.Application, client: TestClient, house: House
) -> None:
    async with HouseLink(client, house) as link:
        for number in range(70):
            await tell(app, house, number)
        events = [await link.hear_event() for _ in range(70)]
        assert [event["d"]["number"] for event in events] == list(range(70))
        assert [event["q"] for event in events] == list(range(1, 71))
        await forgotten(app)


async def forgotten(app: web.Application) -> None:
    """Wait until the log is empty: pruning comes a moment after the ack."""
    async with asyncio.timeout(5):
        while True:
            async with app[keys.STORE].read() as tx:
                if not await tx.scalar(sa.select(sa.func.count()).select_from(EVENTS)):
                    return
            await asyncio.sleep(0.05)


async def test_no_more_than_the_window_is_under_way(app: web.Application, client: TestClient, house: House) -> None:
    for number in range(100):
        await tell(app, house, number)
    house.epoch = app[keys.LINK].epoch
    async with HouseLink(client, house) as link:
        got = [await link.hear_event(ack=False) for _ in range(64)]
        with pytest.raises(TimeoutError):
            await link.hear("ev", within=0.2)
        await link.say("ack", q=got[-1]["q"])
        assert (await link.hear_event())["q"] == 65


async def test_a_house_goes_on_where_its_disk_ends(app: web.Application, client: TestClient, house: House) -> None:
    async with HouseLink(client, house) as link:
        for number in range(5):
            await tell(app, house, number)
        for _ in range(3):
            await link.hear_event()
    async with HouseLink(client, house) as link:
        assert link.ready["resumed"]
        assert link.ready["head"] == 5
        assert [(await link.hear_event())["q"] for _ in range(2)] == [4, 5]


async def test_a_house_that_lost_its_disk_gets_a_snapshot_and_what_follows(
    app: web.Application, heard: Heard, client: TestClient, house: House
) -> None:
    async with HouseLink(client, house) as link:
        await tell(app, house, 1)
        await link.hear_event()
        await forgotten(app)
    house.got = 0
    async with HouseLink(client, house) as link:
        assert not link.ready["resumed"]
        assert (await link.hear("snap"))["q"] == 1
        await tell(app, house, 2)
        assert (await link.hear_event())["q"] == 2


async def test_a_large_snapshot_comes_in_parts(heard: Heard, client: TestClient, house: House) -> None:
    heard.rows = [{"number": number, "text": "x" * 1000} for number in range(500)]
    async with HouseLink(client, house) as link:
        rows: list[dict[str, Any]] = []
        snap: dict[str, Any] = {"part": 0, "parts": -1}
        while snap["part"] != snap["parts"]:
            while (snap := await link.hear("snap"))["of"] != "tests":
                pass
            rows += snap["d"]
        assert snap["parts"] > 2
        assert rows == heard.rows


async def test_a_restored_log_makes_every_house_start_over(
    app: web.Application, client: TestClient, owner: Person, house: House
) -> None:
    other = await pair_house(client, owner)
    async with HouseLink(client, other) as witness:
        house.epoch, house.got = witness.hello["epoch"], 7  # it heard seven facts that the log does not know
        link = HouseLink(client, house)
        await link.dial()
        await link.say_auth()
        assert await link.closed() == 4503
        assert await witness.closed() == 4503
    async with HouseLink(client, house) as link:
        assert link.hello["epoch"] != witness.hello["epoch"]
        assert not link.ready["resumed"]


async def test_an_event_is_applied_once_however_often_it_is_said(
    heard: Heard, client: TestClient, house: House
) -> None:
    async with HouseLink(client, house) as link:
        same = new_id()
        await link.report("test.said", {"number": 1}, id=same)
        await link.report("test.said", {"number": 1}, id=same, q=1)
        await link.report("test.said", {"number": 1}, id=same, q=2)
        await link.report("test.said", {"number": 2}, q=3)
    assert heard.events == [{"number": 1}, {"number": 2}]


async def test_ready_tells_the_house_what_it_need_not_say_again(heard: Heard, client: TestClient, house: House) -> None:
    async with HouseLink(client, house) as link:
        for number in range(3):
            await link.report("test.said", {"number": number})
    async with HouseLink(client, house) as link:
        assert link.ready["got"] == 3


async def test_several_events_share_an_ack(heard: Heard, client: TestClient, house: House) -> None:
    async with HouseLink(client, house) as link:
        for number in range(40):
            await link.report("test.said", {"number": number}, wait=False)
        acks = [0]
        while acks[-1] < 40:
            acks.append((await link.hear("ack"))["q"])
        assert acks == sorted(set(acks))
        assert len(acks) < 20


async def test_a_refused_fact_counts_as_heard_and_changes_nothing(
    heard: Heard, client: TestClient, house: House
) -> None:
    async with HouseLink(client, house) as link:
        await link.report("test.said", {"refuse": True})
        await link.report("test.said", {"number": 2})
    assert heard.events == [{"number": 2}]


async def test_our_own_defect_ends_the_connection_and_the_event_is_tried_again(
    heard: Heard, client: TestClient, house: House
) -> None:
    async with HouseLink(client, house) as link:
        await link.report("test.said", {"fail": 1}, wait=False)
        assert await link.closed() == 1011
    async with HouseLink(client, house) as link:
        assert link.ready["got"] == 0
        await link.report("test.said", {"fail": 1}, q=1)
    assert len(heard.events) == 1


async def test_an_event_on_which_we_always_fail_is_set_aside_for_a_person(
    app: web.Application, heard: Heard, client: TestClient, house: House
) -> None:
    for _ in range(3):
        async with HouseLink(client, house) as link:
            await link.report("test.said", {"fail": 99}, q=1, wait=False)
            assert await link.closed() == 1011
    async with HouseLink(client, house) as link:
        await link.report("test.said", {"fail": 99}, q=1)
        await link.report("test.said", {"number": 2}, q=2)
    assert heard.events == [{"number": 2}]
    async with app[keys.STORE].read() as tx:
        kept = await tx.all(sa.select(SET_ASIDE))
    assert [(row.install, row.q) for row in kept] == [(house.install, 1)]
    assert '"fail":99' in kept[0].event


async def test_a_request_is_answered_and_a_repeated_key_has_one_effect(
    heard: Heard, client: TestClient, house: House
) -> None:
    async with HouseLink(client, house) as link:
        answer = await link.request("test.ask", {"number": 21}, key="k1")
        assert (answer["ok"], answer["d"]) == (True, {"twice": 42})
        again = await link.request("test.ask", {"number": 21}, key="k1")
        assert again["d"] == {"twice": 42}
        assert len(heard.requests) == 1
        other = await link.request("test.ask", {"number": 1}, key="k1")
        assert other["problem"]["type"] == "/problems/key-reused"


@pytest.mark.parametrize(
    ("t", "d", "code", "pointer"),
    [
        ("test.ask", {"number": "x"}, "invalid-request", "/d/number"),
        ("test.ask", {"number": 1, "numbr": 1}, "invalid-request", "/d/numbr"),
        ("never.heard", {}, "unknown-request", "/t"),
    ],
)
async def test_a_request_that_cannot_be_done_names_the_field(
    heard: Heard, client: TestClient, house: House, t: str, d: dict[str, Any], code: str, pointer: str
) -> None:
    async with HouseLink(client, house) as link:
        answer = await link.request(t, d)
        assert answer["ok"] is False
        assert answer["problem"]["type"] == f"/problems/{code}"
        assert answer["problem"]["errors"][0]["pointer"] == pointer


async def test_a_newer_connection_takes_over_and_the_older_one_is_told(
    app: web.Application, client: TestClient, house: House
) -> None:
    async with HouseLink(client, house) as older, HouseLink(client, house) as newer:
        assert await older.closed() == 4409
        await tell(app, house, 1)
        assert (await newer.hear_event())["d"] == {"number": 1}
        assert await app[keys.LINK].connected(house.install)


async def test_a_paused_house_hears_nothing_until_it_resumes(
    app: web.Application, client: TestClient, house: House
) -> None:
    async with HouseLink(client, house) as link:
        await link.say("pause")
        await link.report("never.heard", {})
        await tell(app, house, 1)
        with pytest.raises(TimeoutError):
            await link.hear("ev", within=0.2)
        await link.say("resume")
        assert (await link.hear_event())["q"] == 1


async def test_a_house_that_never_acknowledges_is_too_slow(
    app: web.Application, client: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "UNACKED_WITHIN", 0.1)
    async with HouseLink(client, house) as link:
        for number in range(65):
            await tell(app, house, number)
        assert await link.closed() == 4413
    async with HouseLink(client, house) as link:
        assert (await link.hear_event())["q"] == 1


async def test_a_server_that_stops_says_bye_and_goes_on_after_its_restart(
    settings: Settings, clock: FakeClock, make_client: MakeClient
) -> None:
    first = await make_client(build_app(settings, clock=clock))
    owner = await make_person(first)
    house = await pair_house(first, owner)
    async with HouseLink(first, house) as link:
        await link.report("never.heard", {})
        await tell(first.app, house, 1)
        assert (await link.hear_event(ack=False))["q"] == 1
        stopping = asyncio.create_task(first.server.close())
        assert (await link.hear("bye"))["why"] == "restarting"
        assert await link.closed() == 4503
        await stopping
    second = await make_client(build_app(settings, clock=clock))
    async with HouseLink(second, house) as link:
        assert (link.ready["resumed"], link.ready["got"]) == (True, 1)
        assert (await link.hear_event())["d"] == {"number": 1}


async def test_facts_that_nobody_fetched_for_a_month_give_way_to_a_snapshot(
    app: web.Application, client: TestClient, house: House, clock: FakeClock
) -> None:
    house.epoch = app[keys.LINK].epoch
    await tell(app, house, 1)
    clock.move(31 * 86_400)
    await tell(app, house, 2)
    await app[keys.LINK].prune()
    async with HouseLink(client, house) as link:
        assert not link.ready["resumed"]
        assert link.ready["head"] == 2
