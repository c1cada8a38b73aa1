"""What the owner of a space is told when something needs a person. No text here names a plate or a position."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.translation import async_get_translations

from .const import CONF_BARRIER, CONF_CAMERA, DOMAIN
from .gate.words import FaultKind, Notice
from .seeing.burst import Trouble
from .seeing.oddities import OddityKind
from .standing import Standing

BARRIER: Final = "barrier"
READER: Final = "reader"
PICTURES: Final = "pictures"
SOURCE: Final = "source"
HELP: Final = "needs_help"
UNREACHED: Final = "phone_unreached"


class Notices:
    """The notices of one space: each stands at most once."""

    def __init__(self, hass: HomeAssistant, space_id: str, title: str, settings: Mapping[str, Any]) -> None:
        self._hass = hass
        self._space_id = space_id
        self._title = title
        self._barrier: str = settings[CONF_BARRIER]
        self._camera: str = settings.get(CONF_CAMERA) or ""
        # What is shown as something to repair: the words of each.
        self._shown: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._standing = Standing(hass, space_id)

    async def async_load(self) -> None:
        """Load the texts in the language of the house, and show again what stood there before a restart."""
        self._texts = await async_get_translations(self._hass, self._hass.config.language, "common", {DOMAIN})
        await self._standing.async_load()

    @callback
    def tell(self, notice: Notice) -> None:
        """Tell the owner."""
        self._notify(notice)

    @callback
    def untell(self, *notices: Notice) -> None:
        """It is no longer so."""
        for notice in notices:
            self._standing.dismiss(self._id(notice))

    @callback
    def fault(self, kind: FaultKind) -> None:
        """Show a fault of the barrier as something to repair."""
        self._repair(BARRIER, f"barrier_{kind}", entity=self._barrier)

    @callback
    def fault_ended(self) -> None:
        """The barrier works again."""
        self._repaired(BARRIER)
        self.untell(Notice.FAULT, Notice.ADMITTED_BUT_FAULTY)

    @callback
    def reader_trouble(self, text: str) -> None:
        """The plates can't be read until somebody does something; empty when they can."""
        if text:
            self._repair(READER, "reader_unavailable", reason=text)
        else:
            self._repaired(READER)

    @callback
    def reader_broke_off(self, words: str) -> None:
        """A reader ended while it read a picture: the next one is at work, and its owner knows that it happened."""
        self._notify("reader_broke_off", reason=words)

    @callback
    def picture_trouble(self, trouble: Trouble | None) -> None:
        """The camera's pictures are of no use; None when one was."""
        if trouble is None:
            self._repaired(PICTURES)
        else:
            self._repair(PICTURES, f"pictures_{trouble.fault}", entity=self._camera, reason=trouble.words)

    @callback
    def source_trouble(self, name: str, words: str) -> None:
        """A plate source can't work until somebody does something; empty when it does."""
        if words:
            self._repair(f"{SOURCE}_{name}", "source_unavailable", source=name, reason=words)
        else:
            self._repaired(f"{SOURCE}_{name}")

    @callback
    def odd(self, kind: OddityKind, *, other: str) -> None:
        """Something is odd about a car."""
        self._notify(kind, other=other)

    @callback
    def needs_help(self, alias: str) -> None:
        """A renter stands there and their plate does not let them in."""
        self._notify(HELP, alias=alias)

    @callback
    def needs_no_help(self) -> None:
        """Nobody stands there any more whom the owner has to let in."""
        self._standing.dismiss(self._id(HELP))

    @callback
    def phone_unreached(self, device_id: str, name: str) -> None:
        """A phone that is to be asked can't be notified."""
        text = self._text(UNREACHED, phone=name or device_id)
        self._show(f"{UNREACHED}_{device_id}", text)

    @callback
    def phone_reached(self, device_id: str) -> None:
        """It can."""
        self._standing.dismiss(self._id(f"{UNREACHED}_{device_id}"))

    @callback
    def codes_guessed(self) -> None:
        """So many wrong codes were given for a booking that no more are looked at."""
        self._notify("codes_guessed")

    @callback
    def stop(self) -> None:
        """The space is unloaded: nothing of it is to be repaired now. Told things stay told."""
        self._standing.stop()
        for key in (BARRIER, *self._shown):
            ir.async_delete_issue(self._hass, DOMAIN, self._id(key))
        self._shown.clear()

    def _repair(self, key: str, text: str, **words: str) -> None:
        said = f"{text} {words}"
        if self._shown.get(key) == said:
            return
        self._shown[key] = said
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._id(key),
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=text,
            translation_placeholders={"space": self._title} | words,
        )

    def _repaired(self, key: str) -> None:
        if self._shown.pop(key, None) is not None:
            ir.async_delete_issue(self._hass, DOMAIN, self._id(key))

    def _notify(self, key: str, **words: str) -> None:
        self._show(key, self._text(key, **words))

    def _show(self, key: str, text: str) -> None:
        self._standing.show(self._id(key), self._text("title"), text)

    def _text(self, key: str, **words: str) -> str:
        return self._texts[f"component.{DOMAIN}.common.gate_{key}"].format(space=self._title, **words)

    def _id(self, key: str) -> str:
        return f"{DOMAIN}_{self._space_id}_{key}"
