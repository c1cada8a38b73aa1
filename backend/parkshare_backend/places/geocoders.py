"""Services that know addresses, behind one interface."""

from typing import Protocol

from parkshare_backend.places.found import Found
from parkshare_backend.spaces.geometry import Point


class ServiceError(Exception):
    """The service does not answer, or not with places. wait_s: how long it is to be left alone, if it said so."""

    def __init__(self, reason: str, *, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s


class Geocoder(Protocol):
    """A service that knows addresses."""

    name: str
    attribution: str

    async def search(self, text: str, *, near: Point | None, limit: int) -> list[Found]:
        """Give places for a text, best first; raise ServiceError when the service fails."""

    async def reverse(self, point: Point) -> list[Found]:
        """Give the address at a point; raise ServiceError when the service fails."""

    async def close(self) -> None:
        """End its connections."""
