"""What the owner is told about a plate source that does not do what it should. No text names a plate."""

from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_translations

from custom_components.parkshare.const import DOMAIN, LOGGER


class Troubles:
    """The troubles of one source in one armed phase: each is told once, in the language of the house.

    The keys are those of translations, section common, without "source_".
    """

    def __init__(self, hass: HomeAssistant, source: str) -> None:
        self._hass = hass
        self._source = source
        self._texts: dict[str, str] = {}
        self._told: set[str] = set()
        self._trouble: Callable[[str], None] | None = None

    async def async_load(self, trouble: Callable[[str], None]) -> None:
        """Begin an armed phase; trouble takes the texts."""
        self._texts = await async_get_translations(self._hass, self._hass.config.language, "common", {DOMAIN})
        self._told.clear()
        self._trouble = trouble

    @callback
    def tell(self, key: str, *, again: bool = False, **placeholders: Any) -> None:
        """Tell the owner, unless this was told before.

        A reading that counts takes back what stands; what holds all the same has to be said again then.
        """
        if self._trouble is None or (key in self._told and not again):
            return
        text = self._texts[f"component.{DOMAIN}.common.source_{key}"].format(**placeholders)
        if key not in self._told:
            LOGGER.warning("%s: %s", self._source, text)
        self._told.add(key)
        self._trouble(text)

    @callback
    def over(self, *keys: str) -> None:
        """These troubles are over; what else was told stands."""
        if self._trouble and self._told & set(keys):
            self._told -= set(keys)
            if not self._told:
                self._trouble("")
