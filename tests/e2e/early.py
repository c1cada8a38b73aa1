"""The owner comes home early, while a renter stands on their space: a standby at the neighbour's."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.simulators.barrier import Wish
from tests.simulators.car import Car
from tests.simulators.phone import timestamp
from tests.simulators.track import offset

from .timeline import Timeline
from .waiting import decided
from .world import STREET, World

STANDBY = "the owner comes home early and is offered a standby, with period and address"
ACCEPT = "the owner accepts and the standby is booked at the neighbour's"
OWNER_PARKS = "the owner arrives at the neighbour's: one fix, and their own plate opens the barrier"

STEPS = (STANDBY, ACCEPT, OWNER_PARKS)


@dataclass
class Early:
    """Olivia comes home early and parks at Nora's."""

    world: World
    timeline: Timeline
    standby: dict[str, Any] = field(default_factory=dict)

    async def play(self) -> None:
        """Bring the owner home while the renter stands on the space."""
        world, api = self.world, self.world.home.api
        sensor = await world.entity(world.olivia, "standby")
        async with self.timeline.step(STANDBY, within=60) as step:
            begun = time.time()
            for metres in (1500, 600, 200, 30):
                await world.owner_phone.move(offset(STREET, north_m=metres, east_m=0))
                await asyncio.sleep(0.5)
            await api.seen(sensor, lambda change: change.state == "offered", since=begun, within=40)
            keys = ("standby_address", "standby_start", "standby_end")
            shown = {key: await api.state(await world.entity(world.olivia, key)) for key in keys}
            step.note("{standby_address}, {standby_start} to {standby_end}".format(**shown))
            if shown["standby_address"] != world.nora.address:
                raise AssertionError(f"The address of the standby is not shown, but {shown['standby_address']!r}")
            for key in ("standby_start", "standby_end"):
                datetime.fromisoformat(str(shown[key]))
        async with self.timeline.step(ACCEPT, within=60) as step:
            await world.press(world.olivia, "accept_standby")
            await api.seen(sensor, lambda change: change.state == "booked", since=begun, within=40)
            bookings = (await world.olivia.account.call("GET", "/bookings"))["items"]
            self.standby = next(booking for booking in bookings if booking["space"]["id"] == world.nora.space)
            step.note(f"booking {self.standby['id']} {self.standby['state']} at {self.standby['space']['address']}")
            if self.standby["state"] != "reserved":
                raise AssertionError(f"The standby's booking is {self.standby['state']}")
        async with self.timeline.step(OWNER_PARKS, within=60) as step:
            await self._arrive_at_standby()
            step.note(f"{world.nora.lock.entity('barrier')} is {api.current(world.nora.lock.entity('barrier'))}")

    async def _arrive_at_standby(self) -> None:
        """Stand at the neighbour's bow with the camera asleep: the very last fix starts the whole chain."""
        world, lock = self.world, self.world.nora.lock
        if lock.powered:
            raise AssertionError("The neighbour's camera is on before anybody came near")
        car = Car(world.olivia.plate)
        await car.drive_up(lock, start=6.0, speed=4.0)
        event = await world.entity(world.nora, "plate")
        sent = time.time()
        lat, lon = offset(world.nora.place, north_m=-25, east_m=0)
        world.owner_phone.places.append((lat, lon))
        fix = {"lat": lat, "lon": lon, "accuracy_m": 6, "at": timestamp(sent)}
        answer = await world.olivia.account.call("POST", "/positions", {"fixes": [fix]})
        if self.standby["id"] not in answer["near"]:
            raise AssertionError(f"The fix at the space does not make the booking near: {answer}")
        await car.park(lock, patience=40)
        lowered = await world.home.api.seen(event, decided("lowered"), since=sent)
        parts = dict(lowered.attributes["milliseconds"])
        command = next(command for command in lock.barrier.commands if command.at >= sent and command.wish is Wish.DOWN)
        inside = sum(ms for part, ms in parts.items() if part not in {"total", "command_to_confirmed"}) / 1000
        self.timeline.figures |= {
            "owner at the bow: last fix -> command, all of it": command.at - sent,
            "owner at the bow: fix -> fact at the house, and command -> lock (the rest)": command.at - sent - inside,
        } | {
            f"owner at the bow: {part.replace('_to_', ' -> ')}": ms / 1000
            for part, ms in parts.items()
            if part != "total"
        }
