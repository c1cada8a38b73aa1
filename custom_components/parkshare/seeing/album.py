"""The pictures of a space that its owner may look at: few, only in this house, and gone after their time.

They lie in Home Assistant's cache folder, which is in no backup and which no web server shows; the names of the files
tell the space, the kind and the time, never a plate.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from custom_components.parkshare.const import LOGGER

FOLDER: Final = "parkshare_pictures"
USUAL_HOURS: Final = 24.0
# How the files that a reader can open begin.
CONTENT_TYPES: Final = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
BEGINNINGS: Final = {b"\xff\xd8\xff": "jpg", b"\x89PNG": "png", b"RIFF": "webp"}


class Kept(StrEnum):
    """What a picture is kept for; there is at most one of each kind."""

    LAST = "last_look"  # behind the last decision about a car
    TEST = "camera_test"


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """One kept picture; at is when it was taken (UTC epoch seconds)."""

    kind: Kept
    at: float
    content_type: str
    deadline: float  # when it has to go (UTC epoch seconds)
    path: Path = field(repr=False)


class Album:
    """The kept pictures of one space; hours is for how long, 0 for not at all."""

    def __init__(self, hass: HomeAssistant, space_id: str, *, hours: float = USUAL_HOURS) -> None:
        self.hours = hours
        self._hass = hass
        self._space_id = space_id
        self._kept: dict[Kept, KeptPicture] = {}
        self._one_at_a_time = asyncio.Lock()
        self._timer: CALLBACK_TYPE | None = None
        self._listeners: list[Callable[[], None]] = []
        self._stopped = False

    async def async_load(self) -> None:
        """Find what an earlier run has kept; what is too old by now is deleted."""
        async with self._one_at_a_time:
            try:
                paths = await self._hass.async_add_executor_job(_find, _folder(self._hass), self._space_id)
            except OSError as err:
                LOGGER.warning("The kept pictures could not be looked up: %s", err.strerror)
                return
            self._kept = {
                name.kind: KeptPicture(name.kind, name.at, name.content_type, self._deadline(name.at), path)
                for path, name in paths.items()
            }
        await self._async_expire()

    async def async_keep(self, kind: Kept, content: bytes, at: float) -> bool:
        """Keep a picture in place of the one before; at is when it was taken. Returns whether it is on disk."""
        extension = next((name for start, name in BEGINNINGS.items() if content.startswith(start)), None)
        if self.hours <= 0 or extension is None:
            return False
        at = round(at, 3)  # as the name of the file tells it to the next run
        path = _folder(self._hass) / f"{self._space_id}.{kind}.{round(at * 1000)}.{extension}"
        async with self._one_at_a_time:
            before = self._kept.get(kind)
            try:
                await self._hass.async_add_executor_job(_write, path, content)
                if before is not None and before.path != path:
                    await self._hass.async_add_executor_job(_delete, before.path)
            except OSError as err:
                LOGGER.warning("A picture could not be kept: %s", err.strerror)
                return False
            self._kept[kind] = KeptPicture(kind, at, CONTENT_TYPES[extension], self._deadline(at), path)
        await self._async_expire()
        return kind in self._kept

    def kept(self, kind: Kept) -> KeptPicture | None:
        """Return what is known of a kept picture."""
        return self._kept.get(kind)

    async def async_content(self, kind: Kept) -> bytes | None:
        """Return a kept picture as it was taken, None where there is none."""
        if (picture := self._kept.get(kind)) is None:
            return None
        with suppress(OSError):
            return await self._hass.async_add_executor_job(picture.path.read_bytes)
        return None

    @callback
    def async_add_listener(self, update: Callable[[], None]) -> CALLBACK_TYPE:
        """Call update after each change; returns what ends that."""
        self._listeners.append(update)
        return lambda: self._listeners.remove(update)

    @callback
    def stop(self) -> None:
        """End the timer, for good; the next run takes it up from the files."""
        self._stopped = True
        self._end_timer()

    def _end_timer(self) -> None:
        if self._timer:
            self._timer()
            self._timer = None

    async def _async_expire(self, _now: datetime | None = None) -> None:
        """Delete what is too old, and come again when the next one will be."""
        async with self._one_at_a_time:
            now = dt_util.utcnow().timestamp()
            for picture in [picture for picture in self._kept.values() if picture.deadline <= now]:
                try:
                    await self._hass.async_add_executor_job(_delete, picture.path)
                except OSError as err:
                    LOGGER.warning("An old picture could not be deleted: %s", err.strerror)
                del self._kept[picture.kind]
            self._end_timer()
            if self._kept and not self._stopped:
                at = datetime.fromtimestamp(min(picture.deadline for picture in self._kept.values()), UTC)
                self._timer = async_track_point_in_utc_time(self._hass, self._async_expire, at)
        for update in tuple(self._listeners):
            update()

    def _deadline(self, at: float) -> float:
        """Return when a picture has to go. One from the future was taken before the clock was set back."""
        return min(at, dt_util.utcnow().timestamp()) + self.hours * 3600


async def async_remove_album(hass: HomeAssistant, space_id: str) -> None:
    """Delete all pictures of a space: it is gone."""

    def remove() -> None:
        for path in _files(_folder(hass), space_id):
            path.unlink(missing_ok=True)

    try:
        await hass.async_add_executor_job(remove)
    except OSError as err:
        LOGGER.warning("The pictures of a space that is gone could not be deleted: %s", err.strerror)


def _folder(hass: HomeAssistant) -> Path:
    return Path(hass.config.cache_path(FOLDER))


def _files(folder: Path, space_id: str) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.name.startswith(f"{space_id}.")]


class _Name(NamedTuple):
    """What the name of a file tells."""

    kind: Kept
    at: float
    content_type: str


def _find(folder: Path, space_id: str) -> dict[Path, _Name]:
    """Read the album from the names of its files; what a power cut left half-done or twice is deleted."""
    names = {path: _name_of(path) for path in _files(folder, space_id)}
    newest: dict[Kept, Path] = {}
    for path, name in sorted(((path, name) for path, name in names.items() if name), key=lambda pair: pair[1].at):
        newest[name.kind] = path
    for path in names.keys() - set(newest.values()):
        _delete(path)
    return {path: name for path, name in names.items() if name and path in newest.values()}


def _name_of(path: Path) -> _Name | None:
    try:
        _, kind, at, extension = path.name.rsplit(".", 3)
        return _Name(Kept(kind), int(at) / 1000, CONTENT_TYPES[extension])
    except ValueError, KeyError:
        return None


def _write(path: Path, content: bytes) -> None:
    """Write a file that only Home Assistant's user may read, complete or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)
