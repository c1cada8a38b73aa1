"""Reader services that announce themselves: by zeroconf in the local network, or as an app by the Supervisor.

Taking one up makes no entry: it becomes the chosen reader of the accounts that this house has linked.
"""

from typing import Any, override

import voluptuous as vol
from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigFlowResult
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    BooleanSelector,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from yarl import URL

from custom_components.parkshare.const import (
    CONF_READER,
    CONF_SERVICE_ID,
    CONF_SERVICE_TOKEN,
    CONF_SERVICE_URL,
    CONF_TOGETHER,
)
from custom_components.parkshare.readers import ReaderKind, kind_of
from custom_components.parkshare.recognition.remote import ServiceError, ServiceReader

from .reader_address import BadReaderAddressError, async_look_up, error_of, normalise_address

READER_SERVICE = "_parkshare-read._tcp.local."

APP_SCHEMA: Any = vol.Schema({vol.Required(CONF_TOGETHER, default=False): BooleanSelector()})
FOUND_SCHEMA: Any = vol.Schema(
    {
        vol.Required(CONF_SERVICE_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL)),
        vol.Required(CONF_SERVICE_TOKEN): TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD)),
        vol.Required(CONF_TOGETHER, default=False): BooleanSelector(),
    }
)


class ReaderDiscovery(ConfigFlow):
    """The part of the config flow that takes up reader services."""

    def __init__(self) -> None:
        self._service: dict[str, Any] = {}
        self._service_name = ""

    @override
    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        """Take up the reader of an app of this Home Assistant. The Supervisor is trusted, and gives the token."""
        config = discovery_info.config
        try:
            url = normalise_address(f"http://{config['host']}:{config['port']}")
            token, identity = str(config.get("token") or ""), str(config.get("id") or discovery_info.uuid)
            self._service = {CONF_SERVICE_URL: url, CONF_SERVICE_TOKEN: token, CONF_SERVICE_ID: identity}
            if (aborted := await self._async_known(identity, discovery_info.name, proven=True)) is not None:
                return aborted
            await async_look_up(async_get_clientsession(self.hass), url, token)
        except (KeyError, BadReaderAddressError, ServiceError) as err:
            return self._not_usable(err)
        return await self.async_step_reader_app()

    async def async_step_reader_found(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take up a reader that announces itself in the local network; a step of async_step_zeroconf."""
        properties = discovery_info.properties
        identity = str(properties.get("id") or "")
        if not identity or discovery_info.port is None:
            return self.async_abort(reason="not_a_reader")
        scheme = "https" if properties.get("tls") == "1" else "http"
        host = f"[{discovery_info.host}]" if ":" in discovery_info.host else discovery_info.host
        try:
            url = normalise_address(f"{scheme}://{host}:{discovery_info.port}")
            self._service = {CONF_SERVICE_URL: url, CONF_SERVICE_ID: identity}
            name = f"{discovery_info.name.removesuffix(f'.{READER_SERVICE}')} ({discovery_info.host})"
            if (aborted := await self._async_known(identity, name, proven=False)) is not None:
                return aborted
            # Without the token: only whether something usable is there at all.
            await self._async_about(url, "")
        except (BadReaderAddressError, ServiceError) as err:
            return self._not_usable(err)
        return await self.async_step_reader_confirm()

    async def async_step_reader_app(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask before the app's reader is used."""
        if user_input is not None:
            return self._choose(user_input[CONF_TOGETHER])
        return self._reader_form("reader_app", APP_SCHEMA, None, {})

    async def async_step_reader_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the token of the reader that was found."""
        errors: dict[str, str] = {}
        reason = ""
        if user_input is not None:
            token = user_input[CONF_SERVICE_TOKEN].strip()
            try:
                url = normalise_address(user_input[CONF_SERVICE_URL])
                about = await async_look_up(async_get_clientsession(self.hass), url, token, must_prove=True)
            except (BadReaderAddressError, ServiceError) as err:
                field, key, reason = error_of(err)
                errors[field] = key
            else:
                self._service = {
                    CONF_SERVICE_URL: url,
                    CONF_SERVICE_TOKEN: token,
                    CONF_SERVICE_ID: about.identity,
                }
                return self._choose(user_input[CONF_TOGETHER])
        return self._reader_form("reader_confirm", FOUND_SCHEMA, user_input or self._service, errors, reason)

    async def _async_known(self, identity: str, name: str, *, proven: bool) -> ConfigFlowResult | None:
        """End the flow where there is nothing to ask: no account is linked, or all of them use this reader already."""
        await self.async_set_unique_id(f"reader {identity}")
        self._abort_if_unique_id_configured()  # one that was ignored
        entries = self._async_current_entries(include_ignore=False)
        if not entries:
            return self.async_abort(reason="no_account_for_reader")
        using = [entry for entry in entries if _uses(entry, identity)]
        for entry in using:
            await self._async_follow(entry, proven=proven)
        if len(using) == len(entries):
            return self.async_abort(reason="reader_already_chosen")
        self._service_name = name
        self.context["title_placeholders"] = {"name": name}
        return None

    async def _async_follow(self, entry: ConfigEntry, *, proven: bool) -> None:
        """Follow a reader to its new address.

        Anybody in the network can announce anything: so only where the old address is dead, and only after what
        answers at the new one has proven that it knows the token, which is not sent. Never from https to http: who
        passes the proof on from the real service would see the pictures.
        """
        found: dict[str, Any] = {
            key: self._service[key] for key in (CONF_SERVICE_URL, CONF_SERVICE_TOKEN) if key in self._service
        }
        if all(entry.options.get(key) == value for key, value in found.items()):
            return
        if not proven:
            token, old = entry.options.get(CONF_SERVICE_TOKEN, ""), entry.options[CONF_SERVICE_URL]
            if not token or (URL(old).scheme == "https" and URL(found[CONF_SERVICE_URL]).scheme != "https"):
                return
            try:
                await self._async_about(old, token)
            except ServiceError:
                pass
            else:
                return
            try:
                await self._async_about(found[CONF_SERVICE_URL], token)
            except ServiceError:
                return
        # The entry reloads by itself.
        self.hass.config_entries.async_update_entry(entry, options={**entry.options, **found})

    async def _async_about(self, url: str, token: str) -> None:
        await ServiceReader(async_get_clientsession(self.hass), url, token).about()

    def _choose(self, together: bool) -> ConfigFlowResult:  # noqa: FBT001 - as it was answered
        """Make it the reader of every account of this house."""
        entries = self._async_current_entries(include_ignore=False)
        if not entries:
            return self.async_abort(reason="no_account_for_reader")
        chosen = {CONF_READER: ReaderKind.SERVICE.value, CONF_TOGETHER: together, **self._service}
        for entry in entries:
            self.hass.config_entries.async_update_entry(entry, options={**entry.options, **chosen})
        return self.async_abort(reason="reader_chosen")

    def _not_usable(self, err: Exception) -> ConfigFlowResult:
        key = err.key if isinstance(err, ServiceError) else "not_a_reader"
        return self.async_abort(reason=f"reader_{key}" if key != "not_a_reader" else key)

    def _reader_form(
        self, step_id: str, schema: Any, values: dict[str, Any] | None, errors: dict[str, str], reason: str = ""
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, values),
            errors=errors,
            description_placeholders={"name": self._service_name, "reason": reason},
        )


def _uses(entry: ConfigEntry, identity: str) -> bool:
    options = entry.options
    return kind_of(options) is ReaderKind.SERVICE and options.get(CONF_SERVICE_ID) == identity
