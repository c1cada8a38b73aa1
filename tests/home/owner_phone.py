"""The companion app on an owner's phone, for a Home Assistant in the test's own process.

It registers through the door of Home Assistant's `mobile_app` integration, takes what the app's cloud would push (the
only thing here that is not real), and fires the event of a tapped button through its webhook.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockUser

ACTION = "mobile_app_notification_action"
CLEAR = "clear_notification"


@dataclass(frozen=True)
class Came:
    """One notification as it was pushed."""

    title: str
    message: str
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def buttons(self) -> dict[str, str]:
        """The action of each button, by its words."""
        return {each["title"]: each["action"] for each in self.data.get("actions", [])}


class PushCloud:
    """What stands between Home Assistant and the phones: takes a push and hands it to the phone whose token it has."""

    def __init__(self) -> None:
        self._phones: dict[str, OwnerPhone] = {}
        self.broken = False
        app = web.Application()
        app.router.add_post("/push", self._push)
        self._server = TestServer(app, host="127.0.0.1")

    async def start(self) -> None:
        await self._server.start_server()

    async def stop(self) -> None:
        await self._server.close()

    @property
    def url(self) -> str:
        return str(self._server.make_url("/push"))

    def add(self, phone: OwnerPhone) -> None:
        self._phones[phone.name] = phone

    async def _push(self, request: web.Request) -> web.Response:
        pushed = await request.json()
        self._phones[pushed["push_token"]].take(pushed)
        return web.json_response({}, status=201)


class OwnerPhone:
    """One phone of one user."""

    def __init__(self, hass: HomeAssistant, name: str, client: TestClient) -> None:
        self.name = name
        self.shown: dict[str, Came] = {}  # by tag
        self.came: list[Came] = []
        self._hass = hass
        self._client = client
        self._webhook = ""

    async def register(self, cloud: PushCloud | None) -> None:
        """Register as the app does; without a cloud it takes no notifications until its app is open."""
        push = {"push_token": self.name, "push_url": cloud.url} if cloud else {"push_websocket_channel": True}
        answer = await self._client.post(
            "/api/mobile_app/registrations",
            json={
                "app_data": push,
                "app_id": "io.homeassistant.companion.android",
                "app_name": "Home Assistant",
                "app_version": "2026.11.1",
                "device_name": self.name,
                "device_id": self.name.lower(),
                "manufacturer": "Simulated",
                "model": "Phone",
                "os_name": "Android",
                "os_version": "17",
                "supports_encryption": False,
            },
        )
        assert answer.status == 201, await answer.text()
        self._webhook = (await answer.json())["webhook_id"]
        if cloud:
            cloud.add(self)
        await self._hass.async_block_till_done()

    @property
    def device_id(self) -> str:
        (device,) = dr.async_get(self._hass).async_get_devices(identifiers={("mobile_app", self.name.lower())})
        return device.id

    def take(self, pushed: dict[str, Any]) -> None:
        """Show a notification in place of the one with its tag, or clear that one."""
        came = Came(pushed.get("title", ""), pushed["message"], pushed.get("data") or {})
        tag = came.data["tag"]
        self.shown.pop(tag, None)
        if came.message != CLEAR:
            self.shown[tag] = came
        self.came.append(came)

    async def tap(self, words: str) -> None:
        """Tap the button with these words, of whatever is shown."""
        (action,) = [each.buttons[words] for each in self.shown.values() if words in each.buttons]
        await self.fire(action)

    async def fire(self, action: str) -> None:
        """Fire the event of a tapped button."""
        event = {"event_type": ACTION, "event_data": {"action": action}}
        answer = await self._client.post(f"/api/webhook/{self._webhook}", json={"type": "fire_event", "data": event})
        assert answer.status == 200

    async def until(self, check: Callable[[OwnerPhone], Any]) -> Came:
        """Wait until something is so; returns the newest notification that is shown."""
        async with asyncio.timeout(5):
            while not check(self):  # noqa: ASYNC110 - what the app does has no event here
                await asyncio.sleep(0.01)
        return next(reversed(self.shown.values()), Came("", ""))

    async def asked(self) -> Came:
        """Wait for a question."""
        await self.until(lambda phone: any(each.buttons for each in phone.shown.values()))
        return next(each for each in self.shown.values() if each.buttons)

    async def told(self, words: str) -> Came:
        """Wait until something is shown that has these words in it."""
        await self.until(lambda phone: any(words in each.message for each in phone.shown.values()))
        return next(each for each in self.shown.values() if words in each.message)

    async def quiet(self) -> None:
        """Wait until nothing is shown."""
        await self.until(lambda phone: not phone.shown)


@pytest.fixture
async def cloud(socket_enabled: None) -> AsyncIterator[PushCloud]:
    cloud = PushCloud()
    await cloud.start()
    yield cloud
    await cloud.stop()


type MakePhone = Callable[..., Awaitable[OwnerPhone]]


@pytest.fixture
async def make_phone(hass: HomeAssistant, cloud: PushCloud, hass_client: Any) -> MakePhone:
    """Give a phone to the user of a token; by default all are of one user."""
    # Before the test's HTTP server starts: what comes later can't add its pages.
    for component in ("notify", "mobile_app"):
        assert await async_setup_component(hass, component, {})
    await hass.async_block_till_done()

    async def make(name: str, token: str | None = None, *, push: bool = True) -> OwnerPhone:
        phone = OwnerPhone(hass, name, await (hass_client(token) if token else hass_client()))
        await phone.register(cloud if push else None)
        return phone

    return make


@pytest.fixture
async def phone(make_phone: MakePhone) -> OwnerPhone:
    return await make_phone("Olivia")


@pytest.fixture
async def other_phone(hass: HomeAssistant, make_phone: MakePhone) -> OwnerPhone:
    """A phone of somebody else in the house, who is no administrator."""
    user = MockUser(name="Otto").add_to_hass(hass)
    token = await hass.auth.async_create_refresh_token(user, "https://example.com/app")
    return await make_phone("Otto", hass.auth.async_create_access_token(token))
