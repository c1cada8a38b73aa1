"""Photographs of real cars at the simulated lock: each has to stay out on another car's booking and get in on its own.

By hand: python -m tests.e2e.photos FILE=PLATE FILE=PLATE ...   (scripts/setup first; exit code 0 if all went so)
The wrong car for each booking is the next photograph of the list, so give at least two.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from tests.simulators.barrier import Position
from tests.simulators.car import Car, Photo
from tests.simulators.process import REPOSITORY

from .story import until
from .world import World

WRONG_WATCH_S = 9.0  # longer than the house needs to be sure of a refusal while the renter is near


async def _visit(world: World, right: Car, wrong: Car) -> tuple[bool, bool]:
    """Book for the right car; tell whether the wrong one stayed out, and whether the right one got in."""
    lock = world.olivia.lock
    world.renter.plate = right.plate
    earlier = len(lock.barrier.commands)
    booking = await world.book(world.olivia)
    await world.renter.here(booking)
    lock.in_view = (wrong, 2.4)
    await asyncio.sleep(WRONG_WATCH_S)
    stayed_out = len(lock.barrier.commands) == earlier and lock.barrier.position is Position.UP
    lock.in_view = (right, 2.4)
    try:
        await until(lambda: lock.barrier.position is Position.DOWN, "the lock did not go down", within=20)
    except TimeoutError:
        await world.press(world.olivia, "let_in_now")
        got_in = False
    else:
        got_in = True
    await right.park(lock, patience=20)
    await world.renter.booking_in_state(booking, "active", within=20)
    await right.leave(lock)
    for sensor in ("radar", "magnetic"):
        await world.home.api.seen(lock.entity(sensor), lambda change: change.state == "off")
    await world.press(world.olivia, "raise")
    await until(lambda: lock.barrier.position is Position.UP, "the barrier did not rise", within=20)
    await world.renter.booking_in_state(booking, "fulfilled", within=40)
    return stayed_out, got_in


async def _play(cars: list[Car], folder: Path) -> bool:
    world = World(folder)
    good = True
    try:
        await world.start()
        await world.link(world.olivia)
        for index, car in enumerate(cars):
            wrong = cars[(index + 1) % len(cars)]
            stayed_out, got_in = await _visit(world, car, wrong)
            good = good and stayed_out and got_in
            name = Path(car.photo.path).name if car.photo else "drawn"
            shown = "stays up" if stayed_out else "GOES DOWN"
            print(f"{name:40} {car.plate:10} lock {'goes down' if got_in else 'STAYS UP'}; for {wrong.plate}: {shown}")
    finally:
        await world.stop()
    return good


def _main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.e2e.photos", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("photos", nargs="+", metavar="FILE=PLATE")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / ".demo" / "photos")
    arguments = parser.parse_args()
    pairs = [text.rpartition("=") for text in arguments.photos]
    if len(pairs) < 2 or any(not Path(file).is_file() or not plate for file, _, plate in pairs):
        parser.error("give two or more existing photographs, each as FILE=PLATE")
    cars = [Car(plate, Photo(Path(file).resolve())) for file, _, plate in pairs]
    return 0 if asyncio.run(_play(cars, arguments.folder.resolve())) else 1


if __name__ == "__main__":
    sys.exit(_main())
