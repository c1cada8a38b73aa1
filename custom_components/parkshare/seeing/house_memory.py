"""What all spaces of a house remember together of the plates that they saw: digests, under a key of this run alone."""

import secrets
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from custom_components.parkshare.recognition import Look, Reading, fold, normalise

from .oddities import Digest, Oddities

# Weaker readings, shorter ones and those without a digit may be lettering, or a plate read wrongly.
SURE: Final = 0.8
SHORTEST: Final = 4


class HouseMemory:
    """The oddities of a house, and the key that turns plates into digests. Nothing of it is stored."""

    def __init__(self) -> None:
        self.oddities = Oddities()
        # The names of the spaces, for people.
        self.titles: dict[str, str] = {}
        self._key = secrets.token_bytes(32)

    def digest(self, plate: str) -> Digest:
        """Return what stands for a plate."""
        return blake2b(fold(normalise(plate)).encode(), key=self._key, digest_size=16).digest()

    def digests(self, look: Look) -> Iterator[Digest]:
        """Return what stands for the plates that were surely read in a picture."""
        return (self.digest(reading.text) for reading in look.readings if self.is_sure(reading))

    def is_sure(self, reading: Reading) -> bool:
        """Tell whether a reading is surely a plate, and surely this one."""
        text = normalise(reading.text)
        sure = min(reading.confidences, default=0.0) >= SURE
        return sure and len(text) >= SHORTEST and any(character.isdigit() for character in text)


MEMORY: Final[HassKey[HouseMemory]] = HassKey("parkshare_house_memory")


@callback
def house_memory(hass: HomeAssistant) -> HouseMemory:
    """Return the memory that all spaces of this Home Assistant share, whatever their account."""
    return hass.data.setdefault(MEMORY, HouseMemory())
