"""HTTP routes of positions."""

from parkshare_backend import keys
from parkshare_backend.http.api import Context, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.tracking.models import PositionsAnswer, PositionsRequest, UsualPositions, WrittenPositions

routes = Routes()


@routes.post("/api/v1/positions", scope=Scope.POSITIONS, request=PositionsRequest, response=PositionsAnswer, hot=True)
async def report(ctx: Context, body: PositionsRequest | UsualPositions) -> WrittenPositions:
    """Report where a phone is; only the last fix is kept, in memory, while a booking needs it."""
    return await ctx.app[keys.TRACKING].report(ctx.account, body.fixes)
