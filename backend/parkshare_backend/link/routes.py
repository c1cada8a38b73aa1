"""The address of the link."""

from aiohttp import web

from parkshare_backend import keys
from parkshare_backend.link.session import serve_link

PATH = "/api/v1/link"


async def link(request: web.Request) -> web.WebSocketResponse:
    """Speak the link protocol with a house."""
    return await serve_link(request, service=request.app[keys.LINK], random=request.app[keys.RANDOM])


def setup(app: web.Application) -> None:
    """Add the one address; a WebSocket is no operation of the OpenAPI document."""
    app.router.add_get(PATH, link, allow_head=False)
