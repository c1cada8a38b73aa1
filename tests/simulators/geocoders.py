"""Services that know addresses, as far as their answers go: Nominatim, Photon and Pelias on 127.0.0.1.

The shapes are those of nominatim.org/release-docs (format=json), komoot/photon (GeoJSON) and pelias/documentation.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

LINDENWEG = ("Lindenweg 4, 80331 München, Deutschland", 48.1371, 11.5754)


@dataclass
class FakeGeocoder:
    """Answers every question with `places`, unless told to misbehave; keeps what it was asked."""

    places: list[tuple[str, float, float]] = field(default_factory=lambda: [LINDENWEG])
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None  # an answer that is none
    slow: asyncio.Event | None = None  # until it is set nothing is answered
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)  # path, query, User-Agent

    async def start(self) -> TestServer:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        server = TestServer(app)
        await server.start_server()
        return server

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, dict(request.query), request.headers["User-Agent"]))
        if self.slow is not None:
            await self.slow.wait()
        if self.raw is not None:
            return web.Response(body=self.raw, content_type="application/json", status=self.status)
        if self.status != 200:
            return web.Response(status=self.status, headers=self.headers)
        return web.json_response(self._document(request.path, dict(request.query)))

    def _document(self, path: str, query: dict[str, str]) -> Any:
        if query.get("format") == "json":
            if path == "/search":
                return [self._nominatim(*place) for place in self.places]
            return self._nominatim(*self.places[0]) if self.places else {"error": "Unable to geocode"}
        return {"type": "FeatureCollection", "features": [self._feature(*place) for place in self.places]}

    @staticmethod
    def _nominatim(label: str, lat: float, lon: float) -> dict[str, str]:
        return {"place_id": "1", "licence": "ODbL", "lat": str(lat), "lon": str(lon), "display_name": label}

    @staticmethod
    def _feature(label: str, lat: float, lon: float) -> dict[str, Any]:
        return {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
            "properties": {"name": label, "label": label},
        }
