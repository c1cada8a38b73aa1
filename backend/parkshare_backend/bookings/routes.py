"""HTTP routes of bookings and of what changed since."""

from parkshare_backend import keys
from parkshare_backend.bookings.claims import SPACE_TAKEN
from parkshare_backend.bookings.desk import HOUSE_AWAY
from parkshare_backend.bookings.help import Help
from parkshare_backend.bookings.models import (
    BookedSpace,
    BookingAnswer,
    BookingRequest,
    BookingsQuery,
    Change,
    Changes,
    ChangesQuery,
    CodeRequest,
    HelpAnswer,
)
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.service import DOES_NOT_FIT, ID_REUSED, NOT_OFFERED, NOT_POSSIBLE_NOW, OWN_SPACE
from parkshare_backend.http.api import Context, Reply, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.http.models import Id, Page
from parkshare_backend.http.problems import NOT_FOUND
from parkshare_backend.spaces.models import PeriodAnswer, PointAnswer
from parkshare_backend.spaces.service import Space
from parkshare_backend.store.outbox import account_audience

routes = Routes()

_BOOKING = {"booking": Id}


class BookingPage(Page[BookingAnswer]):
    """One page of bookings, newest first."""


def render(booking: Booking, space: Space, *, viewer: str) -> BookingAnswer:
    """Show a booking; where the space is, only the renter is told, and only while the booking lives."""
    discloses = viewer == booking.account and booking.live
    return BookingAnswer(
        id=booking.id,
        space=BookedSpace(
            id=space.id,
            name=space.name,
            address=space.address if discloses else None,
            position=PointAnswer.of(space.place) if discloses else None,
            access_notes=space.access_notes if discloses else None,
        ),
        state=booking.standing.state,
        period=PeriodAnswer.of(booking.period),
        revision=booking.revision,
        near=booking.near,
        overstay=booking.standing.overstay,
        at_risk=booking.at_risk,
        help=_help(booking.help, with_phone=discloses),
        created_at=booking.created_at,
    )


def _help(known: Help, *, with_phone: bool) -> HelpAnswer:
    return HelpAnswer.model_validate(
        {
            "rung": known.rung,
            "phone": known.phone if with_phone else None,
            "code": known.code,
            "tries_left": known.tries_left,
        }
    )


@routes.post(
    "/api/v1/bookings",
    scope=Scope.BOOKINGS,
    request=BookingRequest,
    response=BookingAnswer,
    status=201,
    also=(200,),
    problems=(NOT_FOUND, ID_REUSED, SPACE_TAKEN, NOT_OFFERED, OWN_SPACE, DOES_NOT_FIT),
)
async def book(ctx: Context, body: BookingRequest) -> Reply:
    """Book a space for a period; the same request again answers the same booking with 200."""
    booking, space, created = await ctx.app[keys.BOOKINGS].book(ctx.account, body)
    return Reply(render(booking, space, viewer=ctx.account), status=201 if created else 200)


@routes.get("/api/v1/bookings", scope=Scope.BOOKINGS, query=BookingsQuery, response=BookingPage)
async def list_bookings(ctx: Context) -> BookingPage:
    """List the caller's bookings, newest first."""
    query = ctx.query(BookingsQuery)
    found, cursor = await ctx.app[keys.BOOKINGS].listed(
        ctx.account, role=query.role, before=query.cursor, limit=query.limit
    )
    return BookingPage(items=[render(*pair, viewer=ctx.account) for pair in found], next=cursor)


@routes.get(
    "/api/v1/bookings/{booking}",
    scope=Scope.BOOKINGS,
    response=BookingAnswer,
    path_types=_BOOKING,
    problems=(NOT_FOUND,),
)
async def get_booking(ctx: Context) -> BookingAnswer:
    """Show a booking to its renter or to the owner of its space."""
    found = await ctx.app[keys.BOOKINGS].find(ctx.account, ctx.path["booking"])
    return render(*found, viewer=ctx.account)


@routes.post(
    "/api/v1/bookings/{booking}/cancel",
    scope=Scope.BOOKINGS,
    response=BookingAnswer,
    path_types=_BOOKING,
    problems=(NOT_FOUND, NOT_POSSIBLE_NOW),
)
async def cancel(ctx: Context) -> BookingAnswer:
    """Give a booking back before its car arrives."""
    found = await ctx.app[keys.BOOKINGS].cancel(ctx.account, ctx.path["booking"])
    return render(*found, viewer=ctx.account)


@routes.post(
    "/api/v1/bookings/{booking}/here",
    scope=Scope.BOOKINGS,
    response=BookingAnswer,
    path_types=_BOOKING,
    problems=(NOT_FOUND, NOT_POSSIBLE_NOW),
)
async def here(ctx: Context) -> BookingAnswer:
    """Say "I'm here": the house wakes its camera, without a position."""
    found = await ctx.app[keys.BOOKINGS].here(ctx.account, ctx.path["booking"])
    return render(*found, viewer=ctx.account)


@routes.post(
    "/api/v1/bookings/{booking}/code",
    scope=Scope.BOOKINGS,
    request=CodeRequest,
    response=BookingAnswer,
    status=202,
    path_types=_BOOKING,
    problems=(NOT_FOUND, NOT_POSSIBLE_NOW, HOUSE_AWAY),
)
async def give_code(ctx: Context, body: CodeRequest) -> BookingAnswer:
    """Pass a code from the site on to the house; its answer comes with the booking and in the changes."""
    found = await ctx.app[keys.HELP].give_code(ctx.account, ctx.path["booking"], body.plain())
    return render(*found, viewer=ctx.account)


@routes.get("/api/v1/changes", scope=Scope.BOOKINGS, query=ChangesQuery, response=Changes)
async def changes(ctx: Context) -> Changes:
    """List what happened to the caller's bookings, spaces and standbys, in order."""
    query = ctx.query(ChangesQuery)
    async with ctx.app[keys.STORE].read() as tx:
        events = await ctx.app[keys.OUTBOX].after(tx, account_audience(ctx.account), query.after, limit=query.limit)
    items = [Change(q=event.q, t=event.t, at=event.at, d=event.d) for event in events]
    return Changes(items=items, next=items[-1].q if items else query.after)
