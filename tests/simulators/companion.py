"""The companion app on a phone, as Home Assistant's own `mobile_app` integration knows it.

It registers, reports places through its webhook, holds the channel for local push open and confirms what comes over it,
fetches the picture of a notification, and fires the event of a tapped action: the words are those of the real app.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from .home import Home
from .home_api import HomeError
from .track import Place

ACTION_EVENT = "mobile_app_notification_action"
CLEAR = "clear_notification"  # as a message: the notification with this tag goes away
RETRY_S = 1.0  # between tries to get the channel back after Home Assistant went away


@dataclass(frozen=True)
class Notification:
    """One notification as it came; at is UTC epoch seconds on our clock."""

    at: float
    title: str
    message: str
    tag: str | None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def actions(self) -> dict[str, str]:
        """The buttons: what each says, by its action."""
        return {str(action["action"]): str(action["title"]) for action in self.data.get("actions", [])}

    @property
    def image(self) -> str | None:
        """The picture's address, as the app takes it from the notification."""
        return self.data.get("image")


class CompanionApp:
    """The app on one phone of one person. Nothing happens before register(); close() ends it."""

    def __init__(self, home: Home, device: str) -> None:
        """Belong to a home; device is the phone's name."""
        self._home, self.device = home, device
        self.received: list[Notification] = []  # all that ever came
        self.shown: list[Notification] = []  # what has not been cleared, oldest first
        self.device_id = ""  # of Home Assistant's device registry
        self._webhook = ""
        self._token = ""
        self._changed = asyncio.Event()
        self._connected = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None

    @property
    def secrets(self) -> list[str]:
        """What nobody but this phone and Home Assistant may know: the webhook's id and the token."""
        return [self._webhook, self._token]

    async def register(self, token: str) -> None:
        """Register as the app does once its user has signed in, and listen from now on; token is that user's."""
        self._token = token
        registration = {
            "app_id": "io.homeassistant.companion.android",
            "app_name": "Home Assistant",
            "app_version": "2026.11.1",
            "device_name": self.device,
            "device_id": self.device.lower().replace(" ", "-"),
            "manufacturer": "Simulated",
            "model": "Phone",
            "os_name": "Android",
            "os_version": "17",
            "supports_encryption": False,
            "app_data": {"push_websocket_channel": True},
        }
        answer = await self._home.api.call("POST", "/api/mobile_app/registrations", registration)
        self._webhook = answer["webhook_id"]
        self._listener = asyncio.create_task(self._stay_connected())
        async with asyncio.timeout(20):
            await self._connected.wait()
        self.device_id = await self._registered_device()

    async def close(self) -> None:
        """Put the phone away."""
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)

    async def report(self, place: Place, *, accuracy_m: float) -> None:
        """Report where the phone is."""
        location = {"gps": [round(place[0], 7), round(place[1], 7)], "gps_accuracy": accuracy_m, "battery": 80}
        await self._post("update_location", location)

    async def tap(self, notification: Notification, action: str) -> None:
        """Tap a button of a notification: it goes away, and Home Assistant hears of it."""
        if action not in notification.actions:
            raise LookupError(f"The notification has no action {action!r}, only {list(notification.actions)}")
        self.shown = [other for other in self.shown if other is not notification]
        # The app sends the notification's fields along, as Android's flat map of strings.
        flat = {key: value for key, value in notification.data.items() if isinstance(value, str)}
        told = {**flat, "title": notification.title, "message": notification.message, "action": action}
        await self._post("fire_event", {"event_type": ACTION_EVENT, "event_data": told})

    async def picture(self, notification: Notification) -> bytes:
        """Fetch the picture of a notification, signed in as the app is. Raises HomeError when it can't be had."""
        address = notification.image
        if not address or not address.startswith("/"):
            raise HomeError(f"The notification brings no picture of this house: {address!r}")
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._home.api.session.get(self._home.url + address, headers=headers) as answer:
            content = await answer.read()
            if answer.status != 200 or not answer.content_type.startswith("image/"):
                raise HomeError(f"The picture of the notification: {answer.status} {answer.content_type}")
            return content

    async def notified(
        self, accept: Callable[[Notification], bool], *, since: float = 0.0, within: float = 30.0
    ) -> Notification:
        """Wait for a notification that is accepted and not older than since. Raises TimeoutError, telling what came."""
        deadline = time.monotonic() + within
        while True:
            self._changed.clear()
            for notification in self.received:
                if notification.at >= since and accept(notification):
                    return notification
            if (left := deadline - time.monotonic()) <= 0:
                came = [notification.title for notification in self.received if notification.at >= since]
                raise TimeoutError(f"{self.device} was not notified of it within {within:.0f} s; it got {came}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._changed.wait()

    async def _registered_device(self) -> str:
        """Return the id under which Home Assistant's device registry knows this phone."""
        for device in await self._home.api.ask("config/device_registry/list"):
            if ["mobile_app", self.device.lower().replace(" ", "-")] in device["identifiers"]:
                return str(device["id"])
        raise LookupError(f"Home Assistant knows no device {self.device!r}")

    async def _post(self, kind: str, content: Mapping[str, Any]) -> None:
        address = f"{self._home.url}/api/webhook/{self._webhook}"
        async with self._home.api.session.post(address, json={"type": kind, "data": content}) as answer:
            if answer.status >= 400:
                raise HomeError(f"The webhook refused {kind}: {answer.status}")

    async def _stay_connected(self) -> None:
        """Hold the channel open; get it back whenever Home Assistant went away, as the app does."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError, HomeError, ValueError, TypeError):
                await self._listen()
            self._connected.clear()
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        address = f"{self._home.url.replace('http', 'ws', 1)}/api/websocket"
        async with aiohttp.ClientSession() as session, session.ws_connect(address, heartbeat=20) as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self._token})
            if (await socket.receive_json())["type"] != "auth_ok":
                raise HomeError("Home Assistant does not know the phone's token")
            channel = {"webhook_id": self._webhook, "support_confirm": True}
            await socket.send_json({"id": 1, "type": "mobile_app/push_notification_channel", **channel})
            asked = 1
            async for frame in socket:
                message = frame.json()
                if message["id"] == 1 and message["type"] == "result":
                    if not message["success"]:
                        raise HomeError(f"No channel for notifications: {message['error']['code']}")
                    self._connected.set()
                elif message["type"] == "event":
                    asked += 1
                    confirm = {"webhook_id": self._webhook, "confirm_id": message["event"]["hass_confirm_id"]}
                    await socket.send_json({"id": asked, "type": "mobile_app/push_notification_confirm", **confirm})
                    self._take(message["event"])

    def _take(self, event: Mapping[str, Any]) -> None:
        """Show a notification, in place of the one with its tag; or clear that one."""
        data = event.get("data") or {}
        tag = data.get("tag")
        came = Notification(time.time(), str(event.get("title", "")), str(event["message"]), tag, data)
        self.shown = [other for other in self.shown if tag is None or other.tag != tag]
        if came.message != CLEAR:
            self.shown.append(came)
        self.received.append(came)
        self._changed.set()
