"""The simulators are the ground truth of the end-to-end tests, so what they claim is tested too."""

import asyncio
import json
import random
from pathlib import Path

from PIL import Image, ImageChops

from tests.simulators.barrier import Barrier, Position, Wish
from tests.simulators.phone import seal, shown_code
from tests.simulators.picture import Conditions, draw_car, draw_yard, take
from tests.simulators.track import distance_m, drive, offset

TRAVEL_S = 0.05
VECTORS = Path(__file__).parents[1] / "contract/vectors"


def _barrier(*, car: bool = False) -> tuple[Barrier, list[Position]]:
    positions: list[Position] = []

    async def changed() -> None:
        positions.append(barrier.position)

    barrier = Barrier(TRAVEL_S, changed, lambda: car)
    return barrier, positions


async def test_a_barrier_takes_its_time_and_tells_each_state() -> None:
    barrier, positions = _barrier()
    await barrier.command(Wish.DOWN)
    await asyncio.sleep(TRAVEL_S * 3)
    await barrier.command(Wish.UP)
    await asyncio.sleep(TRAVEL_S * 3)
    assert positions == [Position.LOWERING, Position.DOWN, Position.RAISING, Position.UP]
    assert [command.wish for command in barrier.commands] == [Wish.DOWN, Wish.UP]


async def test_a_jammed_barrier_stops_halfway() -> None:
    barrier, positions = _barrier()
    barrier.jam = True
    await barrier.command(Wish.DOWN)
    await asyncio.sleep(TRAVEL_S * 3)
    assert positions == [Position.LOWERING, Position.JAMMED]


async def test_a_move_by_hand_is_no_command() -> None:
    barrier, _ = _barrier()
    await barrier.by_hand(Wish.DOWN)
    await asyncio.sleep(TRAVEL_S * 3)
    assert barrier.position is Position.DOWN
    assert not barrier.commands


async def test_rising_under_a_car_is_counted() -> None:
    barrier, _ = _barrier(car=True)
    barrier.position = Position.DOWN
    await barrier.command(Wish.UP)
    await asyncio.sleep(TRAVEL_S * 3)
    assert barrier.moved_under_car == 1


def test_a_car_that_comes_nearer_fills_more_of_the_picture() -> None:
    covered = []
    for distance in (10.0, 5.0, 2.4):
        scene = draw_yard()
        draw_car(scene, "AB-123-CD", distance=distance, yaw=8)
        difference = ImageChops.difference(scene, draw_yard()).convert("L").point(lambda grey: 255 if grey else 0)
        covered.append(difference.histogram()[255])
    assert covered == sorted(covered)
    assert covered[-1] > 4 * covered[0]


def test_no_two_pictures_of_a_camera_are_the_same() -> None:
    scene = Image.new("RGB", (64, 48), (90, 90, 90))
    assert take(scene, Conditions(), seed=1) != take(scene, Conditions(), seed=2)


def test_a_drive_ends_at_the_goal_in_the_time_its_speed_asks_for() -> None:
    goal = (52.52, 13.405)
    start = offset(goal, north_m=300, east_m=400)
    fixes = list(drive(start, goal, speed_ms=10, every_s=4, accuracy_m=0, chance=random.Random(1)))
    assert abs(distance_m(start, goal) - 500) < 1
    assert abs(fixes[-1].after_s - 50) < 0.2
    assert distance_m((fixes[-1].lat, fixes[-1].lon), goal) < 0.1


def test_a_sealed_plate_always_has_the_same_length() -> None:
    key = "5x7ZzVZQ0kB9pO0c0Jt2C2w9xT0b1m3oUqk9c7fYl1A"
    sealed = [seal(plate, seal_key=key, booking="b", space="s") for plate in ("A1", "AB-123-CD", "ÄÖÜ 9999 XY")]
    sealed.append(seal("A1", seal_key=key, booking="b", space="s", code_key="AAECAwQFBgcICQoLDA0ODw"))
    assert {len(text) for text in sealed} == {235}


def test_the_renters_phone_shows_the_codes_that_the_house_expects() -> None:
    cases = json.loads((VECTORS / "codes.json").read_text())["cases"]
    assert cases
    assert [shown_code(case["code_key"], case["at"]) for case in cases] == [case["code"] for case in cases]
