"""HTTP routes by which renters and owners change bookings that are there."""

import contextlib
import math
from collections.abc import AsyncIterator

from parkshare_backend import keys
from parkshare_backend.bookings.claims import SPACE_TAKEN
from parkshare_backend.bookings.models import (
    BookingAnswer,
    ChangeRequest,
    ExtendRequest,
    ReasonRequest,
    ReleaseRequest,
    TakenBackAnswer,
)
from parkshare_backend.bookings.service import NOT_OFFERED, NOT_ON_THESE_TERMS, NOT_POSSIBLE_NOW
from parkshare_backend.bookings.views import shown
from parkshare_backend.http.api import Context, Reply, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.http.models import Id
from parkshare_backend.http.problems import NOT_FOUND, Problem
from parkshare_backend.matching.refusals import TOLD
from parkshare_backend.money.pricing import CREDITS_MISSING, PAYMENT_OWED
from parkshare_backend.spaces.periods import Period

routes = Routes()

UNPAYABLE = (CREDITS_MISSING, PAYMENT_OWED)

_BOOKING = {"booking": Id}


@routes.route(
    "PATCH",
    "/api/v1/bookings/{booking}",
    scope=Scope.BOOKINGS,
    request=ChangeRequest,
    response=BookingAnswer,
    path_types=_BOOKING,
    tagged=True,
    if_match=True,
    problems=(NOT_FOUND, NOT_POSSIBLE_NOW, NOT_ON_THESE_TERMS, NOT_OFFERED, SPACE_TAKEN, *UNPAYABLE),
)
async def change(ctx: Context, body: ChangeRequest) -> Reply:
    """Ask for another period before the car has come; it is the caller's when the house has agreed."""
    found = await ctx.app[keys.WISHES].move(
        ctx.account, ctx.path["booking"], body.period.period(), seen=ctx.precondition
    )
    return Reply(await shown(ctx, *found), revision=found[0].revision)


@routes.post(
    "/api/v1/bookings/{booking}/extend",
    scope=Scope.BOOKINGS,
    request=ExtendRequest,
    response=BookingAnswer,
    path_types=_BOOKING,
    problems=(NOT_FOUND, NOT_POSSIBLE_NOW, NOT_OFFERED, SPACE_TAKEN, *UNPAYABLE),
)
async def extend(ctx: Context, body: ExtendRequest) -> BookingAnswer:
    """Ask for a later end; if the space is not free so long, the answer names others for the time after the old end."""
    async with _places_for_the_rest(ctx, body.end):
        found = await ctx.app[keys.WISHES].extend(ctx.account, ctx.path["booking"], body.end)
    return await shown(ctx, *found)


@routes.post(
    "/api/v1/bookings/{booking}/release",
    scope=Scope.BOOKINGS,
    request=ReleaseRequest,
    response=BookingAnswer,
    path_types=_BOOKING,
    problems=(NOT_FOUND, NOT_POSSIBLE_NOW),
)
async def release(ctx: Context, body: ReleaseRequest) -> BookingAnswer:
    """Give back the rest of the period before leaving; others can book it at once."""
    found = await ctx.app[keys.WISHES].release(ctx.account, ctx.path["booking"], body.end)
    return await shown(ctx, *found)


@routes.post(
    "/api/v1/bookings/{booking}/approve",
    scope=Scope.BOOKINGS,
    response=BookingAnswer,
    path_types=_BOOKING,
    problems=(NOT_FOUND, NOT_POSSIBLE_NOW),
)
async def approve(ctx: Context) -> BookingAnswer:
    """Agree to a booking of one's own space; then the house is asked."""
    found = await ctx.app[keys.WISHES].approve(ctx.account, ctx.path["booking"])
    return await shown(ctx, *found)


@routes.post(
    "/api/v1/bookings/{booking}/decline",
    scope=Scope.BOOKINGS,
    request=ReasonRequest,
    response=BookingAnswer,
    path_types=_BOOKING,
    problems=(NOT_FOUND, NOT_POSSIBLE_NOW),
)
async def decline_booking(ctx: Context, body: ReasonRequest) -> BookingAnswer:
    """Say no to a booking of one's own space that waits for an answer."""
    found = await ctx.app[keys.WISHES].decline(ctx.account, ctx.path["booking"], body.reason)
    return await shown(ctx, *found)


@routes.post(
    "/api/v1/bookings/{booking}/take-back",
    scope=Scope.BOOKINGS,
    request=ReasonRequest,
    response=TakenBackAnswer,
    path_types=_BOOKING,
    problems=(NOT_FOUND, NOT_POSSIBLE_NOW, NOT_ON_THESE_TERMS),
)
async def take_back(ctx: Context, body: ReasonRequest) -> TakenBackAnswer:
    """Take one's own space back before the car comes, with the notice and at the cost that the terms say."""
    done = await ctx.app[keys.WISHES].take_back(ctx.account, ctx.path["booking"], body.reason)
    answer = await shown(ctx, done.booking, done.space)
    return TakenBackAnswer(**dict(answer), taken_back_90_days=done.times)


@contextlib.asynccontextmanager
async def _places_for_the_rest(ctx: Context, end: float) -> AsyncIterator[None]:
    """Add to a refused extension what is free nearby from the old end on."""
    try:
        yield
    except Problem as problem:
        if problem.kind in (SPACE_TAKEN, NOT_OFFERED):
            booking, space = await ctx.app[keys.BOOKINGS].find(ctx.account, ctx.path["booking"])
            rest = Period(booking.period.end, math.floor(end))
            offers = await ctx.app[keys.MATCHING].after_refusal(
                ctx.account, space.id, rest, car=booking.car, limit=TOLD
            )
            problem.extra["alternatives"] = offers
        raise
