"""Let processes race for one space, and look in the database who got it.

    python benchmarks/booking_race.py [--rounds N] [--racers N] [--json FILE]

Every racer is a process with its own store on the same SQLite file. In each round all of them book overlapping
periods of one space at the same moment; exactly one may win. Then one process books alone, for the plain rate.
"""

import argparse
import asyncio
import json
import multiprocessing
import sqlite3
import tempfile
import time
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from parkshare_backend.accounts.installs import Installs
from parkshare_backend.accounts.tables import ACCOUNTS, INSTALLS
from parkshare_backend.bookings.models import BookingRequest
from parkshare_backend.bookings.service import Bookings
from parkshare_backend.clock import SystemClock, new_id
from parkshare_backend.http.problems import Problem
from parkshare_backend.spaces.geometry import Point, located
from parkshare_backend.spaces.models import PeriodBody
from parkshare_backend.spaces.service import Spaces
from parkshare_backend.spaces.tables import SPACES, WINDOWS
from parkshare_backend.store.engine import Store
from parkshare_backend.store.migrate import upgrade
from parkshare_backend.store.outbox import Outbox

SLOT_S = 900
ALONE = 200

type Try = tuple[int, bool, float]  # round, won, seconds


def bookings_on(store: Store) -> Bookings:
    clock = SystemClock()
    spaces = Spaces(installs=Installs(store, clock), clock=clock)
    return Bookings(store=store, outbox=Outbox(clock), spaces=spaces, clock=clock)


async def prepare(database: str, accounts: list[str], space: str, start: int, end: int) -> None:
    """Make the people, one house, one space and its window."""
    store, install, owner = Store(database), new_id(), new_id()
    async with store.write() as tx:
        for account in (owner, *accounts):
            person = {"id": account, "email": account, "name": "x", "password": "x", "created_at": 0.0}
            await tx.execute(sa.insert(ACCOUNTS).values(person))
        house = {"id": install, "account": owner, "name": "x", "created_at": 0.0}
        await tx.execute(sa.insert(INSTALLS).values(house | {"sign_key": bytes(32), "seal_key": bytes(32)}))
        row = {"id": space, "install": install, "account": owner, "name": "x", "lat": 0.0, "lon": 0.0, "address": ""}
        row |= {"access_notes": "", "range_m": 80.0, "price_minor": 0, "currency": "EUR", "seal_key": bytes(32)}
        row |= {"sharing": 1, "withdrawn": 0, "barrier": "unknown", "revision": 1}
        row |= located(Point(0.0, 0.0))
        await tx.execute(sa.insert(SPACES).values(row))
        await tx.execute(sa.insert(WINDOWS).values(space=space, t0=start, t1=end))
    await store.close()


async def attempt(bookings: Bookings, account: str, space: str, start: int, end: int) -> tuple[bool, float]:
    """Book once; tell whether it was won and how long it took."""
    period = PeriodBody(start=start, end=end)
    request = BookingRequest(id=new_id(), space=space, period=period, sealed_plate=bytes(176))
    began = time.perf_counter()
    try:
        await bookings.book(account, request)
    except Problem as problem:
        if problem.code != "space-taken":
            raise
        return False, time.perf_counter() - began
    return True, time.perf_counter() - began


def racer(database: str, account: str, space: str, start: int, rounds: int, gate: Barrier, results: Any) -> None:
    """Race in one process: every racer's period overlaps every other's."""

    async def run() -> list[Try]:
        store = Store(database)
        bookings, tries = bookings_on(store), list[Try]()
        for round_ in range(rounds):
            slot = start + round_ * SLOT_S
            await asyncio.to_thread(gate.wait, 60)
            tries.append((round_, *await attempt(bookings, account, space, slot, slot + SLOT_S)))
        await store.close()
        return tries

    results.put(asyncio.run(run()))


async def alone(database: str, account: str, space: str, start: int) -> float:
    """Give the seconds of ALONE bookings one after the other."""
    store = Store(database)
    bookings = bookings_on(store)
    began = time.perf_counter()
    for i in range(ALONE):
        won, _ = await attempt(bookings, account, space, start + i * 900, start + (i + 1) * 900)
        if not won:
            raise RuntimeError("a booking without a rival was lost")
    took = time.perf_counter() - began
    await store.close()
    return took


def overlaps(database: str, table: str, more: str = "") -> int:
    """Count the pairs that the rule forbids."""
    pairs = f"SELECT count(*) FROM {table} a JOIN {table} b ON a.space = b.space AND a.rowid < b.rowid"  # noqa: S608
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(f"{pairs} AND a.t0 < b.t1 AND b.t0 < a.t1 {more}").fetchone()[0])


def measure(rounds: int, racers: int, folder: str) -> dict[str, Any]:
    """Race, book alone, and count."""
    database = str(Path(folder) / "race.db")
    upgrade(database)
    accounts, space = [new_id() for _ in range(racers)], new_id()
    start = (int(time.time()) // SLOT_S + 1) * SLOT_S
    after = start + rounds * SLOT_S
    asyncio.run(prepare(database, accounts, space, start, after + ALONE * 900))
    spawn = multiprocessing.get_context("spawn")
    gate, results = spawn.Barrier(racers), spawn.Queue()
    processes = [
        spawn.Process(target=racer, args=(database, account, space, start, rounds, gate, results))
        for account in accounts
    ]
    for process in processes:
        process.start()
    tries: list[Try] = [one for _ in processes for one in results.get(timeout=300)]
    for process in processes:
        process.join()
    winners = [sum(won for round_, won, _ in tries if round_ == wanted) for wanted in range(rounds)]
    took = sorted(seconds for _, _, seconds in tries)
    took_alone = asyncio.run(alone(database, accounts[0], space, after))
    live = "('pending', 'reserved', 'active')"
    return {
        "rounds": rounds,
        "racers": racers,
        "rounds_with_exactly_one_winner": winners.count(1),
        "overlapping_claims": overlaps(database, "claims"),
        "overlapping_live_bookings": overlaps(database, "bookings", f"AND a.state IN {live} AND b.state IN {live}"),
        "attempt_p50_ms": round(took[len(took) // 2] * 1000, 2),
        "attempt_p95_ms": round(took[int(len(took) * 0.95)] * 1000, 2),
        "alone_per_s": round(ALONE / took_alone, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--racers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(options.rounds, options.racers, folder)
    for name, value in result.items():
        print(f"{name.replace('_', ' '):32} {value}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    fair = result["rounds_with_exactly_one_winner"] == options.rounds
    if not fair or result["overlapping_claims"] or result["overlapping_live_bookings"]:
        raise SystemExit("the rule was broken")


if __name__ == "__main__":
    main()
