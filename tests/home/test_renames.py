"""Entities that get another entity id are followed, and nothing moves because of it."""

from typing import Any
from unittest.mock import AsyncMock, patch

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.renames import entities_of, renamed
from tests.home.conftest import MakeEntry
from tests.home.gate_house import House, house, reader, things  # noqa: F401 - fixtures
from tests.home.hardware import FakeLock
from tests.home.support import space_data

EVERYWHERE = {
    "barrier": "lock.old",
    "camera": "camera.old",
    "camera_power": "switch.old",
    "owner": "person.old",
    "occupancy": ["binary_sensor.old", "binary_sensor.other"],
    "vehicle": ["binary_sensor.old_way"],
    "light": ["light.old"],
    "sources": [{"kind": "entity", "entity": "sensor.old"}, {"kind": "mqtt", "topic": "lock.old"}],
}


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock is in the registry, as only what has a unique id is."""
    monkeypatch.setattr(FakeLock, "_attr_unique_id", "the-lock", raising=False)


def settings(house: House) -> Any:  # noqa: F811
    return next(iter(house.entry.subentries.values())).data


def test_every_entity_of_a_space_is_renamed_and_nothing_else() -> None:
    names = {old: old.replace("old", "new") for old in entities_of(EVERYWHERE) if "old" in old}
    assert len(names) == 8
    changed = renamed(EVERYWHERE, names)
    assert set(entities_of(changed)) == {*names.values(), "binary_sensor.other"}
    assert changed["sources"][1] == {"kind": "mqtt", "topic": "lock.old"}
    assert changed.keys() == EVERYWHERE.keys()


def test_two_entities_that_swapped_their_names_are_not_mixed_up() -> None:
    swapped = renamed(
        EVERYWHERE, {"binary_sensor.old": "binary_sensor.other", "binary_sensor.other": "binary_sensor.old"}
    )
    assert swapped["occupancy"] == ["binary_sensor.other", "binary_sensor.old"]


async def test_a_barrier_that_is_renamed_under_a_parked_car_is_followed_and_does_not_move(
    hass: HomeAssistant,
    house: House,  # noqa: F811
) -> None:
    await house.park()
    before = house.space
    moved = list(house.lock.calls)
    er.async_get(hass).async_update_entity("lock.bay", new_entity_id="lock.yard")
    await hass.async_block_till_done()
    await house.until(lambda: house.entry.runtime_data is not before.hub)
    house.hub = house.entry.runtime_data
    await house.until(lambda: house.space.gate.position is w.Position.DOWN)
    assert settings(house)["barrier"] == "lock.yard"
    assert house.space is not before
    assert (house.space.gate.phase, house.space.gate.booking) == (w.Phase.PARKED, "b1")
    assert house.lock.calls == moved
    assert not ir.async_get(hass).async_get_issue(DOMAIN, f"entity_missing_{next(iter(house.entry.subentries))}")
    # The stay ends as it would have ended: the barrier rises under its new name.
    house.sensors("off")
    await house.until(lambda: house.state("lock.yard") == "locked")


async def test_an_entity_of_no_space_may_be_renamed_as_anybody_likes(
    hass: HomeAssistant,
    house: House,  # noqa: F811
) -> None:
    hub, registry = house.hub, er.async_get(hass)
    registry.async_get_or_create("light", "test", "1", suggested_object_id="kitchen")
    registry.async_update_entity("light.kitchen", new_entity_id="light.bar")
    await hass.async_block_till_done()
    assert house.entry.runtime_data is hub


async def test_a_rename_while_parkshare_was_not_running_is_caught_up_with(
    hass: HomeAssistant, make_entry: MakeEntry, hass_storage: dict[str, Any]
) -> None:
    registry = er.async_get(hass)
    lock = registry.async_get_or_create("lock", "test", "the-lock", suggested_object_id="yard")
    again = registry.async_get_or_create("camera", "test", "another camera", suggested_object_id="bay")
    hass_storage["parkshare.entities"] = {
        "version": 1,
        "key": "parkshare.entities",
        "data": {"lock.bay": lock.id, "camera.bay": "a camera that is no more", "person.owner": "nobody"},
    }
    entry: MockConfigEntry = make_entry(spaces=(space_data(),))
    with patch("custom_components.parkshare.hub.LinkClient.run", AsyncMock()):
        assert await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    data = next(iter(entry.subentries.values())).data
    assert (data["barrier"], data["camera"], data["owner"]) == ("lock.yard", "camera.bay", "person.owner")
    # From now on it is known who is who, also what was set up anew under an old name.
    stored = hass_storage["parkshare.entities"]["data"]
    assert (stored["lock.yard"], stored["camera.bay"]) == (lock.id, again.id)
    with patch("custom_components.parkshare.farewell.LinkClient.run", AsyncMock()):
        await hass.config_entries.async_remove(entry.entry_id)
    assert "parkshare.entities" not in hass_storage
