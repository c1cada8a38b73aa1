"""Time the search for free spaces in SQL, on both engines and beside PostGIS, and check every answer by brute force.

    python -m benchmarks.matching [--size N]... [--queries N] [--json FILE]

The city of each size is made once and kept in .cache/matching. One client asks one search after the other. CPU is that
of the server for PostgreSQL, and of the whole process for SQLite, which has no server.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import numpy as np

from benchmarks import city as cities
from benchmarks.city import City
from parkshare_backend.matching.index import ASKED, COLUMNS, FREE, SUITS, TYPES, Density, Wanted, asked_of, nearest
from parkshare_backend.matching.service import CHOICE
from parkshare_backend.spaces.geometry import EARTH_RADIUS_M, METRES_PER_DEGREE, Point
from parkshare_backend.spaces.periods import Period
from parkshare_backend.store.contract import RawSql
from parkshare_backend.store.engine import Store
from parkshare_backend.store.migrate import upgrade
from parkshare_backend.store.postgresql import READ, STATEMENT_MS
from tests.simulators.postgres import Postgres, programs

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache/matching"
SIZES = (100_000, 1_000_000)
COUNT = 10 + CHOICE  # what a search of ten offers looks at
RADIUS_M = 1500.0
WARM = 4000  # other searches before: a process that has run for a while has met every page
IN_A_ROW = 50
BACKEND = RawSql.both("SELECT pg_backend_pid()")
# What is measured is a server that has run for a while: everything that searches look at is in its memory. What they do
# not look at would push it out again: the index that keeps claims apart is as large as the rest.
PREWARM = """
    SELECT sum(pg_prewarm(c.oid::regclass)) FROM pg_class AS c LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
    WHERE coalesce(i.indrelid, c.oid)::regclass::text IN ('spaces', 'space_places', 'geo', 'windows', 'claims')
        AND c.relkind IN ('r', 'i') AND c.relname NOT IN ('claims_never_overlap', 'pk_claims', 'ix_claims_expires_at')
"""
PATIENT = RawSql.both("SET LOCAL idle_in_transaction_session_timeout = 0")
NOW = float(cities.START)
TARGET_P50_MS, TARGET_P95_MS, TARGET_GROWTH = 1.0, 5.0, 1.5

# The same question, asked with PostGIS: nearest on the sphere first, the same conditions, the same probes.
_SPOT = ("lat", "lon", "reach")
_NUMBERED = {name: f"${n}::{TYPES.get(name, 'int8')}" for n, name in enumerate((*_SPOT, *ASKED), 1)}
_NUMBERED |= {name: f"${n}::float8" for n, name in enumerate(_SPOT, 1)}
POSTGIS = f"""
    SELECT {COLUMNS} FROM geo AS s
    WHERE ST_DWithin(s.spot, ST_MakePoint({{lon}}, {{lat}})::geography, {{reach}}, false)
        AND s.sharing = 1 AND s.withdrawn = 0 AND {SUITS} AND {FREE}
    ORDER BY s.spot <-> ST_MakePoint({{lon}}, {{lat}})::geography LIMIT {COUNT}
""".format(**_NUMBERED)  # noqa: S608 - our own words
GEO = (
    "CREATE EXTENSION IF NOT EXISTS postgis",
    """
    CREATE TABLE geo AS SELECT s.*, ST_MakePoint(
        degrees(atan2(y, x)), degrees(asin(z / sqrt(x::float8 * x + y::float8 * y + z::float8 * z)))
    )::geography AS spot FROM spaces AS s
    """,
    "CREATE INDEX ON geo USING gist (spot) WHERE sharing = 1 AND withdrawn = 0",
    "CREATE UNIQUE INDEX ON geo (id)",
)


@dataclass(frozen=True)
class Query:
    """One search: a place and two hours."""

    lat: float
    lon: float
    start: int
    end: int

    def wanted(self) -> Wanted:
        """Give it as the backend is asked."""
        return Wanted(centre=Point(self.lat, self.lon), period=Period(self.start, self.end), radius_m=RADIUS_M)


# Gives the ids of the spaces that were found, nearest first.
type Ask = Callable[[Query], Awaitable[list[str]]]


@dataclass(frozen=True)
class Contender:
    """One way to search; cpu gives the CPU seconds that it has used so far."""

    name: str
    ask: Ask
    cpu: Callable[[], float]


def make_queries(city: City, count: int, *, seed: int = 7) -> list[Query]:
    """Search near random spaces, so dense places come up as often as people live there."""
    chance = np.random.default_rng(seed)
    near = chance.integers(0, len(city), count)
    off = chance.normal(0, 150, (count, 2)) / METRES_PER_DEGREE
    slots = chance.integers(0, cities.DAYS, count) * 96 + chance.integers(7 * 4, 18 * 4, count)
    starts = cities.START + slots * cities.SLOT
    return [
        Query(float(city.lat[i] + north), float(city.lon[i] + east * 1.5), int(start), int(start) + 2 * cities.HOUR)
        for i, (north, east), start in zip(near, off, starts, strict=True)
    ]


def brute_force(city: City, queries: Sequence[Query]) -> list[list[float]]:
    """Give the distances in metres of the right answers, nearest first."""
    right = []
    for query in queries:
        metres = distances(city, query, np.flatnonzero(city.free(query.start, query.end)))
        within = metres[metres <= RADIUS_M]
        right.append(sorted(within.tolist())[:COUNT])
    return right


def distances(city: City, query: Query, rows: Any) -> Any:
    """Give the distances of some spaces' areas from the place of a query, by the haversine formula."""
    lat, lon = np.radians(city.area_lat[rows]), np.radians(city.area_lon[rows])
    north = np.sin((lat - np.radians(query.lat)) / 2) ** 2
    east = np.sin((lon - np.radians(query.lon)) / 2) ** 2
    chord = np.sqrt(north + np.cos(lat) * np.cos(np.radians(query.lat)) * east)
    return 2 * EARTH_RADIUS_M * np.arcsin(chord)


def index_of(space: str) -> int:
    """Give the number of a space by its id."""
    return int(space[-12:], 16)


async def measure(
    contenders: Sequence[Contender], city: City, queries: Sequence[Query], right: list[list[float]]
) -> list[dict[str, Any]]:
    """Ask all queries one after the other, a few of each contender in turn: a busy moment is nobody's alone."""
    others = make_queries(city, WARM, seed=WARM)
    for contender in contenders:
        for query in others:
            await contender.ask(query)
    timings = [Timing(contender) for contender in contenders]
    for first in range(0, len(queries), IN_A_ROW):
        for timing in timings:
            await timing.ask(queries[first : first + IN_A_ROW])
        timings.reverse()  # whoever is second finds the processor's caches warm
    return [timing.result(city, queries, right) for timing in timings]


@dataclass
class Timing:
    """What one contender answered, and how long it took."""

    contender: Contender
    took: list[float] = field(default_factory=list)
    answers: list[list[str]] = field(default_factory=list)
    spent: float = 0.0

    async def ask(self, queries: Sequence[Query]) -> None:
        """Ask some more."""
        cpu = self.contender.cpu()
        for query in queries:
            began = time.perf_counter()
            self.answers.append(await self.contender.ask(query))
            self.took.append(time.perf_counter() - began)
        self.spent += self.contender.cpu() - cpu

    def result(self, city: City, queries: Sequence[Query], right: list[list[float]]) -> dict[str, Any]:
        """Compare each answer, and sum up."""
        wrong = 0
        for query, answer, expected in zip(queries, self.answers, right, strict=True):
            rows = [index_of(space) for space in answer]
            metres = distances(city, query, np.array(rows, dtype=np.int64))
            free = city.free(query.start, query.end)[rows].all() if rows else True
            once = len(rows) == len(expected) and len(set(rows)) == len(rows)
            wrong += not (once and free and np.allclose(metres, expected, atol=0.05))
        ordered = sorted(self.took)
        return {
            "search": self.contender.name,
            "spaces": len(city),
            "p50_ms": round(median(ordered) * 1000, 3),
            "p95_ms": round(ordered[int(len(ordered) * 0.95)] * 1000, 3),
            "per_core_s": round(len(queries) / self.spent),
            "wrong": wrong,
            "of": len(queries),
        }


@asynccontextmanager
async def ours(name: str, database: str, cpu: Callable[[int], float]) -> AsyncIterator[Contender]:
    """Search as the backend does, inside one transaction."""
    store, density = Store(database), Density()
    async with store.read() as tx:

        async def ask(query: Query) -> list[str]:
            return [found.space for found in await nearest(tx, query.wanted(), count=COUNT, now=NOW, density=density)]

        server = 0
        if tx.engine == "postgresql":
            await tx.fetch(PATIENT)  # the others take their turns meanwhile
            server = (await tx.fetch(BACKEND))[0][0]
        yield Contender(name, ask, lambda: cpu(server))
    await store.close()


@asynccontextmanager
async def postgis(url: str) -> AsyncIterator[Contender]:
    """Search with PostGIS, if it can be had."""
    # As the backend would ask it: with its limit of time, inside one transaction.
    line = await asyncpg.connect(url, server_settings={"jit": "off", "statement_timeout": str(STATEMENT_MS)})
    await line.execute(READ)
    statement = await line.prepare(POSTGIS)
    server = await line.fetchval("SELECT pg_backend_pid()")

    async def ask(query: Query) -> list[str]:
        # a metre more: its sphere and ours are the same, its rounding is its own
        rows = await statement.fetch(query.lat, query.lon, RADIUS_M, *asked_of(query.wanted(), NOW))
        return [row[0] for row in rows]

    yield Contender("PostGIS, geography KNN", ask, lambda: cpu_of(server))
    await line.close()


def cpu_of(pid: int) -> float:
    """Give the CPU seconds that a process has used."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def say(text: str) -> None:
    """Show how far it is."""
    print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def ensure_postgis() -> None:
    """Bring PostGIS from Debian if it is not here; it is needed for the comparison only."""
    version = programs().parent.name
    if (Path("/usr/share/postgresql") / version / "extension/postgis.control").exists():
        return
    package = f"postgresql-{version}-postgis-3"
    install = [shutil.which("bash") or "bash", "-c", f". scripts/lib.sh; ensure_debian no-postgis-yet:{package}"]
    subprocess.run(install, cwd=ROOT, check=True)  # noqa: S603 - our own script


async def run_postgresql(url: str, city: City, queries: list[Query], right: list[list[float]]) -> list[dict[str, Any]]:
    """Time ours and PostGIS: the better of two runs of each."""
    results: dict[str, dict[str, Any]] = {}
    for _ in range(2):
        async with ours("PostgreSQL, cube KNN", url, cpu_of) as cube, postgis(url) as geography:
            say(f"{len(city):,} spaces: PostgreSQL")
            keep_better(results, await measure([cube, geography], city, queries, right))
    return list(results.values())


async def run_sqlite(path: Path, city: City, queries: list[Query], right: list[list[float]]) -> list[dict[str, Any]]:
    """Time SQLite: the better of two runs."""
    results: dict[str, dict[str, Any]] = {}
    for _ in range(2):
        async with ours("SQLite, R*Tree rings", str(path), lambda _: time.process_time()) as rings:
            say(f"{len(city):,} spaces: {rings.name}")
            keep_better(results, await measure([rings], city, queries, right))
    return list(results.values())


def keep_better(results: dict[str, dict[str, Any]], run: Sequence[dict[str, Any]]) -> None:
    """Keep the faster of two runs of each contender, and every wrong answer."""
    for result in run:
        before = results.get(result["search"], result)
        better = max(before, result, key=lambda one: one["per_core_s"])
        results[result["search"]] = better | {"wrong": max(before["wrong"], result["wrong"])}


def run(size: int, count: int) -> list[dict[str, Any]]:
    """Make or find the city of this size, and time every way to search it."""
    folder = CACHE / str(size)
    folder.mkdir(parents=True, exist_ok=True)
    say(f"{size:,} spaces: making the city")
    city = cities.make(size)
    queries = make_queries(city, count)
    say(f"{size:,} spaces: brute force")
    right = brute_force(city, queries)
    cities.load_sqlite(city, folder / "city.db", say)
    with (folder / "city.db").open("rb") as file:
        while file.read(1 << 24):  # into the system's cache, as PostgreSQL's below
            pass
    results = asyncio.run(run_sqlite(folder / "city.db", city, queries, right))
    ensure_postgis()
    memory = ("shared_buffers=4GB", "work_mem=16MB", "max_wal_size=8GB", "autovacuum=off")
    with Postgres(folder / "postgres", settings=memory) as server:
        if "city" not in server.sql("SELECT datname FROM pg_database").split():
            cities.load_postgresql(city, server.create("making"), say)
            say(f"PostGIS, {size:,} spaces: indexes")
            for statement in (*GEO, "VACUUM ANALYZE geo"):
                server.sql(statement, database="making")
            server.sql("ALTER DATABASE making RENAME TO city")
        upgrade(server.url("city"))
        server.sql("VACUUM ANALYZE space_places, spaces", database="city")  # a migration may just have made them
        say(f"PostgreSQL, {size:,} spaces: reading it into memory")
        server.sql("CREATE EXTENSION IF NOT EXISTS pg_prewarm", database="city")
        server.sql(PREWARM, database="city")
        results += asyncio.run(run_postgresql(server.url("city"), city, queries, right))
    return results


def verdicts(results: list[dict[str, Any]]) -> list[tuple[str, bool]]:
    """Hold the results against the targets."""
    found = []
    smallest = min(result["spaces"] for result in results)
    for result in results:
        name = f"{result['search']}, {result['spaces']:,}"
        found.append((f"{name}: every answer is right", result["wrong"] == 0))
        if result["search"].startswith("PostGIS"):
            continue
        rival = next(r for r in results if r["spaces"] == result["spaces"] and r["search"].startswith("PostGIS"))
        quick = result["p50_ms"] <= TARGET_P50_MS and result["p95_ms"] <= TARGET_P95_MS
        found.append((f"{name}: at most {TARGET_P50_MS} ms median, {TARGET_P95_MS} ms p95", quick))
        ratio = result["per_core_s"] / rival["per_core_s"]
        found.append((f"{name}: {ratio:.2f} times the rate of PostGIS", ratio >= 1))
        if result["spaces"] > smallest:
            before = next(r for r in results if r["spaces"] == smallest and r["search"] == result["search"])
            growth = result["p50_ms"] / before["p50_ms"]
            found.append((f"{name}: {growth:.2f} times the median of {smallest:,}", growth <= TARGET_GROWTH))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--size", type=int, action="append", help=f"spaces; default {SIZES}")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = [result for size in options.size or SIZES for result in run(size, options.queries)]
    say("")
    print(f"{COUNT} nearest free spaces within {RADIUS_M:.0f} m for 2 h, {cities.BOOKINGS} bookings each")
    print(f"{'search':<26}{'spaces':>11}{'p50 ms':>9}{'p95 ms':>9}{'per core/s':>12}{'wrong':>8}")
    for result in results:
        print(
            f"{result['search']:<26}{result['spaces']:>11,}{result['p50_ms']:>9.3f}{result['p95_ms']:>9.3f}"
            f"{result['per_core_s']:>12,}{result['wrong']:>8}"
        )
    checked = verdicts(results)
    for text, kept in checked:
        print(f"{'ok  ' if kept else 'MISS'} {text}")
    if options.json:
        missed = [text for text, kept in checked if not kept]
        options.json.write_text(json.dumps({"results": results, "missed": missed}, indent=2) + "\n")


if __name__ == "__main__":
    main()
