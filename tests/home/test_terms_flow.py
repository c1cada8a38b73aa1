"""On which terms a space is let, as an owner enters it and the backend hears it."""

from typing import Any

import pytest
from homeassistant.core import HomeAssistant

from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.publisher import space_document
from custom_components.parkshare.terms import terms_document
from tests.home.camera_house import Pictures, SpaceFlow

CHOSEN = {
    "approval": "owner",
    "shortest_min": 30,
    "longest_min": 720,
    "notice_min": 60,
    "cancel_until_min": 120,
    "noshow_min": 45,
}


@pytest.fixture
async def flow(hass: HomeAssistant, house: ParkShareHub, pictures: Pictures) -> SpaceFlow:
    """The form, from the menu of the space that is there."""
    flow = await SpaceFlow(hass, house.entry).change()
    await flow.choose("terms")
    return flow


def published(hass: HomeAssistant, house: ParkShareHub) -> dict[str, Any]:
    (subentry,) = house.entry.subentries.values()
    return dict(space_document(hass, subentry, seal_key="", sharing=True)["terms"])


async def test_the_terms_are_stored_and_told_to_the_backend(
    hass: HomeAssistant, house: ParkShareHub, flow: SpaceFlow
) -> None:
    await flow.give(CHOSEN)
    assert flow.step == "reading"
    await flow.choose("finish")
    await hass.async_block_till_done()
    assert published(hass, house) == {
        "approval": "owner",
        "min_booking_duration": 30,
        "max_booking_duration": 720,
        "notice_minutes": 60,
        "cancel_until_minutes": 120,
        "noshow_timeout": 45,
    }


async def test_a_longest_booking_below_the_shortest_is_refused(flow: SpaceFlow) -> None:
    await flow.give(CHOSEN | {"longest_min": 20})
    assert flow.step == "terms"
    assert flow.shown["errors"] == {"longest_min": "longest_below_shortest"}


def test_a_space_that_waits_to_the_end_tells_no_time_for_late_cars() -> None:
    assert terms_document({"noshow_min": 0, "grace_min": 15}) == {"late_stop_time": 15}
