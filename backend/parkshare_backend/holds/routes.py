"""HTTP routes of holds."""

from parkshare_backend import keys
from parkshare_backend.bookings.claims import SPACE_TAKEN
from parkshare_backend.bookings.service import DOES_NOT_FIT, ID_REUSED, NOT_OFFERED, OWN_SPACE
from parkshare_backend.holds.models import HoldAnswer, HoldRequest
from parkshare_backend.holds.service import TOO_MANY_HOLDS
from parkshare_backend.http.api import Context, Reply, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.http.models import Id
from parkshare_backend.http.problems import NOT_FOUND
from parkshare_backend.matching.refusals import with_alternatives

routes = Routes()


@routes.post(
    "/api/v1/holds",
    scope=Scope.BOOKINGS,
    request=HoldRequest,
    response=HoldAnswer,
    status=201,
    also=(200,),
    problems=(NOT_FOUND, ID_REUSED, SPACE_TAKEN, NOT_OFFERED, OWN_SPACE, DOES_NOT_FIT, TOO_MANY_HOLDS),
    creates=True,
    key_optional=True,
)
async def hold(ctx: Context, body: HoldRequest) -> Reply:
    """Keep a space for five minutes while somebody decides; the same id again answers the same hold with 200."""
    async with with_alternatives(ctx.app, ctx.account, body.space, body.period, body.vehicle):
        answer, created = await ctx.app[keys.HOLDS].hold(ctx.account, body)
    return Reply(answer, status=201 if created else 200)


@routes.delete("/api/v1/holds/{hold}", scope=Scope.BOOKINGS, status=204, path_types={"hold": Id}, problems=(NOT_FOUND,))
async def give_back(ctx: Context) -> None:
    """Give a held space back before its time."""
    await ctx.app[keys.HOLDS].give_back(ctx.account, ctx.path["hold"])
