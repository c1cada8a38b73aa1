"""Frigate in front of a running Home Assistant: a real broker, and messages of its three versions written by hand.

Only what Frigate reads now, with the right camera, lets the booked car in. The space's own camera sees nobody.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulators.barrier import Position, Wish
from tests.simulators.car import Car
from tests.simulators.frigate import Camera, Frigate, lpr, object_event
from tests.simulators.home_api import SUBENTRY_FLOW

from .conftest import Stage
from .story import until
from .world import World

pytestmark = pytest.mark.e2e

WATCH_S = 2.0  # so long nothing may happen
ADMIT_S = 15.0
STRANGER = "ZZ-999-ZZ"
PASSWORD = "viewer-password"


class SpaceForm:
    """A browser in the settings of a space."""

    def __init__(self, world: World, entry: str) -> None:
        self._api, self._entry, self._path = world.home.api, entry, ""

    async def open(self) -> None:
        """Go through the first two forms as they are, to the menu."""
        (space,) = await self._api.ask("config_entries/subentries/list", entry_id=self._entry)
        body = {"handler": [self._entry, "space"], "subentry_id": space["subentry_id"]}
        shown = await self._api.call("POST", SUBENTRY_FLOW, body)
        self._path = f"{SUBENTRY_FLOW}/{shown['flow_id']}"
        while shown["type"] == "form":
            known = {
                field["name"]: field["description"]["suggested_value"]
                for field in shown["data_schema"]
                if "suggested_value" in (field.get("description") or {})
            }
            shown = await self.answer(known)
            assert not shown.get("errors"), shown

    async def answer(self, given: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = await self._api.call("POST", self._path, given)
        return shown

    async def choose(self, *steps: str) -> dict[str, Any]:
        for step in steps:
            shown = await self.answer({"next_step_id": step})
        return shown


class Gate:
    """The renter's booking of Olivia's space, which has a Frigate."""

    def __init__(self, stage: Stage, frigate: Frigate) -> None:
        self.world, self.frigate = stage.world, frigate
        self.lock = stage.world.olivia.lock
        self.plate = stage.world.renter.plate
        self._earlier = 0

    @property
    def commands(self) -> list[Wish]:
        """What reached the lock in this visit."""
        return [command.wish for command in self.lock.barrier.commands[self._earlier :]]

    async def arrive(self) -> None:
        """Book and press "I'm here": Frigate's camera goes on."""
        self._earlier = len(self.lock.barrier.commands)
        self.booking = await self.world.book(self.world.olivia)
        assert not self.frigate.cameras[0].on
        # Somebody leaves the booked plate on the broker: it comes with the subscription, and by its time it is of now.
        left = lpr(self.plate, camera="space", at=time.time() + 2.5, score=0.99)
        await self.frigate.say("tracked_object_update", left, retain=True)
        await self.world.renter.here(self.booking)
        await until(lambda: self.frigate.cameras[0].on, "Frigate's camera did not go on", within=20)
        await asyncio.sleep(0.5)

    async def say_what_does_not_count(self) -> None:
        """Everything that names the booked plate and is no reading of now by this camera."""
        frigate, now, plate = self.frigate, time.time(), self.plate
        before = now - 120
        for version in ("0.16", "0.17", "0.18"):
            replayed = lpr(plate, camera="space", at=before, version=version, score=0.99)
            street = lpr(plate, camera="street", at=now, version=version, score=0.99)
            named = lpr(STRANGER, camera="space", at=now, version=version, score=0.99, name=plate)
            bare = json.dumps({key: value for key, value in json.loads(named).items() if key != "plate"}).encode()
            for message in (replayed, street, named, bare):
                await frigate.say("tracked_object_update", message)
            await frigate.say("tracked_object_update", replayed, retain=True)
        for shape in ("list", "string"):
            kept = object_event(camera="space", at=now, plate=plate, before=plate, shape=shape)
            labelled = object_event(camera="space", at=now, sub_label=[plate, 0.99])
            for message in (kept, labelled):
                await frigate.say("events", message)
        await frigate.say("available", b"online", retain=True)
        await asyncio.sleep(WATCH_S)

    async def leave(self) -> None:
        """Drive in and away again; the owner raises."""
        car, world = Car(self.plate), self.world
        await car.park(self.lock, patience=20)
        await world.renter.booking_in_state(self.booking, "active", within=20)
        await until(lambda: not self.frigate.cameras[0].on, "Frigate's camera did not go off", within=20)
        await car.leave(self.lock)
        for sensor in ("radar", "magnetic"):
            await world.home.api.seen(self.lock.entity(sensor), lambda change: change.state == "off")
        await world.press(world.olivia, "raise")
        await until(lambda: self.lock.barrier.position is Position.UP, "the barrier did not rise", within=20)


@pytest.fixture(scope="module")
def gate(stage: Stage) -> Iterator[Gate]:
    """Olivia adds her Frigate through the space's settings: address and login are checked there."""
    world = stage.world
    frigate = Frigate(users={"parkshare": PASSWORD}, cameras=[Camera("space", on=False), Camera("street")])
    ends = asyncio.Event()

    async def add() -> asyncio.Task[None]:
        await frigate.start()
        connected = asyncio.Event()

        async def stay() -> None:
            async with frigate.connected("127.0.0.1", world.broker.port):
                connected.set()
                await ends.wait()

        staying = asyncio.create_task(stay())
        await connected.wait()
        form = SpaceForm(world, world.olivia.entry)
        await form.open()
        await form.choose("sources", "source_frigate")
        connection = {"source_name": "Frigate", "topic_prefix": "frigate", "verify_ssl": True, "url": frigate.url}
        shown = await form.answer(connection | {"username": "parkshare", "password": "wrong"})
        assert shown["errors"] == {"password": "frigate_login"}
        await form.answer(connection | {"username": "parkshare", "password": PASSWORD})
        shown = await form.answer({"frigate_camera": "space", "switch_camera": True, "pictures": False})
        assert shown["step_id"] == "sources"
        assert (await form.choose("reading", "finish"))["type"] == "abort"
        await world.home.api.seen(await world.entity(world.olivia, "sharing"), lambda change: change.state == "on")
        return staying

    staying = stage.do(add(), within=60)
    yield Gate(stage, frigate)

    async def remove() -> None:
        form = SpaceForm(world, world.olivia.entry)
        await form.open()
        await form.choose("sources", "source_remove")
        await form.answer({"which": ["0"]})
        await form.choose("reading", "finish")
        for topic in ("tracked_object_update", "available", "space/enabled/state", "street/enabled/state"):
            await frigate.say(topic, b"", retain=True)
        ends.set()
        await staying
        await frigate.stop()

    stage.do(remove(), within=60)


@pytest.mark.parametrize("version", ["0.16", "0.17", "0.18"])
def test_only_a_fresh_reading_of_the_right_camera_lets_the_car_in(gate: Gate, stage: Stage, version: str) -> None:
    gate.frigate.version = version

    async def visit() -> None:
        await gate.arrive()
        await gate.say_what_does_not_count()
        assert gate.commands == []
        assert gate.lock.barrier.position is Position.UP
        await gate.frigate.read(gate.plate, camera="space", score=0.99, object_id=f"{time.time()}-car")
        await until(lambda: gate.lock.barrier.position is Position.DOWN, "the lock did not go down", within=ADMIT_S)
        assert set(gate.commands) == {Wish.DOWN}
        await gate.leave()

    stage.do(visit(), within=90)


def test_what_came_in_between_that_frigate_never_sends_is_told(gate: Gate, stage: Stage) -> None:
    async def garbage() -> None:
        await gate.arrive()
        await gate.frigate.say("tracked_object_update", b'{"type":"lpr","plate":["A"]}')
        await gate.world.repair_issue("source_unavailable")
        await gate.frigate.read(gate.plate, camera="space", score=0.99, object_id="after")
        await until(lambda: gate.lock.barrier.position is Position.DOWN, "the lock did not go down", within=ADMIT_S)
        await gate.leave()

    stage.do(garbage(), within=90)


def test_neither_password_nor_plate_is_in_the_log(gate: Gate, stage: Stage) -> None:
    log = stage.world.home.process.log.read_text(errors="replace")
    assert [secret for secret in (PASSWORD, "eyJ", "AB123CD", gate.plate, STRANGER) if secret in log] == []
