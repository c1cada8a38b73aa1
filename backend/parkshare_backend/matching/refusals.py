"""A refusal that helps: who cannot have a space is told in the same answer what else there is."""

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from parkshare_backend import keys
from parkshare_backend.http.problems import Problem
from parkshare_backend.spaces.models import PeriodBody, VehicleBody

TOLD = 3  # alternatives that come with a refusal
# The problems after which another space helps; of the others (an own space, a bad period) it does not.
HELPED = frozenset({"space-taken", "not-offered", "does-not-fit", "not-on-these-terms", "owner-refused"})


@contextlib.asynccontextmanager
async def with_alternatives(
    app: web.Application, account: str, space: str, period: PeriodBody, vehicle: VehicleBody | None
) -> AsyncIterator[None]:
    """Add up to three offers to a problem that says that the space cannot be had: its member `alternatives`."""
    try:
        yield
    except Problem as problem:
        if problem.code in HELPED:
            car = vehicle.size() if vehicle else None
            offers = await app[keys.MATCHING].after_refusal(account, space, period.period(), car=car, limit=TOLD)
            problem.extra["alternatives"] = offers
        raise
