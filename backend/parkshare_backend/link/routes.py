"""The address of the link."""

from aiohttp import web

from parkshare_backend import keys
from parkshare_backend.link.proof import is_ours, make_challenge
from parkshare_backend.link.session import serve_link

PATH = "/api/v1/link"


async def link(request: web.Request) -> web.WebSocketResponse:
    """Speak the link protocol with a house."""
    app = request.app
    arrived_at = request.transport.get_extra_info("sockname") if request.transport else None
    ours = is_ours(
        request.host,
        public_url=app[keys.SETTINGS].public_url,
        own_address=str(arrived_at[0]) if arrived_at else "",
    )
    challenge = make_challenge(request.host, ours=ours, now=app[keys.CLOCK].now(), random=app[keys.RANDOM])
    return await serve_link(request, service=app[keys.LINK], challenge=challenge)


def setup(app: web.Application) -> None:
    """Add the one address; a WebSocket is no operation of the OpenAPI document."""
    app.router.add_get(PATH, link, allow_head=False)
