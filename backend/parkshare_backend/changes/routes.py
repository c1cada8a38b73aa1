"""HTTP routes of what changed since."""

from parkshare_backend import keys
from parkshare_backend.changes.models import Change, Changes, ChangesQuery
from parkshare_backend.changes.service import CHANGES_GONE
from parkshare_backend.http.api import Context, Routes
from parkshare_backend.http.auth import Scope

routes = Routes()


@routes.get("/api/v1/changes", scope=Scope.BOOKINGS, query=ChangesQuery, response=Changes, problems=(CHANGES_GONE,))
async def changes(ctx: Context) -> Changes:
    """List what happened to the caller's bookings, spaces and standbys, in order."""
    query = ctx.query(ChangesQuery)
    events = await ctx.app[keys.CHANGES].after(ctx.account, query.after, limit=query.limit)
    return Changes(items=[Change.of(event) for event in events], next=events[-1].q if events else query.after)
