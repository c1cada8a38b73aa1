"""HTTP routes of searching."""

from parkshare_backend import keys
from parkshare_backend.http.api import Context, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.matching.models import SearchRequest, SearchResult
from parkshare_backend.matching.offers import WrittenResult

routes = Routes()


@routes.post("/api/v1/searches", scope=Scope.SEARCH, request=SearchRequest, response=SearchResult, hot=True)
async def search(ctx: Context, body: SearchRequest) -> WrittenResult:
    """Find free spaces for a period near a place, best first."""
    result = await ctx.app[keys.MATCHING].search(ctx.account, body)
    ctx.app[keys.METRICS].searched("full" if result["offers"] else "partial" if result["partial"] else "none")
    return result
