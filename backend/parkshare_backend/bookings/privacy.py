"""What bookings keep of renters, and for how long."""

from typing import Any

import sqlalchemy as sa

from parkshare_backend.accounts.erasure import Erasure
from parkshare_backend.accounts.retention import DISPUTE_S, Retention, Rule
from parkshare_backend.bookings import trail
from parkshare_backend.bookings.lifecycle import HOLDING, By, Cause, State
from parkshare_backend.bookings.service import Bookings
from parkshare_backend.bookings.tables import ADMISSIONS, BOOKINGS, REFUSALS
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.http.models import to_base64url
from parkshare_backend.spaces.periods import Period
from parkshare_backend.store.contract import POSTGRESQL
from parkshare_backend.store.engine import ReadTx, Tx

# What a booking that is over needs no more: nobody but the booked house could read the plate anyway.
_EMPTIED = {
    "sealed_plate": b"", "car_length_m": None, "car_width_m": None, "car_height_m": None,
    "phone": None, "rung": None, "code": None, "tries_left": None, "near": 0,
}  # fmt: skip
_EVER = Period(0, 2**40)
_LIVE = BOOKINGS.c.state.in_([str(state) for state in HOLDING])


class BookingPrivacy:
    """Exports, erases and empties bookings."""

    def __init__(self, bookings: Bookings) -> None:
        self._bookings = bookings

    def register(self, erasure: Erasure, retention: Retention) -> None:
        """Answer for the tables of bookings."""
        erasure.register(
            "bookings",
            tables=("bookings", "admissions", "refusals"),
            export=self._export,
            erase=self._erase,
            obstacles=self._obstacles,
        )
        erasure.impersonal("claims", "which periods are taken; names bookings, no people, and goes with them")
        erasure.impersonal("claim_times", "the times of claims by the numbers of spaces; follows them at once")
        erasure.impersonal("trail", "what happened to bookings, by renter, owner, house or server; no names")
        erasure.impersonal("no_shows", "bookings whose car may still come; names bookings, no people")
        retention.register(
            Rule(
                what="The sealed plate and the size of the car of a booking",
                since="after the booking is over",
                kept_s=DISPUTE_S,
                why="renter and owner can bring up what went wrong; the booking itself stays",
                sweep=_empty,
            ),
            Rule(
                what="What a house decided at its barrier",
                since="after the decision, once the booking is over",
                kept_s=DISPUTE_S,
                why="the same; the trail of the booking stays",
                sweep=_forget_admissions,
            ),
        )

    async def _export(self, tx: ReadTx, account: str) -> list[Any]:
        rows = await tx.all(sa.select(BOOKINGS).where(BOOKINGS.c.account == account).order_by(BOOKINGS.c.id))
        decided = await tx.all(
            sa.select(ADMISSIONS)
            .join(BOOKINGS, BOOKINGS.c.id == ADMISSIONS.c.booking)
            .where(BOOKINGS.c.account == account)
            .order_by(ADMISSIONS.c.n)
        )
        told = {row.id: await trail.read(tx, row.id) for row in rows}
        return [
            {
                "id": row.id,
                "space": row.space,
                "period": {"start": to_rfc3339(row.t0), "end": to_rfc3339(row.t1)},
                "state": row.state,
                "overstay": bool(row.overstay),
                "created_at": to_rfc3339(row.created_at),
                "arrived_at": None if row.arrived_at is None else to_rfc3339(row.arrived_at),
                "left_at": None if row.left_at is None else to_rfc3339(row.left_at),
                "vehicle": {"length_m": row.car_length_m, "width_m": row.car_width_m, "height_m": row.car_height_m},
                "phone_of_owner": row.phone,
                "sealed_plate": to_base64url(row.sealed_plate),
                "admissions": [
                    {"decision": one.decision, "by": one.by, "at": to_rfc3339(one.at)}
                    for one in decided
                    if one.booking == row.id
                ],
                "trail": [{"at": to_rfc3339(one.at), "cause": one.cause, "by": one.by} for one in told[row.id]],
            }
            for row in rows
        ]

    async def _obstacles(self, tx: ReadTx, account: str) -> list[str]:
        parked = await tx.all(
            sa.select(BOOKINGS.c.id).where(BOOKINGS.c.account == account, BOOKINGS.c.state == State.ACTIVE)
        )
        found = [f"Your car stands on the space of booking {row.id}. Drive it away first." for row in parked]
        for booking, space in await self._bookings.live_on_own(tx, account, _EVER):
            end = to_rfc3339(booking.period.end)
            if booking.standing.state is State.ACTIVE:
                remedy = f"A car stands on your space {space.id}. Wait until it has left (booked until {end})."
            else:
                remedy = (
                    f"Booking {booking.id} on your space {space.id} runs until {end}. Stop sharing the space, and "
                    "take it back or wait until then."
                )
            found.append(remedy)
        return found

    async def _erase(self, tx: Tx, account: str) -> None:
        waiting = await tx.all(sa.select(BOOKINGS.c.id).where(BOOKINGS.c.account == account, _LIVE))
        for row in waiting:
            found = await self._bookings.get_with_space(tx, row.id)
            if found is not None:
                await self._bookings.advance(tx, *found, Cause.CANCELED, by=By.SERVER)
        mine = sa.select(BOOKINGS.c.id).where(BOOKINGS.c.account == account)
        await tx.execute(sa.delete(ADMISSIONS).where(ADMISSIONS.c.booking.in_(mine)))
        await tx.execute(sa.delete(REFUSALS).where(REFUSALS.c.account == account))
        emptied = sa.update(BOOKINGS).where(BOOKINGS.c.account == account)
        await tx.execute(emptied.values(**_EMPTIED, content_hash=b""))


async def _empty(tx: Tx, due: float, limit: int) -> int:
    over = still_full(tx.engine, due, limit)
    return (await tx.execute(sa.update(BOOKINGS).where(BOOKINGS.c.id.in_(over)).values(_EMPTIED))).rowcount


def still_full(engine: str, due: float, limit: int) -> sa.Select[tuple[str]]:
    """Ask for bookings that are over since `due` and still hold a sealed plate."""
    # In the words of the index, not as a value: else SQLite looks at all bookings that were ever made.
    nothing: sa.ColumnElement[Any] = sa.literal_column("''::bytea" if engine == POSTGRESQL else "x''")
    full = sa.and_(BOOKINGS.c.sealed_plate != nothing, BOOKINGS.c.t1 <= due, sa.not_(_LIVE))
    return sa.select(BOOKINGS.c.id).where(full).order_by(BOOKINGS.c.t1).limit(limit)


async def _forget_admissions(tx: Tx, due: float, limit: int) -> int:
    over = (
        sa.select(ADMISSIONS.c.n)
        .join(BOOKINGS, BOOKINGS.c.id == ADMISSIONS.c.booking)
        .where(ADMISSIONS.c.at <= due, BOOKINGS.c.t1 <= due, sa.not_(_LIVE))
        .order_by(ADMISSIONS.c.at)
        .limit(limit)
    )
    return (await tx.execute(sa.delete(ADMISSIONS).where(ADMISSIONS.c.n.in_(over)))).rowcount
