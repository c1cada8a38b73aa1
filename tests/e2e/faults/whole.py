"""What hits the whole house while many visits are under way: all of them come to the same point first."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.simulators.barrier import Position

from .kinds import Whole
from .street import Street
from .visit import Visit

TOGETHER_S = 100.0  # the others wait so long for the last one at a point
BROKER_AWAY_S = 3.0
HOUR_S = 3600.0
PHASE_LIMIT_S = 45.0
AFTER_CHANGE_S = 5.0


@dataclass(frozen=True, slots=True)
class Blow:
    """One blow: at which point of the visit, how long after it, or when half of the bows are there."""

    point: str
    after_s: float = 1.0
    half_are: Position | None = None
    offset_s: float | None = None  # what a clock is set to, against the right time


BLOWS: dict[Whole, tuple[Blow, ...]] = {
    Whole.KILL_LOOKING: (Blow("looking", 3.0),),
    Whole.KILL_LOWERING: (Blow("arriving", 1.0, half_are=Position.LOWERING),),
    Whole.KILL_ADMITTED: (Blow("admitted"),),
    Whole.KILL_PARKED: (Blow("parked"),),
    Whole.KILL_LEAVING: (Blow("leaving", 8.0),),
    Whole.KILL_WARNING: (Blow("leaving", 26.0),),
    Whole.KILL_RAISING: (Blow("leaving", 1.0, half_are=Position.RAISING),),
    Whole.BROKER_FORGETS: (Blow("looking"), Blow("parked"), Blow("leaving", 10.0)),
    Whole.BROKER_KEEPS: (Blow("looking"), Blow("parked"), Blow("leaving", 10.0)),
    Whole.CLOCK_FORWARD: (
        Blow("looking", 2.0, offset_s=HOUR_S),
        Blow("parked", offset_s=0.0),
        Blow("leaving", 10.0, offset_s=HOUR_S),
    ),
    Whole.CLOCK_BACK: (
        Blow("looking", 2.0, offset_s=-HOUR_S),
        Blow("parked", offset_s=0.0),
        Blow("leaving", 10.0, offset_s=-HOUR_S),
    ),
    Whole.DST_SPRING: (Blow("parked"),),
    Whole.DST_AUTUMN: (Blow("parked"),),
}
# When it is one hour later or earlier in Berlin (UTC epoch seconds).
CHANGES = {Whole.DST_SPRING: 1806195600.0, Whole.DST_AUTUMN: 1824944400.0}
# Who is to be hit so long after they left has to leave together with the others.
MEETING = {"going": "leaving"}
# Those who wait at these points go on at once, and it happens while they do; at the others they wait for the end of it.
GO_ON_AT = frozenset({"looking", "arriving", "leaving"})


class Storm:
    """Hits a batch of visits. Give point() to each of them."""

    def __init__(self, street: Street, wholes: tuple[Whole, ...], *, count: int) -> None:
        """Plan the blows for a batch of so many visits."""
        self._street, self._count = street, count
        self.visits: list[Visit] = []
        self._at: dict[str, set[int]] = {}
        self._first: dict[str, float] = {}
        self._open: dict[str, asyncio.Event] = {}
        self._done: dict[str, asyncio.Event] = {}
        self._blows = [(whole, blow) for whole in wholes for blow in BLOWS[whole]]
        self._tasks: list[asyncio.Task[None]] = []

    async def point(self, visit: Visit, name: str) -> None:
        """Wait here for the others if something is to happen at this point."""
        if not any(blow.point in (name, MEETING.get(name)) for _, blow in self._blows):
            return
        if name not in self._open:
            self._at[name], self._first[name] = set(), time.monotonic()
            self._open[name], self._done[name] = asyncio.Event(), asyncio.Event()
            self._tasks.append(asyncio.create_task(self._happen(name)))
        self._at[name].add(visit.bay.number)
        await self._open[name].wait()
        if name not in GO_ON_AT:
            await self._done[name].wait()

    async def end(self) -> None:
        """Wait until all has happened, and put the clock right."""
        await asyncio.gather(*self._tasks)
        if self._street.clock is not None and self._street.clock_of_house_only:
            self._street.clock.set(0.0)

    async def _happen(self, name: str) -> None:
        def all_here() -> bool:
            ended = {visit.bay.number for visit in self.visits if visit.ended}
            return len(self._at[name] | ended) >= self._count or time.monotonic() > self._first[name] + TOGETHER_S

        try:
            while not all_here():  # noqa: ASYNC110 - it looks, nobody tells it
                await asyncio.sleep(0.1)
            self._open[name].set()
            for whole, blow in self._blows:
                if blow.point == name:
                    await self._wait(blow)
                    await ACTIONS[whole](self, whole, blow)
        finally:
            self._open[name].set()
            self._done[name].set()

    async def _wait(self, blow: Blow) -> None:
        await asyncio.sleep(blow.after_s)
        deadline = time.monotonic() + PHASE_LIMIT_S
        while blow.half_are is not None and time.monotonic() < deadline:
            there = sum(visit.bay.lock.barrier.position is blow.half_are for visit in self.visits)
            if there and there * 2 >= min(self._count, len(self._at[blow.point])):
                return
            await asyncio.sleep(0.05)

    def _note_phases(self, what: str) -> None:
        for visit in self.visits:
            if not visit.ended:
                phase = self._street.phase(visit.bay)
                visit.hits.append(f"{what} while {phase}")

    async def _kill(self, _whole: Whole, _blow: Blow) -> None:
        await self._street.kill_home(dead=lambda: self._note_phases("hass killed"))

    async def _restart_broker(self, whole: Whole, _blow: Blow) -> None:
        self._note_phases("broker restarted")
        await self._street.broker.restart(away_s=BROKER_AWAY_S, forgets=whole is Whole.BROKER_FORGETS)

    async def _set_clock(self, _whole: Whole, blow: Blow) -> None:
        if self._street.clock is None or blow.offset_s is None:
            raise RuntimeError("This street has no clock of its own")
        self._note_phases(f"clock set to {blow.offset_s / HOUR_S:+.0f} h")
        self._street.clock.set(blow.offset_s)
        self._street.clock_sets.append(time.time())

    async def _pass_change(self, whole: Whole, _blow: Blow) -> None:
        self._note_phases(f"{'02:00 becomes 03:00' if whole is Whole.DST_SPRING else '03:00 becomes 02:00'}")
        while self._street.now() < CHANGES[whole] + AFTER_CHANGE_S:  # noqa: ASYNC110 - a clock tells nobody
            await asyncio.sleep(0.5)


ACTIONS: dict[Whole, Callable[[Storm, Whole, Blow], Awaitable[None]]] = {
    **{whole: Storm._kill for whole in Whole if whole.startswith("kill_")},
    Whole.BROKER_FORGETS: Storm._restart_broker,
    Whole.BROKER_KEEPS: Storm._restart_broker,
    Whole.CLOCK_FORWARD: Storm._set_clock,
    Whole.CLOCK_BACK: Storm._set_clock,
    Whole.DST_SPRING: Storm._pass_change,
    Whole.DST_AUTUMN: Storm._pass_change,
}
