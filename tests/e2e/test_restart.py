"""One stay through two power cuts: first the backend's, before the car comes; then the house's, while it is parked.

The fixtures are the chapters, each one builds on the one before; the simulated lock's own records are the truth.
"""

import asyncio
from dataclasses import dataclass

import pytest

from tests.simulators.barrier import Command, Position
from tests.simulators.car import Car

from .conftest import Stage
from .story import until

pytestmark = pytest.mark.e2e

QUIET_S = 5.0  # after a start of Home Assistant nothing may move for at least so long


@dataclass
class Stay:
    """A booking and the car that came for it; commands counts from before the booking."""

    booking: str
    car: Car
    earlier_commands: int

    def commands(self, stage: Stage) -> list[Command]:
        """Return what reached the lock since the booking was made."""
        return stage.world.olivia.lock.barrier.commands[self.earlier_commands :]


@dataclass
class Admission:
    """What was seen while the backend was dead."""

    stay: Stay
    backend_ran: bool
    lock_went_down: bool
    commands: int


@dataclass
class PowerCut:
    """What was seen after Home Assistant came back."""

    stay: Stay
    commands_before: int
    commands_after: int
    position: Position
    booking_state: str
    grants: int
    car_known: bool


@pytest.fixture(scope="module")
def granted(stage: Stage) -> Stay:
    """A booking that begins now, and whose grant the house has on disk."""
    world = stage.world
    earlier = len(world.olivia.lock.barrier.commands)
    booking = stage.do(world.book(world.olivia), within=60)
    return Stay(booking, Car(world.renter.plate), earlier)


@pytest.fixture(scope="module")
def admitted_offline(stage: Stage, granted: Stay) -> Admission:
    """The backend dies; then the car comes, and the booked time alone has woken the camera."""
    return stage.do(_come_without_backend(stage, granted), within=90)


async def _come_without_backend(stage: Stage, stay: Stay) -> Admission:
    world, lock = stage.world, stage.world.olivia.lock
    world.server.kill()
    await stay.car.drive_up(lock)
    try:
        await until(lambda: lock.barrier.position is Position.DOWN, "the lock did not go down", within=40)
        went_down = True
    except TimeoutError:
        went_down = False
    return Admission(stay, world.server.process.running, went_down, len(stay.commands(stage)))


@pytest.fixture(scope="module")
def reunited(stage: Stage, admitted_offline: Admission) -> str:
    """The car parks, then the backend comes back; returns the state that the booking gets there."""
    return stage.do(_reunite(stage, admitted_offline.stay), within=100)


async def _reunite(stage: Stage, stay: Stay) -> str:
    await stay.car.park(stage.world.olivia.lock, patience=5)
    await stage.world.server.start()
    return str((await stage.world.renter.booking_in_state(stay.booking, "active", within=60))["state"])


@pytest.fixture(scope="module")
def after_power_cut(stage: Stage, admitted_offline: Admission, reunited: str) -> PowerCut:
    """Home Assistant dies with the car in the bay and comes back."""
    assert reunited == "active"
    return stage.do(_cut_power(stage, admitted_offline.stay), within=120)


async def _cut_power(stage: Stage, stay: Stay) -> PowerCut:
    world = stage.world
    before = len(stay.commands(stage))
    await world.home.kill()
    await world.home.start()
    connected = await world.entity(world.olivia, "backend_connected")
    await world.home.api.seen(connected, lambda change: change.state == "on", within=30)
    await asyncio.sleep(QUIET_S)
    booking = await world.renter.booking(stay.booking)
    known = await world.known_at_home(world.olivia)
    return PowerCut(
        stay,
        before,
        len(stay.commands(stage)),
        world.olivia.lock.barrier.position,
        booking["state"],
        len(known["grants"]),
        known["car_of_a_booking_in_the_bay"],
    )


def test_a_stored_grant_admits_while_the_backend_is_dead(admitted_offline: Admission) -> None:
    assert not admitted_offline.backend_ran
    assert admitted_offline.lock_went_down
    assert admitted_offline.commands == 1


def test_what_the_house_did_alone_reaches_the_backend_when_it_returns(reunited: str) -> None:
    assert reunited == "active"


def test_a_power_cut_at_home_moves_nothing_and_loses_nothing(after_power_cut: PowerCut) -> None:
    assert after_power_cut.commands_after == after_power_cut.commands_before == 1
    assert after_power_cut.position is Position.DOWN
    assert after_power_cut.booking_state == "active"
    assert after_power_cut.grants == 1
    assert after_power_cut.car_known


def test_after_the_power_cut_the_barrier_still_rises_behind_the_car(stage: Stage, after_power_cut: PowerCut) -> None:
    lock = stage.world.olivia.lock

    async def leave() -> None:
        await after_power_cut.stay.car.leave(lock)
        await until(lambda: lock.barrier.position is Position.UP, "the barrier did not rise", within=80)
        await stage.world.renter.booking_in_state(after_power_cut.stay.booking, "fulfilled", within=20)

    stage.do(leave(), within=110)
    assert lock.barrier.moved_under_car == 0


def test_after_both_sides_were_killed_the_renters_word_still_opens(stage: Stage) -> None:
    # The neighbour's space may still be the owner's standby: the stage is shared.
    world, lock = stage.world, stage.world.olivia.lock
    earlier = len(lock.barrier.commands)

    async def cut_both() -> str:
        booking = await world.book(world.olivia)
        world.server.kill()
        await world.home.kill()
        await asyncio.gather(world.server.start(), world.home.start())
        connected = await world.entity(world.olivia, "backend_connected")
        await world.home.api.seen(connected, lambda change: change.state == "on", within=30)
        await asyncio.sleep(QUIET_S)
        return booking

    booking = stage.do(cut_both(), within=90)
    assert lock.barrier.commands[earlier:] == []

    async def arrive() -> None:
        car = Car(world.renter.plate)
        await car.drive_up(lock)
        await world.renter.here(booking)
        await car.park(lock, patience=30)
        await world.renter.booking_in_state(booking, "active", within=20)

    stage.do(arrive(), within=70)
    assert len(lock.barrier.commands[earlier:]) == 1

    async def leave() -> None:
        await Car(world.renter.plate).leave(lock)
        await world.renter.booking_in_state(booking, "fulfilled", within=60)

    stage.do(leave(), within=70)
