"""HTTP routes of bookings."""

from parkshare_backend import keys
from parkshare_backend.bookings.claims import SPACE_TAKEN
from parkshare_backend.bookings.desk import HOUSE_AWAY
from parkshare_backend.bookings.models import (
    BookingAnswer,
    BookingRequest,
    BookingsQuery,
    CodeRequest,
    TrailAnswer,
    TrailEntry,
)
from parkshare_backend.bookings.service import (
    DOES_NOT_FIT,
    ID_REUSED,
    NOT_OFFERED,
    NOT_ON_THESE_TERMS,
    NOT_POSSIBLE_NOW,
    OWN_SPACE,
    OWNER_REFUSED,
)
from parkshare_backend.bookings.views import render, shown
from parkshare_backend.http.api import Context, Reply, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.http.cursors import cursor, read_id_cursor
from parkshare_backend.http.models import Id, Page
from parkshare_backend.http.problems import NOT_FOUND
from parkshare_backend.matching.refusals import with_alternatives
from parkshare_backend.money.hosted import NOT_PAYABLE
from parkshare_backend.money.pricing import CREDITS_MISSING, PAYMENT_OWED

routes = Routes()

_BOOKING = {"booking": Id}


class BookingPage(Page[BookingAnswer]):
    """One page of bookings, newest first."""


@routes.post(
    "/api/v1/bookings",
    scope=Scope.BOOKINGS,
    request=BookingRequest,
    response=BookingAnswer,
    status=201,
    creates=True,
    key_optional=True,  # the id that the client chose says as much, and older clients know no key
    also=(200,),
    problems=(
        NOT_FOUND,
        ID_REUSED,
        SPACE_TAKEN,
        NOT_OFFERED,
        OWN_SPACE,
        DOES_NOT_FIT,
        NOT_ON_THESE_TERMS,
        OWNER_REFUSED,
        CREDITS_MISSING,
        PAYMENT_OWED,
        NOT_PAYABLE,
    ),
)
async def book(ctx: Context, body: BookingRequest) -> Reply:
    """Book a space for a period; the same request again answers the same booking with 200."""
    async with with_alternatives(ctx.app, ctx.account, body.space, body.period, body.vehicle):
        booking, space, created = await ctx.app[keys.BOOKINGS].book(ctx.account, body)
    return Reply(await shown(ctx, booking, space), status=201 if created else 200, revision=booking.revision)


@routes.get("/api/v1/bookings", scope=Scope.BOOKINGS, query=BookingsQuery, response=BookingPage)
async def list_bookings(ctx: Context) -> BookingPage:
    """List the caller's bookings, newest first."""
    query = ctx.query(BookingsQuery)
    found, last = await ctx.app[keys.BOOKINGS].listed(
        ctx.account, role=query.role, before=read_id_cursor(query.cursor), limit=query.limit
    )
    bills = await ctx.app[keys.MONEY].bills_of(ctx.account, [booking for booking, _ in found])
    items = [render(*pair, viewer=ctx.account, bill=bills.get(pair[0].id)) for pair in found]
    return BookingPage(items=items, next=last and cursor(last))


@routes.get(
    "/api/v1/bookings/{booking}",
    scope=Scope.BOOKINGS,
    response=BookingAnswer,
    path_types=_BOOKING,
    tagged=True,
    problems=(NOT_FOUND,),
)
async def get_booking(ctx: Context) -> Reply:
    """Show a booking to its renter or to the owner of its space."""
    found = await ctx.app[keys.BOOKINGS].find(ctx.account, ctx.path["booking"])
    return Reply(await shown(ctx, *found), revision=found[0].revision)


@routes.get(
    "/api/v1/bookings/{booking}/trail",
    scope=Scope.BOOKINGS,
    response=TrailAnswer,
    path_types=_BOOKING,
    problems=(NOT_FOUND,),
)
async def get_trail(ctx: Context) -> TrailAnswer:
    """Show everything that happened to a booking to its renter or to the owner of its space."""
    entries = await ctx.app[keys.BOOKINGS].trail_of(ctx.account, ctx.path["booking"])
    return TrailAnswer(items=[TrailEntry(n=one.n, at=one.at, cause=one.cause, by=one.by, d=one.d) for one in entries])


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
    return await shown(ctx, *found)


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
    return await shown(ctx, *found)


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
    return await shown(ctx, *found)
