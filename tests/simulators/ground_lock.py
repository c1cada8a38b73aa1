"""A ground lock with a camera, as an MQTT device that Home Assistant discovers.

By hand: python -m tests.simulators.ground_lock --broker 127.0.0.1:1883 --plate AB-123-CD --fault jam
While it runs, JSON on sim/<id>/control changes it: {"fault": "jam", "on": true}, {"hand": "down"},
{"plate": "AB-123-CD", "distance": 2.5}, {"plate": null}, {"parked": true}.
"""

import argparse
import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Coroutine
from enum import StrEnum

import aiomqtt

from . import picture
from .barrier import Barrier, Position, Wish
from .car import Car, Photo
from .discovery import COMMANDS, PREFIX, STATES, Kind, Topics, announcements


class Fault(StrEnum):
    """What can be wrong with a ground lock, each of them seen in the field."""

    JAM = "jam"  # the bow stops halfway
    JAM_DOWN = "jam_down"  # only on its way down
    JAM_UP = "jam_up"  # only on its way up
    NO_ANSWER = "no_answer"  # commands arrive, nothing moves, nothing is said
    UNAVAILABLE = "unavailable"  # the device has gone
    LOCK_GONE = "lock_gone"  # the lock has gone, the camera and the sensors are there
    LATE = "late"  # it obeys 20 s after it heard
    LIES = "lies"  # it says that it went down, and stays up
    CAMERA_DARK = "camera_dark"
    CAMERA_FROZEN = "camera_frozen"  # the same picture again and again
    SENSOR_STUCK = "sensor_stuck"  # the radar says what it last said


DELAY_S = 20.0  # of a lock that answers late: a battery radio that sleeps between its looks at the mail
RECONNECT_S = 0.5
CONNECT_LIMIT_S = 15.0
NO_ORDERS = frozenset({Fault.NO_ANSWER, Fault.UNAVAILABLE, Fault.LOCK_GONE})


class Scenes:
    """What the camera sees without a car."""

    def yard(self, seed: int) -> bytes:
        """Return the JPEG of the empty yard."""
        return picture.take(picture.draw_yard(), picture.Conditions(), seed=seed)

    def dark(self, seed: int) -> bytes:
        """Return the JPEG of the night without a lamp."""
        return picture.black(seed=seed)


class GroundLock:
    """One simulated ground lock. Use `async with lock.connected():`; everything public may change while it runs."""

    def __init__(
        self,
        identifier: str,
        *,
        name: str,
        kind: Kind = Kind.LOCK,
        travel_s: float = 1.5,
        boot_s: float = 1.0,
        picture_s: float = 0.3,
        report_s: float = 5.0,
        scenes: Scenes | None = None,
    ) -> None:
        """Set its habits.

        travel_s: time of the bow from up to down; boot_s: from power to the first picture; picture_s: time between
        pictures; report_s: the sensors repeat their state this often; scenes: what the camera sees without a car.
        """
        self.identifier, self.name, self.kind = identifier, name, kind
        self.barrier = Barrier(travel_s, self._tell_barrier, lambda: self.car_in_bay)
        self.faults: set[Fault] = set()
        self.in_view: tuple[Car, float] | None = None  # a car and its distance from the camera in metres
        self.powered = False
        self.powered_at: list[float] = []  # when the camera was switched on, UTC epoch seconds
        self.pictures_taken: list[float] = []
        self._in_bay = False
        self._topics = Topics(identifier)
        self._boot_s, self._picture_s, self._report_s = boot_s, picture_s, report_s
        self._client: aiomqtt.Client | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._frozen: bytes | None = None
        self._radar = False
        self._scenes = scenes or Scenes()
        self._shown = False  # whether the camera has sent a picture since it has power
        self._online = asyncio.Event()

    def entity(self, key: str) -> str:
        """Return the entity id that Home Assistant gives to: barrier, radar, magnetic, camera or camera_power."""
        domain = {"barrier": self.kind.value, "camera": "camera", "camera_power": "switch"}.get(key, "binary_sensor")
        return f"{domain}.{self.identifier}_{key}"

    @property
    def car_in_bay(self) -> bool:
        """Tell whether a car stands over the bow: the truth, whatever the sensors say."""
        return self._in_bay

    async def set_car_in_bay(self, occupied: bool) -> None:
        """Put a car into the bay or take it out; the sensors notice it a little later, each in its own time."""
        self._in_bay = occupied
        for delay in (0.4, 0.9):
            self._spawn(self._tell_sensors_after(delay))

    def enter_now(self) -> None:
        """Let a car drive into the bay from a place where nothing can be awaited."""
        self._spawn(self.set_car_in_bay(True))

    async def set_fault(self, fault: Fault, on: bool) -> None:
        """Switch a fault on or off."""
        (self.faults.add if on else self.faults.discard)(fault)
        barrier = self.barrier
        barrier.jam = Fault.JAM in self.faults
        jams = ((Fault.JAM_DOWN, Position.DOWN), (Fault.JAM_UP, Position.UP))
        barrier.jams_towards = {towards for jam, towards in jams if jam in self.faults}
        if barrier.late_s and Fault.LATE not in self.faults:
            await barrier.forget()
        barrier.late_s = DELAY_S if Fault.LATE in self.faults else 0.0
        if barrier.lies and Fault.LIES not in self.faults:
            await barrier.tell_the_truth()
        barrier.lies = Fault.LIES in self.faults
        if fault is Fault.CAMERA_FROZEN:
            self._frozen = None
        if fault is Fault.UNAVAILABLE:
            await self._say(self._topics.online, "offline" if on else "online")
        if fault is Fault.LOCK_GONE:
            await self._say(self._topics.barrier_online, "offline" if on else "online")
            await self._tell_barrier()
        await self._tell_sensors()

    async def hold_radar(self, holding: bool, *, saying: bool | None = None) -> None:
        """Let the radar go on saying what it said last (something stands in its way), or see again.

        saying is what it goes on saying instead: True for a car.
        """
        if saying is not None:
            self._radar = saying
        await self.set_fault(Fault.SENSOR_STUCK, holding)

    @contextlib.asynccontextmanager
    async def connected(self, host: str, port: int) -> AsyncIterator[None]:
        """Be on the wire while the block runs: announced, listening, reporting."""
        live = asyncio.create_task(self._live(host, port))
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                await self._online.wait()
            work = [asyncio.create_task(part()) for part in (self._film, self._report)]
            try:
                yield
            finally:
                await self.barrier.forget()
                await self.barrier.stop()
                for task in (*work, *self._tasks):
                    task.cancel()
                await asyncio.gather(*work, *self._tasks, return_exceptions=True)
                if self._client is not None:
                    with contextlib.suppress(aiomqtt.MqttError):
                        await self._client.publish(self._topics.online, "offline", retain=True)
        finally:
            live.cancel()
            await asyncio.gather(live, return_exceptions=True)

    async def _live(self, host: str, port: int) -> None:
        """Be connected, and again whenever the broker comes back."""
        will = aiomqtt.Will(self._topics.online, "offline", retain=True)
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(host, port, will=will, identifier=f"sim-{self.identifier}") as client:
                    for topic in self._heard():
                        await client.subscribe(topic, qos=1)
                    self._client = client
                    await self._announce()
                    self._online.set()
                    try:
                        await self._listen(client)
                    finally:
                        self._client = None
            await asyncio.sleep(RECONNECT_S)

    def _heard(self) -> tuple[str, ...]:
        return (self._topics.barrier_set, self._topics.power_set, self._topics.control, f"{PREFIX}/status")

    async def _announce(self) -> None:
        for topic, payload in announcements(self.identifier, self.name, self.kind).items():
            await self._say(topic, payload)
        await self._say(self._topics.online, "offline" if Fault.UNAVAILABLE in self.faults else "online")
        await self._say(self._topics.barrier_online, "offline" if Fault.LOCK_GONE in self.faults else "online")
        await self._say(self._topics.power, "ON" if self.powered else "OFF")
        await self._say(self._topics.camera_online, "online" if self._shown else "offline")
        await self._tell_barrier()
        await self._tell_sensors()

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic, payload = str(message.topic), bytes(message.payload or b"").decode()
            if topic == self._topics.barrier_set and payload in COMMANDS:
                await self._obey(COMMANDS[payload])
            elif topic == self._topics.power_set:
                await self._switch_camera(on=payload == "ON")
            elif topic == self._topics.control:
                await self._control(payload)
            elif topic == f"{PREFIX}/status" and payload == "online" and not message.retain:
                await self._announce()

    async def _obey(self, wish: Wish) -> None:
        if self.faults & NO_ORDERS:
            return
        await self.barrier.command(wish)

    async def _control(self, payload: str) -> None:
        order = json.loads(payload)
        if "fault" in order:
            await self.set_fault(Fault(order["fault"]), bool(order.get("on", True)))
        if "hand" in order:
            await self.barrier.by_hand(Wish(order["hand"]))
        if "plate" in order:
            plate = order["plate"]
            self.in_view = (Car(plate), float(order.get("distance", 2.5))) if plate else None
        if "parked" in order:
            await self.set_car_in_bay(bool(order["parked"]))

    async def _switch_camera(self, *, on: bool) -> None:
        if Fault.UNAVAILABLE in self.faults:
            return
        if on and not self.powered:
            self.powered_at.append(time.time())
        self.powered = on
        await self._say(self._topics.power, "ON" if on else "OFF")
        if not on:
            await self._say(self._topics.camera_online, "offline")

    async def _film(self) -> None:
        """Send pictures while the camera has power, the first one after it has booted."""
        while True:
            if not self._has_power():
                self._shown = False
                await asyncio.sleep(0.05)
                continue
            if not self._shown:
                await asyncio.sleep(self._boot_s)
            content = await asyncio.to_thread(self._see, len(self.pictures_taken))
            if not self._has_power():
                continue
            await self._say(self._topics.picture, content, retain=False)
            self.pictures_taken.append(time.time())
            if not self._shown:
                await self._say(self._topics.camera_online, "online")
                self._shown = True
            await asyncio.sleep(self._picture_s)

    def _has_power(self) -> bool:
        return self.powered and Fault.UNAVAILABLE not in self.faults

    def _see(self, seed: int) -> bytes:
        if Fault.CAMERA_DARK in self.faults:
            return self._scenes.dark(seed)
        if Fault.CAMERA_FROZEN in self.faults and self._frozen is not None:
            return self._frozen
        if self.in_view is None:
            content = self._scenes.yard(seed)
        else:
            car, distance = self.in_view
            content = car.picture(distance, seed=seed)
        self._frozen = content
        return content

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(self._report_s)
            await self._tell_sensors()

    async def _tell_sensors_after(self, delay: float) -> None:
        await asyncio.sleep(delay)
        await self._tell_sensors(magnetic=delay > 0.5)

    async def _tell_sensors(self, *, magnetic: bool = True) -> None:
        if Fault.SENSOR_STUCK not in self.faults:
            self._radar = self._in_bay
        await self._say(self._topics.radar, "ON" if self._radar else "OFF")
        if magnetic:
            await self._say(self._topics.magnetic, "ON" if self._in_bay else "OFF")

    async def _tell_barrier(self) -> None:
        if Fault.LOCK_GONE in self.faults:
            return
        await self._say(self._topics.barrier, STATES[self.kind][self.barrier.told])

    async def _say(self, topic: str, payload: str | bytes, *, retain: bool = True) -> None:
        if self._client is None or (Fault.UNAVAILABLE in self.faults and topic != self._topics.online):
            return
        # Without a broker it is lost: all that lasts is said again when it is back.
        with contextlib.suppress(aiomqtt.MqttError):
            await self._client.publish(topic, payload, qos=1, retain=retain)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulators.ground_lock",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--broker", default="127.0.0.1:1883", metavar="HOST:PORT")
    parser.add_argument("--id", default="bay_1", help="lower case, digits and _: becomes part of the entity ids")
    parser.add_argument("--name", default="Bay 1")
    parser.add_argument("--kind", choices=list(Kind), type=Kind, default=Kind.LOCK)
    parser.add_argument("--travel", type=float, default=1.5, metavar="S", help="seconds of the bow's way")
    parser.add_argument("--fault", choices=list(Fault), type=Fault, action="append", default=[])
    parser.add_argument("--plate", help="a car with this plate stands before the camera")
    parser.add_argument("--photo", help="use this photograph for it")
    parser.add_argument("--distance", type=float, default=2.5, metavar="M")
    arguments = parser.parse_args()
    host, _, port = arguments.broker.partition(":")
    lock = GroundLock(arguments.id, name=arguments.name, kind=arguments.kind, travel_s=arguments.travel)
    if arguments.plate or arguments.photo:
        photo = Photo(arguments.photo) if arguments.photo else None
        lock.in_view = (Car(arguments.plate or "", photo=photo), arguments.distance)
    async with lock.connected(host, int(port or 1883)):
        for fault in arguments.fault:
            await lock.set_fault(fault, on=True)
        last: Position | None = None
        while True:
            if lock.barrier.position is not last:
                last = lock.barrier.position
                print(
                    f"{time.strftime('%H:%M:%S')} barrier {last}, camera {'on' if lock.powered else 'off'}", flush=True
                )
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
