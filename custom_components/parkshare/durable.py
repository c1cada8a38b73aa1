"""A Store that says when it could not write.

Home Assistant's Store logs a failed write and goes on. What we acknowledge to the backend must be on disk, so here
a failed write is an error, and the file is replaced atomically (written, synced, renamed).
"""

from collections.abc import Callable
from typing import Any, override

from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.storage import Store
from homeassistant.util.file import WriteError
from homeassistant.util.json import SerializationError

from .const import DOMAIN


class NotStoredError(HomeAssistantError):
    """Something could not be written: the disk is full, or the folder is not writable."""


# Makes a document of an earlier minor version one of this; it also gets those of a later one, and leaves them alone.
type Upgrade = Callable[[int, dict[str, Any]], dict[str, Any]]


def _as_it_is(_minor: int, document: dict[str, Any]) -> dict[str, Any]:
    return document


class DurableStore(Store[dict[str, Any]]):
    """One JSON document of ours under .storage: private, atomic, and loud when it cannot be written."""

    def __init__(
        self, hass: HomeAssistant, version: int, key: str, *, minor: int = 1, upgrade: Upgrade = _as_it_is
    ) -> None:
        super().__init__(hass, version, f"{DOMAIN}.{key}", private=True, atomic_writes=True, minor_version=minor)
        self._upgrade = upgrade
        self._failure: Exception | None = None

    @override
    async def _async_migrate_func(
        self, old_major_version: int, old_minor_version: int, old_data: dict[str, Any]
    ) -> dict[str, Any]:
        return self._upgrade(old_minor_version, old_data)

    @override
    async def async_save(self, data: dict[str, Any]) -> None:
        """Write now; on return the document is on disk.

        Raises NotStoredError when the write failed.
        """
        self._failure = None
        await super().async_save(data)
        if self.hass.state is CoreState.stopping:
            # Store leaves it to the final write then, which a kill or a power cut would never reach.
            await self._async_handle_write_data()  # type: ignore[no-untyped-call]
        self._tell_failure()

    def _tell_failure(self) -> None:
        if (failure := self._failure) is None:
            return
        # What could not be made JSON is named with its value, and that may be a plate.
        unwritable = isinstance(failure, SerializationError)
        raise NotStoredError(
            translation_domain=DOMAIN,
            translation_key="not_stored",
            translation_placeholders={"error": type(failure).__name__ if unwritable else str(failure)},
        ) from (None if unwritable else failure)

    @override
    async def _async_write_data(self, data: dict[str, Any]) -> None:
        try:
            await super()._async_write_data(data)
        except (SerializationError, WriteError) as err:
            self._failure = err
            raise
        except OSError as err:
            self._failure = err
