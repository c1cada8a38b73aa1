"""A street of many ground locks: one broker, one backend, one Home Assistant, one renter for each space."""

import asyncio
import contextlib
import json
import random
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.simulators.broker import Broker
from tests.simulators.clock import Clock
from tests.simulators.discovery import Kind
from tests.simulators.ground_lock import GroundLock
from tests.simulators.home import SECRET, Home
from tests.simulators.home_api import HomeError
from tests.simulators.phone import Account, RenterPhone, timestamp
from tests.simulators.server import Server
from tests.simulators.track import Place, offset

from .light import LightScenes
from .people import People

PLACE: Place = (52.5, 13.4)
APART_M = 40.0
RANGE_M = 80
TRAVEL_S = 5.0  # a bow's way; those one can buy take 4 to 6 s
PICTURE_S = 0.5
PERIOD_S = 3 * 3600.0  # of a booking: a clock that is an hour wrong is still within it
BEFORE_S = 60.0
NEXT_CARS = 3
OFFERED_S = 120.0  # a house with many spaces tells of them one after the other, and a busy machine takes its time
USER_CODE = re.compile(r"\b[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}\b")
UNREACHABLE = (HomeError, TimeoutError, aiohttp.ClientError, ConnectionError)


@dataclass
class Bay:
    """One space: its lock, its renter, and what Home Assistant made of it."""

    number: int
    lock: GroundLock
    renter: RenterPhone
    place: Place
    space: str = ""
    entities: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call it."""
        return f"Bay {self.number}"


class Street:
    """Everything that runs. Call start()."""

    def __init__(
        self,
        folder: Path,
        *,
        count: int,
        clock: Clock | None = None,
        clock_of_house_only: bool = False,
        time_zone: str = "UTC",
    ) -> None:
        """Plan it; folder is emptied. A clock is that of the house and of the backend, or of the house only."""
        shutil.rmtree(folder, ignore_errors=True)
        logs = folder / "logs"
        logs.mkdir(parents=True)
        self.folder, self.clock, self.clock_of_house_only = folder, clock, clock_of_house_only
        self.broker = Broker(folder / "broker", remembers=True)
        self.server = Server(folder / "backend", log=logs / "backend.log", settings={"PARKSHARE_RATE_LIMITS": "0"})
        self.home = Home(folder / "home", log=logs / "home-assistant.log", place=PLACE, time_zone=time_zone)
        self.people = People(self.home)
        self.owner = self._account("Olivia")
        self.bays = [self._bay(number) for number in range(1, count + 1)]
        self.restarts: list[float] = []  # when Home Assistant was back, UTC epoch seconds
        self.kills: list[float] = []
        self.clock_sets: list[float] = []
        self._up = asyncio.Event()
        # That the next booking works is shown of few at a time: one reader reads all their plates.
        self.next_cars = asyncio.Semaphore(NEXT_CARS)
        self._open = contextlib.AsyncExitStack()
        self._broker_open = contextlib.AsyncExitStack()

    def now(self) -> float:
        """Return the time of day on this street (UTC epoch seconds)."""
        return self.clock.now() if self.clock and not self.clock_of_house_only else time.time()

    def _account(self, name: str) -> Account:
        return Account(self.server.url, email=f"{name.lower()}@example.org", password=SECRET, name=name)

    def _bay(self, number: int) -> Bay:
        kind = Kind.LOCK  # a cover knows no "jammed"
        lock = GroundLock(
            f"bay_{number}",
            name=f"Bay {number}",
            kind=kind,
            travel_s=TRAVEL_S,
            picture_s=PICTURE_S,
            scenes=LightScenes(),
        )
        renter = RenterPhone(self._account(f"Renter{number}"), f"B-PK-{3000 + 37 * number}", random.Random(number))
        return Bay(number, lock, renter, offset(PLACE, north_m=APART_M * number, east_m=0))

    # Life

    async def start(self) -> None:
        """Start all of it, link the house and add its spaces."""
        if self.clock is not None:
            self.home.process.more_env = self.clock.environment()
            if not self.clock_of_house_only:
                self.server.process.more_env = self.clock.environment()
        await self.broker.start()
        await asyncio.gather(self.server.start(), self.home.start())
        for bay in self.bays:
            await self._broker_open.enter_async_context(bay.lock.connected("127.0.0.1", self.broker.port))
        for account in (self.owner, *(bay.renter.account for bay in self.bays)):
            await self._open.enter_async_context(account)
            await account.sign_up()
        await self.home.onboard()
        if self.clock is not None and self.clock_of_house_only:
            # Whoever signed in at a later time of the house than it is now would be signed out: ours did long before.
            self.clock.set(0.0)
        await self.home.add_mqtt(self.broker.port)
        for bay in self.bays:
            await self.home.api.seen(bay.lock.entity("barrier"), lambda change: change.state == "locked")
        await self._link()
        self._up.set()
        self.people.watch()

    async def _link(self) -> None:
        async def approve(flow: dict[str, Any]) -> None:
            shown = " ".join(str(value) for value in (flow.get("description_placeholders") or {}).values())
            if (code := USER_CODE.search(shown)) is None:
                raise RuntimeError(f"The step {flow['step_id']} shows no pairing code")
            await self.owner.approve(code.group())

        flow = await self.home.api.add_integration("parkshare", {"url": self.server.url}, on_progress=approve)
        entry = flow["result"]["entry_id"]
        for bay in self.bays:
            await self.home.api.continue_with_subentry(flow, entry, "space", self._answers(bay))
            flow = {}
            known = {other.space for other in self.bays}
            bay.space = await self._new_space(entry, known)
        await self._learn_entities(entry)

    def _answers(self, bay: Bay) -> dict[str, Any]:
        lock = bay.lock
        return {
            "name": bay.name,
            "address": f"Lindenweg {bay.number}, Berlin",
            "location": {"latitude": bay.place[0], "longitude": bay.place[1], "radius": RANGE_M},
            "length_m": 5.0,
            "width_m": 2.4,
            "barrier": lock.entity("barrier"),
            "camera": lock.entity("camera"),
            "camera_power": lock.entity("camera_power"),
            "occupancy": [lock.entity("radar"), lock.entity("magnetic")],
            "raising": "automatic",
            "menu:reading": "finish",
        }

    async def _registered(self, entry: str) -> list[tuple[str, str]]:
        """Return unique id and entity id of each entity of an entry."""
        found = []
        for entity in await self.home.api.ask("config/entity_registry/list"):
            if entity["config_entry_id"] == entry:
                unique = entity.get("unique_id")
                if unique is None:
                    known = await self.home.api.ask("config/entity_registry/get", entity_id=entity["entity_id"])
                    unique = known["unique_id"]
                found.append((str(unique), str(entity["entity_id"])))
        return found

    async def _new_space(self, entry: str, known: set[str]) -> str:
        for _ in range(150):
            for unique, entity in await self._registered(entry):
                space = unique.partition("_")[0]
                if entity.startswith("calendar.") and space not in known:
                    return space
            await asyncio.sleep(0.1)
        raise TimeoutError("No calendar of the new space appeared")

    async def _learn_entities(self, entry: str) -> None:
        for unique, entity in await self._registered(entry):
            space, _, key = unique.partition("_")
            for bay in self.bays:
                if bay.space == space:
                    bay.entities[key] = entity

    async def stop(self) -> None:
        """End everything that was started, whatever failed before."""
        for end in (self.people.stop, self._broker_open.aclose, self._open.aclose, self.home.stop):
            with contextlib.suppress(Exception):
                await end()
        await asyncio.to_thread(self.server.stop)
        await asyncio.to_thread(self.broker.stop)

    # What people do

    async def act(self, action: str, data: dict[str, Any], *, within: float = 60.0) -> None:
        """Perform an action in Home Assistant, once it runs. Raises HomeError when it is refused."""
        async with asyncio.timeout(within):
            while True:
                await self._up.wait()
                try:
                    await self.home.api.act(action, data)
                except aiohttp.ClientError, ConnectionError:
                    # It was killed at this very moment: a person presses again when it is back.
                    await asyncio.sleep(0.5)
                else:
                    return

    async def press(self, bay: Bay, key: str) -> None:
        """Press a button of a space. Raises HomeError when it is refused."""
        await self.act("button.press", {"entity_id": bay.entities[key]})

    async def book(self, bay: Bay) -> str:
        """Draw a window, book it, wait for the grant; return the booking."""
        start = self.now()
        window = {
            "entity_id": bay.entities["offers"],
            "summary": "To share",
            "start_date_time": timestamp(start - BEFORE_S),
            "end_date_time": timestamp(start + PERIOD_S + 2 * BEFORE_S),
        }
        await self.act("calendar.create_event", window)
        offer = await self._offer(bay, start)
        booking = await bay.renter.book(offer)
        await bay.renter.booking_in_state(booking["id"], "reserved", within=40)
        return str(booking["id"])

    async def _offer(self, bay: Bay, start: float) -> dict[str, Any]:
        deadline = time.monotonic() + OFFERED_S
        while time.monotonic() < deadline:
            found = await bay.renter.search(bay.place, start=start, end=start + PERIOD_S)
            for offer in found:
                if offer["space"]["id"] == bay.space:
                    return offer
            await asyncio.sleep(0.7)
        raise TimeoutError(f"{bay.name} is not offered after {OFFERED_S:.0f} s")

    # What is known

    def stored(self, bay: Bay) -> dict[str, Any]:
        """Return the gate of a space as Home Assistant has it on disk."""
        for file in (self.home.folder / ".storage").glob(f"*gate.{bay.space}"):
            with contextlib.suppress(json.JSONDecodeError):
                content = json.loads(file.read_text())
                return dict(content.get("data", content)["gate"])
        return {}

    def phase(self, bay: Bay) -> str:
        """Return the phase of a space's gate."""
        return str(self.stored(bay).get("phase", "idle"))

    # What hits all of it

    async def kill_home(self, *, dead: Callable[[], None]) -> None:
        """End Home Assistant as a power cut does, and start it again; dead is called in between."""
        self._up.clear()
        self.kills.append(time.time())
        await self.home.kill()
        dead()
        self.people.forget_what_stands()
        await self.home.start()
        self.restarts.append(time.time())
        self._up.set()
