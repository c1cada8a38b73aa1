"""The moving part of a simulated ground lock: a motor with travel time, a hand, and what can go wrong."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum


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

    commands and moved_under_car are the ground truth that tests judge by: nothing that Home Assistant believes
    enters here.
    """

    travel_s: float
    changed: Callable[[], Awaitable[None]]
    car_over_it: Callable[[], bool]
    position: Position = Position.UP
    jam: bool = False
    commands: list[Command] = field(default_factory=list)
    moved_under_car: int = 0
    _moving: asyncio.Task[None] | None = None

    async def command(self, wish: Wish) -> None:
        """Take a command from the wire."""
        self.commands.append(Command(time.time(), wish))
        await self._start(wish)

    async def by_hand(self, wish: Wish) -> None:
        """Move it by hand or with its own remote control: no command is seen on the wire."""
        await self._start(wish)

    async def stop(self) -> None:
        """Stop the motor where it is; the position stays as it was last told."""
        if self._moving is not None and not self._moving.done():
            self._moving.cancel()
            await asyncio.gather(self._moving, return_exceptions=True)

    async def _start(self, wish: Wish) -> None:
        await self.stop()
        goal = {Wish.DOWN: Position.DOWN, Wish.UP: Position.UP}.get(wish)
        if goal is None or self.position is goal:
            await self.changed()
            return
        self._moving = asyncio.create_task(self._move(goal))

    async def _move(self, goal: Position) -> None:
        if goal is Position.UP and self.car_over_it():
            self.moved_under_car += 1
        await self._at(Position.LOWERING if goal is Position.DOWN else Position.RAISING)
        if self.jam:
            await asyncio.sleep(self.travel_s / 3)
            await self._at(Position.JAMMED)
            return
        await asyncio.sleep(self.travel_s)
        await self._at(goal)

    async def _at(self, position: Position) -> None:
        self.position = position
        await self.changed()
