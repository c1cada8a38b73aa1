"""A house with hot and quiet spaces, its link, and many renters: what races and kills are played on."""

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import aiohttp

from parkshare_backend.clock import new_id
from tests.backend.market import DAY, Link, booking_request, publish
from tests.backend.support import House, Person, make_person, pair_house

QUARTER_S = 900
APART_M = 15.0
DAYS = 27  # the windows are published so far ahead


@dataclass
class Street:
    """What a process needs to know to rent here."""

    hot: list[str]
    quiet: list[str]
    renters: list[Person]
    begins: float  # of the windows, UTC epoch seconds

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON for another process."""
        return asdict(self)

    @classmethod
    def of_json(cls, said: dict[str, Any]) -> Street:
        """Read what another process said."""
        return cls(**said | {"renters": [Person(**one) for one in said["renters"]]})


class Http(contextlib.AbstractAsyncContextManager["Http"]):
    """Enough of a TestClient for the shared steps, against a running server; `url` may change when it starts anew."""

    def __init__(self, url: str, *, connections: int = 100) -> None:
        connector = aiohttp.TCPConnector(limit=connections)
        timeout = aiohttp.ClientTimeout(total=60)
        self.session = aiohttp.ClientSession(base_url=url, connector=connector, timeout=timeout)
        self.get, self.post, self.delete = self.session.get, self.session.post, self.session.delete
        self.ws_connect, self.request = self.session.ws_connect, self.session.request

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()


@dataclass
class Home:
    """The house: it stays on the link, stores each grant, and remembers what it was told."""

    house: House
    proposed: dict[str, int] = field(default_factory=dict)  # booking -> how often
    canceled: dict[str, int] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    link: Link | None = None

    async def stay(self, url: str, *, answers: bool = True) -> None:
        """Be on the link until cancelled; dial again whenever it breaks, as a house does."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, ConnectionError, AssertionError, TimeoutError, RuntimeError):
                async with Http(url) as http, Link(http, self.house) as self.link:  # type: ignore[arg-type]
                    self.house.q = self.link.ready["got"]
                    for booking in await self._snapshot():
                        self.proposed.setdefault(booking, 1)
                    await self._listen(self.link, answers=answers)
            await asyncio.sleep(0.2)

    async def _snapshot(self) -> list[str]:
        return []  # after a resume nothing is told twice; a new epoch is a failure of these runs

    async def _listen(self, link: Link, *, answers: bool) -> None:
        while True:
            frame = await link.hear(within=3600)
            if frame["k"] != "ev" or frame["q"] in self.seen:
                continue
            self.seen.add(frame["q"])
            told = {"booking.proposed": self.proposed, "booking.canceled": self.canceled}.get(frame["t"])
            if told is not None:
                booking = frame["d"]["booking"]
                told[booking] = told.get(booking, 0) + 1
            if answers and frame["t"] == "booking.proposed":
                d = {"booking": frame["d"]["booking"], "revision": frame["d"]["revision"]}
                await link.report("grant.stored", d, at=time.time(), wait=False)
            self.house.got = max(self.house.got, frame["q"])
            if frame["q"] % 20 == 0:
                await link.say("ack", q=self.house.got)


async def build(url: str, *, hot: int, quiet: int, renters: int, price_minor: int = 250) -> tuple[Street, Home]:
    """Register everybody, link a house and publish its spaces, close together."""
    begins = (int(time.time()) // QUARTER_S + 1) * QUARTER_S
    async with Http(url) as http:
        client: Any = http
        owner = await make_person(client, name="Owner")
        house = await pair_house(client, owner)
        people = [await make_person(client, name=f"Renter {i}") for i in range(renters)]
        async with Link(client, house) as link:
            # From now on, not from the first whole quarter: nothing that starts in a moment is refused.
            window = [(begins - QUARTER_S, begins + DAYS * DAY)]
            price = {"amount_minor": price_minor, "currency": "EUR"}
            spaces = [
                (await publish(link, north_m=i * APART_M, windows=window, price=price)).id for i in range(hot + quiet)
            ]
    return Street(spaces[:hot], spaces[hot:], people, begins), Home(house)


def wish(street: Street, chance: random.Random, spaces: Sequence[str], *, longest_h: float = 3) -> dict[str, Any]:
    """Make a booking request for a random space and period, from tomorrow on: none begins while a run lasts."""
    quarters = chance.randint(1, int(longest_h * 4))
    first = chance.randrange(96, DAYS * 96 - quarters)
    start = street.begins + first * QUARTER_S
    return booking_request(chance.choice(spaces), start, start + quarters * QUARTER_S) | {"id": new_id()}
