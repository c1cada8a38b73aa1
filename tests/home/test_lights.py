"""Lights and cameras that are on only while somebody looks for a booked car, whatever ends the looking."""

import asyncio
from typing import Any, override

import pytest
from homeassistant.components.camera.const import CameraEntityFeature
from homeassistant.core import HomeAssistant, ServiceCall

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.seeing.lights import LIGHTS, Lights
from custom_components.parkshare.seeing.pictures import SpaceCamera
from custom_components.parkshare.seeing.switched import SWITCHED
from tests.home.gate_house import PLATE, House, house, reader, things  # noqa: F401 - fixtures
from tests.home.hardware import FakeSwitch, stand

STORE = "parkshare.switched"


class Lamp(FakeSwitch):
    """A lamp on a switch; `broken` says no."""

    broken = False

    @override
    async def _go(self, *, on: bool) -> None:
        if self.broken:
            raise RuntimeError("no")
        await super()._go(on=on)

    def there(self, available: bool) -> None:
        self._attr_available = available
        self.async_write_ha_state()


@pytest.fixture
async def lamps(hass: HomeAssistant) -> tuple[Lamp, Lamp]:
    lamps = (Lamp("front"), Lamp("back"))
    lamps[1]._attr_is_on = True
    await stand(hass, switch=list(lamps))
    return lamps


@pytest.fixture
def lights(hass: HomeAssistant, lamps: tuple[Lamp, Lamp]) -> Lights:
    return Lights(hass, ("switch.front", "switch.back"))


class Work:
    """Something that takes until a test ends it."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.over = asyncio.Event()

    async def run(self) -> None:
        self.begun.set()
        await self.over.wait()


def crash(hass: HomeAssistant) -> None:
    """What a new run of Home Assistant no longer knows."""
    for key in (LIGHTS, SWITCHED):
        hass.data.pop(key, None)


async def shining(hass: HomeAssistant, lights: Lights) -> tuple[Work, asyncio.Task[None]]:
    work = Work()
    task = hass.async_create_task(lights.async_shine(work.run))
    await work.begun.wait()
    for _ in range(200):
        if SWITCHED in hass.data and await hass.data[SWITCHED].async_ours():
            break
        await asyncio.sleep(0.01)
    return work, task


async def test_only_the_light_that_was_off_is_turned_on_and_only_that_one_off(
    hass: HomeAssistant, lamps: tuple[Lamp, Lamp], lights: Lights, hass_storage: dict[str, Any]
) -> None:
    work, task = await shining(hass, lights)
    await asyncio.sleep(0.05)
    assert [lamp.calls for lamp in lamps] == [["on"], []]
    assert hass_storage[STORE]["data"] == {"on": ["switch.front"]}
    work.over.set()
    await task
    assert [lamp.calls for lamp in lamps] == [["on", "off"], []]
    assert STORE not in hass_storage


async def test_a_light_of_two_spaces_goes_off_with_the_last_who_looks(
    hass: HomeAssistant, lamps: tuple[Lamp, Lamp], lights: Lights
) -> None:
    one, first = await shining(hass, lights)
    two, second = await shining(hass, Lights(hass, ("switch.front",)))
    one.over.set()
    await first
    assert lamps[0].calls == ["on"]
    two.over.set()
    await second
    assert lamps[0].calls == ["on", "off"]


async def test_lights_go_off_when_the_work_fails_or_is_broken_off(
    hass: HomeAssistant, lamps: tuple[Lamp, Lamp], lights: Lights
) -> None:
    async def fails() -> None:
        await asyncio.sleep(0.05)
        raise ValueError("broke")

    with pytest.raises(ValueError, match="broke"):
        await lights.async_shine(fails)
    assert lamps[0].calls == ["on", "off"]
    _, task = await shining(hass, lights)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert lamps[0].calls == ["on", "off"] * 2


async def test_after_a_crash_the_light_that_was_turned_on_goes_off_as_soon_as_it_is_there(
    hass: HomeAssistant, lamps: tuple[Lamp, Lamp], lights: Lights, hass_storage: dict[str, Any]
) -> None:
    hass_storage[STORE] = {"version": 1, "key": STORE, "data": {"on": ["switch.front"]}}
    crash(hass)
    await lamps[0].async_turn_on()
    lamps[0].there(False)
    after = Lights(hass, ("switch.front", "switch.back"))
    await after.async_off_unless_used()
    assert lamps[0].calls == ["on"]
    lamps[0].there(True)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert lamps[0].calls == ["on", "off"]
    assert lamps[1].is_on, "it was on before anybody looked"
    assert STORE not in hass_storage


async def test_a_light_that_cannot_be_switched_is_tried_again_the_next_time(
    hass: HomeAssistant, lamps: tuple[Lamp, Lamp], lights: Lights, hass_storage: dict[str, Any]
) -> None:
    work, task = await shining(hass, lights)
    await asyncio.sleep(0.05)
    lamps[0].broken = True
    work.over.set()
    await task
    assert lamps[0].is_on
    assert hass_storage[STORE]["data"] == {"on": ["switch.front"]}
    lamps[0].broken = False
    await lights.async_off_unless_used()
    assert not lamps[0].is_on


# In the house


def lamp(hass: HomeAssistant) -> list[str]:
    """A light that does what it is told; returns what that was."""
    calls: list[str] = []

    async def switch(call: Any) -> None:
        calls.append(call.service)
        hass.states.async_set("light.bay", call.service.removeprefix("turn_"))

    for service in ("turn_on", "turn_off"):
        hass.services.async_register("light", service, switch)
    hass.states.async_set("light.bay", "off")
    return calls


@pytest.mark.parametrize("house", [{"light": ["light.bay"]}], indirect=True)
async def test_the_light_shines_only_while_the_camera_looks_for_a_booked_car(house: House) -> None:  # noqa: F811
    calls = lamp(house.hass)
    house.sensors("on")
    await house.hass.async_block_till_done()
    assert calls == [], "no booking"
    house.sensors("off")
    await house.grant()
    await house.here()
    await house.until(lambda: calls == ["turn_on"])
    house.camera.plate = PLATE
    await house.until(lambda: calls == ["turn_on", "turn_off"])
    assert house.space.gate.phase is w.Phase.ADMITTED


@pytest.mark.parametrize("house", [{"light": ["light.bay"]}], indirect=True)
async def test_what_a_crash_left_on_is_turned_off_on_the_next_start(
    house: House,  # noqa: F811
    hass_storage: dict[str, Any],
) -> None:
    calls = lamp(house.hass)
    await house.entry.runtime_data.async_stop()
    crash(house.hass)
    house.hass.states.async_set("light.bay", "on")
    await house.power.async_turn_on()
    # The gate was stored as no longer looking, and the run ended before anything was turned off.
    hass_storage[STORE] = {"version": 1, "key": STORE, "data": {"on": ["light.bay", "switch.power"]}}
    await house.restart()
    await house.until(lambda: calls == ["turn_off"] and not house.power.is_on)
    await house.until(lambda: STORE not in hass_storage)


async def test_a_camera_that_its_owner_turned_on_stays_on_over_a_restart(house: House) -> None:  # noqa: F811
    await house.power.async_turn_on()
    await house.restart()
    await asyncio.sleep(0.1)
    assert house.power.is_on


async def test_a_camera_without_a_power_switch_that_a_crash_left_on_is_off_after_the_next_look(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    calls: list[str] = []

    def switchable(action: str, state: str) -> None:
        async def switch(_call: ServiceCall) -> None:
            calls.append(action)
            hass.states.async_set("camera.bay", state, {"supported_features": CameraEntityFeature.ON_OFF})

        hass.services.async_register("camera", action, switch)

    switchable("turn_on", "idle")
    switchable("turn_off", "off")
    # The run before was killed while it looked: the camera is on, and that it is ours is on disk.
    hass.states.async_set("camera.bay", "idle", {"supported_features": CameraEntityFeature.ON_OFF})
    hass_storage[STORE] = {"version": 1, "key": STORE, "data": {"on": ["camera.bay"]}}
    camera = SpaceCamera(hass, "camera.bay", None)
    await camera.async_on()
    await camera.async_off()
    assert calls[-1] == "turn_off"
    assert hass.states.get("camera.bay").state == "off"
