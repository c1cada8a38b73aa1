"""Texts and diagnostics: nothing that is shown is missing, nothing that is private is shown."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

import custom_components.parkshare as integration
from custom_components.parkshare.config_flow import ERRORS
from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.diagnostics import async_get_config_entry_diagnostics
from custom_components.parkshare.flows.equipment import EQUIPMENT_SCHEMA, SWITCH_SCHEMA
from custom_components.parkshare.flows.help import HELP_SCHEMA
from custom_components.parkshare.flows.offer import offer_schema
from custom_components.parkshare.flows.place import PLACE_SCHEMA
from custom_components.parkshare.flows.raising import RAISING_SCHEMA
from custom_components.parkshare.flows.reading import DETAILS_SCHEMA, MENU
from custom_components.parkshare.flows.region import REGION_SCHEMA
from custom_components.parkshare.flows.terms import TERMS_SCHEMA
from custom_components.parkshare.gate.grant import Grant
from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.link.keys import HouseKeys
from custom_components.parkshare.recognition.advice import Hint
from custom_components.parkshare.sources.forms import FORMS
from custom_components.parkshare.standby import Standby, StandbyState
from custom_components.parkshare.system_health import system_health_info
from tests.home.conftest import MakeEntry, SetUp
from tests.home.support import space_data

FOLDER = Path(integration.__file__).parent
ENGLISH = json.loads((FOLDER / "translations" / "en.json").read_text())
SOURCES = "\n".join(path.read_text() for path in FOLDER.rglob("*.py"))


def leaves(texts: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text with its path."""
    if isinstance(texts, str):
        yield path, texts
        return
    for key, value in texts.items():
        yield from leaves(value, (*path, key))


def test_every_raised_error_and_issue_has_a_text() -> None:
    exceptions = set(re.findall(r'_error\("(\w+)"', SOURCES)) | set(
        re.findall(r'translation_domain=DOMAIN,\s*translation_key="(\w+)"', SOURCES)
    )
    assert {"not_connected", "owner_plate_missing", "keys_damaged"} <= exceptions
    assert exceptions <= ENGLISH["exceptions"].keys() | ENGLISH["issues"].keys()
    issues = set(re.findall(r'^[A-Z_]+: Final = "(\w+)"$', (FOLDER / "issues.py").read_text(), re.MULTILINE))
    assert issues
    assert issues <= ENGLISH["issues"].keys()


def test_every_error_of_the_flow_has_a_text() -> None:
    assert set(ERRORS.values()) <= ENGLISH["config"]["error"].keys()
    sources = "\n".join(path.read_text() for path in (FOLDER / "flows").glob("*.py"))
    named = set(re.findall(r'\] ?= ?"(\w+)"|: "(\w+)"\}|, self\._reason = "(\w+)"', sources))
    said = {name for found in named for name in found if name} & ENGLISH["config_subentries"]["space"]["error"].keys()
    assert {"entity_missing", "range_out_of_bounds", "camera_without_picture"} <= said


def test_every_field_of_the_space_is_named_and_explained() -> None:
    steps = ENGLISH["config_subentries"]["space"]["step"]
    shown = {
        "user": PLACE_SCHEMA,
        "reconfigure": PLACE_SCHEMA,
        "equipment": EQUIPMENT_SCHEMA,
        "barrier_switch": SWITCH_SCHEMA,
        "raising": RAISING_SCHEMA,
        "details": DETAILS_SCHEMA,
        "help": HELP_SCHEMA,
        "offer": offer_schema("EUR"),
        "terms": TERMS_SCHEMA,
        "region_numbers": REGION_SCHEMA,
    } | FORMS
    assert {step for step, texts in steps.items() if "data" in texts} == shown.keys()
    for step, schema in shown.items():
        fields = {str(field) for field in schema.schema}
        assert steps[step]["data"].keys() == steps[step]["data_description"].keys() == fields


def test_every_item_of_the_menu_is_named_and_explained() -> None:
    menu = ENGLISH["config_subentries"]["space"]["step"]["reading"]
    assert menu["menu_options"].keys() == menu["menu_option_descriptions"].keys() == set(MENU)


def test_every_advice_and_every_failed_test_has_its_words() -> None:
    advice = {key.removeprefix("advice_") for key in ENGLISH["common"] if key.startswith("advice_")}
    assert advice == {hint.value for hint in Hint}
    failures = set(re.findall(r'CameraTestError\("(\w+)"', SOURCES)) | set(
        re.findall(r'"(camera_(?!on\b)\w+)" if', SOURCES)
    )
    assert {"camera_busy", "camera_bad_picture", "camera_too_slow"} <= failures <= ENGLISH["exceptions"].keys()
    words = set(re.findall(r"""(?<!_)words\(\s*['"](\w+)['"]""", SOURCES))
    assert {"test_seen", "region_picture", "reading_state"} <= words <= ENGLISH["common"].keys()


def test_every_state_of_a_standby_is_told_or_left_out_on_purpose() -> None:
    told = {key.removeprefix("standby_").removesuffix("_message") for key in ENGLISH["common"] if "_message" in key}
    assert told == {state.value for state in StandbyState} - {"declined"}
    assert {f"standby_{state}_title" for state in told} <= ENGLISH["common"].keys()


@pytest.mark.parametrize("path", sorted((FOLDER / "translations").glob("*.json")), ids=lambda path: path.stem)
def test_texts_are_well_formed(path: Path) -> None:
    for where, text in leaves(json.loads(path.read_text())):
        assert text == text.strip(), where
        assert "http://" not in text, where
        assert "https://" not in text, where
        assert "'{" not in text, where
        assert not re.search(r"<[a-z]", text), where
        assert all(name.isidentifier() for name in re.findall(r"\{([^}]*)\}", text)), where


@pytest.mark.parametrize(
    "path",
    [each for each in sorted((FOLDER / "translations").glob("*.json")) if each.stem != "en"],
    ids=lambda path: path.stem,
)
def test_a_translation_says_the_same_things_with_the_same_words_to_fill_in(path: Path) -> None:
    english, other = dict(leaves(ENGLISH)), dict(leaves(json.loads(path.read_text())))
    assert other.keys() == english.keys()
    for where, text in other.items():
        assert set(re.findall(r"\{(\w+)\}", text)) <= set(re.findall(r"\{(\w+)\}", english[where])), where


async def test_every_entity_has_a_name_a_category_that_fits_and_an_icon(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp
) -> None:
    hub = await set_up(make_entry())
    icons = json.loads((FOLDER / "icons.json").read_text())["entity"]
    entries = er.async_entries_for_config_entry(er.async_get(hass), hub.entry.entry_id)
    assert len(entries) >= 2
    for entity in entries:
        if entity.translation_key is not None:
            assert entity.translation_key in ENGLISH["entity"][entity.domain], entity.entity_id
            if entity.original_device_class is None:
                assert entity.translation_key in icons[entity.domain], entity.entity_id
        # Only what is about the link itself belongs to the account, not to a space.
        assert entity.config_subentry_id in hub.entry.subentries or entity.translation_key == "backend_connected"
    sharing = er.async_get(hass).async_get("switch.bay_1_sharing")
    assert sharing is not None
    assert sharing.entity_category is EntityCategory.CONFIG


async def test_sharing_is_switched_by_its_entity_and_kept(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp
) -> None:
    hub = await set_up(make_entry())
    space = min(hub.space_ids)
    for service, on in (("turn_off", False), ("turn_on", True)):
        await hass.services.async_call("switch", service, {"entity_id": "switch.bay_1_sharing"}, blocking=True)
        assert hub.sharing(space) is on
        assert hass.states.get("switch.bay_1_sharing").state == ("on" if on else "off")


async def test_diagnostics_tell_nothing_private(hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp) -> None:
    keys = HouseKeys.generate()
    frigate = {"kind": "frigate", "url": "http://frigate.secret", "username": "olga", "password": "pass-word"}
    reading = {"region": [0.1234, 0.2, 0.6, 0.7], "level": "strict", "sources": [frigate], "picture_hours": 3}
    entry = make_entry(keys=keys, spaces=(space_data(**reading),))
    hub: ParkShareHub = await set_up(entry)
    space, now = min(hub.space_ids), time.time()
    hass.states.async_set("person.owner", "Kirchweg", {"latitude": 48.137, "longitude": 11.575})
    await hub.grants.async_put(
        Grant(booking="booking-1", space=space, start=now, end=now + 60, plate="AB-123-CD", alias="Rene")
    )
    await hub.async_keep_standby(
        Standby(
            id="standby-1",
            home_space=space,
            state=StandbyState.OFFERED,
            address="Kirchweg 4",
            name="Yard",
            latitude=48.138,
            longitude=11.576,
            end=now + 600,
            expires_at=now + 600,
            seal_key=keys.seal_public,
            sealed_plate="sealed",
        )
    )
    found = await async_get_config_entry_diagnostics(hass, entry)
    text = json.dumps(found)
    private = [
        *keys.private_text(),
        keys.seal_public,
        "AB-123-CD",
        "OW-NER-1",
        "Rene",
        "48.13",
        "11.57",
        "Kirchweg",
        "Yard",
        "Olga",
        "booking-1",
        "standby-1",
        space,
        "lock.bay",
        "0.1234",
        "frigate.secret",
        "olga",
        "pass-word",
        entry.data["install"],
        entry.data["url"],
    ]
    assert [secret for secret in private if secret in text] == []
    assert found["spaces"][0]["grants"][0]["ends_in_s"] in {59, 60}
    assert found["spaces"][0]["barrier"] == {"domain": "lock", "state": "locked"}
    told = {key: found["spaces"][0][key] for key in ("region_drawn", "level", "sources", "picture_hours")}
    assert told == {"region_drawn": True, "level": "strict", "sources": ["frigate"], "picture_hours": 3}
    assert found["link"]["connected"] is False


async def test_the_system_page_shows_figures_only(hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp) -> None:
    entry = make_entry()
    await set_up(entry)
    found = await system_health_info(hass)
    assert found == {
        "readers": "fake",
        "backends_connected": "0 / 1",
        "spaces": 1,
        "grants": 0,
        "pending": found["pending"],
    }
    assert found.keys() == ENGLISH["system_health"]["info"].keys()


def test_the_manifest_is_what_home_assistant_asks_for() -> None:
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    assert manifest["domain"] == DOMAIN == FOLDER.name
    keys = list(manifest)
    assert keys == ["domain", "name", *sorted(keys[2:])]
    assert manifest["documentation"].startswith("https://")
    assert (FOLDER / "brand" / "icon.png").stat().st_size < 20_000
