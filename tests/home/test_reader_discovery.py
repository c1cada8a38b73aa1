"""Reader services that announce themselves: asked about once, not believed without token, followed when they move."""

from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.config_entries import SOURCE_HASSIO, SOURCE_IGNORE, SOURCE_ZEROCONF
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.flows.reader import APP_SCHEMA, FOUND_SCHEMA, READER_SERVICE
from custom_components.parkshare.recognition.service import ReaderService
from custom_components.parkshare.recognition.service_announce import SERVICE
from custom_components.parkshare.recognition.service_auth import service_id
from tests.home.conftest import FakeReader, MakeEntry, SetUp
from tests.home.test_reader_options import ENGLISH, PICTURE, TOKEN

ID = service_id(TOKEN)
ABORTS = ENGLISH["config"]["abort"]


class Elsewhere(FakeReader):
    name = "elsewhere"


@pytest.fixture
def elsewhere() -> Elsewhere:
    return Elsewhere()


type Start = Callable[[web.Application], Awaitable[int]]


@pytest.fixture
async def start(socket_enabled: None) -> AsyncIterator[Start]:
    """Start an application on 127.0.0.1; gives its port."""
    servers: list[TestServer] = []

    async def start(app: web.Application) -> int:
        servers.append(TestServer(app))
        await servers[-1].start_server()
        return int(servers[-1].port or 0)

    yield start
    for server in servers:
        await server.close()


@pytest.fixture
async def port(start: Start, elsewhere: Elsewhere) -> int:
    """A reader service; gives its port."""
    return await start(ReaderService(elsewhere, token=TOKEN).app())


@pytest.fixture
async def entry(make_entry: MakeEntry, set_up: SetUp) -> MockConfigEntry:
    """A linked house."""
    entry = make_entry(spaces=())
    await set_up(entry)
    return entry


async def found(hass: HomeAssistant, port: int, **properties: str) -> dict[str, Any]:
    """Hear a service's announcement in the local network."""
    address = ip_address("127.0.0.1")
    announced = ZeroconfServiceInfo(
        ip_address=address,
        ip_addresses=[address],
        hostname="parkshare-reader.local.",
        name=f"ParkShare reader.{READER_SERVICE}",
        port=port,
        type=READER_SERVICE,
        properties={"version": "0.1.0", "id": ID, "tls": "0"} | properties,
    )
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=announced)


async def told_by_supervisor(hass: HomeAssistant, port: int, **config: Any) -> dict[str, Any]:
    """Hear of an app from the Supervisor."""
    known = {"host": "127.0.0.1", "port": port, "token": TOKEN, "id": ID}
    info = HassioServiceInfo(config=known | config, name="ParkShare reader", slug="parkshare_reader", uuid="1234")
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_HASSIO}, data=info)


async def answer(hass: HomeAssistant, flow: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    return await hass.config_entries.flow.async_configure(flow["flow_id"], values)


def reason_of(flow: dict[str, Any]) -> str:
    """Why a flow ended, which must have a text."""
    assert flow["type"] is FlowResultType.ABORT
    assert flow["reason"] in ABORTS
    return str(flow["reason"])


async def test_a_reader_in_the_network_is_used_after_its_token_was_entered(
    hass: HomeAssistant, entry: MockConfigEntry, port: int, elsewhere: Elsewhere, reader: FakeReader
) -> None:
    form = await found(hass, port)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "reader_confirm")
    values = {"service_url": f"http://127.0.0.1:{port}", "service_token": "another token altogether", "together": False}
    form = await answer(hass, form, values)
    assert form["errors"] == {"service_token": "reader_wrong_token"}
    form = await answer(hass, form, values | {"service_url": "127.0.0.1:9"})
    assert form["errors"] == {"service_url": "reader_cannot_connect"}
    assert reason_of(await answer(hass, form, values | {"service_token": TOKEN})) == "reader_chosen"
    await hass.async_block_till_done()
    await entry.runtime_data.reader.read(PICTURE)
    assert (len(elsewhere.pictures), len(reader.pictures)) == (1, 0)
    # It announces itself again and again: nobody is asked twice.
    assert reason_of(await found(hass, port)) == "reader_already_chosen"


async def test_every_account_of_the_house_gets_the_reader(
    hass: HomeAssistant, entry: MockConfigEntry, make_entry: MakeEntry, set_up: SetUp, port: int
) -> None:
    other = make_entry(spaces=())
    hass.config_entries.async_update_entry(other, unique_id="server:other")
    await set_up(other)
    form = await told_by_supervisor(hass, port)
    assert reason_of(await answer(hass, form, {"together": True})) == "reader_chosen"
    assert [each.options["service_id"] for each in (entry, other)] == [ID, ID]
    await hass.async_block_till_done()


async def test_the_readers_app_gives_its_token_by_itself(
    hass: HomeAssistant, entry: MockConfigEntry, port: int, elsewhere: Elsewhere
) -> None:
    form = await told_by_supervisor(hass, port)
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "reader_app")
    assert reason_of(await answer(hass, form, {"together": False})) == "reader_chosen"
    await hass.async_block_till_done()
    await entry.runtime_data.reader.read(PICTURE)
    assert len(elsewhere.pictures) == 1
    assert reason_of(await told_by_supervisor(hass, port)) == "reader_already_chosen"


async def test_an_app_that_moved_is_followed_without_a_question(
    hass: HomeAssistant, entry: MockConfigEntry, port: int
) -> None:
    options = {"reader": "service", "service_url": "http://127.0.0.1:9", "service_token": TOKEN, "service_id": ID}
    hass.config_entries.async_update_entry(entry, options=options)
    assert reason_of(await told_by_supervisor(hass, port)) == "reader_already_chosen"
    assert entry.options["service_url"] == f"http://127.0.0.1:{port}"
    await hass.async_block_till_done()


async def test_without_an_account_there_is_nothing_to_read_for(hass: HomeAssistant, port: int) -> None:
    assert reason_of(await found(hass, port)) == "no_account_for_reader"
    assert reason_of(await told_by_supervisor(hass, port)) == "no_account_for_reader"


async def test_what_is_announced_but_is_not_there_is_dropped(
    hass: HomeAssistant, entry: MockConfigEntry, start: Start
) -> None:
    assert reason_of(await found(hass, 9)) == "reader_cannot_connect"
    assert reason_of(await found(hass, 9, id="")) == "not_a_reader"
    assert reason_of(await told_by_supervisor(hass, 9)) == "reader_cannot_connect"
    assert reason_of(await told_by_supervisor(hass, 9, host="a b")) == "not_a_reader"

    async def newer(_: web.Request) -> web.Response:
        return web.json_response({"protocol": 2, "readers": []})

    app = web.Application()
    app.router.add_get("/v1/about", newer)
    assert reason_of(await found(hass, await start(app))) == "reader_version_mismatch"


async def test_an_ignored_reader_stays_ignored(hass: HomeAssistant, entry: MockConfigEntry, port: int) -> None:
    ignored = MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id=f"reader {ID}")
    ignored.add_to_hass(hass)
    assert reason_of(await found(hass, port)) == "already_configured"


async def test_a_reader_that_moved_is_followed_once_it_proved_itself(
    hass: HomeAssistant, entry: MockConfigEntry, port: int, start: Start
) -> None:
    options = {"reader": "service", "service_url": "http://127.0.0.1:9", "service_token": TOKEN, "service_id": ID}
    hass.config_entries.async_update_entry(entry, options=options)
    # Somebody who announces its id but does not know its token gets nothing, not even the token.
    impostor = await start(ReaderService(FakeReader(), token="not the token of that reader").app())
    assert reason_of(await found(hass, impostor)) == "reader_already_chosen"
    assert entry.options["service_url"] == "http://127.0.0.1:9"
    assert reason_of(await found(hass, port)) == "reader_already_chosen"
    assert entry.options["service_url"] == f"http://127.0.0.1:{port}"
    await hass.async_block_till_done()


async def test_pictures_that_went_by_https_never_go_by_http_because_of_an_announcement(
    hass: HomeAssistant, entry: MockConfigEntry, port: int
) -> None:
    options = {"reader": "service", "service_url": "https://127.0.0.1:9", "service_token": TOKEN, "service_id": ID}
    hass.config_entries.async_update_entry(entry, options=options)
    # Who passes everything on to the real service passes its proof on too.
    assert reason_of(await found(hass, port)) == "reader_already_chosen"
    assert entry.options["service_url"] == "https://127.0.0.1:9"
    await hass.async_block_till_done()


async def test_a_reader_that_cannot_prove_anything_is_not_followed(
    hass: HomeAssistant, entry: MockConfigEntry, start: Start, elsewhere: Elsewhere
) -> None:
    options = {"reader": "service", "service_url": "http://127.0.0.1:9", "service_token": "", "service_id": ID}
    hass.config_entries.async_update_entry(entry, options=options)
    anybody = await start(ReaderService(elsewhere, token=None).app())
    assert reason_of(await found(hass, anybody)) == "reader_already_chosen"
    assert entry.options["service_url"] == "http://127.0.0.1:9"
    await hass.async_block_till_done()


async def test_a_reader_that_only_announced_itself_is_not_used_without_a_token(
    hass: HomeAssistant, entry: MockConfigEntry, start: Start, elsewhere: Elsewhere
) -> None:
    anybody = await start(ReaderService(elsewhere, token=None).app())
    form = await found(hass, anybody)
    values = {"service_url": f"http://127.0.0.1:{anybody}", "service_token": " ", "together": False}
    form = await answer(hass, form, values)
    assert form["errors"] == {"service_token": "reader_wrong_token"}


async def test_a_reader_that_still_answers_where_it_was_is_not_followed(
    hass: HomeAssistant, entry: MockConfigEntry, port: int, start: Start, elsewhere: Elsewhere
) -> None:
    url = f"http://127.0.0.1:{port}"
    options = {"reader": "service", "service_url": url, "service_token": TOKEN, "service_id": ID}
    hass.config_entries.async_update_entry(entry, options=options)
    twin = await start(ReaderService(elsewhere, token=TOKEN).app())
    assert reason_of(await found(hass, twin)) == "reader_already_chosen"
    assert entry.options["service_url"] == url
    await hass.async_block_till_done()


def test_service_and_house_mean_the_same_announcement() -> None:
    assert READER_SERVICE == SERVICE
    # RFC 6335: at most 15 letters, without which nobody registers it.
    assert len(READER_SERVICE.removeprefix("_").partition(".")[0]) <= 15


def test_both_questions_are_explained() -> None:
    steps = ENGLISH["config"]["step"]
    for step, schema in {"reader_app": APP_SCHEMA, "reader_confirm": FOUND_SCHEMA}.items():
        fields = {str(field) for field in schema.schema}
        assert steps[step]["data"].keys() == steps[step]["data_description"].keys() == fields
