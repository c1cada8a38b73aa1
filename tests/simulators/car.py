"""A car: its plate drawn by us or a photograph of a real one; it drives up, waits, parks and leaves.

By hand, one picture: python -m tests.simulators.car --plate AB-123-CD --distance 3 --out car.jpg
"""

import argparse
import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from . import picture
from .barrier import Position

if TYPE_CHECKING:
    from .ground_lock import GroundLock

STOPS_AT = 2.4  # metres from the camera: the bow is in the way


# So much mud that the reader has nothing to go by (test_simulators.py reads it).
UNREADABLE = picture.Conditions(mud=0.65)


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph of a car's front, as a file."""

    path: str | Path


@dataclass
class Car:
    """A car with a plate; with a photo, the picture is that photograph and the plate only what it should say."""

    plate: str
    photo: Photo | None = None
    conditions: picture.Conditions = field(default_factory=picture.Conditions)
    shown: str | None = None  # a text on the phone that its driver holds to the camera

    def picture(self, distance: float, *, seed: int) -> bytes:
        """Return the JPEG that a camera takes of it at a distance in metres."""
        if self.photo is not None:
            share = min(1.0, STOPS_AT / distance)
            plain = picture.Conditions(light=1.0, blur=0.0, noise=2.0)
            return picture.take(picture.photograph(Path(self.photo.path), share=share), plain, seed=seed)
        scene = picture.draw_yard()
        picture.draw_car(scene, self.plate, distance=distance, yaw=self.conditions.yaw, mud=self.conditions.mud)
        if self.shown is not None:
            picture.draw_screen(scene, self.shown)
        return picture.take(scene, self.conditions, seed=seed)

    async def drive_up(self, lock: GroundLock, *, start: float = 11.0, speed: float = 2.5) -> None:
        """Come into the camera's view and roll to the bow: start in metres, speed in m/s."""
        distance = start
        while distance > STOPS_AT:
            lock.in_view = (self, distance)
            await asyncio.sleep(0.2)
            distance -= speed * 0.2
        lock.in_view = (self, STOPS_AT)

    async def park(self, lock: GroundLock, *, patience: float) -> None:
        """Wait until the bow is down and roll over it. Raises TimeoutError when it does not go down in time."""
        async with asyncio.timeout(patience):
            while lock.barrier.position is not Position.DOWN:  # noqa: ASYNC110 - it looks, nobody tells it
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        lock.in_view = (self, 1.6)
        await lock.set_car_in_bay(True)

    async def leave(self, lock: GroundLock) -> None:
        """Roll backwards out of the bay and out of the picture."""
        await lock.set_car_in_bay(False)
        lock.in_view = (self, 7.0)
        await asyncio.sleep(0.5)
        lock.in_view = None

    async def turn_away(self, lock: GroundLock) -> None:
        """Give up before the bow and drive off."""
        lock.in_view = (self, 6.0)
        await asyncio.sleep(0.3)
        lock.in_view = None


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulators.car", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--plate", required=True)
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--distance", type=float, default=STOPS_AT, metavar="M")
    parser.add_argument("--yaw", type=float, default=8.0, metavar="DEG")
    parser.add_argument("--light", type=float, default=0.9)
    parser.add_argument("--blur", type=float, default=0.6, metavar="PX")
    parser.add_argument("--noise", type=float, default=5.0)
    parser.add_argument("--mud", type=float, default=0.0, help="share of the plate under mud, 0 to 1")
    parser.add_argument("--shown", metavar="TEXT", help="on the phone that the driver holds to the camera")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    conditions = picture.Conditions(arguments.light, arguments.blur, arguments.noise, arguments.yaw, arguments.mud)
    photo = Photo(arguments.photo) if arguments.photo else None
    car = Car(arguments.plate, photo, conditions, arguments.shown)
    arguments.out.write_bytes(car.picture(arguments.distance, seed=1))


if __name__ == "__main__":
    _main()
