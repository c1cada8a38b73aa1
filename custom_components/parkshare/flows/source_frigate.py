"""The steps for a Frigate as a plate source: how it is reached, which is checked at once, then which of its cameras."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import SubentryFlowResult

from custom_components.parkshare.const import CONF_CAMERA, CONF_SOURCES
from custom_components.parkshare.sources.checks import camera_errors, card_errors, connection_error
from custom_components.parkshare.sources.forms import FRIGATE_SCHEMA, camera_schema
from custom_components.parkshare.sources.frigate.api import FrigateError
from custom_components.parkshare.sources.frigate.card import Card
from custom_components.parkshare.sources.frigate.found import find_frigate
from custom_components.parkshare.sources.frigate.settings import (
    CONF_FRIGATE_CAMERA,
    CONF_KIND,
    CONF_PASSWORD,
    CONF_PICTURES,
    CONF_PREFIX,
    CONF_SOURCE_NAME,
    CONF_URL,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
    CONF_ZONES,
    USUAL_PREFIX,
    FrigateSettings,
    check_url,
)
from custom_components.parkshare.sources.frigate.source import frigate_api
from custom_components.parkshare.sources.generic.settings import Kind

from .steps import SpaceSteps

LONGEST_SOURCE_NAME: Final = 60


class FrigateSteps(SpaceSteps):
    """Two forms; and what all sources share in the flow: the one that is being described, and the list."""

    def __init__(self) -> None:
        super().__init__()
        self._draft: dict[str, Any] = {}
        self._changing: int | None = None
        self._card: Card | None = None

    async def async_step_sources(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Go back to the list of sources."""
        raise NotImplementedError

    async def async_step_source_frigate(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask how Frigate is reached."""
        if self._draft.get(CONF_KIND) != Kind.FRIGATE:
            self._begin(self._suggested_frigate())
        errors: dict[str, str] = {}
        if user_input is not None:
            if not user_input.get(CONF_PASSWORD):
                user_input = {**user_input, CONF_PASSWORD: self._known_password(user_input)}
            errors = self._name_errors(user_input) or await self._async_meet(user_input)
            if not errors:
                kept = {key: value for key, value in self._draft.items() if key not in FRIGATE_SCHEMA.schema}
                self._draft = kept | user_input
                return await self.async_step_source_frigate_camera()
        suggested = {**(user_input or self._draft)}
        suggested.pop(CONF_PASSWORD, None)
        return self.async_show_form(
            step_id="source_frigate",
            data_schema=self.add_suggested_values_to_schema(FRIGATE_SCHEMA, suggested),
            errors=errors,
            description_placeholders={"prefix": self._card.prefix if self._card else ""},
            last_step=False,
        )

    async def async_step_source_frigate_camera(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the camera that sees the space."""
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = camera_errors(self._card, user_input)
            if not errors:
                # What was emptied in the form must go.
                kept = {key: value for key, value in self._draft.items() if key != CONF_ZONES}
                return await self._async_keep_source(kept | user_input)
        suggested = {CONF_PICTURES: bool(self._card) and not self._space.get(CONF_CAMERA), **self._draft}
        return self.async_show_form(
            step_id="source_frigate_camera",
            data_schema=self.add_suggested_values_to_schema(self._camera_schema(), user_input or suggested),
            errors=errors,
            last_step=False,
        )

    def _camera_schema(self) -> Any:
        if self._card is None:
            found = find_frigate(self.hass)
            return camera_schema(list(found.cameras) if found else [], [])
        cameras = self._card.cameras.values()
        return camera_schema(
            [camera.name for camera in cameras if camera.reads_plates],
            sorted({zone for camera in cameras for zone in camera.zones}),
        )

    async def _async_meet(self, given: Mapping[str, Any]) -> dict[str, str]:
        """Ask Frigate who it is. Without an address there is nobody to ask, and MQTT has to do."""
        self._card = None
        if "mqtt" not in self.hass.config.components:
            return {"base": "mqtt_missing"}
        if not given[CONF_PREFIX].strip("/") or set(given[CONF_PREFIX]) & {"+", "#"}:
            return {CONF_PREFIX: "topic_not_usable"}
        if not given.get(CONF_URL):
            return {}
        try:
            check_url(given[CONF_URL])
        except ValueError:
            return {CONF_URL: "frigate_url"}
        settings = FrigateSettings.of({**given, CONF_FRIGATE_CAMERA: ""})
        async with frigate_api(self.hass, settings) as api:
            try:
                await api.version()
                self._card = await api.config()
            except FrigateError as err:
                return connection_error(err)
        return card_errors(self._card, given)

    def _suggested_frigate(self) -> dict[str, Any]:
        """Fill the form with the Frigate that Home Assistant knows already."""
        suggested: dict[str, Any] = {
            CONF_KIND: Kind.FRIGATE.value,
            CONF_SOURCE_NAME: "Frigate",
            CONF_PREFIX: USUAL_PREFIX,
        }
        if found := find_frigate(self.hass):
            suggested |= {
                CONF_PREFIX: found.prefix,
                CONF_URL: found.url,
                CONF_USERNAME: found.username,
                CONF_VERIFY_SSL: found.verify_ssl,
            }
        return suggested

    def _known_password(self, given: Mapping[str, Any]) -> str:
        """Return the password for a field that was left empty, so that none is ever sent to a browser."""
        where = given.get(CONF_URL), given.get(CONF_USERNAME)
        if where == (self._draft.get(CONF_URL), self._draft.get(CONF_USERNAME)) and self._draft.get(CONF_PASSWORD):
            return str(self._draft[CONF_PASSWORD])
        found = find_frigate(self.hass)
        return found.password if found and where == (found.url, found.username) else ""

    # What all sources share

    def _begin(self, draft: Mapping[str, Any], changing: int | None = None) -> None:
        self._draft, self._changing, self._card = dict(draft), changing, None

    def _sources(self) -> list[dict[str, Any]]:
        return [dict(each) for each in self._space.get(CONF_SOURCES) or ()]

    def _source_names(self) -> list[str]:
        return [str(each.get(CONF_SOURCE_NAME)) for each in self._sources()]

    def _name_errors(self, given: Mapping[str, Any]) -> dict[str, str]:
        """Check the name: by it readers are told apart, so no two may have the same."""
        name = given[CONF_SOURCE_NAME].strip()
        others = [each for index, each in enumerate(self._source_names()) if index != self._changing]
        if not 0 < len(name) <= LONGEST_SOURCE_NAME:
            return {CONF_SOURCE_NAME: "source_name_length"}
        return {CONF_SOURCE_NAME: "source_name_taken"} if name in others else {}

    async def _async_keep_source(self, source: Mapping[str, Any]) -> SubentryFlowResult:
        """Put a source into the space and show the list."""
        sources = self._sources()
        kept = {**source, CONF_SOURCE_NAME: source[CONF_SOURCE_NAME].strip()}
        if self._changing is None:
            sources.append(kept)
        else:
            sources[self._changing] = kept
        self._space[CONF_SOURCES] = sources
        self._begin({})
        return await self.async_step_sources()
