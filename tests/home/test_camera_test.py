"""Test my camera in the flow of a space: what its owner sees, and whatever can go wrong."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.parkshare.flows.tickets import LIFE
from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.recognition import (
    BadPicture,
    Look,
    Picture,
    ReaderTimeout,
    ReaderUnavailable,
    Region,
)
from custom_components.parkshare.seeing.album import Kept
from custom_components.parkshare.seeing.camera_test import PICTURES
from custom_components.parkshare.space import SpaceRuntime
from tests.home.camera_house import GOOD, READ, Pictures, Power, SpaceFlow, gate_looks, look, try_out
from tests.home.conftest import FakeReader, MakeEntry, SetUp
from tests.home.support import eventually
from tests.home.test_region_flow import link_in


@pytest.fixture
async def browser(house: ParkShareHub, hass_client_no_auth: ClientSessionGenerator) -> TestClient:
    """A browser that is not signed in."""
    return await hass_client_no_auth()


async def test_the_owner_sees_what_was_read_and_what_to_improve(
    hass: HomeAssistant,
    house: ParkShareHub,
    runtime: SpaceRuntime,
    power: Power,
    reader: FakeReader,
    browser: TestClient,
) -> None:
    small = replace(GOOD, plate_width=63.0)
    reader.looks = [look(quality=small) for _ in range(PICTURES)]
    flow = await SpaceFlow(hass, house.entry).change()
    await flow.choose("test")
    assert flow.step == "test_result"
    assert power.calls == ["turn_on", "turn_off"]
    assert len(reader.pictures) == PICTURES
    assert f"**{READ}**: in 5 of 5 pictures, 97 % sure, 160 pixels wide" in flow.said["seen"]
    assert "only 63 pixels wide; it needs 100" in flow.said["advice"]
    shown = await (await browser.get(link_in(flow.said["picture"]))).read()
    assert shown == b"\xff\xd8\xff drawn 1"
    assert [mark.label for mark in reader.drawn[0][1]] == [f"{READ} 97%"]
    assert runtime.album.kept(Kept.TEST) is not None
    flow.close()


async def test_a_new_space_is_tested_before_it_is_stored(
    hass: HomeAssistant,
    make_entry: MakeEntry,
    set_up: SetUp,
    pictures: Pictures,
    reader: FakeReader,
) -> None:
    hass.states.async_set("switch.camera", "off")
    entry = make_entry(spaces=())
    await set_up(entry)
    reader.looks = [look("OWNER1", at=1000.0 + number) for number in range(PICTURES)]
    flow = await SpaceFlow(hass, entry).new()
    await flow.choose("region")
    await flow.choose("region_numbers")
    await flow.give({"left": 10, "right": 60, "top": 20, "bottom": 70})
    await flow.choose("reading")
    await flow.choose("test")
    assert flow.step == "test_result"
    assert {picture.region for picture in reader.pictures} == {Region(0.1, 0.2, 0.6, 0.7)}
    assert flow.said["own"] == "Your own plate would be let in."
    await flow.choose("reading")
    await flow.choose("finish")
    assert flow.shown["type"] == "create_entry"


async def test_a_picture_without_a_plate_says_so(hass: HomeAssistant, house: ParkShareHub, power: Power) -> None:
    flow = await SpaceFlow(hass, house.entry).change(owner_plate="")
    await flow.choose("test")
    assert flow.said["seen"] == "Nothing was read."
    assert "No plate was seen" in flow.said["advice"]
    assert flow.said["own"] == ""
    flow.close()


async def test_the_words_are_those_of_the_house(hass: HomeAssistant, house: ParkShareHub, power: Power) -> None:
    await hass.config.async_update(language="de")
    flow = await SpaceFlow(hass, house.entry).change()
    await flow.choose("test")
    assert flow.said["seen"] == "Es wurde nichts gelesen."
    flow.close()


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda house, pictures, reader: setattr(pictures, "broken", True), "gave no picture"),
        (lambda house, pictures, reader: reads_nothing(reader, BadPicture("no")), "not a picture"),
        (lambda house, pictures, reader: reads_nothing(reader, ReaderTimeout("slow")), "took too long"),
        (
            lambda house, pictures, reader: reads_nothing(reader, ReaderUnavailable("No models.", "Install again.")),
            "No models. Install again.",
        ),
        (lambda house, pictures, reader: gate_looks(next(iter(house.spaces.values()))), "looking at a car"),
    ],
)
async def test_each_failure_is_said_with_what_to_do_and_can_be_tried_again(
    hass: HomeAssistant,
    house: ParkShareHub,
    pictures: Pictures,
    power: Power,
    reader: FakeReader,
    break_it: Callable[[ParkShareHub, Pictures, FakeReader], None],
    said: str,
) -> None:
    break_it(house, pictures, reader)
    flow = await SpaceFlow(hass, house.entry).change()
    await flow.choose("test")
    assert flow.step == "test_failed"
    assert said in flow.said["reason"]
    assert not power.on
    pictures.broken = False
    vars(reader).pop("read", None)
    runtime = next(iter(house.spaces.values()))
    runtime.gate = replace(runtime.gate, camera=False)
    await flow.choose("test")
    assert flow.step == "test_result"
    flow.close()


def reads_nothing(reader: FakeReader, error: Exception) -> None:
    """Every picture fails in this way."""

    async def fail(_: Picture) -> Look:
        raise error

    reader.read = fail  # type: ignore[method-assign]


async def test_a_new_space_of_an_account_that_does_not_run_cannot_be_tested(
    hass: HomeAssistant,
    house: ParkShareHub,
    power: Power,
) -> None:
    await hass.config_entries.async_unload(house.entry.entry_id)
    flow = await SpaceFlow(hass, house.entry).change()
    await flow.choose("test")
    assert "not running" in flow.said["reason"]
    flow.close()


async def test_closing_the_dialog_during_a_test_turns_the_camera_off(
    hass: HomeAssistant,
    house: ParkShareHub,
    pictures: Pictures,
    power: Power,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("custom_components.parkshare.seeing.camera_test.PATIENCE", 30.0)
    pictures.broken = True
    flow = await SpaceFlow(hass, house.entry).change()
    await flow.give({"next_step_id": "test"})
    await eventually(lambda: power.on and pictures.asked)
    flow.close()
    await hass.async_block_till_done()
    assert power.calls == ["turn_on", "turn_off"]
    monkeypatch.setattr("custom_components.parkshare.seeing.camera_test.PATIENCE", 0.05)
    with pytest.raises(HomeAssistantError, match="gave no picture"):
        await try_out(hass)


async def test_a_new_space_with_the_camera_of_another_gives_way_to_its_gate(
    hass: HomeAssistant, house: ParkShareHub, runtime: SpaceRuntime, power: Power
) -> None:
    hass.states.async_set("lock.second", "locked")
    flow = await SpaceFlow(hass, house.entry).new(barrier="lock.second")
    await runtime.camera.async_on()
    gate_looks(runtime)
    await flow.choose("test")
    assert "looking at a car" in flow.said["reason"]
    assert power.on
    flow.close()
    await runtime.camera.async_off()


async def test_a_result_that_is_looked_at_again_later_has_a_picture_again(
    hass: HomeAssistant, house: ParkShareHub, power: Power, browser: TestClient
) -> None:
    flow = await SpaceFlow(hass, house.entry).change()
    await flow.choose("test")
    first = link_in(flow.said["picture"])
    await flow.look()
    assert link_in(flow.said["picture"]) == first
    async_fire_time_changed(hass, dt_util.utcnow() + LIFE + timedelta(seconds=1))
    assert (await browser.get(first)).status == 404
    await flow.look()
    assert (await browser.get(link_in(flow.said["picture"]))).status == 200
    flow.close()
