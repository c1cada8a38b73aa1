"""Texts that the house itself puts together. What a browser can translate by itself is translated there."""

from collections.abc import Mapping

from aiohttp.hdrs import ACCEPT_LANGUAGE
from homeassistant.core import HomeAssistant
from homeassistant.generated.languages import LANGUAGES
from homeassistant.helpers.http import current_request
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util.language import matches

from .const import DOMAIN


class Words:
    """The texts of one category of the translations."""

    def __init__(self, texts: Mapping[str, str], category: str) -> None:
        self._texts = texts
        self._start = f"component.{DOMAIN}.{category}."

    def __call__(self, key: str, /, **values: object) -> str:
        """Return a text with its gaps filled in."""
        return self._texts[f"{self._start}{key}"].format(**values)

    def all_of(self, start: str) -> dict[str, str]:
        """Return the texts whose key begins so, with their gaps as they are, by the rest of their key."""
        start = f"{self._start}{start}"
        return {key.removeprefix(start): text for key, text in self._texts.items() if key.startswith(start)}


async def async_words(hass: HomeAssistant, category: str = "common", *, language: str = "") -> Words:
    """Load a category in a language, else in that of the house; what is missing there is in English."""
    texts = await async_get_translations(hass, language or hass.config.language, category, {DOMAIN})
    return Words(texts, category)


def language_of_browser(hass: HomeAssistant) -> str:
    """Return the language of the browser that asks, so that a dialog speaks one; of the house if nobody asks."""
    request = current_request.get()
    wanted = request.headers.get(ACCEPT_LANGUAGE, "").partition(",")[0].partition(";")[0].strip() if request else ""
    known = matches(wanted, LANGUAGES) if wanted and wanted != "*" else []
    return known[0] if known else hass.config.language
