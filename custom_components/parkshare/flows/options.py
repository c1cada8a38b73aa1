"""The options of a linked account: which reader reads the plates at this house."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, override

import voluptuous as vol
from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from custom_components.parkshare.const import (
    CONF_DETECTOR,
    CONF_OCR,
    CONF_OCR_CONFIG,
    CONF_READER,
    CONF_SERVICE_ID,
    CONF_SERVICE_TOKEN,
    CONF_SERVICE_URL,
    CONF_TOGETHER,
)
from custom_components.parkshare.readers import NO_DETECTOR, ReaderKind, async_install, fast_plate_reader, kind_of
from custom_components.parkshare.recognition import ReaderUnavailable
from custom_components.parkshare.recognition.fast_plate import (
    DEFAULT_DETECTOR,
    DEFAULT_MODEL,
    DETECTORS,
    MODELS,
    is_file,
)
from custom_components.parkshare.recognition.remote import ServiceError

from .reader_address import BadReaderAddressError, async_look_up, error_of, normalise_address

READER_SCHEMA: Any = vol.Schema(
    {
        vol.Required(CONF_READER): SelectSelector(
            SelectSelectorConfig(
                options=[kind.value for kind in ReaderKind], mode=SelectSelectorMode.LIST, translation_key="reader"
            )
        )
    }
)
SERVICE_SCHEMA: Any = vol.Schema(
    {
        vol.Required(CONF_SERVICE_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL)),
        vol.Optional(CONF_SERVICE_TOKEN): TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD)),
        vol.Required(CONF_TOGETHER, default=False): BooleanSelector(),
    }
)
FAST_PLATE_SCHEMA: Any = vol.Schema(
    {
        vol.Required(CONF_OCR, default=DEFAULT_MODEL): SelectSelector(
            SelectSelectorConfig(options=list(MODELS), custom_value=True, mode=SelectSelectorMode.DROPDOWN)
        ),
        vol.Optional(CONF_OCR_CONFIG): TextSelector(),
        vol.Required(CONF_DETECTOR, default=DEFAULT_DETECTOR): SelectSelector(
            SelectSelectorConfig(
                options=[*DETECTORS, NO_DETECTOR],
                custom_value=True,
                mode=SelectSelectorMode.DROPDOWN,
                translation_key="detector",
            )
        ),
        vol.Required(CONF_TOGETHER, default=False): BooleanSelector(),
    }
)
NOTHING_TO_FILL_IN: Any = vol.Schema({})


class ReaderOptionsFlow(OptionsFlow):
    """Choose the reader. What another reader needed is kept, so that going back is easy."""

    def __init__(self) -> None:
        self._chosen: dict[str, Any] = {}
        self._preparing: asyncio.Task[None] | None = None
        self._reason = ""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which reader."""
        if user_input is not None:
            self._chosen = {CONF_READER: user_input[CONF_READER]}
            match ReaderKind(user_input[CONF_READER]):
                case ReaderKind.SERVICE:
                    return await self.async_step_service()
                case ReaderKind.FAST_PLATE_OCR:
                    return await self.async_step_fast_plate_ocr()
                case _:
                    return self._done()
        return self._form("init", READER_SCHEMA, {CONF_READER: kind_of(self.config_entry.options).value}, {})

    async def async_step_service(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the service's address and token, and try them."""
        errors: dict[str, str] = {}
        if user_input is not None:
            token = str(user_input.get(CONF_SERVICE_TOKEN, "")).strip()
            try:
                url = normalise_address(user_input[CONF_SERVICE_URL])
                about = await async_look_up(async_get_clientsession(self.hass), url, token)
            except (BadReaderAddressError, ServiceError) as err:
                field, key, self._reason = error_of(err)
                errors[field] = key
            else:
                self._chosen |= {
                    CONF_SERVICE_URL: url,
                    CONF_SERVICE_TOKEN: token,
                    CONF_SERVICE_ID: about.identity,
                    CONF_TOGETHER: user_input[CONF_TOGETHER],
                }
                return self._done()
        return self._form("service", SERVICE_SCHEMA, user_input or self.config_entry.options, errors)

    async def async_step_fast_plate_ocr(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the models, by name or by path."""
        errors: dict[str, str] = {}
        if user_input is not None:
            chosen = {CONF_OCR_CONFIG: "", **user_input}
            if not (errors := await self.hass.async_add_executor_job(_missing, chosen)):
                self._chosen |= chosen
                return await self.async_step_prepare()
        return self._form("fast_plate_ocr", FAST_PLATE_SCHEMA, user_input or self.config_entry.options, errors)

    async def async_step_prepare(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Install, download and load, while the owner watches."""
        if self._preparing is None:
            self._preparing = self.hass.async_create_background_task(self._async_try(), "parkshare fast-plate-ocr")
        if not self._preparing.done():
            return self.async_show_progress(
                step_id="prepare", progress_action="prepare_reader", progress_task=self._preparing
            )
        preparing, self._preparing = self._preparing, None
        try:
            await preparing
        except ReaderUnavailable as err:
            self._reason = f"{err.reason} {err.remedy}"
            return self.async_show_progress_done(next_step_id="prepare_failed")
        return self.async_show_progress_done(next_step_id="prepared")

    async def async_step_prepare_failed(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say why it does not work, and what can be done."""
        return self.async_show_menu(
            step_id="prepare_failed",
            menu_options=["prepare", "fast_plate_ocr", "init"],
            description_placeholders={"reason": self._reason},
        )

    async def async_step_prepared(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Keep the choice."""
        return self._done()

    async def _async_try(self) -> None:
        """Start the reader as it would be used; raises ReaderUnavailable."""
        await async_install(self.hass, anew=True)
        reader = fast_plate_reader(self.hass, self._chosen)
        try:
            await reader.start()
        finally:
            await reader.stop()

    @override
    def async_remove(self) -> None:
        """The dialog was closed: nobody waits any more."""
        if self._preparing is not None:
            self._preparing.cancel()

    def _done(self) -> ConfigFlowResult:
        return self.async_create_entry(data={**self.config_entry.options, **self._chosen})

    def _form(
        self, step_id: str, schema: Any, values: Mapping[str, Any] | None, errors: dict[str, str]
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, values),
            errors=errors,
            description_placeholders={"reason": self._reason},
        )


def _missing(chosen: Mapping[str, Any]) -> dict[str, str]:
    """Check the paths among the models; gives the errors for the form."""
    errors: dict[str, str] = {}
    if is_file(chosen[CONF_OCR]):
        if not Path(chosen[CONF_OCR]).is_file():
            errors[CONF_OCR] = "no_such_file"
        if not Path(chosen[CONF_OCR_CONFIG]).is_file():
            errors[CONF_OCR_CONFIG] = "config_needed" if not chosen[CONF_OCR_CONFIG] else "no_such_file"
    if is_file(chosen[CONF_DETECTOR]) and not Path(chosen[CONF_DETECTOR]).is_file():
        errors[CONF_DETECTOR] = "no_such_file"
    return errors
