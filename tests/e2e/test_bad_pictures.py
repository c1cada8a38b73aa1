"""A camera that sends anything but pictures, and a reader that is killed: Home Assistant runs on, the owner hears once.

A household of its own, with a network camera that Home Assistant asks over HTTP. About a minute, most of it the
patience with a camera that is silent.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, override

import pytest

from tests.simulators.bad_camera import BadCamera, Sends
from tests.simulators.barrier import Position
from tests.simulators.car import Car
from tests.simulators.discovery import Kind
from tests.simulators.ground_lock import GroundLock
from tests.simulators.home import SECRET
from tests.simulators.phone import Account
from tests.simulators.track import offset

from .conftest import Stage
from .story import WRONG_PLATE, until
from .world import STREET, Household, World

pytestmark = pytest.mark.e2e

CAMERA = "camera.paula_camera"
TOLD_WITHIN = 40.0  # s; twelve of patience, and a loaded machine
ANSWERS_WITHIN = 3.0  # s for the state of an entity, while the worst pictures are read


class LockWithNetworkCamera(GroundLock):
    """A ground lock whose camera is another device."""

    @override
    def entity(self, key: str) -> str:
        return CAMERA if key == "camera" else super().entity(key)

    @override
    def _see(self, seed: int) -> bytes:
        return b""  # its own camera has no part in this


@dataclass
class Ordeal:
    """What was seen of each thing that the camera sent."""

    world: World
    paula: Household
    camera: BadCamera
    booking: str = ""
    issues: dict[Sends, list[str]] = field(default_factory=dict)
    slowest_answer: float = 0.0
    hass: int | None = None

    async def shown(self) -> list[str]:
        """Return our repair issues about pictures, and notice how long Home Assistant took to answer."""
        begun = time.monotonic()
        issues = (await self.world.home.api.ask("repairs/list_issues"))["issues"]
        self.slowest_answer = max(self.slowest_answer, time.monotonic() - begun)
        return [issue["translation_key"] for issue in issues if issue["translation_key"].startswith("pictures_")]

    async def suffer(self, *kinds: Sends) -> None:
        """Let the camera send each of these until the owner knows; then something good until nothing is shown."""
        for kind in kinds:
            self.camera.sends = kind
            asked = self.camera.asked
            deadline = time.monotonic() + TOLD_WITHIN
            while not (shown := await self.shown()) or self.camera.asked < asked + 2:
                assert time.monotonic() < deadline, f"the owner is not told of {kind}"
                await asyncio.sleep(0.3)
            self.issues[kind] = shown
        self.camera.sends = Sends.GOOD
        deadline = time.monotonic() + TOLD_WITHIN
        while await self.shown():
            assert time.monotonic() < deadline, "a good picture does not clear it away"
            await asyncio.sleep(0.2)

    async def notices(self, key: str) -> list[str]:
        """Return the texts of our notifications with this key."""
        notices = await self.world.home.api.ask("persistent_notification/get")
        return [notice["message"] for notice in notices if notice["notification_id"].endswith(key)]


async def _set_up(world: World, camera: BadCamera, stack: contextlib.AsyncExitStack) -> Ordeal:
    account = Account(world.server.url, email="paula@example.org", password=SECRET, name="Paula")
    lock = LockWithNetworkCamera("paula_bay", name="Paula bay", kind=Kind.LOCK)
    paula = Household("Paula", account, lock, offset(STREET, north_m=500, east_m=0), "Am Feld 1, Berlin", "B-PA-77")
    await stack.enter_async_context(camera.running())
    await stack.enter_async_context(lock.connected("127.0.0.1", world.broker.port))
    await stack.enter_async_context(account)
    await account.sign_up()
    address = {"name": "Paula camera", "mjpeg_url": camera.url, "still_image_url": camera.url}
    flow = await world.home.api.add_integration("mjpeg", address)
    stack.push_async_callback(_remove, world, flow["result"]["entry_id"])
    await world.home.api.seen(lock.entity("barrier"), lambda change: change.state == "locked")
    await world.link(paula)
    stack.push_async_callback(_remove, world, paula.entry)
    return Ordeal(world, paula, camera, hass=world.home.process.pid)


async def _remove(world: World, entry: str) -> None:
    await world.home.api.call("DELETE", f"/api/config/config_entries/entry/{entry}")


@pytest.fixture(scope="module")
def ordeal(stage: Stage) -> Iterator[Ordeal]:
    """A booking whose renter is near, at a camera that sends one bad thing after the other."""
    stack = contextlib.AsyncExitStack()

    async def begin() -> Ordeal:
        ordeal = await _set_up(stage.world, BadCamera(), stack)
        ordeal.booking = await stage.world.book(ordeal.paula)
        await stage.world.renter.here(ordeal.booking)
        await until(lambda: ordeal.camera.asked > 2, "the camera is not asked", within=30)
        return ordeal

    yield stage.do(begin(), within=120)
    stage.do(stack.aclose(), within=60)


@pytest.mark.parametrize("kind", [Sends.HTML, Sends.TRUNCATED, Sends.MEGAPIXELS, Sends.BOMB])
def test_what_is_no_picture_is_told_once_until_a_good_one_comes(stage: Stage, ordeal: Ordeal, kind: Sends) -> None:
    stage.do(ordeal.suffer(kind), within=100)
    assert ordeal.issues[kind] == ["pictures_unusable"]


def test_a_camera_that_never_ends_or_sends_nothing_is_told_once(stage: Stage, ordeal: Ordeal) -> None:
    stage.do(ordeal.suffer(Sends.ENDLESS, Sends.EMPTY), within=150)
    assert ordeal.issues[Sends.ENDLESS] == ordeal.issues[Sends.EMPTY] == ["pictures_silent"]


@pytest.fixture(scope="module")
def killed(stage: Stage, ordeal: Ordeal) -> list[str]:
    """The reader's process dies while it reads; returns what the owner was told."""

    async def kill() -> list[str]:
        ordeal.camera.car = Car(WRONG_PLATE)
        await _kill_while_reading(ordeal.hass)
        await asyncio.sleep(0.5)
        deadline = time.monotonic() + 20
        while not (told := await ordeal.notices("_reader_broke_off")) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        return told

    return stage.do(kill(), within=60)


async def _kill_while_reading(hass: int | None) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for worker in _workers(hass):
            if _is_busy(worker):
                os.kill(worker, signal.SIGSEGV)
                return
        await asyncio.sleep(0.005)
    raise TimeoutError("no worker was reading")


def _workers(parent: int | None) -> list[int]:
    """Return the plate readers among the children of a process."""
    children = " ".join(path.read_text() for path in Path(f"/proc/{parent}/task").glob("*/children"))
    return [int(pid) for pid in children.split() if b"recognition" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def _is_busy(pid: int) -> bool:
    """Tell whether a thread of it computes: between two pictures all of them sleep."""
    with contextlib.suppress(OSError):
        states = [path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{pid}/task").glob("*/stat")]
        return states.count("R") > 0
    return False


def test_a_reader_that_is_killed_over_a_picture_is_told_once(ordeal: Ordeal, killed: list[str]) -> None:
    (told,) = killed
    assert "SIGSEGV" in told
    assert "Paula bay" in told


def test_home_assistant_ran_on_and_answered_all_the_while(stage: Stage, ordeal: Ordeal, killed: list[str]) -> None:
    assert ordeal.world.home.process.pid == ordeal.hass
    assert stage.do(ordeal.world.home.api.state(CAMERA)) is not None
    assert ordeal.slowest_answer < ANSWERS_WITHIN


def test_the_next_booking_is_admitted_as_ever(stage: Stage, ordeal: Ordeal, killed: list[str]) -> None:
    world, lock = stage.world, ordeal.paula.lock
    assert lock.barrier.commands == []

    async def next_booking() -> dict[str, Any]:
        await world.renter.account.call("POST", f"/bookings/{ordeal.booking}/cancel")
        booking = await world.book(ordeal.paula)
        await world.renter.here(booking)
        ordeal.camera.car = Car(world.renter.plate)
        await ordeal.camera.car.park(lock, patience=40)
        return await world.renter.booking_in_state(booking, "active", within=20)

    assert stage.do(next_booking(), within=120)["state"] == "active"
    assert lock.barrier.position is Position.DOWN
    assert stage.do(ordeal.shown()) == []


def test_the_picture_of_the_admission_is_at_home(stage: Stage, ordeal: Ordeal) -> None:
    world = stage.world

    async def picture() -> bytes:
        entity = await world.entity(ordeal.paula, "last_look")
        headers = {"Authorization": f"Bearer {world.home.api.token}"}
        async with world.home.api.session.get(f"{world.home.url}/api/image_proxy/{entity}", headers=headers) as answer:
            assert answer.status == 200
            return await answer.read()

    assert stage.do(picture()).startswith(b"\xff\xd8\xff")
