"""HTTP routes of searching."""

from parkshare_backend import keys
from parkshare_backend.http.api import Context, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.matching.models import SearchRequest, SearchResult, Sought
from parkshare_backend.matching.offers import WrittenResult

routes = Routes()


@routes.post("/api/v1/searches", scope=Scope.SEARCH, request=SearchRequest, response=SearchResult, hot=True)
async def search(ctx: Context, body: SearchRequest | Sought) -> WrittenResult:
    """Find free spaces for a period near a place, best first."""
    sought = body.sought() if isinstance(body, SearchRequest) else body
    result = await ctx.app[keys.MATCHING].search(ctx.account, sought)
    ctx.app[keys.METRICS].searched("full" if result["offers"] else "partial" if result["partial"] else "none")
    return result
