"""The page on which the owner draws where plates are on the camera's picture, and the pictures that flows show."""

import json
from html import escape
from http import HTTPStatus
from pathlib import Path
from secrets import token_urlsafe
from string import Template
from typing import Any, Final

from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.helpers.http import HomeAssistantView

from custom_components.parkshare.recognition import Region
from custom_components.parkshare.recognition.advice import GLANCE_PIXELS, GLANCE_PLATE_WIDTH, LEAST_PLATE_WIDTH

from .tickets import Question, Ticket, Tickets

PAGE_URL: Final = "/api/parkshare/region/{secret}"
PICTURE_URL: Final = "/api/parkshare/picture/{secret}"
FOLDER: Final = Path(__file__).parent / "page"
MOST_ANSWER: Final = 1000  # bytes
# A smaller region is a slip of the finger: no car fits in.
LEAST_EDGE: Final = 0.05

# Nothing of this is kept anywhere, shown inside another page, or told to another server.
PRIVATE: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICY: Final = (
    "default-src 'none'; img-src 'self'; connect-src 'self'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class BadRegionError(ValueError):
    """What was drawn is no usable region."""


def region_of(edges: Any) -> Region:
    """Turn what a browser or a form says into a region; raises BadRegionError."""
    try:
        left, top, right, bottom = (round(float(edge), 4) for edge in edges)
        region = Region(left, top, right, bottom)
    except (TypeError, ValueError, OverflowError) as err:
        raise BadRegionError from err
    if min(region.right - region.left, region.bottom - region.top) < LEAST_EDGE - 1e-9:
        raise BadRegionError
    return region


async def async_register_pages(hass: HomeAssistant, tickets: Tickets) -> None:
    """Make the pages reachable. Without a valid secret they show nothing."""
    page = await hass.async_add_executor_job(_page)
    hass.http.register_view(RegionPageView(tickets, page))
    hass.http.register_view(PictureView(tickets))


class PictureView(HomeAssistantView):
    """The picture of a link."""

    url = PICTURE_URL
    name = "api:parkshare:picture"
    requires_auth = False  # an <img> carries no key; the address does

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets

    async def get(self, _: web.Request, secret: str) -> web.Response:
        """Show it."""
        ticket = _valid(self._tickets.get(secret))
        return web.Response(body=ticket.content, content_type=ticket.content_type, headers=PRIVATE)


class RegionPageView(HomeAssistantView):
    """The page of a link that asks something."""

    url = PAGE_URL
    name = "api:parkshare:region"
    requires_auth = False  # it opens in a browser that may not be signed in; the address is the key

    def __init__(self, tickets: Tickets, page: Template) -> None:
        self._tickets = tickets
        self._page = page

    async def get(self, _: web.Request, secret: str) -> web.Response:
        """Show the page."""
        question = _asked(self._tickets.get(secret))
        nonce = token_urlsafe(16)
        text = self._page.substitute(
            nonce=nonce,
            language=question.language,
            title=escape(question.texts["title"]),
            picture=PICTURE_URL.format(secret=secret),
            settings=_inert(json.dumps(_settings(question))),
        )
        question.opened()
        headers = PRIVATE | {"Content-Security-Policy": POLICY.format(nonce=nonce)}
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def post(self, request: web.Request, secret: str) -> web.Response:
        """Take the answer; the link is used up by it."""
        question = _asked(self._tickets.get(secret))
        if (request.content_length or MOST_ANSWER + 1) > MOST_ANSWER:
            raise web.HTTPBadRequest(headers=PRIVATE)
        try:
            given = (await request.json())["region"]
            region = None if given is None else region_of(given)
        except (ValueError, TypeError, KeyError, RecursionError) as err:
            raise web.HTTPBadRequest(headers=PRIVATE) from err
        # Somebody else may have answered while the body came.
        _asked(self._tickets.get(secret))
        self._tickets.revoke(secret)
        question.answered(region)
        return web.Response(status=HTTPStatus.NO_CONTENT, headers=PRIVATE)


def _valid(ticket: Ticket | None) -> Ticket:
    if ticket is None:
        raise web.HTTPNotFound(headers=PRIVATE)
    return ticket


def _asked(ticket: Ticket | None) -> Question:
    if (question := _valid(ticket).question) is None:
        raise web.HTTPNotFound(headers=PRIVATE)
    return question


def _settings(question: Question) -> dict[str, Any]:
    region = question.region
    return {
        "texts": dict(question.texts),
        "region": [region.left, region.top, region.right, region.bottom],
        "least": LEAST_EDGE,
        "plate_width": LEAST_PLATE_WIDTH,
        "glance_plate_width": GLANCE_PLATE_WIDTH,
        "glance_pixels": GLANCE_PIXELS,
    }


def _inert(text: str) -> str:
    """Write a text so that it ends no element of the page."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _page() -> Template:
    """Put the page together. What it needs is in it: it asks nobody for anything else."""
    page = Template((FOLDER / "region.html").read_text(encoding="utf-8"))
    css = (FOLDER / "region.css").read_text(encoding="utf-8")
    script = (FOLDER / "region.js").read_text(encoding="utf-8")
    # The script's own dollar signs must survive the filling in of a visit.
    return Template(page.safe_substitute(css=css.replace("$", "$$"), script=script.replace("$", "$$")))
