"""What the owner of a space is told when the gate needs a person. No text here names a plate or a position."""

from typing import Final

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .gate.words import FaultKind, Notice

READER: Final = "reader"


class Notices:
    """The notices of one space: each stands at most once."""

    def __init__(self, hass: HomeAssistant, space_id: str, title: str, barrier: str) -> None:
        self._hass = hass
        self._space_id = space_id
        self._title = title
        self._barrier = barrier
        self._trouble = ""
        self._texts: dict[str, str] = {}

    async def async_load(self) -> None:
        """Load the texts in the language of the house."""
        self._texts = await async_get_translations(self._hass, self._hass.config.language, "common", {DOMAIN})

    @callback
    def tell(self, notice: Notice) -> None:
        """Tell the owner."""
        persistent_notification.async_create(
            self._hass,
            self._text(notice),
            title=self._text("title"),
            notification_id=self._id(notice),
        )

    @callback
    def untell(self, *notices: Notice) -> None:
        """It is no longer so."""
        for notice in notices:
            persistent_notification.async_dismiss(self._hass, self._id(notice))

    @callback
    def fault(self, kind: FaultKind) -> None:
        """Show a fault of the barrier as something to repair."""
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._id("barrier"),
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=f"barrier_{kind}",
            translation_placeholders={"space": self._title, "entity": self._barrier},
        )

    @callback
    def fault_ended(self) -> None:
        """The barrier works again."""
        ir.async_delete_issue(self._hass, DOMAIN, self._id("barrier"))
        self.untell(Notice.FAULT, Notice.ADMITTED_BUT_FAULTY)

    @callback
    def reader_trouble(self, text: str) -> None:
        """The plates can't be read until somebody does something; empty when they can."""
        if text == self._trouble:
            return
        self._trouble = text
        if not text:
            ir.async_delete_issue(self._hass, DOMAIN, self._id(READER))
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._id(READER),
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key="reader_unavailable",
            translation_placeholders={"space": self._title, "reason": text},
        )

    @callback
    def clear_issues(self) -> None:
        """The space is unloaded: nothing of it is to be repaired now. Told things stay told."""
        for key in ("barrier", READER):
            ir.async_delete_issue(self._hass, DOMAIN, self._id(key))

    def _text(self, key: str) -> str:
        return self._texts[f"component.{DOMAIN}.common.gate_{key}"].format(space=self._title)

    def _id(self, key: str) -> str:
        return f"{DOMAIN}_{self._space_id}_{key}"
