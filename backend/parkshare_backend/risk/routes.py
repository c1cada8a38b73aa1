"""HTTP route of alternatives."""

from typing import Annotated

from pydantic import Field

from parkshare_backend import keys
from parkshare_backend.bookings.service import NOT_POSSIBLE_NOW
from parkshare_backend.http.api import Context, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.http.limits import Rate
from parkshare_backend.http.models import Id, Request, Whole
from parkshare_backend.http.problems import NOT_FOUND
from parkshare_backend.matching.models import SearchResult
from parkshare_backend.matching.offers import WrittenResult

routes = Routes()


class AlternativesQuery(Request):
    """How many alternatives to give at most."""

    limit: Annotated[Whole, Field(ge=1, le=50)] = 10


@routes.get(
    "/api/v1/bookings/{booking}/alternatives",
    scope=Scope.BOOKINGS,
    query=AlternativesQuery,
    response=SearchResult,
    path_types={"booking": Id},
    problems=(NOT_FOUND, NOT_POSSIBLE_NOW),
    rate=Rate.SEARCH,
)
async def alternatives(ctx: Context) -> WrittenResult:
    """Find other spaces near that of a booking, for the rest of its period, best first."""
    limit = ctx.query(AlternativesQuery).limit
    return await ctx.app[keys.RISK].alternatives(ctx.account, ctx.path["booking"], limit=limit)
