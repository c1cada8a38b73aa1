"""What goes wrong in the field: the cheapest of the faults; all of them, in pairs too: scripts/test --long faults."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.simulators.barrier import Position, Wish
from tests.simulators.car import Car
from tests.simulators.ground_lock import Fault, GroundLock

from .conftest import Stage
from .story import until

pytestmark = pytest.mark.e2e

DARK_S = 6.0
TRIES = 3  # how often the house repeats a command that had no effect, at most


@dataclass
class Visit:
    """A booking whose renter stands at the bow, pressing "I'm here"; commands from before it do not count."""

    lock: GroundLock
    car: Car
    booking: str
    earlier_commands: int

    @property
    def commands(self) -> list[Wish]:
        """What reached the lock since the booking was made."""
        return [command.wish for command in self.lock.barrier.commands[self.earlier_commands :]]


@pytest.fixture(scope="module")
def in_the_dark(stage: Stage) -> Iterator[Visit]:
    """The camera sees nothing while the car stands there."""
    world, lock = stage.world, stage.world.olivia.lock

    async def arrive() -> Visit:
        visit = Visit(lock, Car(world.renter.plate), "", len(lock.barrier.commands))
        await lock.set_fault(Fault.CAMERA_DARK, True)
        visit.booking = await world.book(world.olivia)
        await visit.car.drive_up(lock)
        await world.renter.here(visit.booking)
        await asyncio.sleep(DARK_S)
        return visit

    yield stage.do(arrive(), within=60)

    async def heal() -> None:
        for fault in Fault:
            await lock.set_fault(fault, False)

    stage.do(heal())


@pytest.fixture(scope="module")
def jammed(stage: Stage, in_the_dark: Visit) -> Visit:
    """The camera sees again, but the bow jams on its way."""
    world, lock = stage.world, in_the_dark.lock

    async def jam() -> None:
        await lock.set_fault(Fault.JAM, True)
        await lock.set_fault(Fault.CAMERA_DARK, False)
        problem = await world.entity(world.olivia, "problem")
        await world.home.api.seen(problem, lambda change: change.state == "on", within=60)

    stage.do(jam(), within=90)
    return in_the_dark


def test_a_camera_that_sees_nothing_moves_nothing(in_the_dark: Visit) -> None:
    assert in_the_dark.lock.pictures_taken
    assert in_the_dark.commands == []
    assert in_the_dark.lock.barrier.position is Position.UP


def test_a_jammed_lock_is_tried_a_few_times_and_then_told_to_a_person(stage: Stage, jammed: Visit) -> None:
    stage.do(stage.world.repair_issue("barrier_jammed"))
    assert jammed.lock.barrier.position is Position.JAMMED
    assert 1 <= len(jammed.commands) <= TRIES
    assert set(jammed.commands) == {Wish.DOWN}


def test_once_the_lock_works_again_the_owner_lets_in_and_later_raises(stage: Stage, jammed: Visit) -> None:
    world, lock = stage.world, jammed.lock

    async def go_on() -> None:
        await lock.set_fault(Fault.JAM, False)
        await world.press(world.olivia, "let_in_now")
        await jammed.car.park(lock, patience=20)
        await world.renter.booking_in_state(jammed.booking, "active", within=20)
        await jammed.car.leave(lock)
        await world.home.api.seen(lock.entity("radar"), lambda change: change.state == "off")
        await world.home.api.seen(lock.entity("magnetic"), lambda change: change.state == "off")
        await world.press(world.olivia, "raise")
        await until(lambda: lock.barrier.position is Position.UP, "the barrier did not rise", within=20)

    stage.do(go_on(), within=90)
    problem = stage.do(world.entity(world.olivia, "problem"))
    assert world.home.api.current(problem) == "off"
    assert lock.barrier.moved_under_car == 0


SLOW_TRAVEL_S = 5.0  # a bow that takes its time, as the ones that one can buy
AWAY_S = 4.0


@pytest.fixture
def slow_lock(stage: Stage) -> Iterator[GroundLock]:
    """The lock with a bow that takes its time; whole again at the end."""
    lock = stage.world.olivia.lock
    before, lock.barrier.travel_s = lock.barrier.travel_s, SLOW_TRAVEL_S
    yield lock

    async def heal() -> None:
        for fault in Fault:
            await lock.set_fault(fault, False)

    stage.do(heal())
    lock.barrier.travel_s, lock.barrier.rises = before, None


async def _leaves(stage: Stage, car: Car) -> None:
    """Drive out, once both sensors have seen the car, and wait until both say that it has left."""
    lock, api = stage.world.olivia.lock, stage.world.home.api
    sensors = [lock.entity(name) for name in ("radar", "magnetic")]
    for sensor in sensors:
        await api.seen(sensor, lambda change: change.state == "on")
    await car.leave(lock)
    for sensor in sensors:
        await api.seen(sensor, lambda change: change.state == "off")


async def _raised(stage: Stage, booking: str) -> None:
    """Let the owner raise the bow, and wait until it is up and the booking over."""
    world, lock = stage.world, stage.world.olivia.lock
    await world.press(world.olivia, "raise")
    await until(lambda: lock.barrier.position is Position.UP, "the barrier did not rise", within=20)
    await world.renter.booking_in_state(booking, "fulfilled", within=20)


def test_a_lock_that_is_back_in_time_lets_in_and_goes_down_again_before_a_car_that_enters(
    stage: Stage, slow_lock: GroundLock
) -> None:
    world, lock, car = stage.world, slow_lock, Car(stage.world.renter.plate)

    async def come_and_enter() -> list[Wish]:
        booking = await world.book(world.olivia)
        earlier = len(lock.barrier.commands)
        await lock.set_fault(Fault.LOCK_GONE, True)
        await world.renter.here(booking)
        await car.drive_up(lock, start=6.0, speed=4.0)
        await asyncio.sleep(AWAY_S)
        await lock.set_fault(Fault.LOCK_GONE, False)
        await car.park(lock, patience=40)
        await world.renter.booking_in_state(booking, "active", within=20)
        await _leaves(stage, car)
        lock.barrier.rises = lock.enter_now
        await world.press(world.olivia, "raise")
        await until(lambda: lock.car_in_bay, "no car drove in", within=20)
        lock.barrier.rises = None
        await until(lambda: lock.barrier.position is Position.DOWN, "the barrier did not go down again", within=20)
        got = [command.wish for command in lock.barrier.commands[earlier:]]
        await _leaves(stage, car)
        await _raised(stage, booking)
        return got

    before = lock.barrier.up_under_car, lock.barrier.moved_under_car
    assert stage.do(come_and_enter(), within=150) == [Wish.DOWN, Wish.UP, Wish.DOWN]
    assert (lock.barrier.up_under_car, lock.barrier.moved_under_car) == before


def test_the_owner_hears_of_a_renter_who_stands_before_a_lock_that_lies(stage: Stage, slow_lock: GroundLock) -> None:
    world, lock, car = stage.world, slow_lock, Car(stage.world.renter.plate)
    barrier = lock.entity("barrier")

    async def lie() -> None:
        booking = await world.book(world.olivia)
        await lock.set_fault(Fault.LIES, True)
        begun = time.time()
        await world.renter.here(booking)
        await car.drive_up(lock, start=6.0, speed=4.0)
        await world.home.api.seen(barrier, lambda change: change.state == "unlocked", since=begun, within=40)
        await world.renter.here(booking)
        async with asyncio.timeout(60):
            while not await _is_told(stage, "not_in"):  # noqa: ASYNC110 - it looks, nobody tells it
                await asyncio.sleep(0.3)
        assert lock.barrier.position is Position.UP
        await lock.set_fault(Fault.LIES, False)
        await world.press(world.olivia, "let_in_now")
        await car.park(lock, patience=30)
        await world.renter.booking_in_state(booking, "active", within=20)
        await _leaves(stage, car)
        await _raised(stage, booking)

    stage.do(lie(), within=150)


async def _is_told(stage: Stage, key: str) -> bool:
    shown = await stage.world.home.api.ask("persistent_notification/get")
    return any(str(one["notification_id"]).endswith(f"{stage.world.olivia.space}_{key}") for one in shown)
