"""The world of the story: one broker, one backend, one Home Assistant with two households, three people.

Olivia owns the space that is rented. Nora, 300 m further, owns the one that becomes the standby. Both have their own
ParkShare entry (their own account, keys and link) in the one Home Assistant, which spares the second start of it.
"""

import asyncio
import contextlib
import random
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.simulators.broker import Broker
from tests.simulators.discovery import Kind
from tests.simulators.ground_lock import GroundLock
from tests.simulators.home import SECRET, Home
from tests.simulators.home_api import HomeError, TooManyError
from tests.simulators.phone import Account, OwnerPhone, RenterPhone, timestamp
from tests.simulators.server import Server
from tests.simulators.track import Place, offset

STREET: Place = (52.5200413, 13.4049528)  # to the centimetre: what is found of it is no chance
HOME: Place = offset(STREET, north_m=-60, east_m=40)  # where Home Assistant believes it is: not the space's exact place
RANGE_M = 80
TRIES = 5  # to get a pairing code
PATIENCE_S = 2.0
LOCK = "lock"
PHONE = "+49 30 23125 042"  # one of those that are kept for stories: nobody's
USER_CODE = re.compile(r"\b[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}\b")


@dataclass
class Household:
    """One owner with one space: the account, the ground lock, and what Home Assistant made of them."""

    name: str
    account: Account
    lock: GroundLock
    place: Place
    address: str
    plate: str
    person: str | None = None
    entry: str = ""
    space: str = ""
    code: str = ""


class World:
    """Everything that runs. Call start(), then link(), then offer()."""

    def __init__(self, folder: Path, *, seed: int = 1) -> None:
        """Plan it; folder is emptied, but for the lock of who uses it. seed is that of the phones' GPS errors."""
        for old in (item for item in folder.glob("*") if item.name != LOCK):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        self.folder = folder
        self.log_folder = folder / "logs"
        self.log_folder.mkdir(parents=True)
        self.broker = Broker(folder / "broker")
        self.server = Server(folder / "backend", log=self.log_folder / "backend.log")
        self.home = Home(folder / "home", log=self.log_folder / "home-assistant.log", place=HOME)
        self.logs = [self.server.process.log, self.home.process.log]
        self.owner_phone = OwnerPhone(self.home)
        self.olivia = Household(
            "Olivia",
            self._account("Olivia"),
            GroundLock("olivia_bay", name="Olivia bay", kind=Kind.LOCK),
            STREET,
            "Lindenweg 4, Berlin",
            "B-OL-4711",
            self.owner_phone.person,
        )
        self.nora = Household(
            "Nora",
            self._account("Nora"),
            GroundLock("nora_bay", name="Nora bay", kind=Kind.COVER),
            offset(STREET, north_m=0, east_m=300),
            "Ahornallee 17, Berlin",
            "B-NR-2001",
        )
        self.households = (self.olivia, self.nora)
        self.renter = RenterPhone(self._account("Rasmus"), "AB-123-CD", random.Random(seed))
        self._open = contextlib.AsyncExitStack()

    def _account(self, name: str) -> Account:
        return Account(self.server.url, email=f"{name.lower()}@example.org", password=SECRET, name=name)

    async def start(self) -> None:
        """Start the parts, plug the ground locks in, and make the accounts and Home Assistant's first user."""
        await self.broker.start()
        await asyncio.gather(self.server.start(), self.home.start())
        for household in self.households:
            await self._open.enter_async_context(household.lock.connected("127.0.0.1", self.broker.port))
        for account in (self.olivia.account, self.nora.account, self.renter.account):
            await self._open.enter_async_context(account)
            await account.sign_up()
        await self.home.onboard()
        await self.home.add_mqtt(self.broker.port)
        for household in self.households:
            barrier = household.lock.entity("barrier")
            await self.home.api.seen(barrier, lambda change: change.state in ("locked", "closed"))
        await self.owner_phone.install(offset(STREET, north_m=4000, east_m=0))

    async def link(self, household: Household) -> None:
        """Add ParkShare for a household as a browser does: address, code, approval, then the space."""

        async def approve(flow: dict[str, Any]) -> None:
            shown = " ".join(str(value) for value in (flow.get("description_placeholders") or {}).values())
            code = USER_CODE.search(shown)
            if code is None:
                raise RuntimeError(f"The step {flow['step_id']} shows no pairing code")
            household.code = code.group()
            await household.account.approve(household.code)

        answers = {"url": self.server.url}
        for _ in range(TRIES):
            with contextlib.suppress(TooManyError):
                flow = await self.home.api.add_integration("parkshare", answers, on_progress=approve)
                break
            # One address may ask for few codes at a time, and many households live at this one.
            await asyncio.sleep(PATIENCE_S)
        else:
            raise RuntimeError("The backend gives no more pairing codes")
        household.entry = flow["result"]["entry_id"]
        await self._add_space(household, flow)

    async def _add_space(self, household: Household, flow: dict[str, Any]) -> None:
        lock = household.lock
        answers = {
            "name": f"{household.name} bay",
            "address": household.address,
            "location": {"latitude": household.place[0], "longitude": household.place[1], "radius": RANGE_M},
            "length_m": 5.0,
            "width_m": 2.4,
            "barrier": lock.entity("barrier"),
            "camera": lock.entity("camera"),
            "camera_power": lock.entity("camera_power"),
            "occupancy": [lock.entity("radar"), lock.entity("magnetic")],
            "owner_plate": household.plate,
            "raising": "automatic",
            "menu:reading": ["help", "finish"] if household.person else "finish",
            "asked": [self.owner_phone.app.device_id],
            "phone": PHONE,
        }
        if household.person:
            answers["owner"] = household.person
        await self.home.api.continue_with_subentry(flow, household.entry, "space", answers)
        household.space = await self._space_of(household.entry)

    async def _space_of(self, entry: str) -> str:
        """Return the id of the space of an entry: every entity's unique id begins with it."""
        for _ in range(100):
            for entity in await self.home.api.ask("config/entity_registry/list"):
                if entity["config_entry_id"] == entry and entity["entity_id"].startswith("calendar."):
                    registered = await self.home.api.ask("config/entity_registry/get", entity_id=entity["entity_id"])
                    return str(registered["unique_id"]).partition("_")[0]
            await asyncio.sleep(0.1)
        raise TimeoutError("No calendar of the new space appeared")

    async def entity(self, household: Household, key: str) -> str:
        """Return the entity id of a household's ParkShare entity by its key, the end of its unique id."""
        keys = []
        for entity in await self.home.api.ask("config/entity_registry/list"):
            if entity["config_entry_id"] == household.entry:
                registered = await self.home.api.ask("config/entity_registry/get", entity_id=entity["entity_id"])
                # Those of a space begin with its id, those of the account with that of the install.
                known = str(registered["unique_id"]).partition("_")[2]
                if known == key:
                    return str(entity["entity_id"])
                keys.append(known)
        raise LookupError(f"{household.name}'s space has no entity {key!r}, only {sorted(keys)}")

    async def offer(self, household: Household, *, start: float, end: float) -> None:
        """Draw a window into the space's calendar; times are UTC epoch seconds.

        While the space is being loaded anew Home Assistant lets such an action go by in silence: then it is drawn
        again, as somebody would who looks at the calendar.
        """
        calendar = await self.entity(household, "offers")
        times = {"start_date_time": timestamp(start), "end_date_time": timestamp(end)}
        for _ in range(TRIES):
            with contextlib.suppress(HomeError):
                await self.home.api.act("calendar.create_event", {"entity_id": calendar, "summary": "To share"} | times)
                if await self._is_drawn(calendar, start, end):
                    return
            await asyncio.sleep(PATIENCE_S)
        raise RuntimeError(f"{household.name}'s calendar takes no event")

    async def _is_drawn(self, calendar: str, start: float, end: float) -> bool:
        """Tell whether a calendar shows an event that begins at start (to the second)."""
        shown = await self.home.api.call(
            "GET", f"/api/calendars/{calendar}?start={timestamp(start)}&end={timestamp(end)}"
        )
        begins = {int(datetime.fromisoformat(event["start"]["dateTime"]).timestamp()) for event in shown}
        return bool(begins & {int(start), round(start)})

    async def offers(
        self, *, start: float, end: float, of: Sequence[Household], within: float = 15.0
    ) -> list[dict[str, Any]]:
        """Search near the street until the spaces of these households are offered; return their offers.

        A house publishes its windows a moment after they were drawn.
        """
        wanted = {household.space for household in of}
        deadline = time.monotonic() + within
        while True:
            found = await self.renter.search(STREET, start=start, end=end)
            if wanted <= {offer["space"]["id"] for offer in found}:
                return [offer for offer in found if offer["space"]["id"] in wanted]
            if time.monotonic() > deadline:
                names = [offer["space"]["name"] for offer in found]
                raise TimeoutError(f"Only {names} offered after {within:.0f} s, not {len(wanted)} spaces")
            await asyncio.sleep(0.4)

    async def book(self, household: Household) -> str:
        """Offer a household's space, let the renter book it from now on, and wait for the grant; return the booking."""
        start = time.time()
        await self.offer(household, start=start - 60, end=start + 3600)
        offers = await self.offers(start=start, end=start + 1800, of=[household])
        booking = await self.renter.book(offers[0])
        await self.renter.booking_in_state(booking["id"], "reserved", within=20)
        return str(booking["id"])

    async def press(self, household: Household, key: str) -> None:
        """Press a button of a household's space."""
        await self.home.api.act("button.press", {"entity_id": await self.entity(household, key)})

    async def repair_issue(self, key: str, *, within: float = 10.0) -> None:
        """Wait until Home Assistant shows a repair issue of ours. Raises TimeoutError, telling which ones it shows."""
        deadline = time.monotonic() + within
        while True:
            issues = (await self.home.api.ask("repairs/list_issues"))["issues"]
            keys = [issue["translation_key"] for issue in issues if issue["domain"] == "parkshare"]
            if key in keys:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"No repair issue {key!r} after {within:.0f} s, only {keys}")
            await asyncio.sleep(0.2)

    async def known_at_home(self, household: Household) -> dict[str, Any]:
        """Return what the diagnostics of a household's entry tell about its space."""
        answer = await self.home.api.call("GET", f"/api/diagnostics/config_entry/{household.entry}")
        space: dict[str, Any] = answer["data"]["spaces"][0]
        return space

    async def stop(self) -> None:
        """End everything that was started, whatever failed before."""
        for end in (self.owner_phone.app.close, self._open.aclose, self.home.stop):
            with contextlib.suppress(Exception):
                await end()
        await asyncio.to_thread(self.server.stop)
        await asyncio.to_thread(self.broker.stop)
