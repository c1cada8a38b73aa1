"""What stands on a space: barriers and sensors that are refused, and what may be chosen for a car that has left."""

from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import InvalidData
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.parkshare.flows.raising import choices
from custom_components.parkshare.gate.words import Raising
from tests.home.conftest import MakeEntry, SetUp
from tests.home.support import EQUIPMENT, PLACE, space_data
from tests.home.test_house_flow import add, entry, picture, stored  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("picture")
TWO = ["binary_sensor.bay", "binary_sensor.radar"]


@pytest.fixture(autouse=True)
def stand(hass: HomeAssistant, things: None) -> None:
    for entity_id in ("binary_sensor.radar", "binary_sensor.drive", "light.bay", "switch.lamp", "switch.camera"):
        hass.states.async_set(entity_id, "off")


async def equip(hass: HomeAssistant, entry: MockConfigEntry, **equipment: Any) -> dict[str, Any]:  # noqa: F811
    """Fill in the forms of a new space up to its equipment."""
    flow = await add(hass, entry)
    return await hass.config_entries.subentries.async_configure(flow["flow_id"], {**EQUIPMENT, **equipment})


async def change(hass: HomeAssistant, entry: MockConfigEntry, **equipment: Any) -> dict[str, Any]:  # noqa: F811
    """The same for the space that is there."""
    flow = await entry.start_subentry_reconfigure_flow(hass, next(iter(entry.subentries)))
    await hass.config_entries.subentries.async_configure(flow["flow_id"], PLACE)
    return await hass.config_entries.subentries.async_configure(flow["flow_id"], {**EQUIPMENT, **equipment})


def offered(form: dict[str, Any]) -> tuple[list[str], str | None]:
    """What a form offers for raising, and what of that is chosen already."""
    assert form["step_id"] == "raising", form
    ((field, selector),) = form["data_schema"].schema.items()
    return selector.config["options"], field.default() if callable(field.default) else None


@pytest.mark.parametrize(
    ("occupancy", "options", "chosen"),
    [
        ([], ["ask", "never"], "ask"),
        (TWO[:1], ["ask", "never"], "ask"),
        (TWO, ["automatic", "ask", "never"], "automatic"),
    ],
)
async def test_to_rise_by_itself_is_offered_only_with_two_sensors(
    hass: HomeAssistant,
    entry: MockConfigEntry,  # noqa: F811
    occupancy: list[str],
    options: list[str],
    chosen: str,
) -> None:
    form = await equip(hass, entry, occupancy=occupancy)
    assert offered(form) == (options, chosen)
    assert form["description_placeholders"]["sensors"] == str(len(occupancy))
    done = await hass.config_entries.subentries.async_configure(form["flow_id"], {"raising": options[-1]})
    done = await stored(hass, done)
    assert done["data"]["raising"] == "never"


async def test_what_the_form_does_not_offer_is_not_taken(hass: HomeAssistant, entry: MockConfigEntry) -> None:  # noqa: F811
    form = await equip(hass, entry, occupancy=TWO[:1])
    with pytest.raises(InvalidData):
        await hass.config_entries.subentries.async_configure(form["flow_id"], {"raising": "automatic"})


async def test_a_space_that_loses_a_sensor_is_asked_anew(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp
) -> None:
    space = make_entry(spaces=(space_data(occupancy=TWO, raising="automatic"),))
    await set_up(space)
    assert offered(await change(hass, space, occupancy=TWO)) == (["automatic", "ask", "never"], "automatic")
    assert offered(await change(hass, space, occupancy=TWO[:1])) == (["ask", "never"], None)


@pytest.mark.parametrize(("raising", "chosen"), [("never", "never"), (None, "automatic")])
async def test_what_was_chosen_before_is_kept_and_a_space_of_before_rises_as_it_did(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp, raising: str | None, chosen: str
) -> None:
    space = make_entry(spaces=(space_data(occupancy=TWO, **({"raising": raising} if raising else {})),))
    await set_up(space)
    assert offered(await change(hass, space, occupancy=TWO))[1] == chosen


def test_the_same_sensor_twice_is_one() -> None:
    assert choices({"occupancy": ["binary_sensor.bay", "binary_sensor.bay"]}) == [Raising.ASK, Raising.NEVER]


async def test_lights_and_vehicle_sensors_are_kept(hass: HomeAssistant, entry: MockConfigEntry) -> None:  # noqa: F811
    more = {"light": ["light.bay", "switch.lamp"], "vehicle": ["binary_sensor.drive"]}
    done = await stored(hass, await equip(hass, entry, **more))
    assert {key: done["data"][key] for key in more} == more


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"light": ["light.gone"]}, {"light": "entity_missing"}),
        ({"vehicle": ["binary_sensor.gone"]}, {"vehicle": "entity_missing"}),
        ({"barrier": "switch.lamp", "light": ["switch.lamp"]}, {"light": "light_is_taken"}),
        ({"camera_power": "switch.camera", "light": ["switch.camera"]}, {"light": "light_is_taken"}),
        ({"barrier": "cover.blind"}, {"barrier": "barrier_class"}),
        ({"barrier": "cover.tilt"}, {"barrier": "barrier_tilts_only"}),
        ({"barrier": "cover.one_way"}, {"barrier": "barrier_one_way"}),
        ({"barrier": "valve.garden"}, {"barrier": "barrier_class"}),
        ({"barrier": "lock.code"}, {"barrier": "barrier_needs_code"}),
        ({"occupancy": ["binary_sensor.bay", "binary_sensor.bay"]}, {"occupancy": "sensors_not_independent"}),
        ({"occupancy": ["binary_sensor.bay", "binary_sensor.both"]}, {"occupancy": "sensors_not_independent"}),
        ({"occupancy": ["binary_sensor.both", "binary_sensor.too"]}, {"occupancy": "sensors_not_independent"}),
    ],
)
async def test_equipment_that_cannot_be_trusted_is_refused_at_its_field(
    hass: HomeAssistant,
    entry: MockConfigEntry,  # noqa: F811
    given: dict[str, Any],
    errors: dict[str, str],
) -> None:
    for entity_id, attributes in {
        "cover.blind": {"supported_features": 3, "device_class": "blind"},
        "cover.tilt": {"supported_features": 16 + 32},
        "cover.one_way": {"supported_features": 1},
        "valve.garden": {"supported_features": 3, "device_class": "water"},
        "lock.code": {"code_format": r"^\d{4}$"},
        "binary_sensor.both": {"entity_id": ["binary_sensor.bay", "binary_sensor.radar"]},
        "binary_sensor.too": {"entity_id": ["binary_sensor.radar", "binary_sensor.drive"]},
    }.items():
        hass.states.async_set(entity_id, "off", attributes)
    form = await equip(hass, entry, **given)
    assert (form["step_id"], form["errors"]) == ("equipment", errors)


@pytest.mark.parametrize("by", ["id", "template", "registry id", "nothing"])
async def test_a_helper_that_is_made_from_another_sensor_is_no_second_one(
    hass: HomeAssistant,
    entry: MockConfigEntry,  # noqa: F811
    by: str,
) -> None:
    registry = er.async_get(hass)
    hass.states.async_remove("binary_sensor.bay")
    source = registry.async_get_or_create("binary_sensor", "test", "1", suggested_object_id="bay")
    hass.states.async_set("binary_sensor.bay", "off")
    options = {
        "id": {"entity_id": "binary_sensor.bay"},
        "template": {"state": "{{ is_state('binary_sensor.bay', 'on') }}"},
        "registry id": {"entities": [source.id]},
        "nothing": {"state": "{{ states('sensor.distance') | float < 1 }}"},
    }[by]
    helper = MockConfigEntry(domain="template", options=options)
    helper.add_to_hass(hass)
    registry.async_get_or_create("binary_sensor", "template", "2", suggested_object_id="made", config_entry=helper)
    hass.states.async_set("binary_sensor.made", "off")
    form = await equip(hass, entry, occupancy=["binary_sensor.bay", "binary_sensor.made"])
    if by == "nothing":
        assert form["step_id"] == "raising"
    else:
        assert form["errors"] == {"occupancy": "sensors_not_independent"}
