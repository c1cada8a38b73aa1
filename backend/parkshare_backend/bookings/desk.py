"""The help desk: what the house does for a renter who does not get in, and the code that the renter gives it."""

from dataclasses import replace
from typing import Any

import structlog

from parkshare_backend.accounts.installs import Install
from parkshare_backend.bookings import help as ladder, rows
from parkshare_backend.bookings.lifecycle import State
from parkshare_backend.bookings.models import CodeChecked, HelpOffered
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.service import NOT_POSSIBLE_NOW, Bookings
from parkshare_backend.clock import Clock, not_ahead, to_rfc3339
from parkshare_backend.http.limits import Rate, RateLimiter
from parkshare_backend.http.problems import Problem, define
from parkshare_backend.link.service import LinkService, check
from parkshare_backend.spaces.service import Space
from parkshare_backend.store.engine import Store, Tx

CODE_EARLY_S = 30.0  # how far the clocks of a house and ours may differ: it takes a code from the start on

HOUSE_AWAY = define(
    "house-away", 409, "The house is not connected",
    "The code cannot reach the house now, and it is worth nothing later, so it was not kept. Try again in a minute "
    "with the code that is shown then, or call the owner.",
)  # fmt: skip

log = structlog.get_logger()


class HelpDesk:
    """Hears what houses offer to renters who wait, and passes their codes on."""

    def __init__(
        self, *, store: Store, bookings: Bookings, link: LinkService, limiter: RateLimiter, clock: Clock
    ) -> None:
        self._store = store
        self._bookings = bookings
        self._link = link
        self._limiter = limiter
        self._clock = clock

    def register(self) -> None:
        """Take over the events of the link that are about help."""
        self._link.on_event("help.offered", self._offered)
        self._link.on_event("code.checked", self._checked)

    async def give_code(self, account: str, booking: str, code: str) -> tuple[Booking, Space]:
        """Pass a code on to the house, once and at once or not at all: it is never written down on the way."""
        self._limiter.hit(f"booking:{booking}:{account}", Rate.GATE_CODE)
        now = self._clock.now()
        async with self._store.write() as tx:
            found, space = await self._bookings.of_renter(tx, account, booking)
            _check_time(found, now)
            if not await self._link.connected(space.install):
                raise Problem(HOUSE_AWAY)
            found = replace(found, help=ladder.code_given(found.help))
            await rows.note(tx, found)
        # Only now: what the house says to it must come after what it said to an older code is forgotten.
        hint = {"booking": found.id, "space": space.id, "code": code, "at": to_rfc3339(now)}
        if not await self._link.hint(space.install, "renter.code", hint):
            raise Problem(HOUSE_AWAY)
        return found, space

    async def _offered(self, tx: Tx, install: Install, _at: float, d: dict[str, Any]) -> None:
        said, now = check(HelpOffered, d), self._clock.now()
        booking, space = await self._bookings.of_house(tx, install, said.booking)
        known = ladder.offered(booking.help, rung=said.rung, phone=said.phone, at=not_ahead(said.at, now), now=now)
        await self._note(tx, booking, space, known, cause="help", more={"rung": known.rung})

    async def _checked(self, tx: Tx, install: Install, _at: float, d: dict[str, Any]) -> None:
        said, now = check(CodeChecked, d), self._clock.now()
        booking, space = await self._bookings.of_house(tx, install, said.booking)
        known = ladder.code_checked(
            booking.help, right=said.right, tries_left=said.tries_left, at=not_ahead(said.at, now), now=now
        )
        more = {"code": known.code, "tries_left": known.tries_left}
        await self._note(tx, booking, space, known, cause="code-checked", more=more)

    async def _note(
        self, tx: Tx, booking: Booking, space: Space, known: ladder.Help, *, cause: str, more: dict[str, Any]
    ) -> None:
        waits = booking.waiting and self._clock.now() < booking.period.end
        if not waits or known == booking.help:
            log.info("help.too_late", booking=booking.id, state=booking.standing.state, cause=cause)
            return
        await self._bookings.note(tx, replace(booking, help=known), space, cause=cause, more=more)


def _check_time(booking: Booking, now: float) -> None:
    state = booking.standing.state
    if state is not State.RESERVED:
        raise Problem(NOT_POSSIBLE_NOW, f"The booking is {state}. A code is for a reserved one that waits for its car.")
    if now < booking.period.start - CODE_EARLY_S:
        opens = to_rfc3339(booking.period.start)
        raise Problem(NOT_POSSIBLE_NOW, f"It is too early: a code opens from {opens} on.")
    if now >= booking.period.end:
        raise Problem(NOT_POSSIBLE_NOW, "The booked period is over. Book again.")
