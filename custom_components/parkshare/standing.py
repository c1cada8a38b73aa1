"""Notifications that stand until they are over: Home Assistant forgets its own at a restart, their cause does not."""

from typing import Any, Final

from homeassistant.components import persistent_notification
from homeassistant.components.persistent_notification import Notification, UpdateType
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from .durable import DurableStore

VERSION: Final = 1


def standing_store_of(hass: HomeAssistant, space_id: str) -> DurableStore:
    """Where the notifications of a space are kept."""
    return DurableStore(hass, VERSION, f"notices.{space_id}")


class Standing:
    """The notifications of one space, by the id under which Home Assistant shows them."""

    def __init__(self, hass: HomeAssistant, space_id: str) -> None:
        self._hass = hass
        self._store = standing_store_of(hass, space_id)
        # By id: title and text.
        self._kept: dict[str, list[str]] = {}
        self._end: CALLBACK_TYPE | None = None

    async def async_load(self) -> None:
        """Show what stood there when Home Assistant ended, and follow what people dismiss."""
        self._kept = (await self._store.async_load() or {}).get("kept", {})
        for notification_id, (title, text) in self._kept.items():
            persistent_notification.async_create(self._hass, text, title=title, notification_id=notification_id)
        self._end = persistent_notification.async_register_callback(self._hass, self._changed)

    @callback
    def stop(self) -> None:
        """Follow no more; what stands there stays."""
        if self._end:
            self._end()
            self._end = None

    @callback
    def show(self, notification_id: str, title: str, text: str) -> None:
        """Show a notification, in place of the one with this id."""
        persistent_notification.async_create(self._hass, text, title=title, notification_id=notification_id)
        if self._kept.get(notification_id) != [title, text]:
            self._kept[notification_id] = [title, text]
            self._save()

    @callback
    def dismiss(self, notification_id: str) -> None:
        """Take a notification away, if it stands there."""
        persistent_notification.async_dismiss(self._hass, notification_id)
        self._forget(notification_id)

    @callback
    def _changed(self, kind: UpdateType, notifications: dict[str, Notification]) -> None:
        if kind is UpdateType.REMOVED:
            for notification_id in notifications:
                self._forget(notification_id)

    def _forget(self, notification_id: str) -> None:
        if self._kept.pop(notification_id, None) is not None:
            self._save()

    def _save(self) -> None:
        self._store.async_delay_save(self._document)

    def _document(self) -> dict[str, Any]:
        return {"kept": self._kept}
