"""Who is asked and called, as an owner enters it."""

from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import InvalidData
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.parkshare.diagnostics import async_get_config_entry_diagnostics
from custom_components.parkshare.hub import ParkShareHub
from tests.home.camera_house import Pictures, SpaceFlow

NUMBER = "+49 170 0000000"


@pytest.fixture
async def flow(hass: HomeAssistant, house: ParkShareHub, pictures: Pictures) -> SpaceFlow:
    """The menu of the space that is there."""
    flow = await SpaceFlow(hass, house.entry).change()
    await flow.choose("help")
    return flow


def stored(house: ParkShareHub) -> dict[str, Any]:
    (subentry,) = house.entry.subentries.values()
    return dict(subentry.data)


async def test_phones_number_and_grace_are_stored(hass: HomeAssistant, house: ParkShareHub, flow: SpaceFlow) -> None:
    app = MockConfigEntry(domain="mobile_app")
    app.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=app.entry_id, identifiers={("mobile_app", "olivia")}
    )
    await flow.give({"asked": [device.id], "phone": f"  {NUMBER} ", "grace_min": 15})
    assert flow.step == "reading"
    await flow.choose("finish")
    await hass.async_block_till_done()
    assert {key: stored(house)[key] for key in ("asked", "phone", "grace_min")} == {
        "asked": [device.id],
        "phone": NUMBER,
        "grace_min": 15,
    }
    text = str(await async_get_config_entry_diagnostics(hass, house.entry))
    assert "'phone_given': True" in text
    assert "'owner_asked_on_phone': True" in text
    assert NUMBER not in text
    assert device.id not in text


async def test_nothing_has_to_be_given(hass: HomeAssistant, house: ParkShareHub, flow: SpaceFlow) -> None:
    await flow.give({"grace_min": 10})
    await flow.choose("finish")
    await hass.async_block_till_done()
    assert (stored(house)["asked"], stored(house)["phone"], stored(house)["grace_min"]) == ([], "", 10)


async def test_what_was_given_can_be_taken_away(hass: HomeAssistant, house: ParkShareHub, flow: SpaceFlow) -> None:
    await flow.give({"phone": NUMBER, "grace_min": 10})
    await flow.choose("help")
    await flow.give({"grace_min": 0})
    await flow.choose("finish")
    await hass.async_block_till_done()
    assert (stored(house)["phone"], stored(house)["grace_min"]) == ("", 0)


@pytest.mark.parametrize(
    "phone", ["0170 0000000", "+49", "+49 170 CALL ME", "49170000000", "+" + "1" * 16, "+49-170-1"]
)
async def test_a_number_that_nobody_abroad_can_call_is_not_taken(flow: SpaceFlow, phone: str) -> None:
    await flow.give({"phone": phone, "grace_min": 10})
    assert flow.step == "help"
    assert flow.shown["errors"] == {"phone": "phone_not_international"}
    flow.close()


@pytest.mark.parametrize("grace_min", [-1, 121])
async def test_the_grace_is_bounded(flow: SpaceFlow, grace_min: int) -> None:
    with pytest.raises(InvalidData):
        await flow.give({"grace_min": grace_min})
    flow.close()
