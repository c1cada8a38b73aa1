"""The services whose dialects geopy speaks: Nominatim, Photon and Pelias.

geopy gets numbers as tuples and never a text of a stranger as a point (GHSA-mhvh-fq92-pfmr), its errors are not
swallowed, and what a service answers is read up to MAX_ANSWER bytes and checked before anybody sees it.
"""

import json
import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientTimeout
from geopy.adapters import AdapterHTTPError, AioHTTPAdapter  # type: ignore[import-untyped]
from geopy.exc import GeocoderRateLimited, GeocoderServiceError, GeocoderTimedOut  # type: ignore[import-untyped]
from geopy.geocoders import Nominatim, Pelias, Photon  # type: ignore[import-untyped]
from geopy.location import Location  # type: ignore[import-untyped]

from parkshare_backend.places.found import Found, from_service
from parkshare_backend.places.geocoders import ServiceError
from parkshare_backend.spaces.geometry import Point

MAX_ANSWER = 1_000_000  # bytes
NEAR_DEG = 0.5  # half the side of the box in which Nominatim prefers what it finds
OSM = "© OpenStreetMap contributors (ODbL)"
ATTRIBUTIONS = {"nominatim": OSM, "photon": OSM, "pelias": f"{OSM}, and the other sources of the Pelias server"}
PUBLIC = {"nominatim": "https://nominatim.openstreetmap.org", "photon": "https://photon.komoot.io"}

# At its info and debug levels geopy writes what people look for, and whole answers.
logging.getLogger("geopy").setLevel(logging.WARNING)


class BoundedAdapter(AioHTTPAdapter):  # type: ignore[misc]  # geopy has no types
    """geopy's own, but no answer is read without end and no redirect leads anywhere else."""

    async def get_json(self, url: str, *, timeout: float, headers: dict[str, str]) -> Any:  # noqa: ASYNC109 - geopy's
        """Get a JSON document."""
        with self._normalize_exceptions():
            wait = ClientTimeout(total=timeout)
            async with self.session.get(url, timeout=wait, headers=headers, allow_redirects=False) as response:
                if response.status != 200:  # noqa: PLR2004 - anything else is no answer
                    raise AdapterHTTPError(
                        f"status {response.status}", status_code=response.status, headers=response.headers, text=""
                    )
                body = b""
                async for piece in response.content.iter_chunked(65_536):
                    body += piece
                    if len(body) > MAX_ANSWER:
                        raise ValueError("the answer is too large")
                return json.loads(body)


class GeopyGeocoder:
    """Nominatim, Photon or Pelias at an address."""

    def __init__(self, name: str, *, url: str, user_agent: str, timeout_s: float, key: str = "") -> None:
        self.name = name
        self.attribution = ATTRIBUTIONS[name]
        parts = urlsplit(url or PUBLIC[name])
        options: dict[str, Any] = {
            "domain": parts.netloc + parts.path.rstrip("/"), "scheme": parts.scheme, "user_agent": user_agent,
            "timeout": timeout_s, "adapter_factory": BoundedAdapter,
        }  # fmt: skip
        self._geocoder: Any
        if name == "nominatim":
            self._geocoder = Nominatim(**options)
        elif name == "photon":
            self._geocoder = Photon(**options)
        else:
            self._geocoder = Pelias(api_key=key or None, **options)

    async def search(self, text: str, *, near: Point | None, limit: int) -> list[Found]:
        """Give places for a text, best first; raise ServiceError when the service fails."""
        options: dict[str, Any] = {"exactly_one": False}
        if self.name != "pelias":
            options["limit"] = limit
        if near is not None and self.name == "nominatim":
            options["viewbox"] = [
                (max(-90.0, near.lat - NEAR_DEG), max(-180.0, near.lon - NEAR_DEG)),
                (min(90.0, near.lat + NEAR_DEG), min(180.0, near.lon + NEAR_DEG)),
            ]
        if near is not None and self.name == "photon":
            options["location_bias"] = (near.lat, near.lon)
        return (await self._ask(self._geocoder.geocode, text, **options))[:limit]

    async def reverse(self, point: Point) -> list[Found]:
        """Give the address at a point; raise ServiceError when the service fails."""
        return (await self._ask(self._geocoder.reverse, (point.lat, point.lon), exactly_one=False))[:1]

    async def close(self) -> None:
        """End its connections."""
        await self._geocoder.adapter.__aexit__(None, None, None)

    async def _ask(self, call: Any, *args: Any, **options: Any) -> list[Found]:
        try:
            locations: Sequence[Location] | None = await call(*args, **options)
            said = [(self._label(location), location.latitude, location.longitude) for location in locations or ()]
        except GeocoderTimedOut:
            raise ServiceError("timed-out") from None
        except GeocoderRateLimited as error:
            raise ServiceError("rate-limited", wait_s=error.retry_after) from None
        except GeocoderServiceError as error:
            raise ServiceError(type(error).__name__) from None
        except Exception as error:
            # geopy takes an answer apart without looking: garbage ends in any error there is.
            raise ServiceError(f"garbage: {type(error).__name__}") from error
        found = [from_service(*one, source=self.name) for one in said]
        return [one for one in found if one is not None]

    def _label(self, location: Location) -> object:
        # geopy takes the name of a Pelias place, which is its street and number, without its town
        return location.raw["properties"]["label"] if self.name == "pelias" else location.address
