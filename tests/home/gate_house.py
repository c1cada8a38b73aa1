"""A house with one space whose things are real entities, for the tests of its gate and of what it shows."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.parkshare.barrier import BarrierTiming
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.grant import Grant
from custom_components.parkshare.gate.policy import GatePolicy
from custom_components.parkshare.space import SpaceRuntime
from tests.home.conftest import SetUp
from tests.home.hardware import FakeCamera, FakeLock, FakeSwitch, PlateReader, stand
from tests.home.support import space_data

PLATE, OTHER = "MABC123", "KXY987"
RADAR, MAGNETIC = "binary_sensor.radar", "binary_sensor.magnetic"
POLICY = GatePolicy(
    clear_max_age=0.6,
    look_pace=0.01,
    watch_pace=0.01,
    refuse_settle=0.05,
    departure_debounce=0.1,
    raise_warning=0.1,
    link_patience=0.05,
)


@pytest.fixture
def reader() -> Iterator[PlateReader]:
    reader = PlateReader()
    with patch("custom_components.parkshare.hub.EmbeddedReader", return_value=reader):
        yield reader


@pytest.fixture
def things(hass: HomeAssistant) -> None:
    """The things of these tests are real entities, see `house`."""


class House:
    """A house with one space, and what stands on it."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry, set_up: SetUp) -> None:
        self.hass = hass
        self.entry = entry
        self.space_id = next(iter(entry.subentries.values())).data["space_id"]
        self._set_up = set_up
        self.lock = FakeLock()
        self.power = FakeSwitch("power")
        self.camera = FakeCamera(self.power)
        self.reports: list[tuple[str, dict[str, Any]]] = []

    async def stand(self) -> None:
        await stand(self.hass, lock=[self.lock], switch=[self.power], camera=[self.camera])
        self.sensors("off")
        self.hass.states.async_set(
            "person.owner", "not_home", {"latitude": 48.2, "longitude": 11.6, "gps_accuracy": 10}
        )

    async def start(self) -> None:
        self.hub = await self._set_up(self.entry)
        report = self.hub.async_report

        async def record(t: str, d: dict[str, Any]) -> None:
            self.reports.append((t, d))
            await report(t, d)

        self.hub.async_report = record

    async def restart(self) -> None:
        assert await self.hass.config_entries.async_unload(self.entry.entry_id)
        await self.start()

    @property
    def space(self) -> SpaceRuntime:
        return self.hub.runtime_of(self.space_id)

    async def grant(self, *, starts_in: float = -60.0, lasts: float = 3600.0, plate: str = PLATE) -> None:
        start = time.time() + starts_in
        grant = Grant(booking="b1", space=self.space_id, start=start, end=start + lasts, plate=plate, alias="Rosa")
        await self.hub.grants.async_put(grant)
        await self.space.async_grants_changed()

    def sensors(self, state: str, *sensors: str) -> None:
        for sensor in sensors or (RADAR, MAGNETIC):
            self.hass.states.async_set(sensor, state)

    async def here(self) -> None:
        await self.space.async_renter_near("b1", time.time(), "here")

    async def press(self, button: str) -> None:
        await self.hass.services.async_call("button", "press", {"entity_id": f"button.bay_1_{button}"}, blocking=True)

    async def until(self, check: Callable[[], Any], *, within: float = 5.0) -> None:
        """Wait for the world; deadlines of the gate come as they are due."""
        end = time.monotonic() + within
        while not check():
            assert time.monotonic() < end, f"still {self.space.gate}"
            await asyncio.sleep(0.01)
            async_fire_time_changed(self.hass)

    def state(self, entity_id: str) -> str:
        return self.hass.states.get(entity_id).state

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [d for t, d in self.reports if t == kind]

    async def park(self) -> None:
        await self.grant()
        self.camera.plate = PLATE
        await self.here()
        await self.until(lambda: self.space.gate.phase is w.Phase.ADMITTED)
        self.sensors("on")
        await self.until(lambda: self.space.gate.phase is w.Phase.PARKED)


@pytest.fixture
async def house(
    request: pytest.FixtureRequest,
    hass: HomeAssistant,
    socket_enabled: None,
    make_entry: Callable[..., MockConfigEntry],
    set_up: SetUp,
    gate_policy: GatePolicy | None,
) -> AsyncIterator[House]:
    """A running house; a test's parameter changes the settings of its space, a gate_policy how patient it is."""
    bay = {"name": "Bay 1", "camera_power": "switch.power", "occupancy": [RADAR, MAGNETIC]}
    entry = make_entry(spaces=(space_data(**bay | getattr(request, "param", {})),))
    house = House(hass, entry, set_up)
    await house.stand()
    timing = partial(BarrierTiming, confirm=0.1, travel=0.2, back_off=(0.01, 0.01))
    runtime = partial(SpaceRuntime, policy=gate_policy or POLICY)
    with (
        patch("custom_components.parkshare.SpaceRuntime", runtime),
        patch("custom_components.parkshare.space.BarrierTiming", timing),
        patch("custom_components.parkshare.seeing.looking.NEXT_PICTURE", 0.02),
    ):
        await house.start()
        yield house
