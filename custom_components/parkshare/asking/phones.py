"""The phones of an owner: devices of Home Assistant's companion app, and how a notification reaches each of them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from homeassistant.components.notify.const import DOMAIN as NOTIFY
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr

COMPANION: Final = "mobile_app"
CLEAR: Final = "clear_notification"  # as a message: the app takes the notification with this tag away
SEND_LIMIT: Final = 20.0  # s; the app's cloud has 10 s


class PhoneError(Exception):
    """A phone can't be reached; the text is for the log and names no person, no number and no address."""


class Phones:
    """The phones that an owner chose, by their ids in the device registry.

    What is sent to one phone arrives in its order: a notification is never cleared before it came.
    """

    def __init__(self, hass: HomeAssistant, device_ids: Sequence[str]) -> None:
        self.device_ids = tuple(device_ids)
        self._hass = hass
        self._in_order = {device_id: asyncio.Lock() for device_id in self.device_ids}

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.device_ids)

    def of_user(self, user_id: str | None) -> tuple[str, ...]:
        """Return the phones of one user of Home Assistant."""
        return tuple(each for each in self.device_ids if user_id is not None and self._user_of(each) == user_id)

    def name(self, device_id: str) -> str:
        """Return what its owner calls a phone."""
        device = dr.async_get(self._hass).async_get(device_id)
        return (device.name_by_user or device.name or "") if device else ""

    async def async_send(self, device_id: str, message: Mapping[str, Any]) -> None:
        """Send one notification (data of the notify action) to one phone; raises PhoneError."""
        async with self._in_order[device_id]:
            action = self._action(device_id)
            try:
                async with asyncio.timeout(SEND_LIMIT):
                    await self._hass.services.async_call(NOTIFY, action, dict(message), blocking=True)
            except TimeoutError:
                raise PhoneError("its notify action did not end in time") from None
            except Exception as err:  # noqa: BLE001 - the app's integration and what stands before it may raise anything
                # Whatever it raises may hold tokens and addresses: none of it goes on.
                raise PhoneError(f"its notify action failed ({type(err).__name__})") from None

    def _action(self, device_id: str) -> str:
        """Return the name of the notify action of a phone, as the companion app's own device action finds it."""
        if COMPANION not in self._hass.config.components:
            raise PhoneError("the companion app's integration is not running")
        # Here and not above: its packages need not be there in a house without phones.
        from homeassistant.components.mobile_app.util import (  # noqa: PLC0415
            get_notify_service,
            webhook_id_from_device_id,
        )

        webhook_id = webhook_id_from_device_id(self._hass, device_id)
        if webhook_id is None:
            raise PhoneError("its registration is gone")
        try:
            action = get_notify_service(self._hass, webhook_id)
        except KeyError, HomeAssistantError:
            action = None  # notify actions of the app come a moment after its integration
        if action is None:
            raise PhoneError("it takes no notifications")
        return action

    def _user_of(self, device_id: str) -> str | None:
        device = dr.async_get(self._hass).async_get(device_id)
        entry = self._hass.config_entries.async_get_entry(device.config_entry_id) if device else None
        return entry.data.get("user_id") if entry and entry.domain == COMPANION else None
