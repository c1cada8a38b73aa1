"""Measure the API over HTTP: searches, positions, a bare handler beside them, memory, and the start of a server.

    python -m benchmarks.api [--engine sqlite|postgresql] [--spaces N] [--seconds S] [--rounds N] [--json FILE]

The server is the program that operators run, with its limits on (but high) and JSON logs into a file. The load comes
from this process over keep-alive connections to 127.0.0.1. All cases take turns in each round, so whatever else the
machine does meets all of them. Rates are per second of the server's own processor time, which is what one core can do
with nothing beside it, and per second by the clock, which depends on what else runs. The database of SQLite runs inside
the server and is counted; PostgreSQL's processes are not.
"""

import argparse
import asyncio
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
import uvloop
from aiohttp import web

from benchmarks import city
from benchmarks.load_client import NextRequest, Tally, load, request
from parkshare_backend.accounts.tables import ACCOUNTS, INSTALLS
from parkshare_backend.clock import new_id, to_rfc3339
from parkshare_backend.http.models import to_base64url
from parkshare_backend.spaces.geometry import METRES_PER_DEGREE
from parkshare_backend.spaces.tables import SPACES
from parkshare_backend.store.engine import Store
from tests.backend.process import BackendProcess
from tests.load.engines import ENGINES, database

DAY, QUARTER = 86_400, 900
SPREAD_M = 15_000.0
SPACES_OF_OWNER = 20
RENTERS = 100
SPEED_MS = 13.9
TICKS = os.sysconf("SC_CLK_TCK")
SEALED_PLATE = to_base64url(bytes(176))
PASSWORD = "correct horse battery"  # noqa: S105 - of accounts that live a minute


@dataclass
class Case:
    """One kind of request and what was measured of it, a value for each round."""

    name: str
    following: NextRequest
    bare: bool = False
    per_cpu_s: list[float] = field(default_factory=list)
    per_s: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    def add(self, tally: Tally, *, cpu_s: float, wall_s: float) -> None:
        """Take a round; anything but a success ends the measurement."""
        if set(tally.statuses) - {200}:
            raise SystemExit(f"{self.name}: {dict(tally.statuses)} {tally.odd[-600:]!r}")
        count = len(tally.took)
        self.per_cpu_s.append(count / cpu_s)
        self.per_s.append(count / wall_s)
        self.p50_ms.append(tally.percentile_ms(0.50))
        self.p99_ms.append(tally.percentile_ms(0.99))

    def figures(self) -> dict[str, float]:
        """Give the medians over the rounds."""
        named = {"per_cpu_s": self.per_cpu_s, "per_s": self.per_s, "p50_ms": self.p50_ms, "p99_ms": self.p99_ms}
        return {name: round(statistics.median(values), 2) for name, values in named.items()}


def cpu_s(pid: int) -> float:
    """Tell how much processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int) -> float:
    """Tell the resident memory of a process in megabytes (10^6 bytes)."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return round(int(line.split()[1]) * 1024 / 1e6, 1)


def bare_server() -> None:
    """Serve what any handler must do at the least: read a JSON body and answer a small one."""

    async def handle(web_request: web.Request) -> web.Response:
        body = orjson.loads(await web_request.read())
        return web.Response(body=orjson.dumps({"accepted": len(body["fixes"])}), content_type="application/json")

    async def serve() -> None:
        app = web.Application()
        app.router.add_post("/api/v1/positions", handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()

    uvloop.run(serve())


class Caller:
    """Talks to the server before the load begins."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, path: str, body: dict[str, Any], token: str = "") -> Any:
        """POST to the API and give the JSON answer."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        sent = urllib.request.Request(f"{self.url}/api/v1{path}", orjson.dumps(body), headers)  # noqa: S310 - ours
        with urllib.request.urlopen(sent, timeout=60) as answer:  # noqa: S310
            return orjson.loads(answer.read())

    def renter(self, n: int) -> str:
        """Register a renter and give their token."""
        person = {"email": f"renter{n}@example.org", "password": PASSWORD}
        self.call("/accounts", person | {"name": "Renter"})
        return str(self.call("/tokens", person)["token"])

    def book_near(self, token: str, chance: random.Random) -> tuple[float, float]:
        """Book some space from now on; give the place of it."""
        while True:
            (lat, lon), now = somewhere(chance), time.time()
            period = {"start": to_rfc3339(now + 60), "end": to_rfc3339(now + 3600)}
            search = {"place": {"lat": lat, "lon": lon}, "period": period}
            for offer in self.call("/searches", search, token)["offers"]:
                body = {"id": new_id(), "space": offer["space"]["id"], "period": period, "sealed_plate": SEALED_PLATE}
                booked = self.call("/bookings", body, token)
                return booked["space"]["position"]["lat"], booked["space"]["position"]["lon"]


def driving(tokens: list[str], goals: list[tuple[float, float]]) -> NextRequest:
    """Let each renter drive towards their goal from 3 km away; every request is one fix of the next renter."""
    begun = time.time()
    turns = cycle(zip(tokens, goals, strict=True))

    def following() -> bytes:
        token, (lat, lon) = next(turns)
        now = time.time()
        away = max(500.0, 3000 - SPEED_MS * (now - begun)) / METRES_PER_DEGREE
        fix = {"lat": lat + away, "lon": lon, "accuracy_m": 8.0, "at": to_rfc3339(now), "speed_ms": SPEED_MS}
        return request("POST", "/api/v1/positions", token=token, body=orjson.dumps({"fixes": [fix]}))

    return following


def searching(tokens: list[str], chance: random.Random) -> NextRequest:
    """Let the renters search all over the city, by day in this week."""
    callers, tomorrow = cycle(tokens), time.time() // DAY * DAY + DAY

    def following() -> bytes:
        (lat, lon), start = somewhere(chance), tomorrow + chance.randrange(4) * DAY + chance.randint(32, 60) * QUARTER
        body = {
            "place": {"lat": round(lat, 6), "lon": round(lon, 6)},
            "period": {"start": to_rfc3339(start), "end": to_rfc3339(start + chance.randint(4, 16) * QUARTER)},
            "vehicle": {"length_m": 4.3, "width_m": 1.8, "height_m": 1.5},
        }
        return request("POST", "/api/v1/searches", token=next(callers), body=orjson.dumps(body))

    return following


def started(where: str, folder: Path) -> tuple[BackendProcess, int, float]:
    """Start a server as operators do; give it, its process id, and the seconds until /readyz said 200."""
    process = BackendProcess(
        folder, PARKSHARE_DATABASE=where, PARKSHARE_RATE_LIMITS="100000", PARKSHARE_LOG_LEVEL="info"
    )
    begun = time.perf_counter()
    process.start(every_s=0.005)
    return process, process.pid, time.perf_counter() - begun


def cold_starts(where: str, folder: Path, times: int) -> list[float]:
    """Start and stop a server on a database that is ready; give how long each start took, in seconds."""
    took = []
    for _ in range(times):
        process, _, seconds = started(where, folder)
        process.stop()
        took.append(round(seconds, 3))
    return took


def fill(where: str, options: argparse.Namespace) -> None:
    """Load the city of benchmarks/matching.py, its week beginning today: the server has the clock of the machine."""
    city.START = int(time.time()) // DAY * DAY
    made = city.make(options.spaces)
    if options.engine == "sqlite":
        city.load_sqlite(made, Path(where), print)
    else:
        city.load_postgresql(made, where, print)
    asyncio.run(share_out(where, options.spaces))


async def share_out(where: str, spaces: int) -> None:
    """Give the spaces to many owners: with a single one, what is looked up by owner looks like nothing real."""
    store = Store(where)
    async with store.write() as tx:
        for first in range(0, spaces, SPACES_OF_OWNER):
            account, install = new_id(), new_id()
            person = {"id": account, "email": account, "name": "Owner", "password": "x", "created_at": 0.0}
            await tx.execute(sa.insert(ACCOUNTS).values(person))
            house = {"id": install, "account": account, "name": "Home", "created_at": 0.0}
            await tx.execute(sa.insert(INSTALLS).values(house | {"sign_key": bytes(32), "seal_key": bytes(32)}))
            theirs = SPACES.c.id.between(city.space_id(first), city.space_id(first + SPACES_OF_OWNER - 1))
            await tx.execute(sa.update(SPACES).where(theirs).values(account=account, install=install))
        await tx.execute(sa.text("ANALYZE"))
    await store.close()


def somewhere(chance: random.Random) -> tuple[float, float]:
    """Give a place in the middle of the city."""
    north, east = chance.gauss(0, SPREAD_M), chance.gauss(0, SPREAD_M)
    lat = city.CENTRE[0] + north / METRES_PER_DEGREE
    return lat, city.CENTRE[1] + east / METRES_PER_DEGREE / math.cos(math.radians(lat))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run everything on one database."""
    with tempfile.TemporaryDirectory() as name, database(options.engine, Path(name)) as where:
        folder = Path(name)
        fill(where, options)
        starts = cold_starts(where, folder, options.rounds)
        server, pid, _ = started(where, folder)
        time.sleep(2)
        idle_mb = memory_mb(pid)
        command = [sys.executable, "-m", "benchmarks.api", "--bare"]
        bare = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves
        try:
            bare_port = int(bare.stdout.readline() if bare.stdout else 0)
            cases = list(prepared(Caller(server.url)))
            for _ in range(options.rounds):
                for case in cases:
                    one_round(case, options, (bare_port, bare.pid) if case.bare else (server.port, pid))
            loaded_mb = memory_mb(pid)
        finally:
            server.stop()
            bare.terminate()
    return report(cases, options, idle_mb=idle_mb, loaded_mb=loaded_mb, starts=starts)


def prepared(caller: Caller) -> Iterator[Case]:
    """Make the people and their bookings, and the cases."""
    chance = random.Random(7)
    driving_tokens = [caller.renter(n) for n in range(RENTERS)]
    goals = [caller.book_near(token, chance) for token in driving_tokens]
    walking_tokens = [caller.renter(RENTERS + n) for n in range(20)]
    yield Case("bare handler", driving(driving_tokens, goals), bare=True)
    yield Case("positions, live booking", driving(driving_tokens, goals))
    yield Case("positions, no booking", driving(walking_tokens, goals[: len(walking_tokens)]))
    yield Case("searches", searching(walking_tokens, chance))
    yield Case("health", partial(request, "GET", "/healthz"))


def one_round(case: Case, options: argparse.Namespace, server: tuple[int, int | None]) -> None:
    """Load the server with one case for a while."""
    port, pid = server
    # Every renter once: what is measured is a phone on its way, not its first report.
    load(port, case.following, seconds=0.3, connections=options.connections, at_least=RENTERS)
    before, begun = cpu_s(pid or 0), time.perf_counter()
    tally = load(port, case.following, seconds=options.seconds, connections=options.connections)
    case.add(tally, cpu_s=cpu_s(pid or 0) - before, wall_s=time.perf_counter() - begun)


def report(cases: list[Case], options: argparse.Namespace, **other: Any) -> dict[str, Any]:
    """Put the figures together; shares are of the bare handler's rate in the same round."""
    bare = next(case for case in cases if case.bare)
    table = {}
    for case in cases:
        shares = [mine / its for mine, its in zip(case.per_cpu_s, bare.per_cpu_s, strict=True)]
        table[case.name] = case.figures() | {"share_of_bare": round(statistics.median(shares), 3)}
    version = subprocess.run([sys.executable, "-VV"], capture_output=True, text=True, check=True).stdout.strip()
    about = {name: getattr(options, name) for name in ("engine", "spaces", "seconds", "rounds", "connections")}
    return {"cases": table, **other, "cores": os.cpu_count(), "python": version, **about}


def show(found: dict[str, Any]) -> None:
    """Print the figures as a table."""
    print(f"| {found['engine']}, {found['spaces']} spaces | per CPU second | of bare | per second | p50 ms | p99 ms |")
    print("|---|---|---|---|---|---|")
    for name, row in found["cases"].items():
        print(
            f"| {name} | {row['per_cpu_s']:.0f} | {row['share_of_bare']:.0%} | {row['per_s']:.0f} "
            f"| {row['p50_ms']:.2f} | {row['p99_ms']:.2f} |"
        )
    print(f"memory: {found['idle_mb']} MB idle after the start, {found['loaded_mb']} MB after the load")
    print(f"start to ready: {', '.join(f'{seconds:.2f}' for seconds in found['starts'])} s")


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--spaces", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=2.0, help="of load in each round of each case")
    # Many short ones: what is reported is their median, and a shared machine changes its pace within seconds.
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)  # the other server, in its own process
    options = parser.parse_args()
    if options.bare:
        bare_server()
    found = measure(options)
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
