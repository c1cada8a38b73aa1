"""The flows when something is not as it should be: damaged keys, moved backends, half an address, one lock twice."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.config_entries import SOURCE_IGNORE, SOURCE_ZEROCONF
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.hub import ParkShareHub
from tests.home.conftest import MakeEntry, SetUp
from tests.home.support import Backend, eventually, space_data
from tests.home.test_house_flow import (  # noqa: F401 - fixtures
    EQUIPMENT,
    PLACE,
    add,
    answered,
    begin,
    entry,
    finished,
    found,
    lent,
    picture,
    quick,
    stored,
)


async def paired_again(hass: HomeAssistant, backend: Backend, entry: MockConfigEntry) -> dict[str, Any]:  # noqa: F811
    asked = await entry.start_reauth_flow(hass)
    shown = await hass.config_entries.flow.async_configure(asked["flow_id"], {})
    assert shown["type"] is FlowResultType.SHOW_PROGRESS
    await answered(hass, backend, shown)
    done = await finished(hass, shown["flow_id"])
    await hass.async_block_till_done()
    return done


@pytest.mark.usefixtures("lent")
async def test_a_damaged_sealing_key_is_replaced_by_pairing_again(
    hass: HomeAssistant, backend: Backend, linked: MockConfigEntry
) -> None:
    changed = {**linked.data, "seal_key": "damaged"}
    unique_id = f"{backend.server_id}:{backend.owner.id}"
    hass.config_entries.async_update_entry(linked, data=changed, unique_id=unique_id)
    assert (await paired_again(hass, backend, linked))["reason"] == "reauth_successful"
    assert linked.data["seal_key"] != "damaged"


async def test_a_backend_that_was_set_up_anew_is_paired_again(
    hass: HomeAssistant, backend: Backend, hub: ParkShareHub
) -> None:
    entry = hub.entry  # noqa: F811
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "server": "the-old-one"}, unique_id="the-old-one:old-account"
    )
    await hass.async_block_till_done()
    assert (await paired_again(hass, backend, entry))["reason"] == "reauth_successful"
    assert entry.unique_id == f"{backend.server_id}:{backend.owner.id}"
    await eventually(lambda: entry.runtime_data.connected)


@pytest.mark.usefixtures("lent")
async def test_a_backend_that_was_ignored_does_not_hide_another(hass: HomeAssistant, backend: Backend) -> None:
    MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id="ignored", data={}).add_to_hass(hass)
    asked = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=found(backend))
    assert asked["step_id"] == "zeroconf_confirm"
    hass.config_entries.flow.async_abort(asked["flow_id"])
    MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id=backend.server_id, data={}).add_to_hass(hass)
    again = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=found(backend))
    assert again["reason"] == "already_configured"


@pytest.mark.parametrize(("before", "follows"), [("http://127.0.0.9:9", True), ("https://backend.example.org", False)])
async def test_a_backend_that_moved_in_the_local_network_is_followed_there_only(
    hass: HomeAssistant, backend: Backend, linked: MockConfigEntry, set_up: SetUp, before: str, follows: bool
) -> None:
    hass.config_entries.async_update_entry(linked, data={**linked.data, "url": before})
    await set_up(linked)
    done = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=found(backend))
    assert done["reason"] == "already_configured"
    await hass.async_block_till_done()
    assert linked.data["url"] == (backend.url if follows else before)
    if follows:
        await eventually(lambda: linked.runtime_data.connected)


async def test_an_announcement_in_another_servers_name_is_dropped(hass: HomeAssistant, backend: Backend) -> None:
    flow = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_ZEROCONF}, data=found(backend, id="somebody-else")
    )
    assert flow["reason"] == "not_parkshare"


@pytest.fixture
async def front(backend: Backend) -> AsyncIterator[str]:
    """Something in front of the backend that sends everybody to it."""

    async def away(request: web.Request) -> web.Response:
        raise web.HTTPMovedPermanently(f"{backend.url}{request.path}")

    app = web.Application()
    app.router.add_get("/{path:.*}", away)
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url("")).rstrip("/")
    await server.close()


@pytest.mark.usefixtures("lent")
async def test_the_address_of_a_page_of_the_backend_will_do(hass: HomeAssistant, backend: Backend) -> None:
    shown = await begin(hass, f"{backend.url}/link?code=1")
    assert shown["type"] is FlowResultType.SHOW_PROGRESS
    await answered(hass, backend, shown)
    assert (await finished(hass, shown["flow_id"]))["result"].data["url"] == backend.url


async def test_an_address_that_sends_on_is_followed_and_the_right_one_is_kept(
    hass: HomeAssistant,
    backend: Backend,
    front: str,
    lent: None,  # noqa: F811
) -> None:
    shown = await begin(hass, front)
    assert shown["type"] is FlowResultType.SHOW_PROGRESS, shown
    await answered(hass, backend, shown)
    assert (await finished(hass, shown["flow_id"]))["result"].data["url"] == backend.url


async def test_a_backend_without_https_says_so_when_no_scheme_was_typed(hass: HomeAssistant, backend: Backend) -> None:
    shown = await begin(hass, backend.url.removeprefix("http://"))
    assert shown["errors"] == {"url": "no_https"}


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("url", ["http://127.0.0.1:-1", "http://127.0.0.1:99999", "http://[::1"])
async def test_an_address_that_cannot_be_is_said_at_its_field(hass: HomeAssistant, url: str) -> None:
    shown = await begin(hass, url)
    assert shown["errors"]["url"] in {"invalid_url", "cannot_connect"}


# The space


@pytest.mark.usefixtures("picture")
async def test_one_barrier_belongs_to_one_space(hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp) -> None:
    two = make_entry(spaces=(space_data(),))
    await set_up(two)
    flow = await add(hass, two)
    shown = await hass.config_entries.subentries.async_configure(flow["flow_id"], EQUIPMENT)
    assert shown["errors"] == {"barrier": "barrier_in_use"}


@pytest.mark.usefixtures("picture")
async def test_what_switches_the_camera_on_is_not_the_barrier(
    hass: HomeAssistant,
    entry: MockConfigEntry,  # noqa: F811
) -> None:
    hass.states.async_set("switch.bay", "off")
    flow = await add(hass, entry)
    given = {**EQUIPMENT, "barrier": "switch.bay", "camera_power": "switch.bay"}
    shown = await hass.config_entries.subentries.async_configure(flow["flow_id"], given)
    assert shown["errors"] == {"camera_power": "same_as_barrier"}


@pytest.mark.usefixtures("picture")
async def test_another_switch_is_asked_anew_what_on_means(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp
) -> None:
    for name in ("switch.old", "switch.new"):
        hass.states.async_set(name, "off")
    entry = make_entry(spaces=(space_data(barrier="switch.old", barrier_on_means="down"),))  # noqa: F811
    await set_up(entry)
    for barrier, suggested in (("switch.old", "down"), ("switch.new", None)):
        flow = await entry.start_subentry_reconfigure_flow(hass, next(iter(entry.subentries)))
        flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], PLACE)
        flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], {**EQUIPMENT, "barrier": barrier})
        assert flow["step_id"] == "barrier_switch"
        field = next(iter(flow["data_schema"].schema))
        assert (field.description or {}).get("suggested_value") == suggested
        hass.config_entries.subentries.async_abort(flow["flow_id"])


async def test_a_space_can_be_changed_while_its_camera_gives_no_picture(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp
) -> None:
    entry = make_entry(spaces=(space_data(),))  # noqa: F811
    await set_up(entry)
    flow = await entry.start_subentry_reconfigure_flow(hass, next(iter(entry.subentries)))
    flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], PLACE)
    flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], {**EQUIPMENT, "owner_plate": "NE-W 1"})
    done = await stored(hass, flow)
    assert done["reason"] == "reconfigure_successful", done
    assert next(iter(entry.subentries.values())).data["owner_plate"] == "NE-W 1"
