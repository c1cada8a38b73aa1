"""The steps of a space's flow for its plate sources: what is stored, what is refused, and what is said about it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.translation import async_get_translations
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import MqttMockHAClient

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.diagnostics import async_get_config_entry_diagnostics
from custom_components.parkshare.sources import sources_of
from custom_components.parkshare.sources.generic.presets import PRESETS
from tests.home.conftest import MakeEntry, SetUp
from tests.home.support import RAISING, space_data
from tests.simulators.frigate import Camera, Frigate

type Step = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

CONNECTION = {"source_name": "Frigate", "topic_prefix": "frigate", "verify_ssl": True}
CAMERA = {"frigate_camera": "space", "switch_camera": False, "pictures": False}
RECIPE = {
    "plate_path": "plate",
    "score_scale": "none",
    "min_score": 0,
    "believe_alone": False,
    "max_age_s": 15,
    "sparse": False,
}
EVENT = {"source_name": "Plates", "event_type": "plate_read", **RECIPE}


@pytest.fixture(autouse=True)
def expected_lingering_timers() -> bool:
    """The mock of the MQTT client and closed connections leave theirs behind."""
    return True


@pytest.fixture
def entry(make_entry: MakeEntry) -> MockConfigEntry:
    return make_entry(spaces=(space_data(),))


@pytest.fixture
async def step(hass: HomeAssistant, entry: MockConfigEntry, set_up: SetUp) -> Step:
    """Open a space's flow at its list of sources; gives what answers the step that is shown."""
    await set_up(entry)
    flows = hass.config_entries.subentries
    (subentry,) = entry.subentries.values()
    flow = await flows.async_init(
        (entry.entry_id, "space"), context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id}
    )
    data = subentry.data
    place = {key: data[key] for key in ("name", "address", "length_m", "width_m")}
    place["location"] = {"latitude": data["latitude"], "longitude": data["longitude"], "radius": data["range_m"]}
    await flows.async_configure(flow["flow_id"], place)
    await flows.async_configure(flow["flow_id"], {key: data[key] for key in ("barrier", "camera", "occupancy")})
    await flows.async_configure(flow["flow_id"], RAISING)

    async def answer(given: dict[str, Any]) -> dict[str, Any]:
        return await flows.async_configure(flow["flow_id"], given)

    shown = await answer({"next_step_id": "sources"})
    assert (shown["type"], shown["step_id"]) == (FlowResultType.MENU, "sources")
    return answer


async def open_step(step: Step, name: str) -> dict[str, Any]:
    shown = await step({"next_step_id": name})
    assert (shown["type"], shown["step_id"]) == (FlowResultType.FORM, name)
    return shown


async def finish(step: Step, entry: MockConfigEntry) -> list[dict[str, Any]]:
    """Store the space; gives its sources."""
    await step({"next_step_id": "reading"})
    done = await step({"next_step_id": "finish"})
    assert done["type"] is FlowResultType.ABORT, done
    (subentry,) = entry.subentries.values()
    return list(subentry.data.get("sources", []))


def suggested(shown: dict[str, Any]) -> dict[str, Any]:
    return {
        str(field): field.description["suggested_value"]
        for field in shown["data_schema"].schema
        if field.description and "suggested_value" in field.description
    }


@pytest.fixture
async def frigate(socket_enabled: None) -> AsyncIterator[Frigate]:
    frigate = Frigate(users={"olga": "secret"})
    await frigate.start()
    yield frigate
    await frigate.stop()


async def test_a_frigate_is_checked_and_stored(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, frigate: Frigate, entry: MockConfigEntry, step: Step
) -> None:
    await open_step(step, "source_frigate")
    shown = await step(CONNECTION | {"url": frigate.url, "username": "olga", "password": "secret"})
    assert (shown["step_id"], shown["errors"]) == ("source_frigate_camera", {})
    shown = await step(CAMERA | {"zones": ["bay"], "switch_camera": True})
    assert (shown["step_id"], shown["description_placeholders"]["sources"]) == ("sources", "Frigate")
    (source,) = await finish(step, entry)
    assert source["kind"] == "frigate"
    assert (source["frigate_camera"], source["zones"], source["password"]) == ("space", ["bay"], "secret")
    (made,) = sources_of(hass, {"sources": [source]}, "Bay 1")
    assert made.name == "Frigate"
    await hass.async_block_till_done()
    told = json.dumps(await async_get_config_entry_diagnostics(hass, entry))
    assert [private for private in ("secret", "olga", frigate.url) if private in told] == []


async def test_a_frigate_without_an_address_is_believed(
    mqtt_mock: MqttMockHAClient, entry: MockConfigEntry, step: Step
) -> None:
    await open_step(step, "source_frigate")
    assert (await step(CONNECTION | {"topic_prefix": "nvr"}))["step_id"] == "source_frigate_camera"
    shown = await step(CAMERA | {"pictures": True})
    assert shown["errors"] == {"pictures": "frigate_pictures_url"}
    for name in ("", "+", "#", "front/door"):
        assert (await step(CAMERA | {"frigate_camera": name}))["errors"] == {"frigate_camera": "frigate_camera_missing"}
    await step(CAMERA)
    assert (await finish(step, entry))[0]["topic_prefix"] == "nvr"


@pytest.mark.parametrize(
    ("change", "given", "errors"),
    [
        ({}, {"url": "http://127.0.0.1:9"}, {"url": "frigate_unreachable"}),
        ({}, {"url": "frigate"}, {"url": "frigate_url"}),
        ({}, {"username": "olga", "password": "wrong"}, {"password": "frigate_login"}),
        ({}, {"username": "", "password": ""}, {"password": "frigate_login"}),
        ({"login_limit": 0}, {}, {"base": "frigate_busy"}),
        ({"mqtt": False}, {}, {"base": "frigate_mqtt_off"}),
        ({"lpr": False}, {}, {"base": "frigate_lpr_off"}),
        ({"prefix": "nvr"}, {}, {"topic_prefix": "frigate_prefix"}),
        ({}, {"topic_prefix": "nvr/#"}, {"topic_prefix": "topic_not_usable"}),
        ({}, {"source_name": "  "}, {"source_name": "source_name_length"}),
    ],
)
async def test_what_is_wrong_with_a_frigate_is_said_at_its_field(
    mqtt_mock: MqttMockHAClient,
    frigate: Frigate,
    step: Step,
    change: dict[str, Any],
    given: dict[str, Any],
    errors: Any,
) -> None:
    for name, value in change.items():
        setattr(frigate, name, value)
    await open_step(step, "source_frigate")
    right = CONNECTION | {"url": frigate.url, "username": "olga", "password": "secret"}
    shown = await step(right | given)
    assert shown["errors"] == errors
    for name, value in {"login_limit": 99, "mqtt": True, "lpr": True, "prefix": "frigate"}.items():
        setattr(frigate, name, value)
    assert (await step(right))["step_id"] == "source_frigate_camera"


@pytest.mark.parametrize(
    ("change", "given", "errors"),
    [
        ({}, {"frigate_camera": "moon"}, {"frigate_camera": "frigate_camera_missing"}),
        ({"in_config": False}, {}, {"frigate_camera": "frigate_camera_off"}),
        ({"lpr": False}, {}, {"frigate_camera": "frigate_camera_lpr_off"}),
        ({}, {"zones": ["sky"]}, {"zones": "frigate_zone_missing"}),
        ({"dedicated": True}, {"zones": ["bay"]}, {"zones": "frigate_zones_dedicated"}),
    ],
)
async def test_what_is_wrong_with_a_camera_of_frigate_is_said(
    mqtt_mock: MqttMockHAClient,
    frigate: Frigate,
    step: Step,
    change: dict[str, Any],
    given: dict[str, Any],
    errors: Any,
) -> None:
    frigate.cameras = [Camera("space", **change)]
    await open_step(step, "source_frigate")
    await step(CONNECTION | {"url": frigate.url, "username": "olga", "password": "secret"})
    assert (await step(CAMERA | given))["errors"] == errors


async def test_without_mqtt_a_frigate_is_refused_with_what_to_do(step: Step) -> None:
    await open_step(step, "source_frigate")
    assert (await step(CONNECTION))["errors"] == {"base": "mqtt_missing"}
    await step(CONNECTION)


async def test_a_frigate_that_home_assistant_knows_fills_the_form_but_for_its_password(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, frigate: Frigate, entry: MockConfigEntry, step: Step
) -> None:
    known = MockConfigEntry(
        domain="frigate",
        data={"url": frigate.url, "username": "olga", "password": "secret", "validate_ssl": False},
        state=ConfigEntryState.LOADED,
    )
    known.add_to_hass(hass)
    config = {"mqtt": {"topic_prefix": "frigate"}, "cameras": {"space": {}}}
    hass.data["frigate"] = {known.entry_id: {"config": config}, "llm_unregister": print}
    shown = await open_step(step, "source_frigate")
    filled = suggested(shown)
    assert (filled["url"], filled["username"], filled["verify_ssl"]) == (frigate.url, "olga", False)
    assert "secret" not in str(filled)
    await step(filled | {"password": ""})  # as a browser sends a field that was touched and left
    await step(CAMERA)
    assert (await finish(step, entry))[0]["password"] == "secret"


@pytest.mark.parametrize(
    "kept", [None, [], {"x": 1}, {"entry": None}, {"entry": {"config": {"mqtt": 1, "cameras": [1]}}}]
)
async def test_what_the_frigate_integration_keeps_may_be_anything(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, step: Step, kept: Any
) -> None:
    MockConfigEntry(domain="frigate", data={"url": 7}, state=ConfigEntryState.LOADED, entry_id="entry").add_to_hass(
        hass
    )
    hass.data["frigate"] = kept
    assert suggested(await open_step(step, "source_frigate"))["topic_prefix"] == "frigate"


@pytest.mark.parametrize("preset", PRESETS)
async def test_a_known_program_fills_its_form(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, entry: MockConfigEntry, step: Step, preset: str
) -> None:
    hass.states.async_set("event.gate_vehicle", "unknown")
    await open_step(step, "source_known")
    shown = await step({"preset": preset})
    assert shown["step_id"] == f"source_{PRESETS[preset].kind}"
    filled = suggested(shown)
    assert filled["plate_path"] == PRESETS[preset].fields["plate_path"]
    given = {str(field): field.default() for field in shown["data_schema"].schema if callable(field.default)} | filled
    if given.get("camera_path"):
        assert (await step(given | {"local_only": True} if "local_only" in given else given))["errors"] == {
            "cameras": "values_missing"
        }
        given["cameras"] = ["gate"]
    if "entity" in {str(field) for field in shown["data_schema"].schema}:
        given["entity"] = "event.gate_vehicle"
    shown = await step(given)
    if shown["step_id"] == "source_webhook_url":
        shown = await step({})
    assert shown["step_id"] == "sources", shown.get("errors")
    (source,) = await finish(step, entry)
    (made,) = sources_of(hass, {"sources": [source]}, "Bay 1")
    assert type(made).__name__ != "BrokenSource"


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"plate_path": "a..b"}, {"plate_path": "path_not_usable"}),
        ({"time_path": "[x]"}, {"time_path": "path_not_usable"}),
        ({"score_scale": "percent"}, {"score_path": "score_path_missing"}),
        ({"cameras": ["gate"]}, {"camera_path": "path_missing"}),
        ({"only_path": "direction"}, {"only": "values_missing"}),
        ({"event_type": " "}, {"event_type": "event_type_not_usable"}),
        ({"source_name": "x" * 61}, {"source_name": "source_name_length"}),
    ],
)
async def test_a_description_that_cannot_work_is_refused_at_its_field(
    step: Step, given: dict[str, Any], errors: dict[str, str]
) -> None:
    await open_step(step, "source_event")
    assert (await step(EVENT | given))["errors"] == errors
    assert (await step(EVENT))["step_id"] == "sources"


async def test_an_entity_or_topic_that_cannot_be_is_refused(mqtt_mock: MqttMockHAClient, step: Step) -> None:
    await open_step(step, "source_entity")
    entity = {"source_name": "Sensor", "entity": "sensor.plate", "repeats": False, **RECIPE}
    assert (await step(entity))["errors"] == {"entity": "entity_missing"}
    await step(entity | {"entity": "lock.bay"})
    await open_step(step, "source_mqtt")
    for topic in ("gate/+/plate", "#", ""):
        shown = await step({"source_name": "Topic", "topic": topic, **RECIPE})
        assert shown["errors"] == {"topic": "topic_not_usable"}


async def test_a_webhook_s_address_is_shown_and_nobody_can_guess_it(entry: MockConfigEntry, step: Step) -> None:
    await open_step(step, "source_webhook")
    shown = await step({"source_name": "Hook", "local_only": True, **RECIPE})
    assert shown["step_id"] == "source_webhook_url"
    url = shown["description_placeholders"]["url"]
    await step({})
    (source,) = await finish(step, entry)
    assert url.endswith(f"/api/webhook/{source['webhook_id']}")
    assert len(source["webhook_id"]) == 64


async def test_sources_are_changed_and_removed_and_a_webhook_keeps_its_address(
    entry: MockConfigEntry, step: Step
) -> None:
    for name in ("First", "Second"):
        await open_step(step, "source_event")
        await step(EVENT | {"source_name": name})
    await open_step(step, "source_event")
    assert (await step(EVENT | {"source_name": "First"}))["errors"] == {"source_name": "source_name_taken"}
    await step(EVENT | {"source_name": "Third"})
    await open_step(step, "source_webhook")
    first = (await step({"source_name": "Hook", "local_only": True, **RECIPE}))["description_placeholders"]["url"]
    await step({})
    await open_step(step, "source_change")
    shown = await step({"which": "3"})
    assert suggested(shown)["source_name"] == "Hook"
    shown = await step({"source_name": "Hook", "local_only": False, **RECIPE})
    assert shown["description_placeholders"]["url"] == first
    await step({})
    await open_step(step, "source_change")
    await step({"which": "1"})
    await step(EVENT | {"source_name": "Second", "event_type": "another"})
    await open_step(step, "source_remove")
    shown = await step({"which": ["0", "2"]})
    assert shown["description_placeholders"]["sources"] == "Second, Hook"
    sources = await finish(step, entry)
    assert [(source["source_name"], source.get("event_type")) for source in sources] == [
        ("Second", "another"),
        ("Hook", None),
    ]


async def test_changing_a_frigate_keeps_its_password_unless_another_is_given(
    mqtt_mock: MqttMockHAClient, frigate: Frigate, entry: MockConfigEntry, step: Step
) -> None:
    connection = CONNECTION | {"url": frigate.url, "username": "olga"}
    await open_step(step, "source_frigate")
    await step(connection | {"password": "secret"})
    await step(CAMERA | {"zones": ["bay"]})
    await open_step(step, "source_change")
    shown = await step({"which": "0"})
    assert "secret" not in str(suggested(shown))
    shown = await step(connection)
    assert suggested(shown)["zones"] == ["bay"]
    await step(CAMERA)
    (source,) = await finish(step, entry)
    assert source["password"] == "secret"
    assert "zones" not in source


@pytest.mark.parametrize("language", ["en", "de"])
async def test_every_trouble_that_is_told_has_a_text(hass: HomeAssistant, language: str) -> None:
    import re
    from pathlib import Path

    import custom_components.parkshare.sources as package

    code = "\n".join(path.read_text() for path in Path(package.__file__).parent.rglob("*.py"))
    told = set(re.findall(r'tell\(\s*"(\w+)"', code)) | set(re.findall(r'return "(frigate_\w+)"', code))
    told |= {"path_plate", "path_score", "path_time", "frigate_stays_on", "frigate_stays_off"}
    with patch("custom_components.parkshare.async_setup_entry"):
        texts = await async_get_translations(hass, language, "common", {DOMAIN})
    prefix = f"component.{DOMAIN}.common.source_"
    assert {prefix + key for key in told} == {key for key in texts if key.startswith(prefix)}
