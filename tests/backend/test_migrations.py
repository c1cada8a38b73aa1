"""From the first release to this one with people's data in it, on both engines: nothing lost, everything works on.

data/first_release.json was recorded by the first release itself: two houses, three spaces, eight bookings, one in
each state that there was, a standby that is offered, a car that overstays, a pairing that waits.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp.test_utils import TestClient
from alembic.script import ScriptDirectory
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from parkshare_backend import keys
from parkshare_backend.app import build_app
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.settings import Settings
from parkshare_backend.store import migrate, revisions
from parkshare_backend.store.engine import Store
from parkshare_backend.store.tables import metadata
from tests.backend.conftest import MakeClient
from tests.backend.market import HOUR, Link, Renting, booking_request, must
from tests.backend.support import FakeClock, House, sign_in
from tests.simulators.postgres import Postgres

RECORDED = json.loads((Path(__file__).parent / "data/first_release.json").read_text())
NOW = RECORDED["now"]
BOOKINGS = RECORDED["bookings"]
FIRST = "0001"


@dataclass
class Upgraded:
    """The server of today on the data of the first release."""

    client: TestClient
    clock: FakeClock
    database: str

    async def person(self, name: str) -> Renting:
        return Renting(self.client, await sign_in(self.client, RECORDED["people"][name]))

    def house(self) -> House:
        known = RECORDED["houses"]["home"]
        sign = Ed25519PrivateKey.from_private_bytes(bytes([known["sign"]]) * 32)
        seal = X25519PrivateKey.from_private_bytes(bytes([known["seal"]]) * 32)
        return House(known["install"], sign, seal, epoch=known["epoch"], got=known["got"], q=known["q"])


def value_of(said: Any) -> Any:
    return base64.b64decode(said["base64"]) if isinstance(said, dict) else said


async def load(database: str) -> None:
    """Put the recorded rows into a database of the first release."""
    store = Store(database)
    async with store.write() as tx:
        for table in metadata.sorted_tables:
            rows = RECORDED["rows"].get(table.name)
            if not rows:
                continue
            then = sa.table(table.name, *(sa.column(name, table.c[name].type) for name in rows[0]))
            values = [{name: value_of(said) for name, said in row.items()} for row in rows]
            await tx.execute(sa.insert(then), values)
        if store.engine == "postgresql":
            # The first release counted these itself; a copy does not.
            for name in ("spaces", "admissions"):
                counted = f"SELECT setval(pg_get_serial_sequence('{name}', 'n'), (SELECT max(n) FROM {name}))"
                await tx.execute(sa.text(counted))
    await store.close()


async def rows_of(database: str, table: str) -> int:
    store = Store(database)
    async with store.read() as tx:
        counted = int(await tx.scalar(sa.text(f"SELECT count(*) FROM {table}")))
    await store.close()
    return counted


@pytest.fixture
def empty_database(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if engine == "sqlite":
        yield str(tmp_path / "old.db")
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    yield postgres.create("first_release")
    postgres.drop("first_release")


@pytest.fixture
async def old(empty_database: str) -> str:
    """A database as the first release left it."""
    migrate.upgrade(empty_database, FIRST)
    await load(empty_database)
    return empty_database


@pytest.fixture
async def upgraded(old: str, make_client: MakeClient, socket_enabled: None) -> AsyncIterator[Upgraded]:
    migrate.upgrade(old)
    clock = FakeClock(NOW)
    settings = Settings(database=old, password_memory_kib=8, password_passes=1, rate_limits=0)
    app = build_app(settings, clock=clock, random=Random(7))
    yield Upgraded(await make_client(app), clock, old)
    app[keys.PASSWORDS].close()


async def test_the_schema_is_that_of_the_code_and_every_row_is_there(old: str) -> None:
    before = {table: await rows_of(old, table) for table in RECORDED["rows"]}
    assert before == {table: len(rows) for table, rows in RECORDED["rows"].items()}
    migrate.upgrade(old)
    assert migrate.differences(old) == []
    assert {table: await rows_of(old, table) for table in RECORDED["rows"]} == before


def test_a_start_and_the_migrations_mean_the_same_by_the_newest_revision() -> None:
    script = ScriptDirectory(str(revisions.MIGRATIONS))
    assert revisions.head() == script.get_current_head()
    assert all(revisions.known(step.revision) for step in script.walk_revisions())


async def test_upgrading_twice_changes_nothing(old: str) -> None:
    migrate.upgrade(old)
    migrate.upgrade(old)
    assert migrate.current(old) == migrate.head()


async def test_people_find_their_bookings_as_they_were(upgraded: Upgraded) -> None:
    rene = await upgraded.person("rene")
    listed = {one["id"]: one for one in (await rene.get("bookings?limit=100"))["items"]}
    states = {story: listed[booking]["state"] for story, booking in BOOKINGS.items() if story != "standby"}
    assert states == RECORDED["states"]
    assert listed[BOOKINGS["overstay"]]["overstay"]
    assert listed[BOOKINGS["active"]]["space"]["address"] == "Lindenweg 4"
    for booking in listed:
        assert (await rene.get(f"bookings/{booking}"))["id"] == booking
    items = (await rene.get("changes?limit=500"))["items"]
    assert len(items) == RECORDED["changes_of_rene"]
    assert [item["q"] for item in items] == list(range(1, len(items) + 1))
    olga = await upgraded.person("olga")
    assert len((await olga.get("bookings?role=owner&limit=100"))["items"]) == len(listed)


async def test_spaces_are_found_and_what_is_taken_is_not(upgraded: Upgraded) -> None:
    rene = await upgraded.person("rene")
    tomorrow = NOW + 24 * HOUR
    found = {offer["space"]["id"] for offer in await rene.search(tomorrow, tomorrow + HOUR)}
    assert found == set(RECORDED["spaces"].values())
    reserved = await rene.get(f"bookings/{BOOKINGS['reserved']}")
    body = booking_request(RECORDED["spaces"]["courtyard"]) | {"period": reserved["period"]}
    refused = await rene.post("bookings", body, status=409)
    assert refused["type"] == "/problems/space-taken"
    await rene.book(RECORDED["spaces"]["courtyard"], tomorrow, tomorrow + HOUR)


async def test_the_house_goes_on_where_it_was(upgraded: Upgraded) -> None:
    rene = await upgraded.person("rene")
    async with Link(upgraded.client, upgraded.house()) as link:
        assert link.ready["resumed"]
        await link.report("grant.stored", {"booking": BOOKINGS["pending"], "revision": 1}, at=NOW)
        assert (await rene.get(f"bookings/{BOOKINGS['pending']}"))["state"] == "reserved"
        await rene.post(f"bookings/{BOOKINGS['reserved']}/cancel")
        told = (await link.hear_event("booking.canceled"))["d"]
        assert told["booking"] == BOOKINGS["reserved"]
        for story in ("active", "overstay"):
            await link.report("stay.left", {"booking": BOOKINGS[story], "at": to_rfc3339(NOW + 5)}, at=NOW + 5)
            assert (await rene.get(f"bookings/{BOOKINGS[story]}"))["state"] == "fulfilled"
        windows = [{"start": to_rfc3339(NOW), "end": to_rfc3339(NOW + 48 * HOUR)}]
        await must(link.request("windows.publish", {"space": RECORDED["spaces"]["courtyard"], "windows": windows}))


async def test_the_standby_that_was_offered_can_be_accepted(upgraded: Upgraded) -> None:
    olga = await upgraded.person("olga")
    listed = (await olga.get("standbys"))["items"]
    assert [(one["id"], one["state"]) for one in listed] == [(BOOKINGS["standby"], "offered")]
    await olga.post(f"standbys/{BOOKINGS['standby']}/decline")


async def test_nothing_that_is_due_breaks_the_clockwork(upgraded: Upgraded) -> None:
    rene = await upgraded.person("rene")
    upgraded.clock.move(6 * 24 * HOUR)
    states: dict[str, str] = {}
    async with asyncio.timeout(20):
        while states.get(BOOKINGS["reserved"], "reserved") == "reserved":
            upgraded.clock.move(60)  # the loops may have begun to sleep only now
            await asyncio.sleep(0.05)
            states = {one["id"]: one["state"] for one in (await rene.get("bookings?limit=100"))["items"]}
    assert states[BOOKINGS["reserved"]] == "no_show"
    assert states[BOOKINGS["pending"]] == "rejected"
    assert states[BOOKINGS["active"]] == "active", "its house has not said that the car left"


async def test_a_car_that_overstayed_before_is_taken_for_gone_when_its_house_is_silent_for_a_week(
    upgraded: Upgraded,
) -> None:
    rene = await upgraded.person("rene")
    overstay = f"bookings/{BOOKINGS['overstay']}"
    upgraded.clock.move(6 * 24 * HOUR)
    assert (await rene.get(overstay))["state"] == "active"
    upgraded.clock.move(24 * HOUR)
    async with asyncio.timeout(20):
        while (await rene.get(overstay))["state"] == "active":
            upgraded.clock.move(60)  # the loops may have begun to sleep only now
            await asyncio.sleep(0.05)
    assert (await rene.get(overstay))["state"] == "fulfilled"
