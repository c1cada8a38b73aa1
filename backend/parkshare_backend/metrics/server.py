"""The private port on which the metrics are read; it knows one address and no caller."""

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from parkshare_backend.metrics.registry import Metrics

log = structlog.get_logger()


class MetricsServer:
    """Serves `/metrics` beside the API, on an address of its own."""

    def __init__(self, metrics: Metrics, *, host: str, port: int) -> None:
        self._metrics = metrics
        self._host = host
        self.port = port  # once it listens, the one that the system chose for 0
        app = web.Application()
        app.router.add_get("/metrics", self._read)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

    async def start(self) -> None:
        """Listen."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self.port).start()
        self.port = self._runner.addresses[0][1]
        log.info("metrics.listening", host=self._host, port=self.port)

    async def stop(self) -> None:
        """Listen no more."""
        await self._runner.cleanup()

    async def _read(self, _request: web.Request) -> web.Response:
        return web.Response(body=await self._metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})
