"""Test my camera as an action: what it answers with, who may ask, and who comes first."""

import asyncio
import json
from typing import Any

import pytest
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.recognition import (
    BadPicture,
    Look,
    Picture,
    ReaderTimeout,
    Reading,
)
from custom_components.parkshare.seeing.album import Kept
from custom_components.parkshare.seeing.camera_test import PICTURES, seen_in
from custom_components.parkshare.space import SpaceRuntime
from tests.home.camera_house import BOX, JPEG, READ, SPACE, Pictures, Power, gate_looks, look, try_out
from tests.home.conftest import FakeReader, MakeEntry, SetUp
from tests.home.support import eventually, space_data


@pytest.mark.parametrize("by", ["entity", "device"])
async def test_the_action_answers_with_what_was_read_and_what_to_improve(
    hass: HomeAssistant,
    runtime: SpaceRuntime,
    power: Power,
    reader: FakeReader,
    by: str,
) -> None:
    reader.looks = [look(at=1000.0 + number) for number in range(PICTURES)]
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, runtime.space_id), runtime.hub.entry.entry_id)
    target = {"entity_id": SPACE} if by == "entity" else {"device_id": device.id}
    found = await try_out(hass, target)
    assert json.loads(json.dumps(found)) == {
        "pictures": 5,
        "plates": [{"text": READ, "pictures": 5, "confidence": pytest.approx(0.967, abs=0.01), "width": 160}],
        "advice": [{"hint": "fine", "text": found["advice"][0]["text"]}],
        "own_plate": "refuse",
    }
    assert "Nothing to improve" in found["advice"][0]["text"]
    assert power.calls == ["turn_on", "turn_off"]
    assert hass.states.get("image.bay_1_camera_test").state not in {"unknown", "unavailable"}


async def test_what_was_read_is_in_no_log_no_state_and_no_event(
    hass: HomeAssistant,
    power: Power,
    reader: FakeReader,
    caplog: pytest.LogCaptureFixture,
    house: ParkShareHub,
) -> None:
    events: list[str] = []
    hass.bus.async_listen("*", lambda event: events.append(str(event.as_dict())))
    reader.looks = [look() for _ in range(PICTURES)]
    assert READ in str(await try_out(hass))
    await hass.async_block_till_done()
    states = " ".join(str(state.as_dict()) for state in hass.states.async_all())
    assert READ not in caplog.text
    assert READ not in states
    assert READ not in " ".join(events)


async def test_only_administrators_read_plates(hass: HomeAssistant, power: Power) -> None:
    user = MockUser(is_owner=False).add_to_hass(hass)
    user.mock_policy({})
    with pytest.raises(Unauthorized):
        await try_out(hass, context=Context(user_id=user.id))
    assert power.calls == []


@pytest.mark.parametrize("target", ["lock.bay", "switch.gone", "binary_sensor.backend"])
async def test_what_is_no_space_is_refused(hass: HomeAssistant, power: Power, target: str) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await try_out(hass, {"entity_id": target})
    assert raised.value.translation_key == "no_space"
    assert power.calls == []


async def test_a_space_without_a_camera_is_told_to_get_one(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp
) -> None:
    settings = space_data()
    del settings["camera"]
    await set_up(make_entry(spaces=(settings,)))
    with pytest.raises(HomeAssistantError) as raised:
        await try_out(hass)
    assert raised.value.translation_key == "camera_missing"


async def test_one_space_at_a_time(
    hass: HomeAssistant,
    make_entry: MakeEntry,
    set_up: SetUp,
    pictures: Pictures,
) -> None:
    await set_up(make_entry(spaces=(space_data(), space_data(name="Bay 2", barrier="lock.two"))))
    with pytest.raises(ServiceValidationError) as raised:
        await try_out(hass, {"entity_id": [SPACE, "switch.bay_2_sharing"]})
    assert raised.value.translation_key == "one_space_only"
    assert (await try_out(hass, {"entity_id": [SPACE, "calendar.bay_1_offers"]}))["pictures"] == PICTURES


async def test_a_car_that_is_looked_at_comes_first(
    hass: HomeAssistant,
    runtime: SpaceRuntime,
    power: Power,
    reader: FakeReader,
) -> None:
    gate_looks(runtime)
    with pytest.raises(HomeAssistantError) as raised:
        await try_out(hass)
    assert raised.value.translation_key == "camera_busy"
    assert (power.calls, reader.pictures) == ([], [])


async def test_a_test_gives_way_to_a_car_that_comes_meanwhile(
    hass: HomeAssistant,
    runtime: SpaceRuntime,
    power: Power,
    reader: FakeReader,
) -> None:
    async def a_car_comes(picture: Picture) -> Look:
        reader.pictures.append(picture)
        gate_looks(runtime)
        return look()

    reader.read = a_car_comes  # type: ignore[method-assign]
    with pytest.raises(HomeAssistantError) as raised:
        await try_out(hass)
    assert raised.value.translation_key == "camera_busy"
    assert len(reader.pictures) == 1


async def test_the_camera_stays_on_for_a_car_that_comes_during_a_test(
    hass: HomeAssistant,
    runtime: SpaceRuntime,
    power: Power,
    pictures: Pictures,
) -> None:
    await runtime.camera.async_on()
    await try_out(hass)
    assert power.on
    await runtime.camera.async_off()
    assert not power.on


async def test_a_camera_is_tested_once_at_a_time(
    hass: HomeAssistant,
    power: Power,
    pictures: Pictures,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("custom_components.parkshare.seeing.camera_test.APART", 0.05)
    first = asyncio.create_task(try_out(hass))
    await eventually(lambda: pictures.asked)
    with pytest.raises(HomeAssistantError) as raised:
        await try_out(hass)
    assert raised.value.translation_key == "camera_busy"
    assert (await first)["pictures"] == PICTURES
    assert (await try_out(hass))["pictures"] == PICTURES


async def test_a_frozen_camera_gives_one_picture_and_a_result(
    hass: HomeAssistant,
    power: Power,
    pictures: Pictures,
) -> None:
    pictures.content = lambda _: JPEG + b"for ever"
    assert (await try_out(hass))["pictures"] == 1


async def test_one_picture_that_cannot_be_read_spoils_no_test(
    hass: HomeAssistant,
    power: Power,
    reader: FakeReader,
) -> None:
    async def only_every_other(picture: Picture) -> Look:
        reader.pictures.append(picture)
        if len(reader.pictures) % 2:
            raise BadPicture("truncated")
        return look()

    reader.read = only_every_other  # type: ignore[method-assign]
    assert (await try_out(hass))["pictures"] == PICTURES // 2


async def test_a_painter_that_fails_leaves_the_bare_picture(
    hass: HomeAssistant,
    runtime: SpaceRuntime,
    power: Power,
    reader: FakeReader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: Any) -> bytes:
        raise ReaderTimeout("slow")

    monkeypatch.setattr(reader, "draw", fail)
    assert (await try_out(hass))["pictures"] == PICTURES
    assert (await runtime.album.async_content(Kept.TEST)).startswith(JPEG)


# What was read


def test_two_readers_of_one_place_are_one_text_each_time() -> None:
    both = Look((*look(source="ppocr").readings, *look(source="own").readings), 1.0)
    (seen,) = seen_in([both, look()])
    assert (seen.text, seen.pictures, seen.width) == (READ, 2, 160)


def test_the_surer_of_two_readers_of_one_place_is_shown() -> None:
    unsure = Reading("AB128CD", (0.5,) * 7, BOX)
    (seen,) = seen_in([Look((unsure, *look().readings), 1.0)])
    assert seen.text == READ


def test_a_plate_is_shown_before_other_texts_and_not_more_than_five() -> None:
    others = tuple(
        Reading(text, (0.99,) * len(text), ((0.0, y), (50.0, y), (50.0, y + 9), (0.0, y + 9)))
        for y, text in enumerate(("X", "EXTREMELYLONGSLOGAN", "OK", "A1", "B2", "C3"))
    )
    seen = seen_in([Look((*others, *look().readings), 1.0)])
    assert len(seen) == 5
    assert seen[0].text == READ
