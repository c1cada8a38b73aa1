"""A code was given for a booking, at the space or in the web app: look at it, tell the gate, tell the backend."""

from homeassistant.util import dt as dt_util

from custom_components.parkshare.const import LOGGER
from custom_components.parkshare.gate.grant import Grant
from custom_components.parkshare.link.facts import RenterCode, format_time
from custom_components.parkshare.space import SpaceRuntime

from .space_codes import CodeCheck, Why
from .tries import MOST


async def async_given(runtime: SpaceRuntime, grant: Grant, code: str, *, seen_at: float, on_site: bool) -> CodeCheck:
    """Look at a code; a right one goes to the gate, which decides. The backend hears what came of it."""
    now = dt_util.utcnow().timestamp()
    if grant.booking in runtime.gate.barred:
        LOGGER.info("%s: a code for a car that the owner has refused is not looked at", runtime.subentry.title)
        check = CodeCheck(right=False, tries_left=0, why=Why.BARRED)
    else:
        check = await runtime.codes.async_check(grant, code, now, on_site=on_site)
    way = "keypad" if on_site else "web"
    runtime.record.code_tried(grant.booking, right=check.right, tries_left=check.tries_left, way=way)
    if check.right:
        await runtime.async_code(grant.booking, min(seen_at, now))
    await runtime.record.async_write()
    told = {"booking": grant.booking, "right": check.right, "tries_left": check.tries_left, "at": format_time(now)}
    await runtime.hub.async_report("code.checked", told)
    return check


async def async_renter_gave(runtime: SpaceRuntime | None, grant: Grant | None, given: RenterCode) -> None:
    """Take in what a renter typed in the web app, unless it cannot be meant for now and here."""
    if runtime is None or grant is None or grant.space != given.space:
        LOGGER.info("A code for a booking that this space does not know is ignored")
        return
    now = dt_util.utcnow().timestamp()
    if _is_due(runtime, grant, now):
        # How old it is, the code itself tells, by the clock of the house that showed it. Another clock may be wrong.
        await async_given(runtime, grant, given.code, seen_at=now, on_site=False)
        return
    LOGGER.info("%s: a code outside of its booked period is not looked at", runtime.subentry.title)
    told = {"booking": grant.booking, "right": False, "tries_left": MOST, "at": format_time(now)}
    await runtime.hub.async_report("code.checked", told)


def due_grant(runtime: SpaceRuntime, now: float) -> Grant | None:
    """Return the grant whose car may come in now."""
    return next((grant for grant in runtime.hub.grants_of(runtime.space_id) if _is_due(runtime, grant, now)), None)


def _is_due(runtime: SpaceRuntime, grant: Grant, now: float) -> bool:
    return grant.start - runtime.policy.early <= now < grant.end
