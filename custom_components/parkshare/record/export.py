"""Handing the record out: an action for administrators, and a link by which its file is downloaded.

The link is signed by Home Assistant and good for ten minutes; the file behind it is what that one answer contained.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any, Final

import voluptuous as vol
from aiohttp import web
from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.http import HomeAssistantView
from homeassistant.helpers.service import async_register_admin_service
from homeassistant.util import dt as dt_util, slugify

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.words import async_words

from . import Export
from .chain import BadLineError
from .summary import rendered, summary

if TYPE_CHECKING:
    from custom_components.parkshare.space import SpaceRuntime

EXPORT_RECORD: Final = "export_record"
BOOKING: Final = "booking"
START: Final = "start"
END: Final = "end"
PLATE_KEY: Final = "plate_key"
SCHEMA: Final = cv.make_entity_service_schema(
    {
        vol.Optional(BOOKING): vol.All(cv.string, vol.Length(min=1)),
        vol.Optional(START): cv.datetime,
        vol.Optional(END): cv.datetime,
        vol.Optional(PLATE_KEY, default=False): cv.boolean,
    }
)
URL: Final = "/api/parkshare/record/{export}"
LIFE: Final = timedelta(minutes=10)
MOST_KEPT: Final = 4
SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    content: bytes
    until: float  # by the monotonic clock


class Downloads:
    """The files that can be downloaded now."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}

    def offer(self, name: str, content: bytes) -> str:
        """Keep a file for a while and return the path of its link."""
        self._forget()
        while len(self._files) >= MOST_KEPT:
            del self._files[next(iter(self._files))]
        secret = token_urlsafe(SECRET_BYTES)
        self._files[secret] = _File(name, content, time.monotonic() + LIFE.total_seconds())
        return URL.format(export=secret)

    def get(self, secret: str) -> _File | None:
        """Return a file."""
        self._forget()
        return self._files.get(secret)

    def _forget(self) -> None:
        now = time.monotonic()
        for secret in [secret for secret, file in self._files.items() if file.until <= now]:
            del self._files[secret]


class DownloadView(HomeAssistantView):
    """The file of an export. Home Assistant lets in who is signed in or has a signed link."""

    url = URL
    name = "api:parkshare:record"

    def __init__(self, downloads: Downloads) -> None:
        self._downloads = downloads

    async def get(self, _: web.Request, export: str) -> web.Response:
        """Give the file."""
        if (file := self._downloads.get(export)) is None:
            raise web.HTTPNotFound
        headers = {
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=file.content, content_type="application/jsonl", headers=headers)


@callback
def async_setup_export(hass: HomeAssistant, space_of: Callable[[HomeAssistant, ServiceCall], SpaceRuntime]) -> None:
    """Register the action and the link. space_of finds the space that a call is about."""
    downloads = Downloads()
    hass.http.register_view(DownloadView(downloads))

    async def export_record(call: ServiceCall) -> ServiceResponse:
        return await _async_export(hass, downloads, space_of(hass, call), call)

    # For administrators: a record tells who came and went when.
    async_register_admin_service(
        hass, DOMAIN, EXPORT_RECORD, export_record, SCHEMA, supports_response=SupportsResponse.ONLY
    )


async def _async_export(
    hass: HomeAssistant, downloads: Downloads, runtime: SpaceRuntime, call: ServiceCall
) -> ServiceResponse:
    booking, wants_key = call.data.get(BOOKING), call.data[PLATE_KEY]
    if wants_key and booking is None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="record_plate_key_needs_booking")
    try:
        export = await runtime.record.async_export(
            booking=booking,
            start=_time(call.data.get(START), -inf),
            end=_time(call.data.get(END), inf),
            plate=wants_key,
        )
    except OSError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="record_not_read",
            translation_placeholders={"error": err.strerror or type(err).__name__},
        ) from err
    except BadLineError as err:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="record_changed") from err
    if booking is not None and not any(entry.booking == booking for entry in export.entries):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="record_unknown_booking")
    name = f"parkshare-record-{slugify(runtime.subentry.title)}.jsonl"
    link = downloads.offer(name, "".join(f"{line}\n" for line in export.lines).encode())
    answer: dict[str, Any] = {
        "space": runtime.space_id,
        "head": export.head,
        "keys": list(export.keys),
        "shown": sum(bool(entry.kind) for entry in export.entries),
        "hidden": sum(not entry.kind for entry in export.entries),
        "download": async_sign_path(hass, link, LIFE),
        "lines": export.lines,
    }
    if booking is not None:
        answer |= await _async_told(hass, export, booking)
    if export.plate_key:
        answer["plate_key"] = export.plate_key
    return answer


async def _async_told(hass: HomeAssistant, export: Export, booking: str) -> dict[str, Any]:
    told = summary(export.entries, booking)
    return {"summary": told.document(), "text": rendered(told, await async_words(hass))}


def _time(given: datetime | None, else_: float) -> float:
    """Return UTC epoch seconds; a time without a zone is one of the house."""
    return else_ if given is None else dt_util.as_utc(given).timestamp()
