"""HTTP routes of calendar feeds."""

import asyncio
from typing import Annotated

from aiohttp import hdrs, web
from pydantic import StringConstraints

from parkshare_backend import keys
from parkshare_backend.feeds.calendar import write
from parkshare_backend.feeds.service import TOO_MANY_FEEDS, Feed
from parkshare_backend.http.api import Context, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.http.conditional import etag, unchanged
from parkshare_backend.http.models import Answer, Id, Request, UtcTime
from parkshare_backend.http.problems import NOT_FOUND

routes = Routes()

PATH = "/feeds/{secret}.ics"


class FeedRequest(Request):
    """A new feed; the label is for its owner, to know which calendar reads it."""

    label: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class FeedAnswer(Answer):
    """A calendar feed."""

    id: str
    label: str
    created_at: UtcTime


class NewFeedAnswer(FeedAnswer):
    """A feed with its address, which is shown this once: whoever has it can read the calendar."""

    url: str


class FeedsAnswer(Answer):
    """The account's feeds."""

    items: list[FeedAnswer]


@routes.post(
    "/api/v1/account/feeds",
    scope=Scope.INTEGRATIONS,
    request=FeedRequest,
    response=NewFeedAnswer,
    status=201,
    creates=True,
    problems=(TOO_MANY_FEEDS,),
)
async def add_feed(ctx: Context, body: FeedRequest) -> NewFeedAnswer:
    """Make an address under which a calendar program reads the account's bookings."""
    feed = await ctx.app[keys.FEEDS].add(ctx.account, body.label)
    url = f"{ctx.app[keys.SETTINGS].public_url}/feeds/{feed.secret}.ics"
    return NewFeedAnswer(**_shown(feed), url=url)


@routes.get("/api/v1/account/feeds", scope=Scope.INTEGRATIONS, response=FeedsAnswer)
async def list_feeds(ctx: Context) -> FeedsAnswer:
    """List the account's calendar feeds, without their addresses."""
    return FeedsAnswer(items=[FeedAnswer(**_shown(feed)) for feed in await ctx.app[keys.FEEDS].listed(ctx.account)])


@routes.delete(
    "/api/v1/account/feeds/{feed}",
    scope=Scope.INTEGRATIONS,
    path_types={"feed": Id},
    status=204,
    problems=(NOT_FOUND,),
)
async def remove_feed(ctx: Context) -> None:
    """Delete a feed: its address shows nothing from now on."""
    await ctx.app[keys.FEEDS].remove(ctx.account, ctx.path["feed"])


async def read_feed(request: web.Request) -> web.Response:
    """Serve the calendar behind a secret address."""
    app = request.app
    entries = await app[keys.FEEDS].entries(request.match_info["secret"], server=app[keys.LINK].server)
    tag = etag(0, repr(entries).encode())
    headers = {hdrs.ETAG: tag, hdrs.CACHE_CONTROL: "private, no-cache", "X-Robots-Tag": "noindex"}
    if unchanged(request, tag):
        return web.Response(status=304, headers=headers)
    # Writing takes about a millisecond for each appointment: not on the event loop.
    body = await asyncio.to_thread(write, app[keys.SETTINGS].name, entries)
    return web.Response(body=body, content_type="text/calendar", charset="utf-8", headers=headers)


def _shown(feed: Feed) -> dict[str, object]:
    return {"id": feed.id, "label": feed.label, "created_at": feed.created_at}


def setup(app: web.Application) -> None:
    """Add the address that programs read; it answers no JSON and is no operation of the API."""
    app.router.add_get(PATH, read_feed)
