"""A barrier, its sensors and its clock in a running house: what a person is told, and when that goes away."""

import asyncio
import time
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.durable import DurableStore
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.hub import ParkShareHub
from tests.home.conftest import MakeEntry, SetUp
from tests.home.gate_house import PLATE, RADAR, House, house, reader, things  # noqa: F401 - fixtures
from tests.home.support import space_data


def repairs(hass: HomeAssistant) -> set[str]:
    """What the owner is asked to repair."""
    return {issue.translation_key for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN}


@pytest.mark.parametrize("house", [{"vehicle": ["binary_sensor.drive"]}], indirect=True)
async def test_a_car_on_the_drive_wakes_the_camera_in_a_booking_only_and_moves_nothing(house: House) -> None:  # noqa: F811
    drive = house.hass.states.async_set
    drive("binary_sensor.drive", "off")
    drive("binary_sensor.drive", "on")
    await house.hass.async_block_till_done()
    assert (house.space.gate.phase, house.space.gate.camera) == (w.Phase.IDLE, False)
    drive("binary_sensor.drive", "off")
    await house.grant()
    house.space.gate = w.Gate(rights=house.space.gate.rights, watched=("b1",), unlinked_since=None)
    drive("binary_sensor.drive", "unavailable")
    drive("binary_sensor.drive", "on")
    await house.hass.async_block_till_done()
    assert house.space.gate.phase is w.Phase.IDLE, "it was on before, or nobody knows"
    drive("binary_sensor.drive", "off")
    drive("binary_sensor.drive", "on")
    await house.until(lambda: house.space.gate.phase is w.Phase.LOOKING and house.power.is_on)
    assert house.lock.calls == []


async def test_a_lock_that_answers_after_all_tries_is_believed_and_its_fault_ends(house: House) -> None:  # noqa: F811
    house.lock.answers = False
    house.camera.plate = PLATE
    await house.grant()
    await house.here()
    await house.until(lambda: house.space.gate.fault and "barrier_no_answer" in repairs(house.hass))
    house.lock.ends(up=False)
    await house.until(lambda: house.space.gate.fault is None)
    await house.until(lambda: "barrier_no_answer" not in repairs(house.hass))
    assert (house.space.gate.position, house.space.gate.phase) == (w.Position.DOWN, w.Phase.ADMITTED)
    assert house.lock.calls == ["down"] * 3


async def test_a_raise_is_not_tried_again_while_it_is_still_being_stored_that_a_car_came(
    house: House,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save = DurableStore.async_save
    stored = asyncio.Event()

    async def slowly(store: DurableStore, data: dict[str, Any]) -> None:
        await stored.wait()
        await save(store, data)

    await house.park()
    house.lock.answers = False
    house.sensors("off")
    await house.until(lambda: house.lock.calls == ["down", "up"])
    monkeypatch.setattr(DurableStore, "async_save", slowly)
    house.sensors("on", RADAR)
    # Longer than it would take to try twice more.
    await asyncio.sleep(0.5)
    stored.set()
    await house.space.async_done()
    await house.until(lambda: house.space.gate.phase is w.Phase.PARKED)
    assert house.lock.calls.count("up") == 1


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"code_format": r"^\d{4}$"}, {}, "barrier_needs_code"),
        (
            {"device_class": "awning", "supported_features": 3},
            {"device_class": "gate", "supported_features": 3},
            "barrier_class",
        ),
        ({"supported_features": 1}, {"supported_features": 3}, "barrier_one_way"),
    ],
)
async def test_a_barrier_that_cannot_be_one_as_it_is_is_told_until_it_is_mended(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp, before: dict[str, Any], after: dict[str, Any], text: str
) -> None:
    barrier = "lock.bay" if "code_format" in before else "cover.bay"
    hass.states.async_set(barrier, "locked", before)
    entry = make_entry(spaces=(space_data(barrier=barrier),))
    hass.states.async_set("camera.bay", "idle")
    await set_up(entry)
    assert text in repairs(hass)
    hass.states.async_set(barrier, "locked", after)
    await hass.async_block_till_done()
    assert text not in repairs(hass)
    hass.states.async_set(barrier, "locked", before)
    await hass.async_block_till_done()
    assert text in repairs(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert text not in repairs(hass)


async def test_a_default_code_mends_a_lock_that_wants_one(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp
) -> None:
    registry = er.async_get(hass)
    lock = registry.async_get_or_create("lock", "test", "1", suggested_object_id="bay").entity_id
    hass.states.async_set(lock, "locked", {"code_format": r"^\d{4}$"})
    await set_up(make_entry(spaces=(space_data(barrier=lock),)))
    assert "barrier_needs_code" in repairs(hass)
    registry.async_update_entity_options(lock, "lock", {"default_code": "4711"})
    await hass.async_block_till_done()
    assert "barrier_needs_code" not in repairs(hass)


@pytest.mark.parametrize("key", ["vehicle", "light"])
async def test_a_vehicle_sensor_or_a_light_that_is_gone_is_told(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp, key: str
) -> None:
    await set_up(make_entry(spaces=(space_data(**{key: ["light.gone"]}),)))
    assert "entity_missing" in repairs(hass)


# The clock


async def test_a_clock_that_is_a_minute_off_is_told_until_it_is_right(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub: ParkShareHub = await set_up(make_entry())
    now = time.time()
    for off, wrong in ((0, False), (59, False), (-59, False), (61, True), (0, False), (-7200, True), (30, False)):
        hub.on_clock(now + off)
        assert ("clock_wrong" in repairs(hass)) is wrong, off
    hub.on_clock(time.time() + 3600)
    issue = next(issue for issue in ir.async_get(hass).issues.values() if issue.translation_key == "clock_wrong")
    assert issue.translation_placeholders == {"title": hub.entry.title, "minutes": "60"}
    # The owner puts it right, and no new connection is needed to see that.
    told = time.time
    monkeypatch.setattr("custom_components.parkshare.clock_watch.time.time", lambda: told() + 3600)
    async_fire_time_changed(hass, fire_all=True)
    await hass.async_block_till_done()
    monkeypatch.undo()
    assert "clock_wrong" not in repairs(hass)
    hub.on_clock(time.time() + 3600)
    assert await hass.config_entries.async_unload(hub.entry.entry_id)
    assert "clock_wrong" not in repairs(hass)
