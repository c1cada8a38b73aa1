"""Frigate's HTTP API with its traps, against a simulated one; and its pictures, read by our own reader."""

import asyncio
import json
import socket
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, DummyCookieJar, web
from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st

from custom_components.parkshare.recognition import Look, Picture, ReaderUnavailable
from custom_components.parkshare.sources import sources_of
from custom_components.parkshare.sources.frigate.api import (
    BusyError,
    CertificateError,
    FrigateApi,
    LoginError,
    NoPictureError,
    NotFrigateError,
    UnreachableError,
    token_end,
)
from custom_components.parkshare.sources.frigate.pictures import FrigatePictures
from custom_components.parkshare.sources.frigate.settings import FrigateSettings, check_url
from custom_components.parkshare.sources.frigate.source import frigate_api
from tests.home.conftest import FakeReader, MakeEntry, SetUp
from tests.home.support import eventually, greet_once, self_signed, space_data
from tests.simulators.frigate import CAMERA_ERROR, Camera, Frigate


@pytest.fixture(autouse=True)
def expected_lingering_timers() -> bool:
    """A closed keep-alive connection of aiohttp leaves its timer behind."""
    return True


@pytest.fixture
async def frigate(socket_enabled: None) -> AsyncIterator[Frigate]:
    """A Frigate that asks for a login."""
    frigate = Frigate(users={"olga": "secret"})
    await frigate.start()
    yield frigate
    await frigate.stop()


@pytest.fixture
async def api(frigate: Frigate) -> AsyncIterator[FrigateApi]:
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield FrigateApi(session, frigate.url, "olga", "secret")


@pytest.mark.parametrize("version", ["0.16", "0.17", "0.18"])
async def test_it_says_who_it_is(frigate: Frigate, api: FrigateApi, version: str) -> None:
    frigate.version = version
    frigate.cameras.append(Camera("gate", in_config=False, lpr=False, dedicated=True, zones=()))
    assert (await api.version()).startswith(version)
    card = await api.config()
    assert (card.prefix, card.mqtt, card.reads_plates) == ("frigate", True, True)
    assert card.cameras["space"].zones == ("bay", "street")
    gate = card.cameras["gate"]
    assert (gate.enabled, gate.reads_plates, gate.dedicated) == (False, False, True)
    assert frigate.logins == 1


async def test_a_token_that_became_worthless_is_replaced_once(frigate: Frigate, api: FrigateApi) -> None:
    await api.version()
    frigate.secret = b"second"
    await api.version()
    assert frigate.logins == 2
    frigate.users = {"olga": "changed"}
    frigate.secret = b"third"
    with pytest.raises(LoginError):
        await api.version()


async def test_a_token_is_renewed_before_its_own_end_whatever_the_cookie_says(frigate: Frigate) -> None:
    frigate.session_s, passed = 100, 0.0
    async with ClientSession() as session:
        api = FrigateApi(session, frigate.url, "olga", "secret", clock=lambda: time.time() + passed)
        for later, logins in ((0.0, 1), (60.0, 1), (80.0, 2)):
            passed = later
            await api.version()
            assert frigate.logins == logins


async def test_a_wrong_password_and_a_missing_one_are_refused(frigate: Frigate) -> None:
    async with ClientSession() as session:
        for user, password in (("olga", "wrong"), ("", "")):
            with pytest.raises(LoginError):
                await FrigateApi(session, frigate.url, user, password).version()


async def test_after_too_many_logins_it_is_left_in_peace(frigate: Frigate, api: FrigateApi) -> None:
    frigate.login_limit = 0
    for _ in range(3):
        with pytest.raises(BusyError):
            await api.version()
    assert frigate.logins == 1


async def test_the_proxy_s_memory_is_passed_by(frigate: Frigate, api: FrigateApi) -> None:
    assert "gate" not in (await api.config()).cameras
    frigate.cameras.append(Camera("gate"))
    assert "gate" in (await api.config()).cameras


async def test_pictures_are_those_of_now(frigate: Frigate, api: FrigateApi) -> None:
    assert await api.latest("space") == frigate.cameras[0].picture


@pytest.mark.parametrize("version", ["0.16", "0.17", "0.18"])
@pytest.mark.parametrize("away", [{"on": False}, {"fps": 0.0}])
async def test_a_camera_that_is_off_or_away_gives_no_picture(
    frigate: Frigate, api: FrigateApi, version: str, away: dict[str, Any]
) -> None:
    frigate.version = version
    frigate.cameras = [Camera("space", **away)]
    with pytest.raises(NoPictureError):
        await api.latest("space")


async def test_a_camera_that_goes_while_it_is_asked_shows_no_earlier_car(frigate: Frigate, api: FrigateApi) -> None:
    frigate.version = "0.18"
    frigate.cameras = [Camera("space", on=False)]
    with pytest.raises(NoPictureError):
        await api._picture("api/space/latest.jpg")
    frigate.version = "0.17"
    assert await api._picture("api/space/latest.jpg") == CAMERA_ERROR  # told only by the camera's figures


@pytest.mark.parametrize("name", ["..", "../config", "a/b", "", "a?b=c", "%2e%2e", "x" * 101])
async def test_a_forged_name_leads_nowhere(frigate: Frigate, api: FrigateApi, name: str) -> None:
    await api.version()
    before = len(frigate.requests)
    with pytest.raises(NoPictureError):
        await api.latest(name)
    assert len(frigate.requests) == before


async def test_it_learns_how_far_frigate_s_clock_is_off(frigate: Frigate, api: FrigateApi) -> None:
    frigate.ahead = -120
    await api.version()
    assert api.ahead == pytest.approx(-120, abs=1.5)


async def test_somebody_else_at_the_address_is_not_frigate(socket_enabled: None) -> None:
    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<html>Hello", content_type="text/html")

    async def endless(_request: web.Request) -> web.Response:
        return web.Response(body=b" " * 5_000_000)

    async def away(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/login")

    app = web.Application()
    app.add_routes([web.get("/api/version", page), web.get("/api/config", endless), web.get("/api/stats", away)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    async with ClientSession() as session:
        api = FrigateApi(session, url)
        for ask in (api.version, api.config, api.stats):
            with pytest.raises(NotFrigateError):
                await ask()
    await runner.cleanup()


async def test_nobody_at_the_address_is_unreachable(socket_enabled: None) -> None:
    async with ClientSession() as session:
        with pytest.raises(UnreachableError):
            await FrigateApi(session, "http://127.0.0.1:9").version()


async def test_frigate_s_own_certificate_is_taken_only_if_the_owner_says_so(
    hass: HomeAssistant, socket_enabled: None, tmp_path: Path
) -> None:
    certificate = await hass.async_add_executor_job(self_signed, tmp_path)
    listening = socket.create_server(("127.0.0.1", 0))
    greeter = threading.Thread(target=greet_once, args=(listening, certificate))
    greeter.start()
    url = f"https://127.0.0.1:{listening.getsockname()[1]}"
    async with frigate_api(hass, FrigateSettings(name="Frigate", camera="space", url=url)) as api:
        with pytest.raises(CertificateError):
            await api.version()
    await hass.async_add_executor_job(greeter.join)
    listening.close()
    frigate = Frigate(tls=certificate)
    await frigate.start()
    settings = FrigateSettings(name="Frigate", camera="space", url=frigate.url, verify_ssl=False)
    async with frigate_api(hass, settings) as api:
        assert await api.version()
    await frigate.stop()


@pytest.mark.parametrize(
    "url", ["ftp://frigate", "frigate:5000", "http://", "http://u:p@frigate", "http://f?a", "http://f#a"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        check_url(url)


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda b: f"a.{urlsafe_b64encode(b).decode()}.c"))
def test_any_token_ends_or_is_none(token: str) -> None:
    end = token_end(token)
    assert end is None or isinstance(end, float)


def test_a_token_tells_its_end() -> None:
    claims = urlsafe_b64encode(json.dumps({"exp": 1795353660}).encode()).decode().rstrip("=")
    assert token_end(f"e30.{claims}.signature") == 1795353660.0


# --- pictures for our own reader ---


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PACE", "NEXT_TRY", "NEXT_LOGIN"):
        monkeypatch.setattr(f"custom_components.parkshare.sources.frigate.pictures.{name}", 0.01)


class Told:
    """Stands for the owner."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def tell(self, key: str, **_: Any) -> None:
        self.keys.append(key)


async def test_each_picture_is_read_once_and_a_camera_that_is_away_is_told(
    hass: HomeAssistant, frigate: Frigate, quick: None
) -> None:
    reader, told, looks = FakeReader(), Told(), []
    settings = FrigateSettings(name="Frigate", camera="space", url=frigate.url, username="olga", password="secret")
    pictures = FrigatePictures(settings, frigate_api, lambda: reader)
    task = hass.async_create_background_task(pictures.async_run(hass, looks.append, told), "pictures")
    await eventually(lambda: len(reader.pictures) == 1)
    await asyncio.sleep(0.1)
    assert [(picture.content, picture.camera) for picture in reader.pictures] == [
        (frigate.cameras[0].picture, "frigate space")
    ]
    frigate.cameras[0].on = False
    await eventually(lambda: told.keys == ["frigate_no_pictures"])
    frigate.cameras[0] = Camera("space", picture=b"\xff\xd8\xff another")
    await eventually(lambda: len(looks) == 2)
    task.cancel()
    assert len(reader.pictures) == 2


async def test_a_reader_that_cannot_work_is_told(hass: HomeAssistant, frigate: Frigate, quick: None) -> None:
    class Broken(FakeReader):
        async def read(self, picture: Picture) -> Look:
            raise ReaderUnavailable("It is broken.", "Mend it.")

    told = Told()
    settings = FrigateSettings(name="Frigate", camera="space", url=frigate.url, username="olga", password="wrong")
    pictures = FrigatePictures(settings, frigate_api, Broken)
    task = hass.async_create_background_task(pictures.async_run(hass, print, told), "pictures")
    await eventually(lambda: "frigate_login" in told.keys)
    frigate.users = {"olga": "wrong"}
    await eventually(lambda: "reader" in told.keys)
    task.cancel()


async def test_a_space_s_frigate_pictures_are_read_by_its_account_s_reader(
    hass: HomeAssistant, frigate: Frigate, quick: None, make_entry: MakeEntry, set_up: SetUp, reader: FakeReader
) -> None:
    source = {
        "kind": "frigate",
        "source_name": "Frigate",
        "frigate_camera": "space",
        "url": frigate.url,
        "username": "olga",
        "password": "secret",
        "pictures": True,
    }
    space = space_data(sources=[source])
    await set_up(make_entry(spaces=(space,)))
    (listening,) = sources_of(hass, space, "Bay 1")
    assert not listening.always_on
    looks: list[Look] = []
    troubles: list[str] = []
    await listening.async_start(looks.append, troubles.append)
    await eventually(lambda: looks)
    await listening.async_stop()
    assert len(reader.pictures) == 1
    assert ["MQTT" in trouble for trouble in troubles] == [True]
