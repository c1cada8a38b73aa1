"""Make the plate sources of a space from what its flow stored."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from custom_components.parkshare.const import CONF_LEVEL, CONF_SPACE_ID, DOMAIN, LOGGER
from custom_components.parkshare.recognition.levels import POLICIES, Level
from custom_components.parkshare.recognition.types import Look, Reader

from .frigate.pictures import FrigatePictures
from .frigate.settings import CONF_KIND, CONF_SOURCE_NAME, FrigateSettings
from .frigate.source import FrigateSource, frigate_api
from .generic.bus import EventSource
from .generic.entity import EntitySource
from .generic.recipe import Recipe
from .generic.settings import (
    CONF_ENTITY,
    CONF_EVENT_TYPE,
    CONF_LOCAL_ONLY,
    CONF_REPEATS,
    CONF_TOPIC,
    CONF_WEBHOOK_ID,
    Kind,
)
from .generic.topic import TopicSource
from .generic.webhook import WebhookSource
from .protocol import PlateSource
from .trouble import Troubles

NAMELESS: Final = "?"


class BrokenSource:
    """Stands for a source whose settings cannot be used. Tells so, and nothing else."""

    def __init__(self, hass: HomeAssistant, name: str) -> None:
        self.name = name
        self.always_on = False
        self._troubles = Troubles(hass, name)

    async def async_start(self, heard: Callable[[Look], None], trouble: Callable[[str], None]) -> None:  # noqa: ARG002
        """Tell the owner."""
        await self._troubles.async_load(trouble)
        self._troubles.tell("settings")

    async def async_stop(self) -> None:
        """Nothing runs."""


def source_of(hass: HomeAssistant, stored: Mapping[str, Any], settings: Mapping[str, Any], title: str) -> PlateSource:
    """Make one source; settings and title are those of its space. Never raises: a broken one tells when it starts."""
    try:
        return _make(hass, stored, settings, title)
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        name = str(stored.get(CONF_SOURCE_NAME) or NAMELESS) if isinstance(stored, Mapping) else NAMELESS
        LOGGER.error("The settings of the plate source %s cannot be used: %s", name, type(err).__name__)
        return BrokenSource(hass, name)


def _make(hass: HomeAssistant, stored: Mapping[str, Any], settings: Mapping[str, Any], title: str) -> PlateSource:
    kind = Kind(stored[CONF_KIND])
    if kind is Kind.FRIGATE:
        frigate = FrigateSettings.of(stored)
        pictures = None
        if frigate.pictures and frigate.url:
            pictures = FrigatePictures(frigate, frigate_api, lambda: _reader_of(hass, settings))
        policy = POLICIES[Level(settings.get(CONF_LEVEL) or Level.BALANCED)]
        return FrigateSource(hass, frigate, sure=policy.text_confidence, pictures=pictures)
    name, recipe = str(stored[CONF_SOURCE_NAME]), Recipe.of(stored)
    match kind:
        case Kind.EVENT:
            return EventSource(hass, name, recipe, str(stored[CONF_EVENT_TYPE]))
        case Kind.ENTITY:
            return EntitySource(hass, name, recipe, str(stored[CONF_ENTITY]), repeats=bool(stored.get(CONF_REPEATS)))
        case Kind.TOPIC:
            return TopicSource(hass, name, recipe, str(stored[CONF_TOPIC]))
        case Kind.WEBHOOK:
            local_only = bool(stored.get(CONF_LOCAL_ONLY, True))
            return WebhookSource(hass, name, recipe, str(stored[CONF_WEBHOOK_ID]), title=title, local_only=local_only)


def _reader_of(hass: HomeAssistant, settings: Mapping[str, Any]) -> Reader | None:
    """Find the reader of the account that the space belongs to; None while it is not running."""
    for entry in hass.config_entries.async_entries(DOMAIN):
        ours = any(sub.data.get(CONF_SPACE_ID) == settings.get(CONF_SPACE_ID) for sub in entry.subentries.values())
        if ours and entry.state is ConfigEntryState.LOADED:
            reader: Reader = entry.runtime_data.reader
            return reader
    return None
