"""The flows, as a person goes through them, against the real backend."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from unittest.mock import patch

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.components.camera import Image
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, SOURCE_ZEROCONF, FlowType
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.parkshare.const import DOMAIN, SUBENTRY_SPACE
from custom_components.parkshare.flows.reading import MENU
from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.link.pairing import (
    BackendError,
    BadAddressError,
    DeniedError,
    ExpiredError,
    Pairing,
    normalise_url,
    wait,
)
from tests.backend.support import make_person
from tests.home.conftest import FakeReader, MakeEntry, SetUp, eventually
from tests.home.support import EQUIPMENT, PLACE, RAISING, Backend, greet_once, self_signed, space_data


@pytest.fixture(autouse=True)
def quick(reader: FakeReader, things: None) -> Any:
    """Poll five times a second; the backend's patience is not what these tests are about."""

    async def nap(_: float) -> None:
        await asyncio.sleep(0.2)

    async def wait_quickly(*arguments: Any) -> Any:
        # Each "slow down" would count as five more seconds of the code's life, which then ends after three real ones.
        with patch("custom_components.parkshare.link.pairing.SLOW_DOWN", 0.0):
            return await wait(*arguments, sleep=nap)

    with patch("custom_components.parkshare.config_flow.pairing.wait", wait_quickly):
        yield


@pytest.fixture
async def lent(hass: HomeAssistant, backend: Backend) -> AsyncIterator[None]:
    """Entries that a flow made are stopped with the test, while the backend still answers."""
    yield
    for entry in hass.config_entries.async_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


async def begin(hass: HomeAssistant, url: str) -> dict[str, Any]:
    """Enter an address."""
    flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert (flow["type"], flow["step_id"]) == (FlowResultType.FORM, "user")
    return await hass.config_entries.flow.async_configure(flow["flow_id"], {"url": url})


async def answered(hass: HomeAssistant, backend: Backend, shown: dict[str, Any], answer: str = "approve") -> None:
    """Approve or deny the code that is shown, as the owner in a browser would."""
    code = shown["description_placeholders"]["code"]
    await backend.call("POST", f"/api/v1/pairings/{code}/{answer}", by=backend.owner)


async def finished(hass: HomeAssistant, flow_id: str) -> dict[str, Any]:
    """What the flow says once it no longer waits."""

    flows = hass.config_entries.flow
    # As a browser does: go on once, when the progress is over. Two who finish one flow get in each other's way.
    for _ in range(300):
        if flows.async_get(flow_id)["step_id"] != "pair":
            return await flows.async_configure(flow_id)
        await asyncio.sleep(0.02)
    pytest.fail("the flow still waits")


async def test_a_house_is_linked_and_goes_straight_on_to_its_first_space(
    hass: HomeAssistant, backend: Backend, lent: None
) -> None:
    shown = await begin(hass, f" {backend.url}/ ")
    assert (shown["type"], shown["step_id"], shown["progress_action"]) == (
        FlowResultType.SHOW_PROGRESS,
        "pair",
        "wait_for_owner",
    )
    placeholders = shown["description_placeholders"]
    assert placeholders["code"] in placeholders["url"]
    seen = await backend.call("GET", f"/api/v1/pairings/{placeholders['code']}", by=backend.owner)
    assert seen["fingerprint"] == placeholders["fingerprint"]
    await answered(hass, backend, shown)
    done = await finished(hass, shown["flow_id"])
    assert done["type"] is FlowResultType.CREATE_ENTRY
    entry = done["result"]
    assert entry.unique_id == f"{backend.server_id}:{backend.owner.id}"
    assert entry.data["url"] == backend.url
    kind, flow_id = done["next_flow"]
    assert kind is FlowType.CONFIG_SUBENTRIES_FLOW
    assert hass.config_entries.subentries.async_get(flow_id)["step_id"] == "user"
    await hass.async_block_till_done()
    await eventually(lambda: entry.runtime_data.connected)


@pytest.mark.parametrize(("answer", "error"), [("deny", "denied"), ("expire", "expired")])
async def test_a_code_that_is_not_approved_can_be_asked_for_again(
    hass: HomeAssistant, backend: Backend, lent: None, answer: str, error: str
) -> None:
    if answer == "expire":
        with patch("custom_components.parkshare.config_flow.pairing.wait", side_effect=ExpiredError):
            shown = await begin(hass, backend.url)
            failed = await finished(hass, shown["flow_id"])
    else:
        shown = await begin(hass, backend.url)
        await answered(hass, backend, shown, answer)
        failed = await finished(hass, shown["flow_id"])
    assert (failed["step_id"], failed["errors"]) == ("pair_failed", {"base": error})
    again = await hass.config_entries.flow.async_configure(shown["flow_id"], {})
    assert again["type"] is FlowResultType.SHOW_PROGRESS
    await answered(hass, backend, again)
    assert (await finished(hass, shown["flow_id"]))["type"] is FlowResultType.CREATE_ENTRY


async def test_an_account_is_linked_once(hass: HomeAssistant, backend: Backend, make_entry: MakeEntry) -> None:
    entry = make_entry(url=backend.url)
    hass.config_entries.async_update_entry(entry, unique_id=f"{backend.server_id}:{backend.owner.id}")
    shown = await begin(hass, backend.url)
    await answered(hass, backend, shown)
    done = await finished(hass, shown["flow_id"])
    assert (done["type"], done["reason"]) == (FlowResultType.ABORT, "already_configured")


@pytest.fixture
async def wrong_places(socket_enabled: None, tmp_path: Any) -> AsyncIterator[dict[str, str]]:
    """Addresses at which no usable backend is."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<h1>A router</h1>", content_type="text/html")

    async def other(_: web.Request) -> web.Response:
        return web.json_response({"hello": "world"})

    async def newer(_: web.Request) -> web.Response:
        return web.json_response({"server": "s", "name": "n", "versions": [7], "time": "2026-11-22T14:00:00Z"})

    async def huge(_: web.Request) -> web.Response:
        return web.Response(body=b"[" * 1_000_000)

    servers = []
    places = {}
    for name, handler in (("page", page), ("other", other), ("newer", newer), ("huge", huge)):
        app = web.Application()
        app.router.add_get("/.well-known/parkshare", handler)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        places[name] = str(server.make_url(""))
    listening = socket.create_server(("127.0.0.1", 0))
    greeter = threading.Thread(target=greet_once, args=(listening, self_signed(tmp_path)))
    greeter.start()
    places["certificate"] = f"https://127.0.0.1:{listening.getsockname()[1]}"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        places["nobody"] = f"http://127.0.0.1:{free.getsockname()[1]}"
    yield places
    for server in servers:
        await server.close()
    # Unblocks the thread when no test has dialled it.
    with suppress(OSError):
        socket.create_connection(listening.getsockname()).close()
    greeter.join()
    listening.close()


async def test_each_wrong_address_has_its_own_message_and_can_be_corrected(
    hass: HomeAssistant, backend: Backend, wrong_places: dict[str, str]
) -> None:
    expected = {
        "page": "not_parkshare",
        "other": "not_parkshare",
        "huge": "not_parkshare",
        "newer": "version_mismatch",
        "certificate": "wrong_certificate",
        "nobody": "cannot_connect",
    }
    flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    for place, error in expected.items():
        result = await hass.config_entries.flow.async_configure(flow["flow_id"], {"url": wrong_places[place]})
        assert (result["step_id"], result["errors"]) == ("user", {"url": error}), place
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], {"url": "ftp://x"})
    assert result["errors"] == {"url": "invalid_url"}
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], {"url": backend.url})
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    hass.config_entries.flow.async_abort(flow["flow_id"])


def found(backend: Backend, **properties: str) -> ZeroconfServiceInfo:
    """What a backend announces in the local network."""
    return ZeroconfServiceInfo(
        ip_address=ip_address("127.0.0.1"),
        ip_addresses=[ip_address("127.0.0.1")],
        hostname="parkshare.local.",
        name="ParkShare._parkshare._tcp.local.",
        port=int(backend.url.rsplit(":", 1)[1]),
        type="_parkshare._tcp.local.",
        properties={"v": "1", "id": backend.server_id, "path": "/"} | properties,
    )


async def test_a_backend_that_announces_itself_is_linked_after_a_question(
    hass: HomeAssistant, backend: Backend, lent: None
) -> None:
    asked = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=found(backend))
    assert (asked["type"], asked["step_id"]) == (FlowResultType.FORM, "zeroconf_confirm")
    shown = await hass.config_entries.flow.async_configure(asked["flow_id"], {})
    await answered(hass, backend, shown)
    done = await finished(hass, shown["flow_id"])
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["result"].unique_id == f"{backend.server_id}:{backend.owner.id}"
    again = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=found(backend))
    assert (again["type"], again["reason"]) == (FlowResultType.ABORT, "already_configured")


async def test_an_announcement_without_a_backend_behind_it_is_dropped(hass: HomeAssistant, backend: Backend) -> None:
    nameless = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_ZEROCONF}, data=found(backend, id="")
    )
    assert nameless["reason"] == "not_parkshare"
    await backend.stop()
    gone = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_ZEROCONF}, data=found(backend))
    assert gone["reason"] == "cannot_connect"


async def test_pairing_again_gives_a_new_signing_key_and_keeps_the_key_of_sealed_plates(
    hass: HomeAssistant, backend: Backend, hub: ParkShareHub
) -> None:
    entry = hub.entry
    hass.config_entries.async_update_entry(entry, unique_id=f"{backend.server_id}:{backend.owner.id}")
    before = dict(entry.data)
    asked = await entry.start_reauth_flow(hass)
    assert asked["step_id"] == "reauth_confirm"
    shown = await hass.config_entries.flow.async_configure(asked["flow_id"], {})
    await answered(hass, backend, shown)
    done = await finished(hass, shown["flow_id"])
    assert done["reason"] == "reauth_successful"
    assert entry.data["seal_key"] == before["seal_key"]
    assert entry.data["sign_key"] != before["sign_key"]
    assert entry.data["install"] != before["install"]
    await hass.async_block_till_done()
    await eventually(lambda: entry.runtime_data is not hub and entry.runtime_data.connected)


async def test_pairing_again_with_another_account_is_refused(
    hass: HomeAssistant, backend: Backend, hub: ParkShareHub
) -> None:
    entry = hub.entry
    hass.config_entries.async_update_entry(entry, unique_id=f"{backend.server_id}:{backend.owner.id}")
    before = dict(entry.data)
    asked = await entry.start_reauth_flow(hass)
    shown = await hass.config_entries.flow.async_configure(asked["flow_id"], {})
    backend.owner = await make_person(backend.client, name="Otto")
    await answered(hass, backend, shown)
    assert (await finished(hass, shown["flow_id"]))["reason"] == "wrong_account"
    assert dict(entry.data) == before


async def test_the_address_can_be_changed_to_the_same_server_only(
    hass: HomeAssistant, backend: Backend, hub: ParkShareHub, wrong_places: dict[str, str]
) -> None:
    entry = hub.entry
    asked = await entry.start_reconfigure_flow(hass)
    assert asked["step_id"] == "reconfigure"
    result = await hass.config_entries.flow.async_configure(asked["flow_id"], {"url": wrong_places["nobody"]})
    assert result["errors"] == {"url": "cannot_connect"}
    moved = {"server": "another", "url": "http://127.0.0.1:9"}
    hass.config_entries.async_update_entry(entry, data={**entry.data, **moved})
    result = await hass.config_entries.flow.async_configure(asked["flow_id"], {"url": backend.url})
    assert result["errors"] == {"url": "different_server"}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "server": backend.server_id})
    result = await hass.config_entries.flow.async_configure(asked["flow_id"], {"url": backend.url})
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    await eventually(lambda: entry.runtime_data.connected)


# The space


@pytest.fixture
def picture() -> Any:
    """The camera gives pictures."""
    with patch(
        "custom_components.parkshare.flows.equipment.camera.async_get_image",
        return_value=Image(content_type="image/jpeg", content=b"\xff\xd8"),
    ) as taken:
        yield taken


@pytest.fixture
async def entry(hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp) -> MockConfigEntry:
    """An account without spaces."""
    entry = make_entry(spaces=())
    await set_up(entry)
    return entry


async def add(hass: HomeAssistant, entry: MockConfigEntry, place: dict[str, Any] = PLACE) -> dict[str, Any]:
    """Fill in the first form."""
    flow = await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_SPACE), context={"source": SOURCE_USER}
    )
    assert (flow["type"], flow["step_id"]) == (FlowResultType.FORM, "user")
    return await hass.config_entries.subentries.async_configure(flow["flow_id"], place)


HOOK = {
    "source_name": "Gate",
    "local_only": True,
    "plate_path": "plate",
    "score_scale": "none",
    "min_score": 0,
    "believe_alone": False,
    "max_age_s": 15,
    "sparse": False,
}


async def stored(hass: HomeAssistant, shown: dict[str, Any]) -> dict[str, Any]:
    """Finish the flow from its menu, without setting anything there; before it is the question when to raise."""
    if shown.get("step_id") == "raising":
        shown = await hass.config_entries.subentries.async_configure(shown["flow_id"], RAISING)
    assert (shown["type"], shown["step_id"]) == (FlowResultType.MENU, "reading"), shown
    return await hass.config_entries.subentries.async_configure(shown["flow_id"], {"next_step_id": "finish"})


async def test_a_space_is_added_and_runs(hass: HomeAssistant, entry: MockConfigEntry, picture: Any) -> None:
    flow = await add(hass, entry)
    assert flow["step_id"] == "equipment"
    flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], EQUIPMENT)
    done = await stored(hass, flow)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    subentry = next(iter(entry.subentries.values()))
    assert subentry.title == "Bay 1"
    assert subentry.data["range_m"] == 120.0
    assert subentry.unique_id == subentry.data["space_id"]
    hub: ParkShareHub = entry.runtime_data
    assert hub.space_ids == {subentry.data["space_id"]}
    assert hass.states.get("switch.bay_1_sharing").state == "on"
    assert hass.states.get("calendar.bay_1_offers").state == "off"


async def test_a_space_where_nothing_reads_plates_cannot_be_stored(
    hass: HomeAssistant, entry: MockConfigEntry, picture: Any
) -> None:
    flows = hass.config_entries.subentries
    flow = await add(hass, entry)
    without = {key: value for key, value in EQUIPMENT.items() if key != "camera"}
    await flows.async_configure(flow["flow_id"], without)
    menu = await flows.async_configure(flow["flow_id"], RAISING)
    assert (menu["step_id"], menu["menu_options"]) == ("reading", ["sources", "equipment"])
    assert "Nothing reads plates here yet" in menu["description_placeholders"]["state"]

    await flows.async_configure(flow["flow_id"], {"next_step_id": "sources"})
    await flows.async_configure(flow["flow_id"], {"next_step_id": "source_webhook"})
    await flows.async_configure(flow["flow_id"], HOOK)
    await flows.async_configure(flow["flow_id"], {})
    menu = await flows.async_configure(flow["flow_id"], {"next_step_id": "reading"})
    # Without a camera there is no picture to frame or to test.
    assert menu["menu_options"] == [item for item in MENU if item not in {"region", "test"}]
    assert (await stored(hass, menu))["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert hass.states.get("switch.bay_1_sharing").state == "on"


async def test_the_equipment_can_be_changed_from_the_menu(
    hass: HomeAssistant, entry: MockConfigEntry, picture: Any
) -> None:
    flow = await add(hass, entry)
    await hass.config_entries.subentries.async_configure(flow["flow_id"], EQUIPMENT)
    menu = await hass.config_entries.subentries.async_configure(flow["flow_id"], RAISING)
    form = await hass.config_entries.subentries.async_configure(menu["flow_id"], {"next_step_id": "equipment"})
    assert (form["type"], form["step_id"]) == (FlowResultType.FORM, "equipment")
    without_owner = {key: value for key, value in EQUIPMENT.items() if not key.startswith("owner")}
    menu = await hass.config_entries.subentries.async_configure(menu["flow_id"], without_owner)
    await stored(hass, menu)
    assert "owner" not in next(iter(entry.subentries.values())).data


async def test_a_zone_gives_place_and_range(hass: HomeAssistant, entry: MockConfigEntry, picture: Any) -> None:
    hass.states.async_set("zone.street", "0", {"latitude": 1.5, "longitude": 2.5, "radius": 80})
    flow = await add(hass, entry, PLACE | {"zone": "zone.street"})
    flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], EQUIPMENT)
    done = await stored(hass, flow)
    kept = {key: done["data"][key] for key in ("latitude", "longitude", "range_m")}
    assert kept == {"latitude": 1.5, "longitude": 2.5, "range_m": 80.0}
    assert "zone" not in done["data"]


@pytest.mark.parametrize("on_means", ["up", "down"])
async def test_a_switch_is_asked_what_on_means(
    hass: HomeAssistant, entry: MockConfigEntry, picture: Any, on_means: str
) -> None:
    hass.states.async_set("switch.post", "off")
    flow = await add(hass, entry)
    flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], EQUIPMENT | {"barrier": "switch.post"})
    assert flow["step_id"] == "barrier_switch"
    flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], {"barrier_on_means": on_means})
    done = await stored(hass, flow)
    assert done["data"]["barrier_on_means"] == on_means


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"location": {"latitude": 1, "longitude": 2, "radius": 19}}, {"location": "range_out_of_bounds"}),
        ({"location": {"latitude": 1, "longitude": 2, "radius": 501}}, {"location": "range_out_of_bounds"}),
        ({"zone": "zone.nowhere"}, {"zone": "entity_missing"}),
        ({"zone": "zone.huge"}, {"zone": "range_out_of_bounds"}),
        ({"name": "  "}, {"name": "name_length"}),
        ({"name": "x" * 101}, {"name": "name_length"}),
        ({"address": " \n "}, {"address": "address_length"}),
    ],
)
async def test_a_place_that_cannot_be_is_said_at_its_field(
    hass: HomeAssistant, entry: MockConfigEntry, change: dict[str, Any], errors: dict[str, str]
) -> None:
    hass.states.async_set("zone.huge", "0", {"latitude": 1.5, "longitude": 2.5, "radius": 5000})
    flow = await add(hass, entry, PLACE | change)
    assert (flow["step_id"], flow["errors"]) == ("user", errors)
    flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], PLACE)
    assert flow["step_id"] == "equipment"


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"barrier": "lock.gone"}, {"barrier": "entity_missing"}),
        ({"camera": "camera.gone"}, {"camera": "entity_missing"}),
        ({"camera_power": "switch.gone"}, {"camera_power": "entity_missing"}),
        ({"occupancy": ["binary_sensor.bay", "binary_sensor.gone"]}, {"occupancy": "entity_missing"}),
        ({"owner": "person.gone"}, {"owner": "entity_missing"}),
        ({"owner_plate": "?!"}, {"owner_plate": "plate_not_usable"}),
        ({"owner_plate": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}, {"owner_plate": "plate_not_usable"}),
    ],
)
async def test_equipment_that_cannot_be_is_said_at_its_field(
    hass: HomeAssistant, entry: MockConfigEntry, picture: Any, change: dict[str, Any], errors: dict[str, str]
) -> None:
    flow = await add(hass, entry)
    flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], EQUIPMENT | change)
    assert (flow["step_id"], flow["errors"]) == ("equipment", errors)
    flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], EQUIPMENT)
    done = await stored(hass, flow)
    assert done["type"] is FlowResultType.CREATE_ENTRY


async def test_a_camera_without_a_picture_is_refused_unless_its_power_is_off(
    hass: HomeAssistant, entry: MockConfigEntry, picture: Any
) -> None:
    picture.side_effect = HomeAssistantError("Camera is off")
    hass.states.async_set("switch.camera", "on")
    flow = await add(hass, entry)
    given = EQUIPMENT | {"camera_power": "switch.camera"}
    flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], given)
    assert flow["errors"] == {"camera": "camera_without_picture"}
    hass.states.async_set("switch.camera", "off")
    flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], given)
    done = await stored(hass, flow)
    assert done["type"] is FlowResultType.CREATE_ENTRY


async def test_a_space_is_changed_and_keeps_its_id(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp, picture: Any
) -> None:
    entry = make_entry(spaces=(space_data(barrier="switch.post", barrier_on_means="up", height_m=2.0),))
    hass.states.async_set("switch.post", "on")
    await set_up(entry)
    subentry = next(iter(entry.subentries.values()))
    flow = await hass.config_entries.subentries.async_init(
        (entry.entry_id, SUBENTRY_SPACE),
        context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry.subentry_id},
    )
    assert flow["step_id"] == "reconfigure"
    flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], PLACE | {"name": "Yard"})
    assert flow["step_id"] == "equipment"
    fewer = {"barrier": "lock.bay", "camera": "camera.bay", "occupancy": []}
    flow = await hass.config_entries.subentries.async_configure(flow["flow_id"], fewer)
    done = await stored(hass, flow)
    assert done["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    changed = entry.subentries[subentry.subentry_id]
    assert changed.title == "Yard"
    assert changed.data["space_id"] == subentry.data["space_id"]
    gone = {"owner", "owner_plate", "barrier_on_means", "height_m"}
    assert gone.isdisjoint(changed.data)


# Pure


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("parkshare.example", "https://parkshare.example"),
        (" https://parkshare.example/ ", "https://parkshare.example"),
        ("http://127.0.0.1:8710", "http://127.0.0.1:8710"),
        ("HTTPS://Parkshare.Example/base/?a=b#c", "https://parkshare.example/base"),
        ("http://[::1]:80/", "http://[::1]"),
    ],
)
def test_an_address_is_brought_into_one_form(typed: str, meant: str) -> None:
    assert normalise_url(typed) == meant
    assert normalise_url(meant) == meant


@pytest.mark.parametrize("typed", ["", "ftp://x", "http://", "http://a b", "https://user:secret@x", "http://x:99999"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(BadAddressError):
        normalise_url(typed)


class Answers:
    """A backend's answers to polls, in order, and how long the house waited before each."""

    def __init__(self, *answers: tuple[int, dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.waited: list[float] = []

    async def call(self, *_: Any) -> tuple[int, dict[str, Any]]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)

    async def wait(self, *, expires_in: float = 600) -> Any:
        code = Pairing("device", "WDJB-MJHT", "u", "u?c", expires_in, 5.0)
        with patch("custom_components.parkshare.link.pairing._call", self.call):
            return await wait(None, "http://x", code, sleep=self.sleep)  # type: ignore[arg-type]


PENDING = (400, {"type": "/problems/authorization-pending"})
APPROVED = (200, {"install": "i", "server": "s", "account": {"id": "a", "name": "Olga"}})


async def test_a_house_that_asks_too_often_slows_down_for_good() -> None:
    answers = Answers(PENDING, (400, {"type": "/problems/slow-down"}), PENDING, (429, {}), APPROVED)
    assert (await answers.wait()).account_name == "Olga"
    assert answers.waited == [5, 5, 10, 10, 15]


async def test_waiting_ends_with_the_code() -> None:
    answers = Answers(PENDING)
    with pytest.raises(ExpiredError):
        await answers.wait(expires_in=60)
    assert sum(answers.waited) == 60


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((400, {"type": "/problems/access-denied"}), DeniedError),
        ((400, {"type": "/problems/expired-code"}), ExpiredError),
        ((404, {"type": "/problems/not-found", "title": "Not found"}), BackendError),
        ((200, {"install": "i"}), BackendError),
    ],
)
async def test_an_answer_that_ends_the_pairing_is_told(answer: tuple[int, dict[str, Any]], error: type) -> None:
    with pytest.raises(error):
        await Answers(PENDING, answer).wait()


async def test_a_backend_that_stumbles_while_the_owner_signs_in_is_asked_again() -> None:
    answers = Answers((503, {}), (502, {}), APPROVED)
    assert (await answers.wait()).install == "i"


def test_the_secret_of_a_pairing_stays_out_of_logs() -> None:
    assert "device" not in repr(Pairing("device", "WDJB-MJHT", "u", "u?c", 600, 5))
