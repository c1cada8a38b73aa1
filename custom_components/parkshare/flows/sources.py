"""The steps of a space's flow in which its other plate sources are listed, added, changed and removed."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from homeassistant.components import webhook
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.helpers.network import NoURLAvailableError

from custom_components.parkshare.const import CONF_SOURCES
from custom_components.parkshare.sources.checks import recipe_errors
from custom_components.parkshare.sources.forms import (
    CONF_PRESET,
    CONF_WHICH,
    ENTITY_SCHEMA,
    EVENT_SCHEMA,
    KNOWN_SCHEMA,
    TOPIC_SCHEMA,
    WEBHOOK_SCHEMA,
    WEBHOOK_URL_SCHEMA,
    which_schema,
)
from custom_components.parkshare.sources.frigate.settings import CONF_KIND, CONF_SOURCE_NAME
from custom_components.parkshare.sources.generic.presets import PRESETS
from custom_components.parkshare.sources.generic.settings import (
    CONF_ENTITY,
    CONF_EVENT_TYPE,
    CONF_LOCAL_ONLY,
    CONF_TOPIC,
    CONF_WEBHOOK_ID,
    Kind,
)

from .source_frigate import FrigateSteps

ADDING: Final = ("source_known", "source_frigate", "source_entity", "source_event", "source_mqtt", "source_webhook")
CHANGING: Final = ("source_change", "source_remove")
LONGEST_TOPIC: Final = 1000

type StepResult = Coroutine[Any, Any, SubentryFlowResult]


class SourceSteps(FrigateSteps):
    """Works on the list of sources in the space, and goes back to the menu of the reading."""

    async def async_step_sources(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """List the sources and offer what can be done with them."""
        names = self._source_names()
        return self.async_show_menu(
            step_id="sources",
            menu_options=[*ADDING, *(CHANGING if names else ()), "reading"],
            description_placeholders={"sources": ", ".join(names) or "-"},
        )

    async def async_step_source_known(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for a program or device that we know; its form is then filled."""
        if user_input is None:
            return self.async_show_form(step_id="source_known", data_schema=KNOWN_SCHEMA, last_step=False)
        preset = PRESETS[user_input[CONF_PRESET]]
        self._begin({CONF_KIND: preset.kind.value, CONF_SOURCE_NAME: preset.title, **preset.fields})
        return await self._form_of(preset.kind)(None)

    async def async_step_source_event(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for an event of Home Assistant."""
        return await self._async_described(Kind.EVENT, EVENT_SCHEMA, user_input)

    async def async_step_source_entity(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for an entity."""
        return await self._async_described(Kind.ENTITY, ENTITY_SCHEMA, user_input)

    async def async_step_source_mqtt(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for an MQTT topic."""
        return await self._async_described(Kind.TOPIC, TOPIC_SCHEMA, user_input)

    async def async_step_source_webhook(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask what will be posted; its address is shown then."""
        return await self._async_described(Kind.WEBHOOK, WEBHOOK_SCHEMA, user_input)

    async def async_step_source_webhook_url(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show the address that the camera or program has to post to."""
        if user_input is not None:
            return await self._async_keep_source(self._draft)
        return self.async_show_form(
            step_id="source_webhook_url",
            data_schema=WEBHOOK_URL_SCHEMA,
            description_placeholders={"url": self._webhook_url()},
            last_step=False,
        )

    async def async_step_source_change(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which source is to be changed, and open its form."""
        if user_input is None:
            schema = which_schema(self._source_names(), multiple=False)
            return self.async_show_form(step_id="source_change", data_schema=schema, last_step=False)
        index = int(user_input[CONF_WHICH])
        self._begin(self._sources()[index], index)
        return await self._form_of(Kind(self._draft[CONF_KIND]))(None)

    async def async_step_source_remove(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask which sources are to go."""
        if user_input is None:
            schema = which_schema(self._source_names(), multiple=True)
            return self.async_show_form(step_id="source_remove", data_schema=schema, last_step=False)
        gone = {int(index) for index in user_input[CONF_WHICH]}
        self._space[CONF_SOURCES] = [each for index, each in enumerate(self._sources()) if index not in gone]
        return await self.async_step_sources()

    async def _async_described(self, kind: Kind, schema: Any, user_input: dict[str, Any] | None) -> SubentryFlowResult:
        """Show the form of a source that is described by paths until it is right; then keep the source."""
        if self._draft.get(CONF_KIND) != kind:
            self._begin({CONF_KIND: kind.value})
        errors: dict[str, str] = {}
        if user_input is not None:
            if kind is Kind.EVENT:
                user_input = {**user_input, CONF_EVENT_TYPE: user_input[CONF_EVENT_TYPE].strip()}
            errors = self._name_errors(user_input) | recipe_errors(user_input) | self._origin_errors(kind, user_input)
            if not errors:
                kept = {CONF_KIND: kind.value, **user_input}
                if kind is not Kind.WEBHOOK:
                    return await self._async_keep_source(kept)
                kept[CONF_WEBHOOK_ID] = self._draft.get(CONF_WEBHOOK_ID) or webhook.async_generate_id()
                self._draft = kept
                return await self.async_step_source_webhook_url()
        return self.async_show_form(
            step_id=f"source_{kind.value}",
            data_schema=self.add_suggested_values_to_schema(schema, user_input or self._draft),
            errors=errors,
            last_step=False,
        )

    def _origin_errors(self, kind: Kind, given: Mapping[str, Any]) -> dict[str, str]:
        """Say what is wrong with where the messages are to come from."""
        match kind:
            case Kind.ENTITY if self.hass.states.get(given[CONF_ENTITY]) is None:
                return {CONF_ENTITY: "entity_missing"}
            case Kind.EVENT if not 0 < len(given[CONF_EVENT_TYPE]) <= 64:  # noqa: PLR2004 - of Home Assistant
                return {CONF_EVENT_TYPE: "event_type_not_usable"}
            case Kind.TOPIC if "mqtt" not in self.hass.config.components:
                return {"base": "mqtt_missing"}
            case Kind.TOPIC if not _is_topic(given[CONF_TOPIC]):
                return {CONF_TOPIC: "topic_not_usable"}
        return {}

    def _form_of(self, kind: Kind) -> Callable[[dict[str, Any] | None], StepResult]:
        return {
            Kind.FRIGATE: self.async_step_source_frigate,
            Kind.EVENT: self.async_step_source_event,
            Kind.ENTITY: self.async_step_source_entity,
            Kind.TOPIC: self.async_step_source_mqtt,
            Kind.WEBHOOK: self.async_step_source_webhook,
        }[kind]

    def _webhook_url(self) -> str:
        local, webhook_id = bool(self._draft.get(CONF_LOCAL_ONLY)), self._draft[CONF_WEBHOOK_ID]
        try:
            return webhook.async_generate_url(
                self.hass, webhook_id, allow_external=not local, prefer_external=not local
            )
        except NoURLAvailableError:
            return webhook.async_generate_path(webhook_id)


def _is_topic(topic: str) -> bool:
    """Tell whether a topic names one topic: with a wildcard nobody would know whose plates they are."""
    return 0 < len(topic) <= LONGEST_TOPIC and not set(topic) & {"+", "#", "\0"}
