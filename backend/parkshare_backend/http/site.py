"""What belongs to the server itself: well-known document, health, the OpenAPI document, the problems' pages."""

import html

import sqlalchemy as sa
from aiohttp import web

from parkshare_backend import keys
from parkshare_backend.http.api import Context, Routes
from parkshare_backend.http.models import Answer, UtcTime
from parkshare_backend.http.openapi import document
from parkshare_backend.http.pages import page
from parkshare_backend.http.problems import KINDS, NOT_FOUND, UNAVAILABLE, Problem
from parkshare_backend.store.outbox import server_value

routes = Routes()


class WellKnown(Answer):
    """What a client needs to know before its first call."""

    server: str
    name: str
    versions: list[int]
    time: UtcTime


class Health(Answer):
    """The server is well."""

    status: str


@routes.get("/.well-known/parkshare", scope=None, response=WellKnown)
async def well_known(ctx: Context) -> WellKnown:
    """Tell which server this is and which versions of the API it speaks."""
    now = ctx.app[keys.CLOCK].now()
    return WellKnown(server=ctx.app[keys.LINK].server, name=ctx.app[keys.SETTINGS].name, versions=[1], time=now)


@routes.get("/healthz", scope=None, response=Health)
async def alive(_ctx: Context) -> Health:
    """Tell that the process answers."""
    return Health(status="alive")


@routes.get("/readyz", scope=None, response=Health, problems=(UNAVAILABLE,))
async def ready(ctx: Context) -> Health:
    """Tell that the server can write."""
    try:
        async with ctx.app[keys.STORE].write() as tx:
            await server_value(tx, "server")
            await tx.execute(sa.text("UPDATE server SET value = value WHERE name = 'server'"))
    except sa.exc.SQLAlchemyError:
        detail = "The database cannot be written. See `parkshare-backend doctor`."
        raise Problem(UNAVAILABLE, detail, headers={"Retry-After": "10"}) from None
    return Health(status="ready")


async def openapi(request: web.Request) -> web.Response:
    """Serve the OpenAPI document."""
    routes = request.app[keys.API]
    return web.json_response(document(routes))


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
    app.router.add_get("/problems/{code}", problem_page)
