"""The server as a process: killed, stopped, started again, and nothing accepted is lost."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from itertools import batched
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from parkshare_backend.clock import new_id
from parkshare_backend.store.engine import Store
from parkshare_backend.store.revisions import head
from tests.backend.process import BackendProcess
from tests.backend.support import House, HouseLink, make_person, pair_house


class Http:
    """Enough of a TestClient for the shared helpers, against a process."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.get, self.post, self.delete, self.ws_connect = (
            session.get,
            session.post,
            session.delete,
            session.ws_connect,
        )


@pytest.fixture
def server(tmp_path: Path, socket_enabled: None) -> Iterator[BackendProcess]:
    process = BackendProcess(tmp_path).start()
    yield process
    process.stop()


@pytest.fixture
async def http(server: BackendProcess) -> AsyncIterator[Any]:
    async with aiohttp.ClientSession(base_url=server.url) as session:
        yield Http(session)


async def publish(link: HouseLink, space: str, *, key: str, name: str = "Drive") -> dict[str, Any]:
    d = {
        "space": space,
        "name": name,
        "position": {"lat": 52.52, "lon": 13.4049},
        "address": "Somewhere 1",
        "size": {"length_m": 5.0, "width_m": 2.5, "height_m": 2.2},
        "range_m": 150,
        "price": {"amount_minor": 200, "currency": "EUR"},
        "seal_key": link.house.public_keys["seal_key"],
        "access_notes": "",
        "sharing": True,
    }
    return await link.request("space.publish", d, key=key)


async def test_what_was_accepted_before_a_kill_is_there_after_it(server: BackendProcess, http: Any) -> None:
    owner = await make_person(http)
    house = await pair_house(http, owner)
    space = new_id()
    async with HouseLink(http, house) as link:
        assert (await publish(link, space, key="k1"))["ok"]
        said = [await link.report("space.state", state(space, jammed=False), wait=False) for _ in range(50)]
        heard = 0
        while heard < 20:
            heard = (await link.hear("ack"))["q"]
        server.kill()
    server.start()
    async with HouseLink(http, house) as link:
        assert link.ready["resumed"]
        assert heard <= link.ready["got"] <= said[-1]
        for q in range(link.ready["got"] + 1, 51):
            await link.report("space.state", state(space, jammed=True), q=q, wait=q == 50)
        again = await publish(link, space, key="k1")
        assert again["ok"]
    me = await http.get("/api/v1/me", headers=owner.headers)
    assert me.status == 200
    with closing(sqlite3.connect(server.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT q FROM link_received").fetchall() == [(50,)]
        assert database.execute("SELECT count(*) FROM spaces").fetchone() == (1,)


def state(space: str, *, jammed: bool) -> dict[str, Any]:
    return {"space": space, "barrier": "jammed" if jammed else "up", "sharing": True, "fault": None}


async def test_kills_at_any_moment_lose_no_acknowledged_event(server: BackendProcess, http: Any) -> None:
    owner = await make_person(http)
    house = await pair_house(http, owner)
    acknowledged = 0
    for pause in (0.0, 0.02, 0.08):
        async with HouseLink(http, house) as link:
            assert link.ready["got"] >= acknowledged
            house.q = link.ready["got"]

            async def say_on(link: HouseLink = link) -> None:
                for _ in range(200):
                    await link.report("never.heard", {}, wait=False)

            saying = asyncio.create_task(say_on())
            acknowledged = (await link.hear("ack"))["q"]
            await asyncio.sleep(pause)
            server.kill()
            saying.cancel()
            await asyncio.gather(saying, return_exceptions=True)
        server.start()
    async with HouseLink(http, house) as link:
        assert link.ready["got"] >= acknowledged > 0


async def test_sigterm_says_bye_and_ends_well(server: BackendProcess, http: Any) -> None:
    house = await pair_house(http, await make_person(http))
    async with HouseLink(http, house) as link:
        ending = asyncio.create_task(asyncio.to_thread(server.stop))
        assert (await link.hear("bye"))["retry_after"] > 0
        assert await link.closed() == 4503
        assert await ending == 0
    assert b"server.stopped" in server.log.read_bytes()


async def test_a_server_ends_when_a_newer_one_has_changed_the_database_for_itself(
    database: str, tmp_path: Path, socket_enabled: None
) -> None:
    async def say(revision: str) -> None:
        store = Store(database)
        async with store.write() as tx:
            await tx.execute(
                sa.text("UPDATE alembic_version SET version_num = :revision").bindparams(revision=revision)
            )
        await store.close()

    server = BackendProcess(tmp_path, PARKSHARE_DATABASE=database).start()
    try:
        await say("9999")
        assert await asyncio.to_thread(server.wait) == 1
        assert b"server.outgrown" in server.log.read_bytes()
        assert b"server.stopped" in server.log.read_bytes()
    finally:
        server.stop()
        await say(str(head()))


async def test_the_log_of_a_whole_session_holds_no_secret(server: BackendProcess, http: Any) -> None:
    owner = await make_person(http)
    house: House = await pair_house(http, owner)
    async with HouseLink(http, house) as link:
        await publish(link, new_id(), key="k1")
        await link.report("owner.near", {"space": new_id()})
    await http.get("/api/v1/me?token=" + owner.token, headers=owner.headers)
    await http.get("/link", params={"user_code": "WDJB-MJHT"})
    server.stop()
    log = server.log.read_text()
    assert "/api/v1/pairings" in log
    for secret in (
        owner.token,
        owner.email,
        "52.52",
        "13.4049",
        "Somewhere",
        "WDJB-MJHT",
        house.public_keys["seal_key"],
    ):
        assert secret not in log


async def test_what_was_sent_again_after_a_kill_is_there_once_and_answered_as_before(
    server: BackendProcess, http: Any
) -> None:
    person = await make_person(http)
    sent = {
        new_id(): {"label": f"Place {n}", "kind": "other", "position": {"lat": 52.5, "lon": 13.4}} for n in range(30)
    }
    answers: dict[str, Any] = {}
    enough, reached = 0, asyncio.Event()

    async def send(key: str) -> None:
        # On a connection of its own: those to a killed server are dead.
        headers = person.headers | {"Idempotency-Key": key, "Connection": "close"}
        async with http.post("/api/v1/account/places", json=sent[key], headers=headers) as answer:
            assert answer.status == 201, await answer.text()
            answers[key] = await answer.json()
            if len(answers) >= enough:
                reached.set()

    for number, some in enumerate(batched(sent, 10, strict=True)):
        enough, reached = 10 * number + 3 + number, asyncio.Event()  # somewhere among them, each time elsewhere
        sending = asyncio.gather(*map(send, some), return_exceptions=True)
        await reached.wait()
        server.kill()
        await sending
        server.start()
        known = dict(answers)
        for key in some:
            await send(key)
        assert {key: answers[key] for key in known} == known
    async with http.get("/api/v1/account/places", headers=person.headers) as listed:
        found = (await listed.json())["items"]
    assert sorted(one["id"] for one in found) == sorted(one["id"] for one in answers.values())
    assert len(found) == len(sent)
