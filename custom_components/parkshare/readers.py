"""Which reader of plates an entry uses, as its owner chose it in the options, and what that needs."""

import os
from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.requirements import RequirementsNotFound, async_clear_install_history, async_process_requirements

from . import issues
from .const import (
    CONF_DETECTOR,
    CONF_OCR,
    CONF_OCR_CONFIG,
    CONF_READER,
    CONF_SERVICE_TOKEN,
    CONF_SERVICE_URL,
    CONF_TOGETHER,
    DOMAIN,
)
from .recognition import EmbeddedReader, Reader, ReaderUnavailable
from .recognition.fast_plate import DEFAULT_DETECTOR, DEFAULT_MODEL, FastPlateModels, FastPlateReader
from .recognition.panel import Panel
from .recognition.remote import ServiceReader


class ReaderKind(StrEnum):
    """The readers to choose from."""

    EMBEDDED = "embedded"
    FAST_PLATE_OCR = "fast_plate_ocr"
    SERVICE = "service"


# Installed on demand into Home Assistant's own environment, under its constraints (docs/decisions/0006).
FAST_PLATE_REQUIREMENTS: Final = ("fast-plate-ocr==1.1.0", "onnxruntime==1.32.0", "open-image-models==0.6.0")
NO_DETECTOR: Final = "none"


def reader_of(hass: HomeAssistant, entry: ConfigEntry, embedded: EmbeddedReader) -> Reader:
    """The reader that the entry's options name. The embedded one is the default, and the fallback of all others."""
    chosen: Reader
    match kind_of(entry.options):
        case ReaderKind.SERVICE:
            options = entry.options
            session = async_get_clientsession(hass)
            chosen = ServiceReader(session, options[CONF_SERVICE_URL], options.get(CONF_SERVICE_TOKEN, ""))
        case ReaderKind.FAST_PLATE_OCR:
            chosen = fast_plate_reader(hass, entry.options)
        case _:
            return embedded
    return Panel(
        chosen,
        embedded,
        together=bool(entry.options.get(CONF_TOGETHER)),
        told=partial(issues.async_reader_trouble, hass, entry),
    )


def kind_of(options: Mapping[str, Any]) -> ReaderKind:
    """Tell which reader options name; one that is not known any more means the embedded one."""
    try:
        return ReaderKind(options.get(CONF_READER, ReaderKind.EMBEDDED))
    except ValueError:
        return ReaderKind.EMBEDDED


def fast_plate_reader(hass: HomeAssistant, options: Mapping[str, Any]) -> FastPlateReader:
    """Make the reader; its packages are installed when it starts. Downloaded models stay out of backups."""
    detector = options.get(CONF_DETECTOR, DEFAULT_DETECTOR)
    models = FastPlateModels(
        ocr=options.get(CONF_OCR, DEFAULT_MODEL),
        ocr_config=options.get(CONF_OCR_CONFIG, ""),
        detector="" if detector == NO_DETECTOR else detector,
        folder=hass.config.cache_path(DOMAIN, "fast-plate-ocr"),
    )
    return FastPlateReader(models, prepare=partial(async_install, hass))


async def async_prepare(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Install what the chosen reader needs, if it is missing: better now than when a car comes. Tells of failure."""
    if kind_of(entry.options) is not ReaderKind.FAST_PLATE_OCR:
        return
    try:
        await async_install(hass)
    except ReaderUnavailable as err:
        issues.async_reader_trouble(hass, entry, f"{err.reason} {err.remedy}")


async def async_install(hass: HomeAssistant, *, anew: bool = False) -> None:
    """Install the packages of fast-plate-ocr; raises ReaderUnavailable. anew forgets that it failed before."""
    if not has_glibc():
        raise ReaderUnavailable(
            "fast-plate-ocr needs a system with glibc. Home Assistant OS and Container are built on musl, for which "
            "its packages do not exist.",
            "Run the reader service as an app or on another machine and choose that, or choose the built-in reader.",
        )
    if anew:
        async_clear_install_history(hass)
    try:
        await async_process_requirements(hass, DOMAIN, list(FAST_PLATE_REQUIREMENTS), is_built_in=False)
    except RequirementsNotFound as err:
        raise ReaderUnavailable(
            f"The packages of fast-plate-ocr could not be installed ({', '.join(err.requirements)}).",
            "Check the internet connection and the log, then choose the reader once more in ParkShare's options. Or "
            "run the reader service on another machine and choose that.",
        ) from err


def has_glibc() -> bool:
    """Tell whether this system's C library is glibc."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except ValueError, OSError:
        return False
