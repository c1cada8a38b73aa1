"""Bookings as rows: reading them and writing what changed. Rules live in lifecycle.py and service.py."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from parkshare_backend.bookings.help import Help
from parkshare_backend.bookings.lifecycle import HOLDING, WAITING, Standing, State
from parkshare_backend.bookings.tables import ADMISSIONS, BOOKINGS
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.sizes import Size
from parkshare_backend.store.engine import ReadTx, Tx

_LIVE = BOOKINGS.c.state.in_([str(state) for state in HOLDING])


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One booking; times in UTC epoch seconds. sealed_plate is 176 bytes that only the house can open."""

    id: str
    account: str  # of the renter
    space: str
    period: Period
    standing: Standing
    near: bool
    revision: int
    sealed_plate: bytes
    content_hash: bytes
    created_at: float
    car: Size  # what the client told of it
    at_risk: bool
    help: Help
    ending_at: float | None  # when the house last told that the stay ends soon

    @property
    def live(self) -> bool:
        """Tell whether the booking holds the space."""
        return self.standing.holds_space

    @property
    def waiting(self) -> bool:
        """Tell whether the booking waits for its car."""
        return self.standing.state in WAITING


async def get(tx: ReadTx, booking: str) -> Booking | None:
    """Give a booking."""
    row = await tx.one(sa.select(BOOKINGS).where(BOOKINGS.c.id == booking))
    return _booking(row) if row else None


async def add(tx: Tx, booking: Booking) -> None:
    """Write a new booking."""
    values = {
        "id": booking.id, "account": booking.account, "space": booking.space,
        "t0": booking.period.start, "t1": booking.period.end,
        "state": booking.standing.state, "overstay": int(booking.standing.overstay), "near": int(booking.near),
        "revision": booking.revision, "sealed_plate": booking.sealed_plate, "content_hash": booking.content_hash,
        "created_at": booking.created_at, "due_at": booking.period.end,
        "car_length_m": booking.car.length_m, "car_width_m": booking.car.width_m, "car_height_m": booking.car.height_m,
        **_notes(booking),
    }  # fmt: skip
    await tx.execute(sa.insert(BOOKINGS).values(values))


async def change(tx: Tx, booking: str, **values: Any) -> None:
    """Write some columns of a booking."""
    await tx.execute(sa.update(BOOKINGS).where(BOOKINGS.c.id == booking).values(values))


async def note(tx: Tx, booking: Booking) -> None:
    """Write what is known of a booking beside its state: help, risk, a near end."""
    await change(tx, booking.id, **_notes(booking))


async def list_of_account(tx: ReadTx, account: str, *, before: str | None, limit: int) -> list[Booking]:
    """Give what the account rents, newest first."""
    return await _list(tx, BOOKINGS.c.account == account, before=before, limit=limit)


async def list_on_spaces(tx: ReadTx, spaces: Collection[str], *, before: str | None, limit: int) -> list[Booking]:
    """Give the bookings on these spaces, newest first."""
    return await _list(tx, BOOKINGS.c.space.in_(spaces), before=before, limit=limit)


async def live_of_account(tx: ReadTx, account: str, around: Period) -> list[Booking]:
    """Give the live bookings of a renter whose period overlaps the given one."""
    return await _live(tx, BOOKINGS.c.account == account, around)


async def live_on_spaces(tx: ReadTx, spaces: Collection[str], around: Period | None = None) -> list[Booking]:
    """Give the live bookings on these spaces, of the given period or of all times."""
    return await _live(tx, BOOKINGS.c.space.in_(spaces), around)


async def due(tx: ReadTx, now: float, *, limit: int) -> list[Booking]:
    """Give bookings whose period is over and that nobody has looked at since."""
    rows = await tx.all(sa.select(BOOKINGS).where(BOOKINGS.c.due_at <= now).order_by(BOOKINGS.c.due_at).limit(limit))
    return [_booking(row) for row in rows]


async def record_admission(tx: Tx, *, booking: str, decision: str, by: str, at: float) -> None:
    """Write down what a house decided at its barrier."""
    await tx.execute(sa.insert(ADMISSIONS).values(booking=booking, decision=decision, by=by, at=at))


def _notes(booking: Booking) -> dict[str, Any]:
    known = booking.help
    return {
        "at_risk": int(booking.at_risk), "ending_at": booking.ending_at,
        "rung": known.rung, "rung_at": known.rung_at, "phone": known.phone,
        "code": known.code, "code_at": known.code_at, "tries_left": known.tries_left,
    }  # fmt: skip


async def _list(tx: ReadTx, whose: sa.ColumnElement[bool], *, before: str | None, limit: int) -> list[Booking]:
    older = [BOOKINGS.c.id < before] if before else []
    rows = await tx.all(sa.select(BOOKINGS).where(whose, *older).order_by(BOOKINGS.c.id.desc()).limit(limit))
    return [_booking(row) for row in rows]


async def _live(tx: ReadTx, whose: sa.ColumnElement[bool], around: Period | None) -> list[Booking]:
    times = [BOOKINGS.c.t0 < around.end, BOOKINGS.c.t1 > around.start] if around else []
    rows = await tx.all(sa.select(BOOKINGS).where(whose, _LIVE, *times).order_by(BOOKINGS.c.t0))
    return [_booking(row) for row in rows]


def _booking(row: sa.Row[Any]) -> Booking:
    return Booking(
        id=row.id,
        account=row.account,
        space=row.space,
        period=Period(row.t0, row.t1),
        standing=Standing(State(row.state), bool(row.overstay)),
        near=bool(row.near),
        revision=row.revision,
        sealed_plate=row.sealed_plate,
        content_hash=row.content_hash,
        created_at=row.created_at,
        car=Size(row.car_length_m, row.car_width_m, row.car_height_m),
        at_risk=bool(row.at_risk),
        help=Help(
            rung=row.rung,
            phone=row.phone,
            code=row.code,
            tries_left=row.tries_left,
            rung_at=row.rung_at,
            code_at=row.code_at,
        ),
        ending_at=row.ending_at,
    )
