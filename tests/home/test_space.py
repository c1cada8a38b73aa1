"""One space in a running Home Assistant: what its owner and its renters see."""

import asyncio
import time
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.durable import DurableStore
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.hub import ParkShareHub
from tests.home.gate_house import MAGNETIC, OTHER, PLATE, RADAR, House, house, reader, things
from tests.home.hardware import PlateReader

__all__ = ["house", "reader", "things"]  # fixtures, which stand in for those of conftest.py


async def test_the_right_plate_lowers_the_barrier_and_the_lock_itself_confirms_it(house: House) -> None:
    house.camera.plate = PLATE
    await house.grant()
    await house.here()
    await house.until(lambda: house.state("sensor.bay_1_booking") == "admitted")
    assert house.lock.calls == ["down"]
    assert house.state("lock.bay") == "unlocked"
    (decided,) = house.told("admission.decided")
    assert (decided["decision"], decided["by"], decided["booking"]) == ("admit", "plate", "b1")
    assert house.hass.states.get("event.bay_1_plate").attributes["event_type"] == "lowered"
    assert {"fact_to_camera", "picture_to_reading", "command_to_confirmed", "total"} <= set(house.space.last_timings)


async def test_a_wrong_plate_leaves_the_barrier_up_and_the_owner_is_told(house: House) -> None:
    house.camera.plate = OTHER
    await house.grant()
    await house.here()
    await house.until(lambda: house.told("admission.decided"))
    assert house.told("admission.decided")[0]["decision"] == "refuse"
    assert house.hass.states.get("event.bay_1_plate").attributes["event_type"] == "refused"
    assert f"{DOMAIN}_{house.space_id}_refused" in house.hass.data["persistent_notification"]
    assert house.lock.calls == []
    assert house.state("lock.bay") == "locked"


async def test_behind_a_wrong_car_the_renter_is_still_let_in(house: House) -> None:
    house.camera.plate = OTHER
    await house.grant()
    await house.here()
    await house.until(lambda: house.told("admission.decided"))
    house.camera.plate = PLATE
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    assert [d["decision"] for d in house.told("admission.decided")] == ["refuse", "admit"]


async def test_without_a_booking_the_camera_stays_off_whoever_comes(house: House) -> None:
    house.camera.plate = PLATE
    await house.here()
    house.sensors("on")
    await asyncio.sleep(0.1)
    assert house.power.calls == []
    assert house.lock.calls == []


async def test_the_camera_goes_on_for_a_booking_and_off_again_after_it(house: House) -> None:
    house.camera.plate = PLATE
    await house.grant()
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    await house.until(lambda: house.power.calls == ["on", "off"])


async def test_the_camera_goes_off_when_the_booking_is_taken_back(house: House) -> None:
    await house.grant()
    await house.until(lambda: house.power.is_on)
    await house.hub.grants.async_withdraw("b1")
    await house.space.async_grants_changed()
    await house.until(lambda: house.power.calls == ["on", "off"])


async def test_the_camera_goes_off_when_the_space_is_unloaded(house: House) -> None:
    await house.grant()
    await house.until(lambda: house.power.is_on)
    assert await house.hass.config_entries.async_unload(house.entry.entry_id)
    assert house.power.calls == ["on", "off"]


async def test_a_frozen_camera_gives_only_one_look(house: House, reader: PlateReader) -> None:
    house.camera.plate, house.camera.frozen = OTHER, True
    await house.grant()
    await house.here()
    await house.until(lambda: reader.reads)
    await asyncio.sleep(0.2)
    assert reader.reads == 1
    assert house.space.last_verdict.decision == "unsure"
    assert house.lock.calls == []


async def test_a_picture_from_before_is_no_look_at_the_next_car(house: House, reader: PlateReader) -> None:
    await house.park()
    house.camera.frozen = True
    house.sensors("off")
    await house.until(lambda: house.lock.calls == ["down", "up"])
    before = reader.reads
    await house.here()
    await asyncio.sleep(0.2)
    assert house.power.is_on
    assert reader.reads == before
    assert house.lock.calls == ["down", "up"]


@pytest.mark.parametrize("until", ["looking", "admitted", "parked"])
async def test_a_restart_in_a_booking_loses_nothing_and_moves_nothing(house: House, until: str) -> None:
    house.camera.plate = "" if until == "looking" else PLATE
    await house.grant()
    await house.until(lambda: house.space.gate.phase.value in (until, "admitted"))
    if until == "parked":
        house.sensors("on")
        await house.until(lambda: house.space.gate.phase is w.Phase.PARKED)
    calls, gate = list(house.lock.calls), house.space.gate
    await house.restart()
    await asyncio.sleep(0.3)
    assert house.lock.calls == calls
    assert (house.space.gate.phase, house.space.gate.booking) == (gate.phase, "b1")
    assert house.space.occupied_by() == ("b1" if until == "parked" else None)


async def test_after_a_restart_in_front_of_an_empty_bay_nothing_rises(house: House) -> None:
    await house.park()
    assert await house.hass.config_entries.async_unload(house.entry.entry_id)
    house.sensors("off")
    await house.start()
    await house.until(lambda: house.space.gate.phase is w.Phase.IDLE)
    await asyncio.sleep(0.3)
    assert house.lock.calls == ["down"]
    assert house.state("lock.bay") == "unlocked"


async def test_a_lock_that_never_answers_is_asked_three_times_then_a_person_is_told(house: House) -> None:
    house.lock.answers = False
    house.camera.plate = PLATE
    await house.grant()
    await house.until(lambda: house.state("binary_sensor.bay_1_barrier_problem") == "on")
    assert house.lock.calls == ["down"] * 3
    issue_id = f"{DOMAIN}_{house.space_id}_barrier"
    await house.until(lambda: ir.async_get(house.hass).async_get_issue(DOMAIN, issue_id))
    assert ir.async_get(house.hass).async_get_issue(DOMAIN, issue_id).translation_key == "barrier_no_answer"
    assert f"{DOMAIN}_{house.space_id}_fault" in house.hass.data["persistent_notification"]
    await asyncio.sleep(0.2)
    assert house.lock.calls == ["down"] * 3, "no storm"
    house.lock.answers = True
    await house.press("let_in_now")
    await house.until(lambda: house.state("binary_sensor.bay_1_barrier_problem") == "off")
    assert not ir.async_get(house.hass).async_get_issue(DOMAIN, f"{DOMAIN}_{house.space_id}_barrier")


async def test_a_lock_that_jams_is_left_alone_and_a_person_is_told(house: House) -> None:
    house.lock.jams = True
    house.camera.plate = PLATE
    await house.grant()
    await house.until(lambda: house.state("sensor.bay_1_booking") == "fault")
    await asyncio.sleep(0.2)
    assert house.lock.calls == ["down"]
    assert house.told("space.state")[-1]["fault"] == "jammed"


async def test_an_unavailable_lock_is_a_fault_that_ends_when_it_is_back(house: House) -> None:
    house.lock.shows(available=False)
    house.camera.plate = PLATE
    await house.grant()
    await house.until(lambda: house.state("sensor.bay_1_booking") == "fault")
    assert house.lock.calls == []
    house.lock.shows(available=True)
    await house.here()
    await house.until(lambda: house.lock.calls == ["down"])


async def test_with_the_backend_down_the_start_of_the_period_is_enough(house: House) -> None:
    assert house.state("binary_sensor.test_backend_olga_connected") == "off"
    house.camera.plate = PLATE
    await house.grant(starts_in=0.5)
    await house.until(lambda: house.state("lock.bay") == "unlocked")
    assert time.time() >= house.space.gate.rights[0].start


async def test_the_barrier_rises_by_itself_after_both_sensors_saw_the_car_leave(house: House) -> None:
    await house.park()
    house.sensors("off", RADAR)
    await asyncio.sleep(0.3)
    assert house.lock.calls == ["down"]
    house.sensors("off", RADAR)  # said anew: on a slow machine its first word is old by now
    house.sensors("off", MAGNETIC)
    await house.until(lambda: house.state("lock.bay") == "locked")
    assert [t for t, _ in house.reports if t.startswith("stay.")] == ["stay.arrived", "stay.left"]


@pytest.mark.parametrize("repeats", [True, False])
async def test_a_sensor_that_repeats_its_word_stays_fresh_and_one_that_does_not_keeps_it_down(
    house: House, repeats: bool
) -> None:
    await house.park()
    house.sensors("off", RADAR)
    for _ in range(10):
        await asyncio.sleep(0.1)
        if repeats:
            house.sensors("off", RADAR)
    house.sensors("off", MAGNETIC)
    await house.until(lambda: house.space.gate.phase is w.Phase.IDLE)
    assert house.state("lock.bay") == ("locked" if repeats else "unlocked")


async def test_a_car_that_comes_while_the_barrier_rises_brings_it_down_again(house: House) -> None:
    await house.park()
    house.lock.by_itself = False
    house.sensors("off")
    await house.until(lambda: house.lock.calls == ["down", "up"])
    house.lock.by_itself = True
    house.sensors("on", RADAR)
    await house.until(lambda: house.state("lock.bay") == "unlocked")
    assert house.lock.calls == ["down", "up", "down"]


async def test_a_raise_that_a_car_overtakes_while_it_is_stored_is_never_begun(house: House) -> None:
    save = DurableStore.async_save

    async def slow(store: DurableStore, document: dict[str, Any]) -> None:
        await asyncio.sleep(0.2)
        await save(store, document)

    await house.park()
    house.sensors("off")
    await house.until(lambda: house.space.gate.phase is w.Phase.WARNING)
    with patch.object(DurableStore, "async_save", slow):
        await house.until(lambda: house.space.gate.phase is w.Phase.RAISING)
        house.sensors("on", RADAR)
        await house.until(lambda: house.space.gate.phase is w.Phase.PARKED)
    assert "up" not in house.lock.calls


@pytest.mark.parametrize("state", ["on", "unknown", "unavailable"])
async def test_the_owner_cannot_raise_when_a_sensor_sees_a_car_or_says_nothing(house: House, state: str) -> None:
    await house.press("let_in_now")
    await house.until(lambda: house.state("lock.bay") == "unlocked")
    house.sensors(state, MAGNETIC)
    with pytest.raises(HomeAssistantError) as refused:
        await house.press("raise_the_barrier")
    assert refused.value.translation_key == f"raise_refused_{'occupied' if state == 'on' else 'unknown'}"
    assert house.lock.calls == ["down"]


async def test_the_owner_raises_above_an_empty_bay(house: House) -> None:
    await house.press("let_in_now")
    await house.until(lambda: house.state("lock.bay") == "unlocked")
    await house.press("raise_the_barrier")
    await house.until(lambda: house.state("lock.bay") == "locked")
    assert house.lock.calls == ["down", "up"]


async def test_a_report_that_could_not_be_handed_over_is_handed_over_after_the_restart(house: House) -> None:
    house.camera.plate = PLATE

    async def crash(_t: str, _d: dict[str, Any]) -> None:
        raise asyncio.CancelledError

    house.hub.async_report = crash
    await house.grant()
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    with patch.object(ParkShareHub, "async_report", autospec=True) as report:
        await house.restart()
        await house.hass.async_block_till_done()
    assert "admission.decided" in [call.args[1] for call in report.await_args_list]


async def test_the_owners_coming_home_is_reported_only_in_a_booked_period(house: House) -> None:
    def owner(latitude: float, accuracy: float = 10.0) -> None:
        place = {"latitude": latitude, "longitude": 11.575, "gps_accuracy": accuracy}
        house.hass.states.async_set("person.owner", "home", place, force_update=True)

    owner(48.2)
    owner(48.137)
    owner(48.2)
    assert house.told("owner.near") == []
    await house.grant()
    owner(48.137, accuracy=900.0)
    assert house.told("owner.near") == []
    owner(48.137)
    await house.hass.async_block_till_done()
    assert [set(d) for d in house.told("owner.near")] == [{"space", "at"}]
    owner(48.2)
    await house.hass.async_block_till_done()
    assert len(house.told("owner.away")) == 1


async def test_no_plate_and_no_position_is_in_a_state_a_log_or_the_gates_file(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.park()
    states = [repr(state.as_dict()) for state in house.hass.states.async_all() if "_1_" in state.entity_id]
    assert len(states) > 12
    stored = repr(house.space._ledger._document(house.space.gate))
    ours = "\n".join(record.getMessage() for record in caplog.records if "parkshare" in record.name)
    for text in (*states, stored, ours):
        assert PLATE not in text
        assert "48.1" not in text
