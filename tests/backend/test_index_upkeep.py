"""What triggers keep for searches is at any time what it is drawn from, and searches go by it."""

import asyncio
import itertools
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from parkshare_backend.accounts.tables import ACCOUNTS, INSTALLS
from parkshare_backend.bookings.tables import CLAIMS
from parkshare_backend.clock import new_id
from parkshare_backend.matching.index import Wanted, nearest
from parkshare_backend.spaces.geometry import NUMBERS_OF_AREA, Point, located
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.tables import SPACES, WINDOWS
from parkshare_backend.store.contract import POSTGRESQL, SQLITE
from parkshare_backend.store.engine import RawSql, Store, Tx
from parkshare_backend.store.migrate import upgrade

START, HOUR = 1_800_000_000, 3600
# Some in one area, some in neighbouring ones, one on the other side of the earth.
PLACES = [Point(48.1371 + i * 0.0004, 11.5751) for i in range(5)] + [Point(-36.85, 174.76)]
SHARED = "FROM spaces WHERE sharing = 1 AND withdrawn = 0"
KEPT_BY_SQLITE = {
    "window_times": (
        "SELECT n, t0, t1 FROM window_times",
        "SELECT n, t0, t1 FROM windows JOIN spaces ON id = space",
    ),
    "claim_times": (
        "SELECT n, t0, t1, expires_at FROM claim_times",
        "SELECT n, t0, t1, expires_at FROM claims JOIN spaces ON id = space",
    ),
    "space_places": (
        "SELECT n, x0, x1, y0, y1, z0, z1 FROM space_places",
        f"SELECT DISTINCT area * {NUMBERS_OF_AREA}, x, x, y, y, z, z {SHARED}",
    ),
}
KEPT_BY_POSTGRESQL = {
    "space_places": (
        "SELECT area, spaces, spot::text FROM space_places",
        f"SELECT area, count(*), cube(ARRAY[min(x), min(y), min(z)]::float8[])::text {SHARED} GROUP BY area",
    ),
}
KEPT = {SQLITE: KEPT_BY_SQLITE, POSTGRESQL: KEPT_BY_POSTGRESQL}


async def assert_kept(tx: Tx) -> None:
    for kept, drawn_from in KEPT[tx.engine].values():
        there = sorted(map(tuple, await tx.all(sa.text(kept))), key=str)
        assert there == sorted(map(tuple, await tx.all(sa.text(drawn_from))), key=str)
    if tx.engine == SQLITE:
        outside = f"SELECT count(*) FROM spaces WHERE n / {NUMBERS_OF_AREA} <> area"
        assert await tx.scalar(sa.text(outside)) == 0


def space_at(place: Point, *, sharing: int = 1) -> dict[str, Any]:
    return located(place) | {
        "id": new_id(), "install": "house", "account": "owner", "name": "", "address": "", "access_notes": "",
        "lat": 0.0, "lon": 0.0, "range_m": 80.0, "price_minor": 0, "currency": "EUR", "seal_key": bytes(32),
        "sharing": sharing, "withdrawn": 0, "barrier": "down", "revision": 1,
    }  # fmt: skip


class Changes:
    """Anything that may happen to spaces and their times, in any order."""

    def __init__(self, tx: Tx, chance: Random) -> None:
        self.tx = tx
        self.chance = chance
        self.spaces: list[str] = []

    async def publish(self) -> None:
        row = space_at(self.chance.choice(PLACES), sharing=self.chance.randrange(2))
        await self.tx.execute(sa.insert(SPACES).values(row))
        self.spaces.append(row["id"])

    async def move(self) -> None:
        await self._change(located(self.chance.choice(PLACES)))

    async def share(self) -> None:
        await self._change({"sharing": self.chance.randrange(2), "withdrawn": self.chance.randrange(4) // 3})

    async def move_and_share(self) -> None:
        await self._change({"sharing": self.chance.randrange(2)} | located(self.chance.choice(PLACES)))

    async def move_all(self) -> None:
        values = {"sharing": 0} | located(Point(0.0, 0.0))
        await self.tx.execute(sa.update(SPACES).where(SPACES.c.id.in_(self._some())).values(values))

    async def add_times(self) -> None:
        space, kind = self.chance.choice(self.spaces), self.chance.choice(["booking", "hold"])
        t0 = START + self.chance.randrange(20) * HOUR
        await self.tx.execute(sa.delete(WINDOWS).where(WINDOWS.c.space == space, WINDOWS.c.t0 == t0))
        await self.tx.execute(sa.insert(WINDOWS).values(space=space, t0=t0, t1=t0 + HOUR))
        await self.tx.execute(sa.delete(CLAIMS).where(CLAIMS.c.space == space, CLAIMS.c.t0 == t0))
        claim = {"kind": kind, "holder": new_id(), "space": space, "t0": t0, "t1": t0 + HOUR}
        await self.tx.execute(sa.insert(CLAIMS).values(claim | {"expires_at": 1.0 if kind == "hold" else None}))

    async def change_times(self) -> None:
        longer, later = START + self.chance.randrange(20) * HOUR, self.chance.random()
        await self.tx.execute(sa.update(WINDOWS).where(WINDOWS.c.t0 == longer).values(t1=WINDOWS.c.t1 + 60))
        await self.tx.execute(sa.update(CLAIMS).where(CLAIMS.c.t0 == longer).values(t1=CLAIMS.c.t1 - 60))
        await self.tx.execute(sa.update(CLAIMS).where(CLAIMS.c.kind == "hold").values(expires_at=later))

    async def take_times(self) -> None:
        t0 = START + self.chance.randrange(20) * HOUR
        await self.tx.execute(sa.delete(WINDOWS).where(WINDOWS.c.t0 == t0))
        await self.tx.execute(sa.delete(CLAIMS).where(CLAIMS.c.t0 == t0, CLAIMS.c.kind == "hold"))

    async def remove(self) -> None:
        gone = self._some()[0]
        self.spaces.remove(gone)
        await self.tx.execute(sa.delete(SPACES).where(SPACES.c.id == gone))

    async def _change(self, values: dict[str, Any]) -> None:
        await self.tx.execute(sa.update(SPACES).where(SPACES.c.id == self.chance.choice(self.spaces)).values(values))

    def _some(self) -> list[str]:
        return self.chance.sample(self.spaces, min(3, len(self.spaces)))


async def add_house(tx: Tx) -> None:
    person = {"id": "owner", "email": "o", "name": "o", "password": "x", "created_at": 0.0}
    await tx.execute(sa.insert(ACCOUNTS).values(person))
    house = {"id": "house", "account": "owner", "name": "x", "created_at": 0.0}
    await tx.execute(sa.insert(INSTALLS).values(house | {"sign_key": bytes(32), "seal_key": bytes(32)}))


@pytest.fixture
async def tx(store: Store) -> AsyncIterator[Tx]:
    """A transaction in which there is a house."""
    async with store.write() as tx:
        await add_house(tx)
        yield tx


@pytest.mark.parametrize("seed", range(6))
async def test_it_is_kept_through_any_changes(tx: Tx, seed: int) -> None:
    chance = Random(seed)
    world = Changes(tx, chance)
    anything = (
        world.publish, world.move, world.share, world.move_and_share, world.move_all,
        world.add_times, world.add_times, world.change_times, world.take_times, world.remove,
    )  # fmt: skip
    for _ in range(150):
        await (world.publish if len(world.spaces) < 4 else chance.choice(anything))()
        await assert_kept(tx)
    await tx.execute(sa.delete(ACCOUNTS))
    await assert_kept(tx)
    for kept in KEPT[tx.engine]:
        assert await tx.scalar(sa.text(f"SELECT count(*) FROM {kept}")) == 0


@pytest.mark.usefixtures("sqlite_only")
async def test_numbers_that_were_given_back_are_given_again_when_an_area_has_given_its_last(tx: Tx) -> None:
    async def publish() -> str:
        row = space_at(PLACES[0])
        await tx.execute(sa.insert(SPACES).values(row))
        return str(row["id"])

    async def numbers() -> dict[str, int]:
        rows = await tx.all(sa.select(SPACES.c.id, SPACES.c.n % NUMBERS_OF_AREA))
        return {row[0]: row[1] for row in rows}

    spaces = [await publish() for _ in range(4)]
    assert list((await numbers()).values()) == [0, 1, 2, 3]
    last = SPACES.c.area * NUMBERS_OF_AREA + NUMBERS_OF_AREA - 1
    await tx.execute(sa.update(SPACES).where(SPACES.c.id == spaces[1]).values(n=last))
    await tx.execute(sa.delete(SPACES).where(SPACES.c.id == spaces[0]))
    later = [await publish() for _ in range(4)]
    assert [(await numbers())[space] for space in later] == [0, 1, 4, 5], "2, 3 and the last are taken"
    await assert_kept(tx)


async def test_a_space_without_its_area_is_refused(store: Store) -> None:
    async def insert() -> None:
        row = space_at(PLACES[0])
        del row["area"]
        async with store.write() as tx:
            await add_house(tx)
            await tx.execute(sa.insert(SPACES).values(row))

    with pytest.raises(sa.exc.IntegrityError, match="area"):
        await insert()


@pytest.mark.usefixtures("sqlite_only")
def test_to_share_no_more_costs_a_space_as_much_among_many_as_among_few(tmp_path: Path) -> None:
    path, steps = str(tmp_path / "many.db"), []

    async def share(count: int) -> None:
        store = Store(path)
        async with store.write() as tx:
            await add_house(tx)
            for _ in range(count):
                await tx.execute(sa.insert(SPACES).values(space_at(PLACES[0])))
        await store.close()

    upgrade(path)
    with closing(sqlite3.connect(path, autocommit=True)) as line:
        for count in (200, 1000):
            asyncio.run(share(count))
            counted = itertools.count()
            line.set_progress_handler(lambda counted=counted: next(counted) and None, 100)
            line.execute("PRAGMA foreign_keys = ON")
            line.execute("UPDATE spaces SET sharing = 0")
            line.execute("DELETE FROM spaces")
            line.execute("DELETE FROM accounts")
            steps.append(next(counted) / count)
    assert steps[1] < 1.5 * steps[0]


# Of a city with a million spaces that have five bookings each, all with one owner.
STATISTICS = [
    ("spaces", "spaces_of_area", "1000000 3"),
    ("spaces", "ix_spaces_install", "1000000 1000000"),
    ("spaces", "ix_spaces_account", "1000000 1000000"),
    ("spaces", "sqlite_autoindex_spaces_1", "1000000 1"),
    ("windows", "sqlite_autoindex_windows_1", "3396064 4 1"),
    ("claims", "sqlite_autoindex_claims_2", "5000000 5 1"),
    ("window_times", "window_times", "3396064 4 1"),
    ("claim_times", "claim_times", "5000000 5 1"),
    ("space_places_node", None, "13504"),
    ("space_places_rowid", None, "378143"),
    ("space_places_parent", None, "13503"),
]


@pytest.mark.usefixtures("sqlite_only")
@pytest.mark.parametrize("known", [True, False])
def test_a_search_looks_only_at_what_lies_near_however_large_the_city(tmp_path: Path, known: bool) -> None:
    path = str(tmp_path / "plan.db")
    upgrade(path)
    with closing(sqlite3.connect(path)) as line:
        line.execute("ANALYZE")
        if known:
            line.execute("DELETE FROM sqlite_stat1")
            line.executemany("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", STATISTICS)
            line.commit()
    asked: list[str] = []

    async def search() -> None:
        store = Store(path)
        wanted = Wanted(centre=PLACES[0], period=Period(START, START + HOUR), radius_m=1500.0)
        async with store.read() as tx:
            fetch = tx.fetch

            async def heard(statement: RawSql, *arguments: Any) -> Any:
                asked.append(statement.sqlite)
                return await fetch(statement, *arguments)

            tx.fetch = heard  # type: ignore[method-assign]
            await nearest(tx, wanted, count=20, now=0.0)
        await store.close()

    asyncio.run(search())
    with closing(sqlite3.connect(path)) as line:
        for statement in set(asked):
            marks = [0] * len(set(re.findall(r"\?\d+", statement)))
            plan = [row[3] for row in line.execute(f"EXPLAIN QUERY PLAN {statement}", marks)]
            looked_into = [step for step in plan if step.startswith(("SEARCH", "SCAN space", "SCAN s", "AUTO"))]
            assert sorted(step for step in looked_into if "SUBQUERY" not in step.upper()) == [
                "SCAN space_places VIRTUAL TABLE INDEX 2:D0B1D2B3D4B5",
                "SEARCH c USING PRIMARY KEY (n=? AND t0<?)",
                "SEARCH h USING INDEX ix_hindrances_space (space=?)",
                "SEARCH s USING INDEX spaces_of_area (area=?)",
                "SEARCH w USING PRIMARY KEY (n=? AND t0<?)",
            ]
    assert asked
