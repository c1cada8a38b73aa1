"""The codes of one space: the secret behind the code that is shown there, and how often wrong ones were given.

Both are on disk: a restart makes no code invalid that a renter is just typing, and gives nobody new tries.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from homeassistant.core import HomeAssistant
from pyotp import random_base32

from custom_components.parkshare.const import LOGGER
from custom_components.parkshare.durable import DurableStore, NotStoredError
from custom_components.parkshare.gate.grant import Grant

from .rotating import OnsiteCode, is_onsite_code, is_shown_code, onsite_code
from .tries import tries_left, with_wrong

STORE_VERSION: Final = 1
SECRET_LENGTH: Final = 32  # signs of base32: 20 random bytes, the length that RFC 4226 section 4 recommends


class Why(StrEnum):
    """What came of a code."""

    RIGHT = "right"
    WRONG = "wrong"
    NO_TRIES = "no_tries"  # not looked at: too many wrong ones came before it
    BARRED = "barred"  # not looked at: the owner has refused this car


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """What came of a code that was given for a booking, and how many more wrong ones are looked at."""

    right: bool
    tries_left: int
    why: Why


def codes_store_of(hass: HomeAssistant, space_id: str) -> DurableStore:
    """Where the codes of a space are kept."""
    return DurableStore(hass, STORE_VERSION, f"codes.{space_id}")


class SpaceCodes:
    """The codes of one space. guessed is called once for each booking whose tries are used up."""

    def __init__(self, hass: HomeAssistant, space_id: str, title: str, *, guessed: Callable[[], None]) -> None:
        self._store = codes_store_of(hass, space_id)
        self._title = title
        self._guessed = guessed
        self._secret = ""
        self._tries: dict[str, tuple[float, ...]] = {}
        self._told: set[str] = set()
        self._loading = asyncio.Lock()
        self._saving = asyncio.Lock()
        self._loaded = False

    async def async_onsite(self, now: float) -> OnsiteCode:
        """Return the code that is shown at the space now."""
        await self._async_load()
        return onsite_code(self._secret, now)

    async def async_check(self, grant: Grant, given: str, now: float, *, on_site: bool) -> CodeCheck:
        """Look at a code that was given for a booking, and count it when it is wrong.

        on_site: it was typed at the space itself. Only there is the renter's own code right too: from afar it would
        show who the renter is, but not that they are here.
        """
        await self._async_load()
        if not tries_left(self._tries, grant.booking, now):
            LOGGER.info("%s: a code is not looked at, too many were wrong", self._title)
            return CodeCheck(right=False, tries_left=0, why=Why.NO_TRIES)
        if is_onsite_code(self._secret, given, now) or (on_site and is_shown_code(grant, given, now)):
            LOGGER.info("%s: a right code was given", self._title)
            return CodeCheck(right=True, tries_left=tries_left(self._tries, grant.booking, now), why=Why.RIGHT)
        self._tries = with_wrong(self._tries, grant.booking, now)
        left = tries_left(self._tries, grant.booking, now)
        LOGGER.info("%s: a wrong code was given; tries left: %d", self._title, left)
        if not left and grant.booking not in self._told:
            self._told.add(grant.booking)
            self._guessed()
        await self._async_save()
        return CodeCheck(right=False, tries_left=left, why=Why.WRONG)

    async def _async_load(self) -> None:
        """Read what is stored; the secret is made on first use."""
        async with self._loading:
            if self._loaded:
                return
            self._take_over(await self._store.async_load() or {})
            if not self._secret:
                self._secret = random_base32(SECRET_LENGTH)
                await self._async_save()
            self._loaded = True

    def _take_over(self, stored: dict[str, Any]) -> None:
        try:
            secret = str(stored.get("secret", ""))
            tries = {str(booking): tuple(map(float, times)) for booking, times in stored.get("tries", {}).items()}
            told = {str(booking) for booking in stored.get("told", ())}
            onsite_code(secret, 0.0)
        except AttributeError, TypeError, ValueError:
            # The code changes once more than usual; whoever stands there reads the new one.
            LOGGER.warning("%s: its codes cannot be read from disk; they start anew", self._title)
            return
        self._secret, self._tries, self._told = secret, tries, told

    async def _async_save(self) -> None:
        async with self._saving:
            # Whose tries count no longer is forgotten, and told of anew: it is another attack by then.
            self._told &= self._tries.keys()
            tries = {booking: list(times) for booking, times in self._tries.items()}
            try:
                await self._store.async_save({"secret": self._secret, "tries": tries, "told": sorted(self._told)})
            except NotStoredError:
                # They count until the next start all the same, and a renter in the rain must not wait for a disk.
                LOGGER.exception("%s: its codes cannot be stored", self._title)
