"""Choosing the reader: the options as a person fills them in, what the house then reads with, and what it says."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

import homeassistant
import pytest
from aiohttp.test_utils import TestServer
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.diagnostics import async_get_config_entry_diagnostics
from custom_components.parkshare.flows.options import FAST_PLATE_SCHEMA, READER_SCHEMA, SERVICE_SCHEMA
from custom_components.parkshare.flows.reader_address import BadReaderAddressError, normalise_address
from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.readers import FAST_PLATE_REQUIREMENTS, ReaderKind
from custom_components.parkshare.recognition import Picture
from custom_components.parkshare.recognition.panel import Panel
from custom_components.parkshare.recognition.service import ReaderService
from custom_components.parkshare.system_health import system_health_info
from tests.home.conftest import FakeReader, MakeEntry, SetUp
from tests.home.support import eventually
from tests.recognition.onnx_models import bands, recogniser

TOKEN = "a token with enough letters"
FOLDER = Path(__file__).parents[2] / "custom_components/parkshare"
ENGLISH = json.loads((FOLDER / "translations/en.json").read_text())
HUB_MODEL = {"ocr": "cct-xs-v2-global-model", "detector": "none", "together": False}
PICTURE = Picture(b"\xff\xd8 a picture", 5.0)


class Elsewhere(FakeReader):
    """The reader behind the service."""

    name = "elsewhere"


@pytest.fixture
def elsewhere() -> Elsewhere:
    return Elsewhere()


@pytest.fixture
async def service(elsewhere: Elsewhere, socket_enabled: None) -> AsyncIterator[str]:
    """A reader service on 127.0.0.1; gives its address."""
    server = TestServer(ReaderService(elsewhere, token=TOKEN).app())
    await server.start_server()
    yield str(server.make_url("")).rstrip("/")
    await server.close()


@pytest.fixture
async def entry(make_entry: MakeEntry, set_up: SetUp) -> MockConfigEntry:
    """A running house."""
    entry = make_entry(spaces=())
    await set_up(entry)
    return entry


async def choose(hass: HomeAssistant, entry: MockConfigEntry, kind: str) -> dict[str, Any]:
    """Open the options and choose a reader."""
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    assert (flow["type"], flow["step_id"]) == (FlowResultType.FORM, "init")
    return await hass.config_entries.options.async_configure(flow["flow_id"], {"reader": kind})


async def answer(hass: HomeAssistant, flow: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Fill in a form of the options."""
    return await hass.config_entries.options.async_configure(flow["flow_id"], values)


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    """What there is to repair about the reader."""
    return ir.async_get(hass).async_get_issue(DOMAIN, f"reader_fallback_{entry.entry_id}")


async def test_a_house_reads_with_the_built_in_reader_until_another_is_chosen(
    entry: MockConfigEntry, reader: FakeReader
) -> None:
    hub: ParkShareHub = entry.runtime_data
    assert hub.reader is hub.embedded is reader


async def test_a_reader_service_is_tried_before_it_is_kept_and_then_used(
    hass: HomeAssistant, entry: MockConfigEntry, service: str, elsewhere: Elsewhere, reader: FakeReader
) -> None:
    form = await choose(hass, entry, "service")
    assert form["step_id"] == "service"
    wrong = {
        "ftp://127.0.0.1": ("service_url", "reader_invalid_address"),
        "127.0.0.1:9": ("service_url", "reader_cannot_connect"),
    }
    for url, (field, key) in wrong.items():
        form = await answer(hass, form, {"service_url": url, "service_token": TOKEN, "together": False})
        assert form["errors"] == {field: key}
        assert key in ENGLISH["options"]["error"]
    for token in ("", "another token altogether"):
        form = await answer(hass, form, {"service_url": service, "service_token": token, "together": False})
        assert form["errors"] == {"service_token": "reader_wrong_token"}
    done = await answer(
        hass, form, {"service_url": service.removeprefix("http://"), "service_token": f" {TOKEN} ", "together": False}
    )
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    hub: ParkShareHub = entry.runtime_data
    assert hub.embedded is reader
    assert (await hub.reader.read(PICTURE)).taken_at == 5.0
    assert len(elsewhere.pictures) == 1
    assert reader.pictures == []


async def test_with_both_each_picture_is_read_twice(
    hass: HomeAssistant, entry: MockConfigEntry, service: str, elsewhere: Elsewhere, reader: FakeReader
) -> None:
    form = await choose(hass, entry, "service")
    await answer(hass, form, {"service_url": service, "service_token": TOKEN, "together": True})
    await hass.async_block_till_done()
    look = await entry.runtime_data.reader.read(PICTURE)
    assert (len(elsewhere.pictures), len(reader.pictures)) == (1, 1)
    assert look.taken_at == 5.0
    form = await choose(hass, entry, "embedded")
    assert form["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert entry.runtime_data.reader is reader
    # Going back needs no new token.
    assert entry.options["service_token"] == TOKEN


async def test_the_owner_is_told_once_that_the_chosen_reader_fails_although_the_other_reads(
    hass: HomeAssistant, entry: MockConfigEntry, reader: FakeReader, service: str
) -> None:
    options = {"reader": "service", "service_url": "http://127.0.0.1:9", "service_token": TOKEN, "together": False}
    hass.config_entries.async_update_entry(entry, options=options)
    await hass.async_block_till_done()
    hub: ParkShareHub = entry.runtime_data
    for _ in range(3):
        await hub.reader.read(PICTURE)
    assert len(reader.pictures) == 3
    told = issue(hass, entry)
    assert told is not None
    assert told.translation_placeholders is not None
    assert "cannot be reached" in told.translation_placeholders["reason"]
    assert "reader_fallback" in ENGLISH["issues"]
    hass.config_entries.async_update_entry(entry, options=options | {"service_url": service})
    await hass.async_block_till_done()
    assert issue(hass, entry) is None


async def test_neither_diagnostics_nor_the_system_page_tell_where_the_reader_is(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp
) -> None:
    entry = make_entry()
    options = {"reader": "service", "service_url": "http://reader.example:8733", "service_token": TOKEN}
    hass.config_entries.async_update_entry(entry, options=options)
    await set_up(entry)
    found = json.dumps([await async_get_config_entry_diagnostics(hass, entry), await system_health_info(hass)])
    assert "service" in found
    assert TOKEN not in found
    assert "reader.example" not in found


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("192.168.1.20", "http://192.168.1.20:8733"),
        ("reader.local:9000/", "http://reader.local:9000"),
        (" https://reader.example ", "https://reader.example"),
        ("http://[fd00::1]:8733", "http://[fd00::1]:8733"),
    ],
)
def test_an_address_may_be_written_as_people_do(written: str, meant: str) -> None:
    assert normalise_address(written) == meant


@pytest.mark.parametrize("written", ["", "ftp://x", "http://", "http://a:b@c", "http://x/path", "x:port", "a b"])
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(BadReaderAddressError):
        normalise_address(written)


# fast-plate-ocr


async def prepared(hass: HomeAssistant, flow: dict[str, Any]) -> dict[str, Any]:
    """Wait for the step with progress, as a browser does."""
    if flow["type"] is not FlowResultType.SHOW_PROGRESS:
        return flow  # it was clear at once
    assert flow["step_id"] == "prepare"
    assert flow["progress_action"] in ENGLISH["options"]["progress"]
    flows = hass.config_entries.options
    await eventually(lambda: flows.async_get(flow["flow_id"])["step_id"] != "prepare", within=30)
    return await flows.async_configure(flow["flow_id"])


async def test_fast_plate_ocr_is_tried_with_local_models_and_then_reads(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    tmp_path: Path,
    reader: FakeReader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Its worker may start slowly on a machine that is busy with other tests.
    monkeypatch.setattr("custom_components.parkshare.readers.Panel", partial(Panel, patience=60.0))
    model, config = recogniser(tmp_path)
    form = await choose(hass, entry, "fast_plate_ocr")
    answers = {"ocr": str(model), "ocr_config": "", "detector": "none", "together": False}
    form = await answer(hass, form, answers)
    assert form["errors"] == {"ocr_config": "config_needed"}
    form = await answer(hass, form, answers | {"ocr_config": str(tmp_path / "no"), "detector": "/no/such.onnx"})
    assert form["errors"] == {"ocr_config": "no_such_file", "detector": "no_such_file"}
    done = await prepared(hass, await answer(hass, form, answers | {"ocr_config": str(config)}))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    stream = tmp_path / "plate.png"
    await hass.async_add_executor_job(bands("B0XK429", (240, 60)).save, stream)
    look = await entry.runtime_data.reader.read(Picture(await hass.async_add_executor_job(stream.read_bytes), 5.0))
    assert [(reading.text, reading.source) for reading in look.readings] == [("B0XK429", "fast_plate_ocr")]
    assert reader.pictures == []
    assert issue(hass, entry) is None


async def test_a_download_that_fails_is_shown_and_another_choice_can_be_made(
    hass: HomeAssistant, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there: the internet is not asked
    form = await choose(hass, entry, "fast_plate_ocr")
    failed = await prepared(
        hass, await answer(hass, form, {"ocr": "cct-xs-v2-global-model", "detector": "none", "together": False})
    )
    assert (failed["type"], failed["step_id"]) == (FlowResultType.MENU, "prepare_failed")
    assert "downloaded" in failed["description_placeholders"]["reason"]
    assert failed["menu_options"] == list(ENGLISH["options"]["step"]["prepare_failed"]["menu_options"])
    again = await answer(hass, failed, {"next_step_id": "init"})
    done = await answer(hass, again, {"reader": "embedded"})
    assert done["type"] is FlowResultType.CREATE_ENTRY


async def test_where_its_packages_cannot_be_installed_the_form_and_a_repair_say_what_to_do(
    hass: HomeAssistant, entry: MockConfigEntry, reader: FakeReader, caplog: pytest.LogCaptureFixture
) -> None:
    form = await choose(hass, entry, "fast_plate_ocr")
    hass.config.skip_pip = False
    with (
        patch("homeassistant.requirements.pkg_util.is_installed", return_value=False),
        patch("homeassistant.requirements.pkg_util.install_package", return_value=False) as installed,
    ):
        failed = await prepared(hass, await answer(hass, form, HUB_MODEL))
        assert "could not be installed" in failed["description_placeholders"]["reason"]
        assert {call.args[0] for call in installed.call_args_list} == set(FAST_PLATE_REQUIREMENTS)
        # Trying again does try again.
        tried = installed.call_count
        failed = await prepared(hass, await answer(hass, failed, {"next_step_id": "prepare"}))
        assert installed.call_count > tried
        # One that was chosen on another system: told at the start, not when a car comes.
        hass.config_entries.async_update_entry(entry, options={"reader": "fast_plate_ocr", **HUB_MODEL})
        await hass.async_block_till_done()
        await eventually(lambda: issue(hass, entry) is not None)
    await entry.runtime_data.reader.read(PICTURE)
    assert len(reader.pictures) == 1


async def test_on_musl_the_reader_service_is_recommended_at_once(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    form = await choose(hass, entry, "fast_plate_ocr")
    with patch("custom_components.parkshare.readers.os.confstr", side_effect=ValueError):
        failed = await prepared(hass, await answer(hass, form, HUB_MODEL))
    assert "musl" in failed["description_placeholders"]["reason"]
    assert "reader service" in failed["description_placeholders"]["reason"]


def test_every_field_and_choice_of_the_options_is_named_and_explained() -> None:
    steps = ENGLISH["options"]["step"]
    shown = {"init": READER_SCHEMA, "service": SERVICE_SCHEMA, "fast_plate_ocr": FAST_PLATE_SCHEMA}
    assert steps.keys() == shown.keys() | {"prepare_failed"}
    for step, schema in shown.items():
        fields = {str(field) for field in schema.schema}
        assert steps[step]["data"].keys() == steps[step]["data_description"].keys() == fields
    assert ENGLISH["selector"]["reader"]["options"].keys() == {kind.value for kind in ReaderKind}


def test_what_is_installed_on_demand_is_what_the_tests_run_with() -> None:
    for requirement in FAST_PLATE_REQUIREMENTS:
        name, _, wanted = requirement.partition("==")
        assert version(name) == wanted


@pytest.mark.parametrize(
    ("platform", "fits"),
    [
        ("x86_64-unknown-linux-gnu", True),
        ("aarch64-unknown-linux-gnu", True),
        # Else the texts that send people to the reader service would be wrong.
        ("x86_64-unknown-linux-musl", False),
    ],
)
def test_its_packages_fit_into_home_assistants_constraints_where_they_exist(
    platform: str, fits: bool, tmp_path: Path
) -> None:
    wanted = tmp_path / "requirements.in"
    wanted.write_text("\n".join(FAST_PLATE_REQUIREMENTS))
    constraints = Path(homeassistant.__file__).with_name("package_constraints.txt")
    uv = Path(sys.executable).with_name("uv")
    resolve = [uv, "pip", "compile", "--quiet", "--only-binary", ":all:", "--python-version", "3.14"]
    done = subprocess.run(
        [*resolve, "--python-platform", platform, "--constraint", constraints, wanted],
        check=False,
        capture_output=True,
        text=True,
    )
    if "client error (Connect)" in done.stderr or "dns error" in done.stderr:
        pytest.skip("no package index can be reached from here, so nothing can be resolved")
    assert (done.returncode == 0) is fits, done.stderr
