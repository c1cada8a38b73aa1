"""The renter in the rain: nobody can read the plate, and still the renter gets in - by the owner, or by a code.

Each visit is a booking of its own on Olivia's space. The ladder's times are the product's: they are waited for.
"""

import io
import time
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from tests.simulators.barrier import Position, Wish
from tests.simulators.car import UNREADABLE, Car
from tests.simulators.companion import Notification

from .display import code_on
from .timeline import Step, Timeline
from .waiting import until
from .world import World

HARDER = 'rain: a renter whose plate nobody can read says "I\'m here", and the house looks harder'
ASKED = "rain: the owner's phone asks, with the camera's picture"
TAPPED = 'rain: the owner taps "Let in": the lock goes down, the booking is active'
DROVE_OFF = 'rain: that renter leaves, the owner presses "Raise", the booking is fulfilled'
UNANSWERED = "rain: another time the owner does not answer: the renter's page offers the code at the space"
WRONG_CODE = "rain: a wrong code is refused, the page tells how many tries are left"
RIGHT_CODE = "rain: the code from the display lets the renter in, and the owner's phone asks no longer"
CODE_DROVE_OFF = "rain: this renter leaves, too"
SHOWN_CODE = "rain: a third renter holds the phone with the booking's code to the camera, is let in, and stays"

STEPS = (
    HARDER, ASKED, TAPPED, DROVE_OFF, UNANSWERED, WRONG_CODE, RIGHT_CODE, CODE_DROVE_OFF, SHOWN_CODE,
)  # fmt: skip

# The ladder: seconds from "I'm here" to each rung, and what a busy machine may take besides.
HARDER_S, OWNER_S, CODE_S = 15.0, 30.0, 50.0
SPARE_S = 20.0
# What all visits ask of the lock; the third one stays.
ASKED_OF_LOCK = [Wish.DOWN, Wish.UP, Wish.DOWN, Wish.UP, Wish.DOWN]


@dataclass
class Rain:
    """The visits. used are the codes of this run by what they were: they must be found nowhere afterwards."""

    world: World
    timeline: Timeline
    used: dict[str, str] = field(default_factory=dict)
    _booking: str = ""
    _staying: Car | None = None
    _here: float = 0.0

    async def play(self) -> None:
        """Play all visits."""
        await self.let_in_by_the_owner()
        await self.let_in_by_a_typed_code()
        await self.let_in_by_a_shown_code()

    async def let_in_by_the_owner(self) -> None:
        """Stand there unread until the owner taps."""
        phone = self.world.owner_phone.app
        async with self.timeline.step(HARDER, within=90) as step:
            car = await self._stand_there()
            told = await self._offered("harder", after=HARDER_S)
            step.note(f"{time.time() - self._here:.0f} s after the renter said so: the page tells {told['rung']!r}")
            self._require_shut()
        async with self.timeline.step(ASKED, within=60) as step:
            asked = await phone.notified(_lets_in, since=self._here, within=OWNER_S + SPARE_S)
            step.note(f'{asked.at - self._here:.0f} s after "I\'m here": {asked.title}: {asked.message}')
            with Image.open(io.BytesIO(await phone.picture(asked))) as picture:
                step.note(f"buttons: {', '.join(asked.actions.values())}; a picture of {picture.size} pixels")
            self._require_shut()
        async with self.timeline.step(TAPPED, within=60) as step:
            tapped = time.time()
            await phone.tap(asked, _let_in_of(asked))
            await self._get_in(car, step, since=tapped)
        await self._leave(DROVE_OFF, car)

    async def let_in_by_a_typed_code(self) -> None:
        """Stand there unread, and nobody answers: type the code that the display at the space shows."""
        world, renter = self.world, self.world.renter
        async with self.timeline.step(UNANSWERED, within=120) as step:
            car = await self._stand_there()
            told = await self._offered("code", after=CODE_S)
            step.note(f'{time.time() - self._here:.0f} s after "I\'m here" the page offers the code')
            self._require_shut()
        async with self.timeline.step(WRONG_CODE, within=45) as step:
            code = await self._displayed()
            self.used["the wrong code"] = wrong = f"{(int(code) + 371_293) % 1_000_000:06}"
            await renter.code(self._booking, wrong)
            told = await renter.helped(self._booking, lambda told: told["code"] == "wrong", within=15)
            step.note(f"tries left: {told['tries_left']}")
            self._require_shut()
        async with self.timeline.step(RIGHT_CODE, within=60) as step:
            typed = time.time()
            # In writing as people do; and it may have changed meanwhile: the last one is right, too.
            await renter.code(self._booking, f"{code[:3]} {code[3:]}")
            await self._get_in(car, step, since=typed)
            phone = world.owner_phone.app
            await until(lambda: not any(map(_lets_in, phone.shown)), "the owner's phone still asks", within=10)
        await self._leave(CODE_DROVE_OFF, car)

    async def let_in_by_a_shown_code(self) -> None:
        """Stand there unread, and hold the phone with its code to the camera."""
        async with self.timeline.step(SHOWN_CODE, within=120) as step:
            car = await self._stand_there()
            await self._offered("harder", after=HARDER_S)
            self._require_shut()
            held = time.time()
            car.shown = self.used["the shown code"] = self.world.renter.shows(self._booking)
            await self._get_in(car, step, since=held)
            car.shown, self._staying = None, car

    async def _stand_there(self) -> Car:
        """Book, drive up with mud on the plate, and say "I'm here"."""
        self._booking = await self.world.book(self.world.olivia)
        car = Car(self.world.renter.plate, conditions=UNREADABLE)
        await car.drive_up(self.world.olivia.lock, start=5.0, speed=4.0)
        self._here = time.time()
        await self.world.renter.here(self._booking)
        return car

    async def _offered(self, rung: str, *, after: float) -> dict[str, Any]:
        """Wait for a rung of the ladder on the renter's page."""
        return await self.world.renter.helped(
            self._booking, lambda told: told.get("rung") == rung, within=after + SPARE_S
        )

    async def _displayed(self) -> str:
        """Read the code off the display at the space; it is none that the owner is not told, too."""
        world = self.world
        display = await world.entity(world.olivia, "onsite_code")
        # Asked before and after: in between the minute may have changed.
        told = [_code_in(await world.home.api.answer("parkshare.onsite_code", {"entity_id": display}))]
        self.used["the code at the space"] = code = await code_on(await world.home.api.picture(display))
        told.append(_code_in(await world.home.api.answer("parkshare.onsite_code", {"entity_id": display})))
        if code not in told:
            raise AssertionError("The display shows another code than the owner is told")
        return code

    async def _get_in(self, car: Car, step: Step, *, since: float) -> None:
        lock = self.world.olivia.lock
        await until(lambda: lock.barrier.position is Position.DOWN, "the lock did not go down", within=40)
        command = self._commands()[-1]
        step.note(f"the lock got its command {command.at - since:.2f} s later")
        parked = time.time()
        await car.park(lock, patience=5)
        await self._sensed("on", since=parked)
        await self.world.renter.booking_in_state(self._booking, "active", within=30)

    async def drive_off(self) -> None:
        """Let the one who stayed leave, too: whoever comes after the story finds the bay free."""
        if self._staying is not None:
            await self._drive_off(self._staying)

    async def _leave(self, name: str, car: Car) -> None:
        async with self.timeline.step(name, within=90) as step:
            left = time.time()
            await self._drive_off(car)
            step.note(f"up {time.time() - left:.0f} s after it left")

    async def _drive_off(self, car: Car) -> None:
        """Leave; the owner, who is at home now, does not wait until the barrier rises by itself."""
        world, lock = self.world, self.world.olivia.lock
        left = time.time()
        await car.leave(lock)
        await self._sensed("off", since=left)
        await world.press(world.olivia, "raise")
        await until(lambda: lock.barrier.position is Position.UP, "the barrier did not rise", within=20)
        await world.renter.booking_in_state(self._booking, "fulfilled", within=15)

    async def _sensed(self, state: str, *, since: float) -> None:
        """Wait until both sensors of the bay say so."""
        lock = self.world.olivia.lock
        for sensor in ("radar", "magnetic"):
            await self.world.home.api.seen(lock.entity(sensor), lambda change: change.state == state, since=since)

    def _commands(self) -> list[Any]:
        return self.world.olivia.lock.barrier.commands

    def _require_shut(self) -> None:
        """Raise AssertionError if the lock did not stay up."""
        lock = self.world.olivia.lock
        if lock.barrier.position is not Position.UP:
            raise AssertionError(f"The lock is {lock.barrier.position} though nobody let the car in")


def _lets_in(notification: Notification) -> bool:
    return any(title == "Let in" for title in notification.actions.values())


def _let_in_of(notification: Notification) -> str:
    return next(action for action, title in notification.actions.items() if title == "Let in")


def _code_in(answer: dict[str, Any]) -> str:
    """Find the code in what the action answers, for one space or by entity."""
    if "code" in answer:
        return str(answer["code"]).replace(" ", "")
    (only,) = answer.values()
    return _code_in(only)
