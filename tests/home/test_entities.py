"""What a space shows: its entities, in each situation that an owner meets."""

import json
import time
from pathlib import Path

import pytest
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.gate.rules import RaiseRefusal
from custom_components.parkshare.gate.table import T
from custom_components.parkshare.gate.words import FaultKind, Notice
from custom_components.parkshare.standby import Standby, StandbyState
from tests.home.gate_house import MAGNETIC, PLATE, RADAR, House, house, reader, things

__all__ = ["house", "reader", "things"]  # fixtures, which stand in for those of conftest.py

COMPONENT = Path(__file__).parents[2] / "custom_components" / "parkshare"


async def test_a_space_is_one_device_with_its_entities_and_the_link_is_another(house: House) -> None:
    devices = dr.async_get(house.hass)
    space = devices.async_get_device_by_identifier((DOMAIN, house.space_id), house.entry.entry_id)
    link = devices.async_get_device_by_identifier((DOMAIN, house.entry.data["install"]), house.entry.entry_id)
    assert space.config_subentry_id == next(iter(house.entry.subentries))
    assert link.config_subentry_id is None
    entries = er.async_entries_for_device(er.async_get(house.hass), space.id)
    assert len(entries) <= 20
    assert all(entry.unique_id.startswith(f"{house.space_id}_") for entry in entries)


async def test_the_booking_sensor_tells_the_story_of_a_booking(house: House) -> None:
    shown: list[str] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        shown.append(event.data["new_state"].state)

    end = async_track_state_change_event(house.hass, "sensor.bay_1_booking", note)
    assert house.state("sensor.bay_1_booking") == "none"
    await house.grant(starts_in=200)
    assert house.state("sensor.bay_1_booking") == "booked"
    assert house.state("sensor.bay_1_next_booking") != "unknown"
    await house.park()
    house.sensors("off")
    await house.until(lambda: house.state("lock.bay") == "locked")
    end()
    story = ["booked", "looking", "lowering", "admitted", "parked", "leaving", "about_to_rise", "rising"]
    assert [state for state in dict.fromkeys(shown) if state in story] == story


async def test_a_car_that_stays_too_long_is_an_overstay_and_nothing_moves(house: House) -> None:
    await house.grant(lasts=61.0)
    house.camera.plate = PLATE
    await house.until(lambda: house.state("sensor.bay_1_booking") == "admitted")
    house.sensors("on")
    await house.until(lambda: house.state("sensor.bay_1_booking") == "overstay")
    assert house.lock.calls == ["down"]
    assert house.space.occupied_by() == "b1"


async def test_occupied_is_unknown_unless_a_sensor_sees_a_car_or_all_see_none(house: House) -> None:
    assert house.state("binary_sensor.bay_1_occupied") == "off"
    house.sensors("unavailable", RADAR)
    assert house.state("binary_sensor.bay_1_occupied") == "unknown"
    house.sensors("on", MAGNETIC)
    assert house.state("binary_sensor.bay_1_occupied") == "on"


async def test_the_renters_coming_and_going_is_shown(house: House) -> None:
    await house.grant(starts_in=200)
    await house.space.async_renter_near("b1", time.time(), "position")
    assert house.state("binary_sensor.bay_1_renter_near") == "on"
    assert house.state("sensor.bay_1_booking") == "approaching"
    assert house.power.calls == [], "the booked period has not begun"
    await house.space.async_renter_away("b1", time.time())
    assert house.state("binary_sensor.bay_1_renter_near") == "off"


async def test_an_event_says_who_was_let_in_by_what_and_never_a_plate(house: House) -> None:
    await house.park()
    attributes = house.hass.states.get("event.bay_1_plate").attributes
    assert (attributes["event_type"], attributes["by"], attributes["alias"]) == ("lowered", "plate", "Rosa")
    assert set(attributes["milliseconds"]) >= {"fact_to_camera", "reading_to_verdict", "total"}
    assert PLATE not in repr(attributes)


async def test_a_standby_offer_is_shown_and_can_be_answered_only_while_it_stands(house: House) -> None:
    assert house.state("sensor.bay_1_standby_space") == "none"
    assert house.state("button.bay_1_accept_standby_space") == "unavailable"
    now = time.time()
    await house.hub.async_keep_standby(
        Standby(
            id="s1",
            home_space=house.space_id,
            state=StandbyState.OFFERED,
            address="Seitenweg 7",
            latitude=48.1,
            longitude=11.5,
            start=now,
            end=now + 3600,
            expires_at=now + 300,
        )
    )
    assert house.state("sensor.bay_1_standby_space") == "offered"
    assert house.state("sensor.bay_1_standby_address") == "Seitenweg 7"
    assert "48.1" not in repr([state.as_dict() for state in house.hass.states.async_all("sensor")])
    with pytest.raises(HomeAssistantError) as refused:
        await house.press("decline_standby_space")
    assert refused.value.translation_key == "not_connected"


def test_every_text_that_a_person_may_see_is_there() -> None:
    texts = json.loads((COMPONENT / "translations" / "en.json").read_text())
    assert {f"gate_{notice}" for notice in Notice} <= set(texts["common"])
    assert {f"barrier_{kind}" for kind in FaultKind} <= set(texts["issues"])
    assert {f"raise_refused_{refusal}" for refusal in RaiseRefusal} <= set(texts["exceptions"])
    assert all(transition.value.why.endswith(".") for transition in T)


async def test_every_entity_and_every_state_has_a_name(house: House) -> None:
    texts = json.loads((COMPONENT / "translations" / "en.json").read_text())["entity"]
    for entry in er.async_entries_for_config_entry(er.async_get(house.hass), house.entry.entry_id):
        text = texts[entry.domain][entry.translation_key]
        assert text["name"]
        if options := (entry.capabilities or {}).get("options"):
            assert set(options) == set(text["state"])
        if events := (entry.capabilities or {}).get("event_types"):
            assert set(events) == set(text["state_attributes"]["event_type"]["state"])
