"""What a plate source is."""

from collections.abc import Callable
from typing import Protocol

from custom_components.parkshare.recognition.types import Look


class PlateSource(Protocol):
    """Something that tells which plates it read while the space looks for a car."""

    name: str
    # Whether it reads anyhow, so that listening at other times than for a booked car turns nothing on.
    always_on: bool

    async def async_start(self, heard: Callable[[Look], None], trouble: Callable[[str], None]) -> None:
        """Begin: only readings taken from now on are told, and a camera of the source's own is turned on.

        Never raises for a source that does not work: trouble then gets a text for the owner, each at most once.
        """

    async def async_stop(self) -> None:
        """No more looks; a camera of the source's own is off again. May be called at any time and more than once."""
