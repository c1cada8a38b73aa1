"""HTTP routes of standbys, for owners without their house at hand."""

from parkshare_backend import keys
from parkshare_backend.bookings.service import ID_REUSED, NOT_OFFERED
from parkshare_backend.http.api import Context, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.http.models import Id
from parkshare_backend.http.problems import NOT_FOUND
from parkshare_backend.spaces.models import PeriodAnswer, PointAnswer
from parkshare_backend.spaces.service import Space
from parkshare_backend.standby.models import StandbyAccept, StandbyAnswer, Standbys, StandbySpace
from parkshare_backend.standby.rows import Standby
from parkshare_backend.standby.service import STANDBY_OVER

routes = Routes()

_STANDBY = {"standby": Id}


def render(standby: Standby, space: Space) -> StandbyAnswer:
    """Show a standby to its owner."""
    return StandbyAnswer(
        id=standby.id,
        booking=standby.booking,
        home_space=standby.home_space,
        space=StandbySpace(
            id=space.id,
            name=space.name,
            address=space.address if standby.live else None,
            position=PointAnswer.of(space.place) if standby.live else None,
            seal_key=space.seal_key,
        ),
        period=PeriodAnswer.of(standby.period),
        state=standby.state.value,
        distance_m=round(standby.distance_m),
        walk_s=standby.walk_s,
        expires_at=standby.expires_at,
        accepted_booking=standby.accepted_booking,
    )


@routes.get("/api/v1/standbys", scope=Scope.BOOKINGS, response=Standbys)
async def list_standbys(ctx: Context) -> Standbys:
    """List the caller's latest standbys, newest first."""
    found = await ctx.app[keys.STANDBY].listed(ctx.account)
    return Standbys(items=[render(*pair) for pair in found])


@routes.post(
    "/api/v1/standbys/{standby}/accept",
    scope=Scope.BOOKINGS,
    request=StandbyAccept,
    creates=True,
    key_optional=True,  # the id that the client chose says as much, and older clients know no key
    response=StandbyAnswer,
    path_types=_STANDBY,
    problems=(NOT_FOUND, STANDBY_OVER, ID_REUSED, NOT_OFFERED),
)
async def accept(ctx: Context, body: StandbyAccept) -> StandbyAnswer:
    """Take the standby: it becomes a booking on the space that was found."""
    found = await ctx.app[keys.STANDBY].accept(
        ctx.account, ctx.path["standby"], booking=body.booking, sealed_plate=body.sealed_plate
    )
    return render(*found)


@routes.post(
    "/api/v1/standbys/{standby}/decline",
    scope=Scope.BOOKINGS,
    response=StandbyAnswer,
    path_types=_STANDBY,
    problems=(NOT_FOUND, STANDBY_OVER),
)
async def decline(ctx: Context) -> StandbyAnswer:
    """Give the standby back."""
    found = await ctx.app[keys.STANDBY].decline(ctx.account, ctx.path["standby"])
    return render(*found)
