"""Link a ParkShare backend: find it, show a code, wait for the owner, then add the first space."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, override

import voluptuous as vol
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
    ConfigSubentryFlow,
    FlowType,
    OptionsFlow,
)
from homeassistant.core import callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from yarl import URL

from .const import (
    CONF_ACCOUNT,
    CONF_ACCOUNT_NAME,
    CONF_INSTALL,
    CONF_SEAL_KEY,
    CONF_SERVER,
    CONF_SIGN_KEY,
    CONF_URL,
    DOMAIN,
    SUBENTRY_SPACE,
)
from .flows.options import ReaderOptionsFlow
from .flows.reader import READER_SERVICE, ReaderDiscovery
from .flows.space import SpaceSubentryFlow
from .link import pairing
from .link.keys import BadKeyError, HouseKeys

# Any: at run time these are schemas of Home Assistant's own engine, which voluptuous' types do not know.
URL_SCHEMA: Any = vol.Schema(
    {vol.Required(CONF_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL, autocomplete="url"))}
)
NOTHING_TO_FILL_IN: Any = vol.Schema({})
HTTPS_PORT = 443

# One thing a person can act on each: the key of its text.
ERRORS: Mapping[type[pairing.PairingError], str] = {
    pairing.BadAddressError: "invalid_url",
    pairing.UnreachableError: "cannot_connect",
    pairing.WrongCertificateError: "wrong_certificate",
    pairing.NoHttpsError: "no_https",
    pairing.NotParkShareError: "not_parkshare",
    pairing.VersionMismatchError: "version_mismatch",
    pairing.BackendError: "backend_refused",
    pairing.DeniedError: "denied",
    pairing.ExpiredError: "expired",
}


@dataclass(slots=True)
class Attempt:
    """One try at pairing: the keys made for it, the code, and who waits for the owner."""

    keys: HouseKeys
    code: pairing.Pairing
    waiting: asyncio.Task[pairing.Linked] | None = None


class ParkShareConfigFlow(ReaderDiscovery, domain=DOMAIN):
    """Pair this house with a backend account."""

    VERSION = 1
    MINOR_VERSION = 1

    _attempt: Attempt
    _linked: pairing.Linked
    _failure: str
    _failure_shown: bool

    def __init__(self) -> None:
        super().__init__()
        self._url = ""
        self._card = pairing.ServerCard("", "", "")
        self._reason = ""  # what a backend said that we have no text for

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(cls, config_entry: ConfigEntry) -> dict[str, type[ConfigSubentryFlow]]:
        """Spaces are subentries."""
        return {SUBENTRY_SPACE: SpaceSubentryFlow}

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """The reader of plates is an option."""
        return ReaderOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the address of the backend."""
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := await self._async_begin(user_input[CONF_URL], field=CONF_URL)):
            return await self.async_step_pair()
        return self._form("user", URL_SCHEMA, user_input, errors)

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Take up a backend, or a reader of plates, that announces itself in the local network."""
        if discovery_info.type == READER_SERVICE:
            return await self.async_step_reader_found(discovery_info)
        return await self._async_backend_found(discovery_info)

    async def _async_backend_found(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        server = discovery_info.properties.get("id")
        if not server or discovery_info.port is None:
            return self.async_abort(reason="not_parkshare")
        await self.async_set_unique_id(server)
        self._abort_if_unique_id_configured()  # one that was ignored
        scheme = "https" if discovery_info.port == HTTPS_PORT else "http"
        known: list[ConfigEntry] = []
        host = f"[{discovery_info.host}]" if ":" in discovery_info.host else discovery_info.host
        path = "/" + (discovery_info.properties.get("path") or "").lstrip("/")
        try:
            self._url = pairing.normalise_url(f"{scheme}://{host}:{discovery_info.port}{path}")
            known = [entry for entry in self._async_current_entries(include_ignore=False) if _is_of(entry, server)]
            if known and not any(_lost_in_the_local_network(entry, self._url) for entry in known):
                return self.async_abort(reason="already_configured")
            self._card = await pairing.look_up(async_get_clientsession(self.hass), self._url)
        except pairing.PairingError as err:
            return self.async_abort(reason="already_configured" if known else _key_of(err))
        if self._card.server != server:
            return self.async_abort(reason="not_parkshare")
        for entry in known:
            if _lost_in_the_local_network(entry, self._url):
                # It has another address now; the pairing is the same. The entry reloads by itself.
                self.hass.config_entries.async_update_entry(entry, data={**entry.data, CONF_URL: self._card.url})
        if known:
            return self.async_abort(reason="already_configured")
        self.context["title_placeholders"] = {"name": self._card.name}
        return await self.async_step_zeroconf_confirm()

    async def async_step_zeroconf_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask before anything is sent to a backend that was found."""
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := await self._async_begin(self._url, field="base")):
            return await self.async_step_pair()
        return self._form("zeroconf_confirm", NOTHING_TO_FILL_IN, None, errors)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Pair again: the backend no longer accepts this house's key."""
        self._url = entry_data[CONF_URL]
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask before a new code is made."""
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := await self._async_begin(self._url, field="base")):
            return await self.async_step_pair()
        return self._form("reauth_confirm", NOTHING_TO_FILL_IN, None, errors)

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Change the address of the same backend; the pairing stays."""
        entry = self._get_reconfigure_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            errors = await self._async_look_up(user_input[CONF_URL], field=CONF_URL)
            if not errors and self._card.server != entry.data[CONF_SERVER]:
                errors[CONF_URL] = "different_server"
            if not errors:
                return self.async_update_and_abort(entry, data_updates={CONF_URL: self._url})
        return self._form("reconfigure", URL_SCHEMA, user_input or {CONF_URL: entry.data[CONF_URL]}, errors)

    async def async_step_pair(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the code until the owner has answered."""
        attempt = self._attempt
        if attempt.waiting is None:
            # A background task: the owner may take minutes, and Home Assistant must not wait for that when it stops.
            attempt.waiting = self.hass.async_create_background_task(
                pairing.wait(async_get_clientsession(self.hass), self._url, attempt.code), "parkshare pairing"
            )
        if not attempt.waiting.done():
            return self.async_show_progress(
                step_id="pair",
                progress_action="wait_for_owner",
                progress_task=attempt.waiting,
                description_placeholders={
                    "url": attempt.code.verification_uri_complete,
                    "page": attempt.code.verification_uri,
                    "code": attempt.code.user_code,
                    "fingerprint": attempt.keys.fingerprint,
                },
            )
        try:
            self._linked = await attempt.waiting
        except pairing.PairingError as err:
            self._failure, self._failure_shown = self._error_of(err), False
            return self.async_show_progress_done(next_step_id="pair_failed")
        return self.async_show_progress_done(next_step_id="linked")

    async def async_step_pair_failed(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say why it did not work; submitting asks for a new code."""
        errors = {"base": self._failure}
        # What was entered in the step before comes along here, so only an answer to the shown failure asks again.
        if self._failure_shown and user_input is not None:
            errors = await self._async_begin(self._url, field="base")
            if not errors:
                return await self.async_step_pair()
        self._failure_shown = True
        return self._form("pair_failed", NOTHING_TO_FILL_IN, None, errors)

    async def async_step_linked(self, _user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Store the pairing."""
        linked = self._linked
        sign, seal = self._attempt.keys.private_text()
        data = {
            CONF_URL: self._url,
            CONF_SERVER: linked.server,
            CONF_INSTALL: linked.install,
            CONF_ACCOUNT: linked.account,
            CONF_ACCOUNT_NAME: linked.account_name,
            CONF_SIGN_KEY: sign,
            CONF_SEAL_KEY: seal,
        }
        await self.async_set_unique_id(f"{linked.server}:{linked.account}", raise_on_progress=False)
        if self.source == SOURCE_REAUTH:
            entry = self._get_reauth_entry()
            if linked.server == entry.data[CONF_SERVER]:
                self._abort_if_unique_id_mismatch(reason="wrong_account")
            else:
                # The backend was set up anew: its accounts are new as well, so the owner's approval is what counts.
                self._abort_if_unique_id_configured()
            return self.async_update_and_abort(entry, unique_id=self.unique_id, data_updates=data)
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title=f"{self._card.name} ({linked.account_name})", data=data)

    @override
    async def async_on_create_entry(self, result: ConfigFlowResult) -> ConfigFlowResult:
        """Go straight on to the first space."""
        first_space = await self.hass.config_entries.subentries.async_init(
            (result["result"].entry_id, SUBENTRY_SPACE), context={"source": SOURCE_USER}
        )
        result["next_flow"] = (FlowType.CONFIG_SUBENTRIES_FLOW, first_space["flow_id"])
        return result

    async def _async_begin(self, url: str, *, field: str) -> dict[str, str]:
        """Look who is there and ask for a code; gives the errors for the form."""
        if errors := await self._async_look_up(url, field=field):
            return errors
        keys = HouseKeys.generate()
        if self.source == SOURCE_REAUTH:
            # Plates of bookings that are under way are sealed to the old key: only the signing key is new.
            sign, _ = keys.private_text()
            with suppress(BadKeyError):  # damaged: then both are new
                keys = HouseKeys.from_text(sign=sign, seal=self._get_reauth_entry().data[CONF_SEAL_KEY])
        session = async_get_clientsession(self.hass)
        try:
            code = await pairing.start(session, self._url, name=self.hass.config.location_name, keys=keys)
        except pairing.PairingError as err:
            return {field: self._error_of(err)}
        self._attempt = Attempt(keys, code)
        return {}

    async def _async_look_up(self, url: str, *, field: str) -> dict[str, str]:
        try:
            self._url = pairing.normalise_url(url)
            self._card = await pairing.look_up(async_get_clientsession(self.hass), self._url)
            self._url = self._card.url
        except pairing.PairingError as err:
            return {field: self._error_of(err)}
        return {}

    def _error_of(self, err: pairing.PairingError) -> str:
        self._reason = str(err)
        return _key_of(err)

    def _form(
        self, step_id: str, schema: Any, values: Mapping[str, Any] | None, errors: dict[str, str]
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(schema, values),
            errors=errors,
            description_placeholders={"backend": self._card.name or self._url, "reason": self._reason},
        )


def _key_of(err: pairing.PairingError) -> str:
    """The text of an error."""
    return next(key for kind, key in ERRORS.items() if isinstance(err, kind))


def _is_of(entry: ConfigEntry, server: str) -> bool:
    return bool(entry.data.get(CONF_SERVER) == server)


def _lost_in_the_local_network(entry: ConfigEntry, found_at: str) -> bool:
    """Tell whether an entry has lost a backend that it reached by a bare local address, as routers hand them out.

    Only then: anybody in the network can announce anything, and must not turn https into http or take over a link
    that works.
    """
    url = URL(entry.data[CONF_URL])
    try:
        local = url.scheme == "http" and ip_address(url.host or "").is_private
    except ValueError:
        local = False
    connected = entry.state is ConfigEntryState.LOADED and entry.runtime_data.connected
    return local and not connected and entry.data[CONF_URL] != found_at
