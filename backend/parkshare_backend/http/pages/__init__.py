"""The few pages that the server draws itself: no script, one stylesheet, every word escaped."""

import html
from importlib.resources import files
from string import Template

from aiohttp import web

_HERE = files(__package__)
_BASE = Template(_HERE.joinpath("base.html").read_text("utf-8"))
_STYLE = _HERE.joinpath("pages.css").read_text("utf-8")
SERVER_NAME = "ParkShare"


def page(title: str, body: str, *, status: int = 200) -> web.Response:
    """Draw a page; the body is HTML whose variable parts the caller has escaped."""
    text = _BASE.substitute(title=html.escape(title), server=SERVER_NAME, body=body)
    return web.Response(status=status, text=text, content_type="text/html")


async def style(_request: web.Request) -> web.Response:
    """Serve the stylesheet."""
    return web.Response(text=_STYLE, content_type="text/css", headers={"Cache-Control": "public, max-age=3600"})


def setup(app: web.Application) -> None:
    """Add the stylesheet's address."""
    app.router.add_get("/assets/pages.css", style)
