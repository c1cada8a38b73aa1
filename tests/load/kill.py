"""Kill servers under load at random moments, and look after each start whether anything that was promised is gone.

    scripts/test --long kill [--engine sqlite|postgresql] [--kills 200] [--renters 12] [--json FILE]

Renters book, hold, cancel and say "I'm here" without a pause while the server is killed (SIGKILL) and started again.
On PostgreSQL there are two servers on one database; each time one of them is killed, and at every tenth time
PostgreSQL itself. What was confirmed must be there, what was not is there wholly or not at all: no booking without
its claim, its events, its trail and its money, no ledger that does not balance, no gap in a log.
"""

import argparse
import asyncio
import contextlib
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.backend.market import DAY, booking_request
from tests.backend.process import BackendProcess
from tests.backend.support import Person
from tests.load.engines import ENGINES, ask
from tests.load.street import QUARTER_S, Home, Http, Street, build
from tests.load.truth import broken_rules
from tests.simulators.postgres import Postgres, private_postgres

POSTGRES_EVERY = 10  # at so many kills of a server one is of PostgreSQL itself
LATER_S = DAY  # periods start so far ahead: none begins while this runs
TOLD_WITHIN_S = 60.0
BROKEN_OFF = (aiohttp.ClientError, ConnectionError, TimeoutError, ValueError)


@dataclass
class Promised:
    """What the servers have confirmed, and what was broken off on the way."""

    booked: dict[str, str] = field(default_factory=dict)  # booking -> account
    canceled: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)  # whether they were booked
    unsure_cancel: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)


@dataclass
class Renter:
    """Somebody who uses the service without a pause."""

    person: Person
    street: Street
    urls: list[str]
    chance: random.Random
    promised: Promised
    own: list[str] = field(default_factory=list)

    async def go_on(self) -> None:
        """Book, hold, cancel and come near until cancelled."""
        async with contextlib.AsyncExitStack() as stack:
            doors = [await stack.enter_async_context(Http(url, connections=2)) for url in self.urls]
            while True:
                http = self.chance.choice(doors)
                act = self.chance.choices((self.book, self.book_held, self.cancel, self.here), (6, 2, 2, 1))[0]
                try:
                    await act(http)
                except BROKEN_OFF as error:
                    self.promised.answers[f"broken off ({type(error).__name__})"] += 1
                    await asyncio.sleep(0.05)

    async def say(self, http: Http, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        async with http.post(f"/api/v1/{path}", json=body, headers=self.person.headers) as answered:
            answer = await answered.json()
            self.promised.answers[f"{path.partition('/')[0]} {answered.status}"] += 1
            return answered.status, answer

    def wish(self) -> dict[str, Any]:
        quarters = self.chance.randint(1, 8)
        start = self.street.begins + LATER_S + self.chance.randrange(0, 24 * 96) * QUARTER_S
        return booking_request(self.chance.choice(self.street.hot), start, start + quarters * QUARTER_S)

    async def book(self, http: Http, **more: Any) -> None:
        body = self.wish() | more
        await self.confirm(http, body)

    async def book_held(self, http: Http) -> None:
        body = self.wish()
        status, hold = await self.say(http, "holds", {"space": body["space"], "period": body["period"]})
        if status == 201:
            await self.confirm(http, body | {"hold": hold["id"]})

    async def confirm(self, http: Http, body: dict[str, Any]) -> None:
        self.promised.unsure.add(body["id"])
        status, _ = await self.say(http, "bookings", body)
        if status < 500:
            self.promised.unsure.discard(body["id"])
        if status in (200, 201):
            self.promised.booked[body["id"]] = self.person.id
            self.own.append(body["id"])

    async def cancel(self, http: Http) -> None:
        if not self.own:
            return
        booking = self.own.pop(self.chance.randrange(len(self.own)))
        self.promised.unsure_cancel.add(booking)
        status, _ = await self.say(http, f"bookings/{booking}/cancel")
        if status == 200:
            self.promised.canceled.add(booking)
        if status < 500:
            self.promised.unsure_cancel.discard(booking)

    async def here(self, http: Http) -> None:
        if self.own:
            await self.say(http, f"bookings/{self.chance.choice(self.own)}/here")  # a day too early: refused


def lost(where: str, promised: Promised) -> list[str]:
    """Tell which promises the database does not know."""
    states = dict(ask(where, "SELECT id, state FROM bookings"))
    found = [f"confirmed booking {one} is gone" for one in promised.booked if one not in states]
    found += [
        f"booking {one} was canceled and is {states.get(one)}"
        for one in promised.canceled
        if states.get(one) != "canceled"
    ]
    untouched = set(promised.booked) - promised.canceled - promised.unsure_cancel
    found += [
        f"booking {one} is {states[one]} though nobody gave it back"
        for one in untouched
        if one in states and states[one] not in ("pending", "reserved")
    ]
    known = set(promised.booked) | promised.unsure
    found += [f"booking {one} was never asked for" for one in states if one not in known]
    return found


@contextlib.contextmanager
def parts(engine: str, folder: Path) -> Iterator[tuple[str, list[BackendProcess], Postgres | None]]:
    """Start the database and its servers."""
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(private_postgres(durable=True)) if engine == "postgresql" else None
        where = postgres.create("parkshare") if postgres else str(folder / "parkshare.db")
        servers = []
        for i in range(2 if postgres else 1):
            (folder / f"server{i}").mkdir()
            servers.append(BackendProcess(folder / f"server{i}", PARKSHARE_DATABASE=where).start())
            stack.callback(servers[-1].stop)
        yield where, servers, postgres


async def play(
    where: str, servers: list[BackendProcess], postgres: Postgres | None, *, kills: int, renters: int, seed: int
) -> dict[str, Any]:
    """Let renters use the servers and kill those; give what was broken."""
    chance = random.Random(seed)
    urls = [server.url for server in servers]
    street, home = await build(urls[0], hot=10, quiet=0, renters=renters)
    promised = Promised()
    people = [Renter(person, street, urls, random.Random(f"{seed} {person.id}"), promised) for person in street.renters]
    going = [asyncio.create_task(one.go_on()) for one in people]
    staying = asyncio.create_task(home.stay(urls[-1]))
    broken: list[str] = []
    began, postgres_kills = time.monotonic(), 0
    for number in range(1, kills + 1):
        await asyncio.sleep(chance.uniform(0.05, 1.5))
        if postgres is not None and number % POSTGRES_EVERY == 0:
            postgres_kills += 1
            await asyncio.to_thread(postgres.kill)
            await asyncio.to_thread(postgres.start)
        else:
            server = chance.choice(servers)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        now_broken = await asyncio.to_thread(broken_rules, where)
        if now_broken:
            broken += [f"after kill {number}: {rule}" for rule in now_broken]
        if number % 10 == 0 or now_broken:
            left = (time.monotonic() - began) / number * (kills - number) / 60
            booked = len(promised.booked)
            print(
                f"  {number} of {kills} kills, {booked} confirmed, about {left:.0f} min left", *now_broken, flush=True
            )
    for task in going:
        task.cancel()
    await asyncio.gather(*going, return_exceptions=True)
    broken += await settle(where, home, promised)
    staying.cancel()
    await asyncio.gather(staying, return_exceptions=True)
    return {
        "kills of a server": kills - postgres_kills,
        "kills of PostgreSQL": postgres_kills,
        "confirmed bookings": len(promised.booked),
        "canceled": len(promised.canceled),
        "broken off, not known to the renter": len(promised.unsure),
        "answers": dict(sorted(promised.answers.items())),
        "broken": broken,
    }


async def settle(where: str, home: Home, promised: Promised) -> list[str]:
    """Wait until the house has heard of everything; tell what is lost or not told."""
    broken = await asyncio.to_thread(lambda: lost(where, promised) + broken_rules(where))
    statement = "SELECT id FROM bookings WHERE state IN ('pending', 'reserved', 'active')"
    live = {row[0] for row in await asyncio.to_thread(ask, where, statement)}
    deadline = time.monotonic() + TOLD_WITHIN_S
    while not live <= set(home.proposed) and time.monotonic() < deadline:  # noqa: ASYNC110 - it looks, nobody tells it
        await asyncio.sleep(0.5)
    return broken + [f"the house was never told of booking {one}" for one in live - set(home.proposed)]


def main() -> None:
    """Play on the chosen engines; fail when a promise was broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--renters", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = []
    for engine in [options.engine] if options.engine else ENGINES:
        print(f"{engine}: {options.kills} kills", flush=True)
        with (
            tempfile.TemporaryDirectory(prefix="parkshare-kill-") as folder,
            parts(engine, Path(folder)) as (where, servers, postgres),
        ):
            playing = play(where, servers, postgres, kills=options.kills, renters=options.renters, seed=options.seed)
            result = {"engine": engine, "servers": len(servers)} | asyncio.run(playing)
        results.append(result)
        for name, value in result.items():
            print(f"  {name:36} {value}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    if any(result["broken"] for result in results):
        raise SystemExit("a promise was broken")


if __name__ == "__main__":
    main()
