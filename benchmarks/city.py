"""A made-up metropolis for benchmarks: spaces in clusters, the windows in which they are shared, five bookings each.

100 km across, 200 clusters of very different size, and a third of the spaces anywhere. The same size is the same city
each time. Loading goes past the application: rules are taken off, rows go in at once, rules come back.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from parkshare_backend.spaces.geometry import (
    CM_PER_M,
    EARTH_RADIUS_M,
    METRES_PER_DEGREE,
    NUMBERS_OF_AREA,
    Point,
    area_number,
)
from parkshare_backend.store.migrate import upgrade

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Say = Callable[[str], None]

CENTRE = (48.137, 11.575)
HALF_WIDTH_M = 50_000.0
CLUSTERS = 200
START = 1_800_000_000 // 86_400 * 86_400  # a midnight
DAYS = 7
HOUR = 3600
SLOT = 900
BOOKINGS = 5
DAILY_SHARE = 0.4  # of the spaces are shared by day, the others the whole week
INSTALL = OWNER = "018f0000-0000-7000-8000-000000000000"
SPACE_COLUMNS = (
    "n", "id", "install", "account", "name", "lat", "lon", "address", "access_notes", "length_m", "width_m",
    "height_m", "range_m", "price_minor", "currency", "seal_key", "sharing", "withdrawn", "barrier", "revision",
    "x", "y", "z", "area",
)  # fmt: skip


@dataclass(frozen=True)
class City:
    """All of it as arrays; row i of each belongs to space i."""

    lat: Floats
    lon: Floats
    area_lat: Floats
    area_lon: Floats
    spots: Ints  # (spaces, 3), whole centimetres from the centre of the earth
    area: Ints  # the numbers of the areas
    n: Ints  # the numbers of the spaces, as the triggers of SQLite give them
    daily: NDArray[np.bool_]
    t0: Ints  # (spaces, BOOKINGS)
    t1: Ints

    def __len__(self) -> int:
        """Give the number of spaces."""
        return len(self.lat)

    def windows(self, i: int) -> list[tuple[int, int]]:
        """Give the windows of a space."""
        if not self.daily[i]:
            return [(START, START + DAYS * 86_400)]
        return [(START + day * 86_400 + 7 * HOUR, START + day * 86_400 + 20 * HOUR) for day in range(DAYS)]

    def free(self, start: int, end: int) -> NDArray[np.bool_]:
        """Tell by brute force which spaces are free for a whole period within one day."""
        seconds = (start - START) % 86_400, (end - START - 1) % 86_400 + 1
        shared = ~self.daily | ((seconds[0] >= 7 * HOUR) & (seconds[1] <= 20 * HOUR) & (seconds[0] < seconds[1]))
        taken = np.asarray(((self.t0 < end) & (self.t1 > start)).any(axis=1))
        return np.asarray(shared & ~taken)


def space_id(i: int) -> str:
    """Name a space: the shape of a UUIDv7, in the order of publishing."""
    return f"018f{i >> 16 & 0xFFFF:04x}-{i & 0xFFFF:04x}-7000-8000-{i:012x}"


def make(size: int) -> City:
    """Make the city of this size."""
    chance = np.random.default_rng(size)
    centres = chance.normal(0, 18_000, (CLUSTERS, 2))
    weights = chance.pareto(1.3, CLUSTERS) + 0.2
    spread = chance.uniform(300, 2_500, CLUSTERS)
    of = chance.choice(CLUSTERS, size, p=weights / weights.sum())
    metres = centres[of] + chance.normal(0, 1, (size, 2)) * spread[of][:, None]
    anywhere = chance.random(size) < 1 / 3
    metres[anywhere] = chance.uniform(-HALF_WIDTH_M, HALF_WIDTH_M, (int(anywhere.sum()), 2))
    lat = CENTRE[0] + metres[:, 1] / METRES_PER_DEGREE
    lon = CENTRE[1] + metres[:, 0] / METRES_PER_DEGREE / np.cos(np.radians(CENTRE[0]))
    area_lat, area_lon = areas(lat, lon)
    numbers = np.array([area_number(Point(*place)) for place in zip(lat.tolist(), lon.tolist(), strict=True)])
    # A booking in each fifth of the week, somewhere in it, so none overlaps another.
    part = DAYS * 86_400 // BOOKINGS // SLOT
    length = chance.integers(2, 24, (size, BOOKINGS))
    begin = (chance.random((size, BOOKINGS)) * (part - length)).astype(np.int64) + np.arange(BOOKINGS) * part
    t0 = START + begin * SLOT
    return City(
        lat,
        lon,
        area_lat,
        area_lon,
        spots(area_lat, area_lon),
        numbers,
        numbers * NUMBERS_OF_AREA + earlier_in(numbers),
        chance.random(size) < DAILY_SHARE,
        t0,
        t0 + length * SLOT,
    )


def earlier_in(numbers: Ints) -> Ints:
    """Count for each space those before it in the same area."""
    order = np.argsort(numbers, kind="stable")
    ranks = np.arange(len(numbers))
    first = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    within = np.empty_like(numbers)
    within[order] = ranks - np.repeat(first, np.diff(first, append=len(numbers)))
    return within


def areas(lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    """Round places as spaces/geometry.area_of does."""
    rounded = np.rint(lat / 0.001) * 0.001
    step = 0.001 / np.cos(np.radians(rounded))
    return np.round(rounded, 6), np.round(np.rint(lon / step) * step, 6)


def spots(lat: Floats, lon: Floats) -> Ints:
    """Place points in three dimensions as spaces/geometry.spot_of does."""
    radius, north, east = EARTH_RADIUS_M * CM_PER_M, np.radians(lat), np.radians(lon)
    flat = radius * np.cos(north)
    axes = (flat * np.cos(east), flat * np.sin(east), radius * np.sin(north))
    return np.asarray(np.rint(np.stack(axes, axis=1)), dtype=np.int64)


def _spaces(city: City) -> Iterator[tuple[Any, ...]]:
    for i in range(len(city)):
        x, y, z = (int(axis) for axis in city.spots[i])
        yield (
            int(city.n[i]), space_id(i), INSTALL, OWNER, f"Courtyard {i % 97}", float(city.lat[i]), float(city.lon[i]),
            f"Lindenweg {i % 200}", "Second gate on the left", 5.5, 2.5, 2.2, 80.0, 100 + i % 7 * 50, "EUR", bytes(32),
            1, 0, "down", 1, x, y, z, int(city.area[i]),
        )  # fmt: skip


def _windows(city: City) -> Iterator[tuple[str, int, int]]:
    for i in range(len(city)):
        for start, end in city.windows(i):
            yield space_id(i), start, end


def _claims(city: City) -> Iterator[tuple[str, str, str, int, int]]:
    for i, (starts, ends) in enumerate(zip(city.t0.tolist(), city.t1.tolist(), strict=True)):
        for n in range(BOOKINGS):
            yield "booking", f"018f0000-{n:04x}-7000-8000-{i:012x}", space_id(i), starts[n], ends[n]


TABLES: Sequence[tuple[str, Sequence[str], Callable[[City], Iterator[tuple[Any, ...]]]]] = (
    ("spaces", SPACE_COLUMNS, _spaces),
    ("windows", ("space", "t0", "t1"), _windows),
    ("claims", ("kind", "holder", "space", "t0", "t1"), _claims),
)
# What triggers of SQLite keep.
KEPT = (
    f"INSERT INTO space_places SELECT area * {NUMBERS_OF_AREA}, x, x, y, y, z, z FROM spaces GROUP BY area",  # noqa: S608
    "INSERT INTO window_times SELECT n, t0, t1 FROM windows JOIN spaces ON id = space ORDER BY n, t0",
    "INSERT INTO claim_times SELECT n, t0, t1, expires_at FROM claims JOIN spaces ON id = space ORDER BY n, t0",
)
PEOPLE = (
    f"INSERT INTO accounts (id, email, name, password, created_at) VALUES ('{OWNER}', 'o@example.org', 'O', 'x', 0)"  # noqa: S608
)


def load_sqlite(city: City, path: Path, say: Say) -> None:
    """Make a database of SQLite with the city in it, unless it is there; one that is gets the newest schema."""
    if path.exists():
        upgrade(str(path))
        return
    making = path.with_suffix(".making")
    making.unlink(missing_ok=True)
    upgrade(str(making))
    with closing(sqlite3.connect(making, isolation_level=None)) as line:
        line.execute("PRAGMA synchronous=OFF")
        line.execute("PRAGMA foreign_keys=OFF")
        line.execute("PRAGMA cache_size=-500000")
        triggers = line.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN "
                                "('spaces', 'windows', 'claims')").fetchall()  # fmt: skip
        line.execute("BEGIN")
        for name, _ in triggers:
            line.execute(f"DROP TRIGGER {name}")
        line.execute(PEOPLE)
        house = "INSERT INTO installs (id, account, name, sign_key, seal_key, created_at) VALUES (?, ?, 'H', ?, ?, 0)"
        line.execute(house, (INSTALL, OWNER, bytes(32), bytes(32)))
        for table, columns, rows in TABLES:
            say(f"SQLite, {len(city):,} spaces: {table}")
            marks = ", ".join("?" * len(columns))
            line.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows(city))  # noqa: S608
        for statement in KEPT:
            line.execute(statement)
        for _, sql in triggers:
            line.execute(sql)
        line.execute("COMMIT")
        line.execute("ANALYZE")
        line.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    making.rename(path)


def load_postgresql(city: City, url: str, say: Say) -> None:
    """Fill an empty database of PostgreSQL with the city."""
    upgrade(url)
    asyncio.run(_copy(city, url, say))


async def _copy(city: City, url: str, say: Say) -> None:
    line = await asyncpg.connect(url)
    await line.execute("SET maintenance_work_mem = '512MB'")
    rule = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'claims_never_overlap'"
    never_overlap = await line.fetchval(rule)
    await line.execute("ALTER TABLE claims DROP CONSTRAINT claims_never_overlap")
    await line.execute("ALTER TABLE spaces DISABLE TRIGGER USER")
    await line.execute(PEOPLE)
    house = "INSERT INTO installs (id, account, name, sign_key, seal_key, created_at) VALUES ($1, $2, 'H', $3, $4, 0)"
    await line.execute(house, INSTALL, OWNER, bytes(32), bytes(32))
    for table, columns, rows in TABLES:
        say(f"PostgreSQL, {len(city):,} spaces: {table}")
        await line.copy_records_to_table(table, records=rows(city), columns=columns, timeout=3600)
    say(f"PostgreSQL, {len(city):,} spaces: indexes")
    await line.execute(
        "INSERT INTO space_places (area, spaces, spot)"
        " SELECT area, count(*), cube(ARRAY[min(x), min(y), min(z)]::float8[]) FROM spaces"
        " GROUP BY area ORDER BY random()",  # as they come in life
        timeout=3600,
    )
    await line.execute("ALTER TABLE spaces ENABLE TRIGGER USER")
    await line.execute(f"ALTER TABLE claims ADD CONSTRAINT claims_never_overlap {never_overlap}", timeout=3600)
    await line.execute("VACUUM ANALYZE", timeout=3600)
    await line.close()
