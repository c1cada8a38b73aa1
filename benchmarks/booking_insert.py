"""How many bookings a second are on disk: claim, booking and facts, as `Bookings.book` does it, many at once.

    python benchmarks/booking_insert.py [--bookings N] [--writers N] [--engine sqlite|postgresql] [--json FILE]

In the same run the bare driver stores rows of the same size, 50 to a commit, and one to a commit: what this disk
and SQLite itself can do. Each booking is of its own slot, so none is refused.
"""

import argparse
import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any

from parkshare_backend import keys, logs
from parkshare_backend.accounts.tables import ACCOUNTS, INSTALLS
from parkshare_backend.app import build_app
from parkshare_backend.bookings.models import BookingRequest
from parkshare_backend.bookings.service import Bookings
from parkshare_backend.clock import new_id
from parkshare_backend.settings import Settings
from parkshare_backend.spaces.geometry import Point, located
from parkshare_backend.spaces.models import PeriodBody
from parkshare_backend.spaces.tables import SPACES, WINDOWS
from parkshare_backend.store.engine import Store
from parkshare_backend.store.migrate import upgrade

SLOT_S = 3600
SLOTS = 24 * 14  # of each space
BARE_GROUP = 50
BARE_COLUMNS = 26  # of a booking

type City = tuple[list[str], list[str], int]  # renters, spaces, the first slot's start


@asynccontextmanager
async def backend(database: str) -> AsyncIterator[tuple[Store, Bookings]]:
    """Compose the backend without its sockets and timers."""
    app = build_app(Settings(database=database, password_memory_kib=8, password_passes=1, rate_limits=0))
    app.freeze()
    try:
        yield app[keys.STORE], app[keys.BOOKINGS]
    finally:
        app[keys.PASSWORDS].close()
        await app[keys.STORE].close()


async def build_city(store: Store, *, renters: int, spaces: int) -> City:
    """Make people, houses with ten spaces each, and windows of two weeks."""
    start = (int(time.time()) // SLOT_S + 1) * SLOT_S
    people, owners = [new_id() for _ in range(renters)], [new_id() for _ in range(spaces // 10 + 1)]
    houses, made = [new_id() for _ in owners], [new_id() for _ in range(spaces)]
    async with store.write() as tx:
        await tx.add(
            ACCOUNTS,
            *({"id": one, "email": one, "name": "x", "password": "x", "created_at": 0.0} for one in people + owners),
        )
        pairs = list(zip(houses, owners, strict=True))
        house = {"name": "x", "sign_key": bytes(32), "seal_key": bytes(32), "created_at": 0.0}
        await tx.add(INSTALLS, *({"id": install, "account": owner, **house} for install, owner in pairs))
        common = {"name": "x", "lat": 52.5, "lon": 13.4, "address": "", "access_notes": "", "range_m": 80.0}
        common |= {"price_minor": 250, "currency": "EUR", "seal_key": bytes(32), "sharing": 1, "withdrawn": 0}
        common |= {"barrier": "unknown", "revision": 1} | located(Point(52.5, 13.4))
        rows = ((space, *pairs[number // 10]) for number, space in enumerate(made))
        await tx.add(
            SPACES, *({"id": space, "install": install, "account": owner, **common} for space, install, owner in rows)
        )
        await tx.add(WINDOWS, *({"space": space, "t0": start, "t1": start + SLOTS * SLOT_S} for space in made))
    return people, made, start


async def book_all(
    store: Store, bookings: Bookings, city: City, *, count: int, writers: int
) -> tuple[float, list[float]]:
    """Book that many slots by so many at once; give the seconds of all and of each."""
    renters, spaces, start = city
    numbers, waits = iter(range(count)), list[float]()

    async def write(renter: str) -> None:
        for number in numbers:
            slot, space = divmod(number, len(spaces))
            period = PeriodBody(start=start + slot * SLOT_S, end=start + (slot + 1) * SLOT_S)
            request = BookingRequest(id=new_id(), space=spaces[space], period=period, sealed_plate=bytes(176))
            began = time.perf_counter()
            await store.again(partial(bookings.book, renter, request))  # on PostgreSQL two may conflict
            waits.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(write(renters[number % len(renters)]) for number in range(writers)))
    return time.perf_counter() - began, waits


def bare(folder: Path, *, rows: int, group: int) -> float:
    """Give the rows a second of the driver alone, `group` to a durable commit."""
    with closing(sqlite3.connect(folder / f"bare{group}.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        columns = ", ".join(f"c{number}" for number in range(BARE_COLUMNS))
        database.execute(f"CREATE TABLE booking (id TEXT PRIMARY KEY, {columns})")
        insert = f"INSERT INTO booking VALUES ({', '.join('?' * (BARE_COLUMNS + 1))})"  # noqa: S608 - no outside value
        began = time.perf_counter()
        for first in range(0, rows, group):
            database.execute("BEGIN IMMEDIATE")
            for _ in range(first, min(rows, first + group)):
                database.execute(insert, (new_id(), bytes(176), *range(BARE_COLUMNS - 1)))
            database.execute("COMMIT")
        return rows / (time.perf_counter() - began)


async def measure(database: str, folder: Path, *, count: int, writers: int, spaces: int) -> dict[str, Any]:
    """Book, and let the bare driver store as many rows."""
    upgrade(database)
    async with backend(database) as (store, bookings):
        city = await build_city(store, renters=64, spaces=spaces)
        warm = (city[0], city[1], city[2] + SLOT_S * (SLOTS // 2))
        await book_all(store, bookings, warm, count=min(200, count), writers=writers)
        took, waits = await book_all(store, bookings, city, count=count, writers=writers)
        alone_took, alone = await book_all(
            store, bookings, (city[0], city[1], city[2] + SLOT_S * (SLOTS * 3 // 4)), count=min(200, count), writers=1
        )
    waits.sort()
    grouped, single = bare(folder, rows=count, group=BARE_GROUP), bare(folder, rows=min(200, count), group=1)
    return {
        "engine": store.engine,
        "bookings": count,
        "writers": writers,
        "per_second": round(count / took),
        "wait_p50_ms": round(statistics.median(waits) * 1000, 1),
        "wait_p95_ms": round(waits[int(len(waits) * 0.95)] * 1000, 1),
        "one_writer_per_second": round(len(alone) / alone_took),
        "bare_sqlite_50_per_commit": round(grouped),
        "bare_sqlite_1_per_commit": round(single),
        "ratio_to_bare_50": round(count / took / grouped, 3),
    }


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bookings", type=int, default=10_000)
    parser.add_argument("--writers", type=int, default=64)
    parser.add_argument("--spaces", type=int, default=1_000)
    parser.add_argument("--engine", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    logs.configure(form="json", level="error")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = str(folder / "bookings.db")
        if arguments.engine == "postgresql":
            from tests.simulators.postgres import private_postgres  # noqa: PLC0415 - only where it is asked for

            database = stack.enter_context(private_postgres(durable=True)).create("bookings")
        result = asyncio.run(
            measure(database, folder, count=arguments.bookings, writers=arguments.writers, spaces=arguments.spaces)
        )
    for name, value in result.items():
        print(f"{name:28} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
