"""What goes wrong in the field: a camera that sees nothing, and a lock that jams. One visit with both."""

import asyncio
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
