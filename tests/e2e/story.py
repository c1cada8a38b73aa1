"""The mission as a story of named steps: booked, refused, admitted, parked, a standby for the owner, left.

The ground truth is the simulated ground lock's: which commands reached it, and what stood over its bow.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Any

from tests.simulators.barrier import Command, Position, Wish
from tests.simulators.car import Car, Photo
from tests.simulators.home_api import Change
from tests.simulators.track import offset

from . import early, rain
from .left_behind import search
from .timeline import StepFailedError, Timeline
from .waiting import decided, until
from .world import STREET, Household, World

PERIOD_S = 45 * 60.0
WRONG_PLATE = "HH-XY-907"
START_M = 850.0  # so far from the space the renter's phone begins to report
REFUSAL_WATCH_S = 2.0  # after the refusal the lock has to stay up for so long

START = "the broker, the backend and Home Assistant run"
LINK_OLIVIA = "Olivia's house is linked with a pairing code and has its space"
LINK_NORA = "Nora's house is linked with a pairing code and has its space"
OFFER = "windows drawn into the ParkShare calendars are offered to renters"
BOOK = "the renter books, with the plate sealed"
GRANT = "the house checks the booking and stores the grant"
NEAR = "the renter's phone comes near and the house is told"
WAKE = "the camera at the lock, asleep until now, wakes"
WRONG = "a wrong car is refused and the lock stays up"
READ = "the plate is read and admitted"
LOWER = "the lock goes down, confirmed by its own state"
PARK = "the renter's car stands in the bay and the booking is active"
LEAVE_ONE = "the renter leaves; one sensor saying clear does not raise the barrier"
RAISE = "two sensors say clear: the barrier rises"
FULFIL = "the booking is fulfilled"
UNHARMED = "no barrier ever moved under a car, and none without need"
UNTOLD = "no plate, place, code, key or token can be read in any history, log, diagnostics or database"

STEPS = (
    START, LINK_OLIVIA, LINK_NORA, OFFER, BOOK, GRANT, NEAR, WAKE, WRONG, READ, LOWER, PARK, *early.STEPS,
    LEAVE_ONE, RAISE, FULFIL, *rain.STEPS, UNHARMED, UNTOLD,
)  # fmt: skip


@dataclass
class Story:
    """The story in a world. Each act may run alone once the ones before it did."""

    world: World
    timeline: Timeline
    photo: Photo | None = None
    booking: dict[str, Any] = field(default_factory=dict)
    _earlier: dict[str, int] = field(default_factory=dict)
    rain: rain.Rain = field(init=False)
    _drive: asyncio.Task[None] | None = None
    # When the fix was sent that made the renter near, and when Home Assistant showed it.
    _near_fix: float = 0.0
    _near_told: float = 0.0

    def __post_init__(self) -> None:
        """Know the chapter of the rain."""
        self.rain = rain.Rain(self.world, self.timeline)

    async def play(self) -> None:
        """Play all of it. Raises StepFailedError at the first step that does not happen."""
        await self.set_up()
        await self.play_on()

    async def play_on(self) -> None:
        """Play what comes after the setting up."""
        try:
            await self._play_on()
        except StepFailedError:
            await self._explain()
            raise
        finally:
            if self._drive is not None:
                self._drive.cancel()

    async def _explain(self) -> None:
        """Tell what Home Assistant itself complains of."""
        with contextlib.suppress(Exception):
            issues = (await self.world.home.api.ask("repairs/list_issues"))["issues"]
            told = [f"{issue['domain']}: {issue['translation_key']}" for issue in issues]
            self.timeline.say(f"Home Assistant's repair issues: {', '.join(told) or 'none'}")

    async def _play_on(self) -> None:
        self._earlier = {household.name: len(household.lock.barrier.commands) for household in self.world.households}
        await self.book()
        await self.approach()
        await self.refuse()
        await self.admit()
        await early.Early(self.world, self.timeline).play()
        await self.leave()
        await self.rain.play()
        await self.look_back()

    async def set_up(self) -> None:
        """Start the parts and set the two houses up."""
        async with self.timeline.step(START, within=180) as step:
            await self.world.start()
            step.note(f"Home Assistant {self.world.home.url}, backend {self.world.server.url}")
        # At the same time, each at their own browser.
        links = {household.name: asyncio.create_task(self.world.link(household)) for household in self.world.households}
        for name, household in ((LINK_OLIVIA, self.world.olivia), (LINK_NORA, self.world.nora)):
            async with self.timeline.step(name, within=60) as step:
                await links[household.name]
                step.note(f"pairing code {household.code}; barrier {household.lock.entity('barrier')}")

    async def book(self) -> None:
        """Offer both spaces, search, book the better one."""
        start = time.time()
        renter = self.world.renter
        async with self.timeline.step(OFFER, within=40) as step:
            for household in self.world.households:
                await self.world.offer(household, start=start - 60, end=start + 4 * 3600)
            offers = await self.world.offers(start=time.time(), end=start + PERIOD_S, of=self.world.households)
            for offer in offers:
                step.note(f"{offer['space']['name']}: {offer['distance_m']:.0f} m. {offer['reason']}")
            if offers[0]["space"]["id"] != self.world.olivia.space:
                raise AssertionError("The nearest space is not offered first")
        async with self.timeline.step(BOOK, within=20) as step:
            self.booking = await renter.book(offers[0])
            step.note(f"booking {self.booking['id']} {self.booking['state']}, plate sealed to the space's key")
        async with self.timeline.step(GRANT, within=20) as step:
            self.booking = await renter.booking_in_state(self.booking["id"], "reserved", within=15)
            step.note(f"reserved until {self.booking['period']['end']} at {self.booking['space']['address']}")

    async def approach(self) -> None:
        """Let the renter's phone report on its way: that alone wakes the camera."""
        lock, api = self.world.olivia.lock, self.world.home.api
        near = await self.world.entity(self.world.olivia, "renter_near")
        async with self.timeline.step(NEAR, within=60) as step:
            if lock.powered:
                raise AssertionError("The camera is on before anybody came near")
            begun = time.time()
            self._drive = asyncio.create_task(self._drive_there())
            told = await api.seen(near, lambda change: change.state == "on", since=begun, within=55)
            await until(lambda: bool(self._near_fix), "the backend did not say that the renter is near", within=5)
            self._near_told = told.at
            step.note(
                f"after {self._near_fix - begun:.0f} s of driving; the fact took {told.at - self._near_fix:.3f} s "
                "to Home Assistant"
            )
        async with self.timeline.step(WAKE, within=20) as step:
            await until(lambda: any(at >= self._near_fix for at in lock.pictures_taken), "the camera took no picture")
            step.note(f"powered {lock.powered_at[-1] - told.at:.3f} s after the fact")

    async def _drive_there(self) -> None:
        """Drive to the space with the phone reporting; note which fix made the renter near."""
        start = offset(STREET, north_m=START_M, east_m=0)
        async for sent, near in self.world.renter.drive(start, STREET):
            if not self._near_fix and self.booking["id"] in near:
                self._near_fix = sent

    async def refuse(self) -> None:
        """Let a car with another plate come first, while the renter is on the way."""
        lock, api = self.world.olivia.lock, self.world.home.api
        event = await self.world.entity(self.world.olivia, "plate")
        async with self.timeline.step(WRONG, within=60) as step:
            begun = time.time()
            stranger = Car(WRONG_PLATE)
            await stranger.drive_up(lock)
            refusal = await api.seen(event, decided("refuse"), since=begun, within=45)
            await asyncio.sleep(REFUSAL_WATCH_S)
            if (commands := self._commands(self.world.olivia)) or lock.barrier.position is not Position.UP:
                raise AssertionError(f"The lock moved for a wrong car: {commands}")
            step.note(f"refused {refusal.at - begun:.1f} s after it came into view; commands to the lock: 0")
            await stranger.turn_away(lock)

    async def admit(self) -> None:
        """Bring the renter to the space and in."""
        lock, api, renter = self.world.olivia.lock, self.world.home.api, self.world.renter
        event = await self.world.entity(self.world.olivia, "plate")
        car = Car(renter.plate, self.photo)
        async with self.timeline.step(READ, within=90) as step:
            if self._drive is not None:
                await self._drive
            up_since = time.time()
            await car.drive_up(lock, start=5.0, speed=4.0)
            at_bow = time.time()
            admitted = await api.seen(event, decided("admit"), since=up_since, within=45)
            step.note(f"admitted {admitted.at - at_bow:.2f} s after the car stood at the bow")
        async with self.timeline.step(LOWER, within=40) as step:
            await until(lambda: lock.barrier.position is Position.DOWN, "the lock did not go down")
            down = await api.seen(lock.entity("barrier"), lambda change: change.state == "unlocked", since=up_since)
            lowered = await api.seen(event, decided("lowered"), since=up_since)
            step.note(f"the house's own figures in ms: {lowered.attributes.get('milliseconds')}")
        self._measure(at_bow, admitted, down)
        async with self.timeline.step(PARK, within=40) as step:
            await car.park(lock, patience=5)
            self.booking = await renter.booking_in_state(self.booking["id"], "active", within=30)
            step.note(f"booking {self.booking['state']}, camera {'on' if lock.powered else 'off'}")

    def _measure(self, at_bow: float, admitted: Change, down: Change) -> None:
        lock = self.world.olivia.lock
        command = next(command for command in self._commands(self.world.olivia) if command.wish is Wish.DOWN)
        on = next(at for at in lock.powered_at if at >= self._near_fix)
        first = next(at for at in lock.pictures_taken if at >= on)
        # A quick reader admits while the car still rolls the last metre: then what it read is from before.
        # The browser hears of the verdict beside the lock's command, now and then after it.
        verdict = min(admitted.at, command.at)
        before = [at for at in lock.pictures_taken if at <= verdict]
        read = next((at for at in before if at >= at_bow), before[-1])
        self.timeline.figures |= {
            "renter: the fix that is near -> the house knows": self._near_told - self._near_fix,
            "renter: fact -> camera has power": on - self._near_told,
            "renter: power -> first picture": first - on,
            "renter: car at the bow -> next picture": max(0.0, read - at_bow),
            "renter: that picture -> verdict (reading)": verdict - read,
            "renter: verdict -> command at the lock": command.at - verdict,
            "renter: command -> confirmed by the lock (travel)": down.at - command.at,
            "renter: car at the bow -> command": command.at - at_bow,
        }

    async def leave(self) -> None:
        """Drive the renter's car away; the radar is stuck at first."""
        lock = self.world.olivia.lock
        car = Car(self.world.renter.plate, self.photo)
        async with self.timeline.step(LEAVE_ONE, within=60) as step:
            await lock.hold_radar(True)
            await car.leave(lock)
            await asyncio.sleep(3.0)
            if any(command.wish is Wish.UP for command in self._commands(self.world.olivia)):
                raise AssertionError("The barrier rose though one sensor still saw a car")
            step.note("magnetic: clear, radar: a car; the barrier stays down")
        async with self.timeline.step(RAISE, within=90) as step:
            cleared = time.time()
            await lock.hold_radar(False)
            await until(lambda: lock.barrier.position is Position.UP, "the barrier did not rise", within=80)
            risen = next(command for command in self._commands(self.world.olivia) if command.wish is Wish.UP)
            step.note(f"command {risen.at - cleared:.1f} s after the second clear")
        async with self.timeline.step(FULFIL, within=20):
            await self.world.renter.booking_in_state(self.booking["id"], "fulfilled", within=15)

    def _commands(self, household: Household) -> list[Command]:
        """Return the commands that reached a household's lock in this story."""
        return household.lock.barrier.commands[self._earlier[household.name] :]

    async def look_back(self) -> None:
        """Judge by the ground truth, and search all that is left behind for what may be nowhere."""
        async with self.timeline.step(UNHARMED, within=10) as step:
            olivias = [Wish.DOWN, Wish.UP, *rain.ASKED_OF_LOCK]
            for household, wanted in ((self.world.olivia, olivias), (self.world.nora, [Wish.DOWN])):
                barrier = household.lock.barrier
                got = [command.wish for command in self._commands(household)]
                step.note(f"{household.name}'s lock: {', '.join(got)}")
                if got != wanted or barrier.moved_under_car:
                    raise AssertionError(f"{household.name}'s lock got {got}, under a car: {barrier.moved_under_car}")
        async with self.timeline.step(UNTOLD, within=90) as step:
            done = await search(self.world, codes=self.rain.used, others={"the wrong car": WRONG_PLATE})
            for line in done.told():
                step.note(line)
            if done.findings:
                raise AssertionError("; ".join(map(str, done.findings)))


__all__ = ["STEPS", "Story", "until"]
