"""The moving part of a simulated ground lock: a motor with travel time, a hand, and what can go wrong."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

STEP_S = 0.05  # the motor looks so often whether something is over the bow


class Position(StrEnum):
    """Where the bow of the lock is. Up: nobody gets in."""

    UP = "up"
    LOWERING = "lowering"
    DOWN = "down"
    RAISING = "raising"
    JAMMED = "jammed"


class Wish(StrEnum):
    """What a command or a hand asks for."""

    DOWN = "down"
    UP = "up"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Command:
    """A command that reached the lock over its wire; at is UTC epoch seconds."""

    at: float
    wish: Wish


@dataclass
class Barrier:
    """The bow and its motor. travel_s is the time for a whole way; changed is awaited at each new position.

    position, commands, moved_under_car, up_under_car and rose_under_car_s are the ground truth that tests judge by:
    nothing that Home Assistant believes enters here. told is what the lock says of itself.
    """

    travel_s: float
    changed: Callable[[], Awaitable[None]]
    car_over_it: Callable[[], bool]
    position: Position = Position.UP
    told: Position = Position.UP
    jam: bool = False
    # Where it jams on its way to; jam is both.
    jams_towards: set[Position] = field(default_factory=set)
    # It says that it went down, and stays up.
    lies: bool = False
    # It obeys only so long after it heard; all that time it says nothing new.
    late_s: float = 0.0
    # Called when the bow begins to rise: whoever drives in now.
    rises: Callable[[], None] | None = None
    commands: list[Command] = field(default_factory=list)
    moved_under_car: int = 0
    # How often it came up to its end with a car over it, and for how long it rose with one (s, all together).
    up_under_car: int = 0
    rose_under_car_s: float = 0.0
    _moving: asyncio.Task[None] | None = None
    _waiting: set[asyncio.Task[None]] = field(default_factory=set)

    async def command(self, wish: Wish) -> None:
        """Take a command from the wire."""
        self.commands.append(Command(time.time(), wish))
        if self.late_s:
            task = asyncio.create_task(self._start_after(wish, self.late_s))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)
            return
        await self._start(wish)

    async def by_hand(self, wish: Wish) -> None:
        """Move it by hand or with its own remote control: no command is seen on the wire."""
        await self._start(wish, by_hand=True)

    async def tell_the_truth(self) -> None:
        """Say where the bow is: what a lock does that was repaired."""
        self.told = self.position
        await self.changed()

    async def settled(self) -> None:
        """Wait until the motor rests."""
        if self._moving is not None:
            await asyncio.gather(self._moving, return_exceptions=True)

    async def stop(self) -> None:
        """Stop the motor where it is; the position stays as it was last told."""
        if self._moving is not None and not self._moving.done():
            self._moving.cancel()
            await asyncio.gather(self._moving, return_exceptions=True)

    async def forget(self) -> None:
        """Forget the commands that it has heard and not begun: what a lock does that was repaired or unplugged."""
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    async def _start_after(self, wish: Wish, delay: float) -> None:
        await asyncio.sleep(delay)
        await self._start(wish)

    async def _start(self, wish: Wish, *, by_hand: bool = False) -> None:
        await self.stop()
        goal = {Wish.DOWN: Position.DOWN, Wish.UP: Position.UP}.get(wish)
        # A lock that lies believes itself, so a command for where it says it is moves nothing.
        stands = self.told if self.lies and not by_hand else self.position
        if goal is None or stands is goal:
            await self.changed()
            return
        lies = self.lies and goal is Position.DOWN and not by_hand
        self._moving = asyncio.create_task(self._pretend(goal) if lies else self._move(goal))

    async def _pretend(self, goal: Position) -> None:
        """Say all that belongs to the way, and stay where it is."""
        self.told = Position.LOWERING if goal is Position.DOWN else Position.RAISING
        await self.changed()
        await asyncio.sleep(self.travel_s)
        self.told = goal
        await self.changed()

    async def _move(self, goal: Position) -> None:
        if goal is Position.UP and self.position is not Position.UP and self.car_over_it():
            self.moved_under_car += 1
        await self._at(Position.LOWERING if goal is Position.DOWN else Position.RAISING)
        if goal is Position.UP and self.rises is not None:
            self.rises()
        if self.jam or goal in self.jams_towards:
            await self._travel(self.travel_s / 3)
            await self._at(Position.JAMMED)
            return
        await self._travel(self.travel_s)
        if goal is Position.UP and self.car_over_it():
            self.up_under_car += 1
        await self._at(goal)

    async def _travel(self, duration: float) -> None:
        end = time.monotonic() + duration
        while (left := end - time.monotonic()) > 0:
            pause = min(STEP_S, left)
            if self.position is Position.RAISING and self.car_over_it():
                self.rose_under_car_s += pause
            await asyncio.sleep(pause)

    async def _at(self, position: Position) -> None:
        self.position = self.told = position
        await self.changed()
