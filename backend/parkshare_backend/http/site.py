"""What belongs to the server itself: well-known document, health, the OpenAPI document, the problems' pages."""

import html

import orjson
from aiohttp import hdrs, web

from parkshare_backend import __version__, keys
from parkshare_backend.http.api import Context, Reply, Routes
from parkshare_backend.http.conditional import etag, unchanged
from parkshare_backend.http.models import Answer, UtcTime
from parkshare_backend.http.openapi import document
from parkshare_backend.http.pages import page
from parkshare_backend.http.problems import KINDS, NOT_FOUND, UNAVAILABLE, Problem

routes = Routes()

_DOCUMENT: web.AppKey[list[bytes]] = web.AppKey("openapi-document", list)
CACHED = {"Cache-Control": "public, max-age=300"}
MINIMUM_CLIENT = "0.1.0"  # the oldest release of our own clients that understands the answers

# Words, never renamed, by which a client may choose what to do; unknown ones are ignored.
FEATURES = (
    "alternatives", "approval", "calendar-feeds", "changes-stream", "holds", "idempotency-keys", "passkeys", "places",
    "quotes", "terms", "trail", "webhooks",
)  # fmt: skip


class WellKnown(Answer):
    """What a client needs to know before its first call."""

    server: str
    name: str
    versions: list[int]
    time: UtcTime
    software: str
    features: list[str]
    minimum_client: str
    api: str
    openapi: str
    changes: str
    link: str
    docs: str


class Health(Answer):
    """The server is well."""

    status: str


@routes.get("/.well-known/parkshare", scope=None, response=WellKnown)
async def well_known(ctx: Context) -> Reply:
    """Tell which server this is, which versions of the API it speaks, and where what is."""
    settings, now = ctx.app[keys.SETTINGS], ctx.app[keys.CLOCK].now()
    url = settings.public_url
    socket_url = "ws" + url.removeprefix("http")
    known = WellKnown(
        server=ctx.app[keys.LINK].server, name=settings.name, versions=[1], time=now, software=__version__,
        features=list(FEATURES), minimum_client=MINIMUM_CLIENT, api=f"{url}/api/v1",
        openapi=f"{url}/api/v1/openapi.json", changes=f"{socket_url}/api/v1/changes/stream",
        link=f"{socket_url}/api/v1/link", docs=f"{url}/problems",
    )  # fmt: skip
    return Reply(known, headers=CACHED)


@routes.get("/healthz", scope=None, response=Health)
async def alive(_ctx: Context) -> Health:
    """Tell that the process answers."""
    return Health(status="alive")


@routes.get("/readyz", scope=None, response=Health, problems=(UNAVAILABLE,))
async def ready(ctx: Context) -> Health:
    """Tell that the server can write and is not about to end."""
    await ctx.app[keys.READINESS].check()
    return Health(status="ready")


async def openapi(request: web.Request) -> web.Response:
    """Serve the OpenAPI document; it is written once, and only to those who do not have it."""
    written = request.app[_DOCUMENT]
    if not written:
        operations = request.app[keys.API]
        written.append(orjson.dumps(document(operations)))
    tag = etag(0, written[0])
    headers = CACHED | {hdrs.ETAG: tag}
    if unchanged(request, tag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=written[0], content_type="application/json", headers=headers)


async def problems_page(_request: web.Request) -> web.Response:
    """List every kind of problem for a person."""
    rows = "".join(
        f'<li><a href="{kind.type}">{kind.code}</a> ({kind.status}): {html.escape(kind.title)}</li>'
        for kind in sorted(KINDS.values(), key=lambda kind: kind.code)
    )
    there = '<p>Everything that can be called: <a href="/api/v1/openapi.json">OpenAPI 3.1</a>.</p>'
    return page("Problems", f"{there}<ul>{rows}</ul>")


async def problem_page(request: web.Request) -> web.Response:
    """Explain one kind of problem to a person."""
    kind = KINDS.get(request.match_info["code"])
    if kind is None:
        raise Problem(NOT_FOUND, "No problem has this code.")
    body = f"<p><code>{kind.type}</code>, status {kind.status}</p><p>{html.escape(kind.meaning)}</p>"
    return page(kind.title, body)


def setup(app: web.Application) -> None:
    """Add the addresses that are no operations of the API."""
    app.router.add_get("/api/v1/openapi.json", openapi)
    app.router.add_get("/problems", problems_page)
    app.router.add_get("/problems/{code}", problem_page)
    app[_DOCUMENT] = []
