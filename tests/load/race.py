"""Let many processes book a few hot spaces at once, and look in the database who got what.

    scripts/test --long race [--engine sqlite|postgresql] [--processes 8] [--bookings 2000] [--spaces 10] [--json FILE]

Every process is a client with its own renters and connections. On SQLite there is one server; on PostgreSQL there
are two on one database and the processes use both. It fails when two live bookings of a space overlap, when a booking
that was confirmed is missing or the house was not told of it, or when a refusal comes without an alternative.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.backend.process import BackendProcess
from tests.load.engines import ENGINES, ask, database, one
from tests.load.street import Home, Http, Street, build, wish

AT_ONCE = 4  # requests under way in each process
RENTERS = 10  # for each process
QUIET = 40  # spaces nobody races for: where the alternatives are
TOLD_WITHIN_S = 120.0
LIVE = "('pending', 'reserved', 'active')"


def racer(number: int, url: str, said: dict[str, Any], bookings: int, results: Any) -> None:
    """Book so often; put down what came of it."""
    street, chance = Street.of_json(said), random.Random(number)
    renters = street.renters[number * RENTERS : (number + 1) * RENTERS]
    outcome: dict[str, Any] = {"confirmed": [], "answers": Counter(), "without_alternative": 0, "took": []}

    async def run() -> None:
        left = iter(range(bookings))
        async with Http(url, connections=AT_ONCE) as http:
            await asyncio.gather(*(book_on(http, left) for _ in range(AT_ONCE)))

    async def book_on(http: Http, left: Any) -> None:
        for _ in left:
            body = wish(street, chance, street.hot)
            began = time.perf_counter()
            headers = chance.choice(renters).headers
            async with http.post("/api/v1/bookings", json=body, headers=headers) as answered:
                answer = await answered.json()
            outcome["took"].append(time.perf_counter() - began)
            outcome["answers"][str(answered.status if answered.status == 201 else answer["type"])] += 1
            if answered.status == 201:
                outcome["confirmed"].append(body["id"])
            elif not answer.get("alternatives"):
                outcome["without_alternative"] += 1

    asyncio.run(run())
    results.put(outcome)


async def play(urls: list[str], *, processes: int, bookings: int, spaces: int) -> tuple[list[dict[str, Any]], Home]:
    """Build the street, race, and wait until the house has heard of every booking."""
    street, home = await build(urls[0], hot=spaces, quiet=QUIET, renters=processes * RENTERS)
    staying = asyncio.create_task(home.stay(urls[-1]))
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    racing = [
        spawn.Process(target=racer, args=(i, urls[i % len(urls)], street.as_json(), bookings, results))
        for i in range(processes)
    ]
    for process in racing:
        process.start()
    outcomes = []
    for i in range(processes):
        outcomes.append(await asyncio.to_thread(results.get))
        print(f"  {i + 1} of {processes} processes are done", flush=True)
    for process in racing:
        process.join()
    confirmed = {booking for outcome in outcomes for booking in outcome["confirmed"]}
    deadline = time.monotonic() + TOLD_WITHIN_S
    while not confirmed <= set(home.proposed) and time.monotonic() < deadline:  # noqa: ASYNC110 - it looks, nobody tells
        await asyncio.sleep(0.5)
    staying.cancel()
    await asyncio.gather(staying, return_exceptions=True)
    return outcomes, home


def count(where: str, outcomes: list[dict[str, Any]], home: Home, took_s: float) -> dict[str, Any]:
    """Count what must be zero, and the rest."""
    confirmed = [booking for outcome in outcomes for booking in outcome["confirmed"]]
    live = {row[0] for row in ask(where, f"SELECT id FROM bookings WHERE state IN {LIVE}")}
    claimed = {row[0] for row in ask(where, "SELECT holder FROM claims WHERE kind = 'booking'")}
    pairs = "SELECT count(*) FROM {0} a JOIN {0} b ON a.space = b.space AND a.t0 < b.t1 AND b.t0 < a.t1 AND {1}"
    took = sorted(seconds for outcome in outcomes for seconds in outcome["took"])
    answers = sum((outcome["answers"] for outcome in outcomes), Counter())
    return {
        "attempts": sum(answers.values()),
        "confirmed": len(confirmed),
        "answers": dict(answers),
        "overlapping claims": one(where, pairs.format("claims", "a.holder < b.holder")),
        "overlapping live bookings": one(
            where, pairs.format("bookings", f"a.id < b.id AND a.state IN {LIVE} AND b.state IN {LIVE}")
        ),
        "confirmed but lost": len(set(confirmed) - live),
        "live but never confirmed": len(live - set(confirmed)),
        "live without a claim": len(live - claimed),
        "confirmed, house never told": len(set(confirmed) - set(home.proposed)),
        "house told twice": sum(times > 1 for times in home.proposed.values()),
        "refused without an alternative": sum(outcome["without_alternative"] for outcome in outcomes),
        "refused for another reason": sum(
            times for answer, times in answers.items() if answer not in ("201", "/problems/space-taken")
        ),
        "attempts per s": round(len(took) / took_s, 1),
        "attempt p50 ms": round(took[len(took) // 2] * 1000, 1),
        "attempt p95 ms": round(took[int(len(took) * 0.95)] * 1000, 1),
    }


MUST_BE_ZERO = (
    "overlapping claims",
    "overlapping live bookings",
    "confirmed but lost",
    "live but never confirmed",
    "live without a claim",
    "confirmed, house never told",
    "house told twice",
    "refused without an alternative",
    "refused for another reason",
)


def run(engine: str, *, processes: int, bookings: int, spaces: int) -> dict[str, Any]:
    """Race on one engine."""
    with tempfile.TemporaryDirectory(prefix="parkshare-race-") as folder, database(engine, Path(folder)) as where:
        servers = []
        for i in range(2 if engine == "postgresql" else 1):
            (Path(folder) / f"server{i}").mkdir()
            servers.append(BackendProcess(Path(folder) / f"server{i}", PARKSHARE_DATABASE=where).start())
        try:
            began = time.perf_counter()
            urls = [server.url for server in servers]
            outcomes, home = asyncio.run(play(urls, processes=processes, bookings=bookings, spaces=spaces))
            took_s = time.perf_counter() - began
        finally:
            for server in servers:
                server.stop()
        return {"engine": engine, "processes": processes, "servers": len(servers)} | count(
            where, outcomes, home, took_s
        )


def main() -> None:
    """Race on the chosen engines; fail when a rule was broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--bookings", type=int, default=2000)
    parser.add_argument("--spaces", type=int, default=10)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = []
    for engine in [options.engine] if options.engine else ENGINES:
        print(f"{engine}: {options.processes} processes, {options.bookings} bookings each", flush=True)
        result = run(engine, processes=options.processes, bookings=options.bookings, spaces=options.spaces)
        results.append(result)
        for name, value in result.items():
            print(f"  {name:32} {value}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    broken = [(result["engine"], name) for result in results for name in MUST_BE_ZERO if result[name]]
    if broken:
        raise SystemExit(f"broken: {broken}")


if __name__ == "__main__":
    main()
