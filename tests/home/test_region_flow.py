"""The region in the flow of a space: drawn on the page, entered as figures, given up, and kept."""

from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant
from homeassistant.helpers.config_entry_oauth2_flow import HEADER_FRONTEND_BASE
from homeassistant.helpers.http import current_request
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from custom_components.parkshare.const import SUBENTRY_SPACE
from custom_components.parkshare.flows.region import OPENS_WITHIN
from custom_components.parkshare.flows.tickets import LIFE
from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.recognition import BadPicture, Region
from tests.home.camera_house import JPEG, Pictures, Power, SpaceFlow
from tests.home.conftest import FakeReader
from tests.home.support import EQUIPMENT, PLACE, RAISING, eventually


@pytest.fixture
async def flow(hass: HomeAssistant, house: ParkShareHub, power: Power) -> SpaceFlow:
    """The flow of the space, at its menu; the house knows its own address."""
    await hass.config.async_update(internal_url="http://house.test:8123")
    return await SpaceFlow(hass, house.entry).change()


@pytest.fixture
async def browser(flow: SpaceFlow, hass_client_no_auth: ClientSessionGenerator) -> TestClient:
    """A browser that is not signed in."""
    return await hass_client_no_auth()


def link_in(text: str) -> str:
    """The address of the picture in a text."""
    assert text.startswith("!["), text
    return text.partition("](")[2].removesuffix(")")


async def test_a_region_is_drawn_on_the_page_and_stored(
    hass: HomeAssistant,
    house: ParkShareHub,
    flow: SpaceFlow,
    browser: TestClient,
    power: Power,
    reader: FakeReader,
) -> None:
    await flow.choose("region")
    assert flow.step == "region_choice"
    assert power.calls == ["turn_on", "turn_off"]
    picture = await browser.get(link_in(flow.said["picture"]))
    assert (await picture.read()).startswith(JPEG)
    assert "region_whole" not in flow.shown["menu_options"]
    await flow.choose("region_draw")
    assert flow.shown["type"] == "external"
    url = URL(flow.shown["url"])
    assert url.origin() == URL("http://house.test:8123")
    assert (await browser.get(url.path)).status == 200
    assert (await browser.post(url.path, json={"region": [0.2, 0.4, 0.8, 0.9]})).status == 204
    await hass.async_block_till_done()
    await flow.look()
    assert flow.step == "region_choice"
    assert reader.drawn[-1][0].region == Region(0.2, 0.4, 0.8, 0.9)
    assert "region_whole" in flow.shown["menu_options"]
    await flow.choose("reading")
    await flow.choose("finish")
    assert flow.shown["reason"] == "reconfigure_successful"
    assert next(iter(house.entry.subentries.values())).data["region"] == [0.2, 0.4, 0.8, 0.9]


async def test_a_page_that_is_left_changes_nothing(hass: HomeAssistant, flow: SpaceFlow, browser: TestClient) -> None:
    await flow.choose("region")
    await flow.choose("region_numbers")
    await flow.give({"left": 10, "right": 60, "top": 20, "bottom": 70})
    await flow.choose("region_draw")
    await browser.post(URL(flow.shown["url"]).path, json={"region": None})
    await hass.async_block_till_done()
    await flow.look()
    await flow.choose("region_numbers")
    suggested = {str(key): key.description["suggested_value"] for key in flow.shown["data_schema"].schema}
    assert suggested == {"left": 10, "right": 60, "top": 20, "bottom": 70}
    flow.close()


async def test_asking_again_while_the_page_is_open_opens_no_second_one(flow: SpaceFlow) -> None:
    await flow.choose("region")
    await flow.choose("region_draw")
    url = flow.shown["url"]
    await flow.look()
    assert flow.shown["url"] == url
    await flow.give({"region": [0, 0, 0.5, 0.5]})
    assert (flow.shown["type"], flow.shown["url"]) == ("external", url)
    flow.close()


async def test_where_no_page_opens_the_figures_come_in_its_place(
    hass: HomeAssistant, flow: SpaceFlow, browser: TestClient
) -> None:
    await flow.choose("region")
    await flow.choose("region_draw")
    path = URL(flow.shown["url"]).path
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=OPENS_WITHIN + 1))
    await hass.async_block_till_done()
    await flow.look()
    assert (flow.shown["type"], flow.step) == ("form", "region_numbers")
    assert (await browser.get(path)).status == 404
    flow.close()


async def test_a_page_that_was_opened_may_take_its_time_but_not_for_ever(
    hass: HomeAssistant, flow: SpaceFlow, browser: TestClient
) -> None:
    await flow.choose("region")
    await flow.choose("region_draw")
    path = URL(flow.shown["url"]).path
    assert (await browser.get(path)).status == 200
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=OPENS_WITHIN + 1))
    await hass.async_block_till_done()
    assert (await browser.get(path)).status == 200
    async_fire_time_changed(hass, dt_util.utcnow() + LIFE + timedelta(seconds=1))
    await hass.async_block_till_done()
    await flow.look()
    assert flow.step == "region_choice"
    assert (await browser.post(path, json={"region": [0, 0, 0.5, 0.5]})).status == 404
    flow.close()


async def test_with_the_dialog_its_pages_and_pictures_are_gone(flow: SpaceFlow, browser: TestClient) -> None:
    await flow.choose("region")
    picture = link_in(flow.said["picture"])
    await flow.choose("region_draw")
    path = URL(flow.shown["url"]).path
    assert {(await browser.get(each)).status for each in (picture, path)} == {200}
    flow.close()
    assert {(await browser.get(each)).status for each in (picture, path)} == {404}


async def test_a_house_that_knows_no_address_of_its_own_asks_for_figures(
    flow: SpaceFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.parkshare.flows.region.get_url", Mock(side_effect=NoURLAvailableError))
    await flow.choose("region")
    await flow.choose("region_draw")
    assert flow.step == "region_numbers"
    flow.close()


async def test_the_page_opens_at_the_address_that_the_browser_uses(
    hass: HomeAssistant,
    house: ParkShareHub,
    hass_client: ClientSessionGenerator,
) -> None:
    assert await async_setup_component(hass, "config", {})
    browser = await hass_client()
    headers = {HEADER_FRONTEND_BASE: "https://by.another.way:444"}
    flows = "/api/config/config_entries/subentries/flow"
    shown = await (
        await browser.post(
            flows,
            json={"handler": [house.entry.entry_id, SUBENTRY_SPACE], "subentry_id": next(iter(house.entry.subentries))},
            headers=headers,
        )
    ).json()

    async def give(entered: dict[str, Any]) -> dict[str, Any]:
        return await (await browser.post(f"{flows}/{shown['flow_id']}", json=entered, headers=headers)).json()

    await give(PLACE)
    await give({**EQUIPMENT, "camera_power": "switch.camera"})
    await give(RAISING)
    await give({"next_step_id": "region"})
    await hass.async_block_till_done()
    await browser.get(f"{flows}/{shown['flow_id']}", headers=headers)
    drawn = await give({"next_step_id": "region_draw"})
    assert drawn["url"].startswith("https://by.another.way:444/api/parkshare/region/")
    await browser.delete(f"{flows}/{shown['flow_id']}")


@pytest.mark.parametrize(
    "entered",
    [
        {"left": 50, "right": 50, "top": 0, "bottom": 100},
        {"left": 80, "right": 20, "top": 0, "bottom": 100},
        {"left": 0, "right": 100, "top": 50, "bottom": 53},
    ],
)
async def test_figures_that_frame_nothing_are_asked_for_again_and_not_lost(
    flow: SpaceFlow, entered: dict[str, int]
) -> None:
    await flow.choose("region")
    await flow.choose("region_numbers")
    await flow.give(entered)
    assert (flow.step, flow.shown["errors"]) == ("region_numbers", {"base": "region_empty"})
    suggested = {str(key): key.description["suggested_value"] for key in flow.shown["data_schema"].schema}
    assert suggested == entered
    flow.close()


async def test_the_whole_picture_is_stored_as_no_region(house: ParkShareHub, flow: SpaceFlow) -> None:
    await flow.choose("region")
    await flow.choose("region_numbers")
    await flow.give({"left": 10, "right": 60, "top": 20, "bottom": 70})
    await flow.choose("region_whole")
    await flow.choose("reading")
    await flow.choose("finish")
    assert "region" not in next(iter(house.entry.subentries.values())).data


async def test_a_camera_without_a_picture_is_said_and_tried_again(
    flow: SpaceFlow,
    pictures: Pictures,
    power: Power,
) -> None:
    pictures.broken = True
    await flow.choose("region")
    assert flow.step == "region_failed"
    assert "gave no picture" in flow.said["reason"]
    assert not power.on
    pictures.broken = False
    await flow.choose("region")
    assert flow.step == "region_choice"
    flow.close()


async def test_a_page_of_the_camera_in_place_of_a_picture_is_never_shown(
    flow: SpaceFlow,
    pictures: Pictures,
    reader: FakeReader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pictures.content = lambda number: b"<html><script>alert(%d)</script>" % number

    async def refuse(*_: Any) -> bytes:
        raise BadPicture("no picture")

    monkeypatch.setattr(reader, "draw", refuse)
    await flow.choose("region")
    assert flow.step == "region_failed"
    assert "not a picture" in flow.said["reason"]
    flow.close()


async def test_what_was_set_survives_a_change_of_the_place_but_not_of_the_camera(
    hass: HomeAssistant,
    house: ParkShareHub,
    flow: SpaceFlow,
) -> None:
    await flow.choose("region")
    await flow.choose("region_numbers")
    await flow.give({"left": 10, "right": 60, "top": 20, "bottom": 70})
    await flow.choose("reading")
    await flow.choose("details")
    await flow.give({"level": "strict", "picture_hours": 3})
    assert "strict" in flow.said["state"]
    await flow.choose("finish")
    stored = next(iter(house.entry.subentries.values())).data
    assert (stored["region"], stored["level"], stored["picture_hours"]) == ([0.1, 0.2, 0.6, 0.7], "strict", 3)
    await hass.async_block_till_done()
    again = await SpaceFlow(hass, house.entry).change()
    assert "framed" in again.said["state"]
    again.close()
    hass.states.async_set("camera.other", "idle")
    other = await SpaceFlow(hass, house.entry).change(camera="camera.other")
    assert "whole" in other.said["state"]
    await other.choose("finish")
    stored = next(iter(house.entry.subentries.values())).data
    assert "region" not in stored
    assert (stored["level"], stored["picture_hours"]) == ("strict", 3)


async def test_closing_while_the_camera_wakes_turns_it_off_again(
    hass: HomeAssistant,
    flow: SpaceFlow,
    pictures: Pictures,
    power: Power,
) -> None:
    pictures.broken = True
    flow.shown = await hass.config_entries.subentries.async_configure(flow.shown["flow_id"], {"next_step_id": "region"})
    assert flow.shown["type"] == "progress"
    await eventually(lambda: power.on)
    flow.close()
    await hass.async_block_till_done()
    assert not power.on


@pytest.mark.parametrize(
    ("browser_says", "state"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "Kennzeichen werden"),
        ("en-GB", "Plates are looked for"),
        ("xx", "Kennzeichen werden"),
        ("*", "Kennzeichen werden"),
        ("-_;q=x, <script>", "Kennzeichen werden"),
    ],
)
async def test_the_dialog_speaks_the_language_of_the_browser_else_that_of_the_house(
    hass: HomeAssistant, house: ParkShareHub, power: Power, browser_says: str, state: str
) -> None:
    await hass.config.async_update(language="de")
    asking = current_request.set(Mock(headers={"Accept-Language": browser_says}))
    flow = await SpaceFlow(hass, house.entry).change()
    current_request.reset(asking)
    assert flow.said["state"].startswith(state)
    flow.close()
