"""Bookings as rows: reading them and writing what changed. Rules live in lifecycle.py and service.py."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from parkshare_backend.bookings.help import Help
from parkshare_backend.bookings.lifecycle import HOLDING, WAITING, Cause, Standing, State
from parkshare_backend.bookings.tables import ADMISSIONS, BOOKINGS, NO_SHOWS, REFUSALS, TRAIL
from parkshare_backend.bookings.terms import Terms
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.sizes import Size
from parkshare_backend.store.dialects import among, among_given, insert
from parkshare_backend.store.engine import Prepared, ReadTx, Tx

_LIVE = BOOKINGS.c.state.in_([str(state) for state in HOLDING])
# What every booking asks, so compiled once.
_GET = Prepared(sa.select(BOOKINGS).where(BOOKINGS.c.id == sa.bindparam("booking")))
_LIVE_ON = Prepared(sa.select(BOOKINGS).where(among_given(BOOKINGS.c.space, "spaces"), _LIVE).order_by(BOOKINGS.c.t0))
_NO_SHOWS = Prepared(
    sa.select(NO_SHOWS.c.booking).where(among_given(NO_SHOWS.c.space, "spaces"), NO_SHOWS.c.t1 > sa.bindparam("now"))
)
_NO_SHOWS_ON = Prepared(
    sa.select(NO_SHOWS.c.booking).where(NO_SHOWS.c.space == sa.bindparam("space"), NO_SHOWS.c.t1 > sa.bindparam("now"))
)
_REFUSED = Prepared(
    sa.select(REFUSALS.c.space).where(
        REFUSALS.c.account == sa.bindparam("account"),
        REFUSALS.c.t0 < sa.bindparam("end"),
        REFUSALS.c.t1 > sa.bindparam("start"),
    )
)


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
    terms: Terms  # as they were when it was booked
    answer_until: float | None = None  # when what waits for the owner's or the house's answer lapses
    unpaid: bool = False  # its house is not told of it before it is paid
    wanted: Period | None = None  # the period that the renter wants instead, until the house has answered
    arrived_at: float | None = None
    left_at: float | None = None

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
    found = await tx.quick(_GET, booking=booking)
    return _booking(found[0]) if found else None


async def add(tx: Tx, booking: Booking, *, due_at: float | None) -> None:
    """Write a new booking."""
    values = {
        "id": booking.id, "account": booking.account, "space": booking.space,
        "sealed_plate": booking.sealed_plate, "content_hash": booking.content_hash, "created_at": booking.created_at,
        "car_length_m": booking.car.length_m, "car_width_m": booking.car.width_m, "car_height_m": booking.car.height_m,
        "terms": None if booking.terms == Terms() else booking.terms.to_json(),
        "due_at": due_at, **_standing(booking), **_notes(booking),
    }  # fmt: skip
    await tx.add(BOOKINGS, values)


async def keep(tx: Tx, booking: Booking, *, due_at: float | None) -> None:
    """Write all that can change of a booking."""
    await change(tx, booking.id, due_at=due_at, **_standing(booking), **_notes(booking))


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
    if around is None:
        return [_booking(row) for row in await tx.quick(_LIVE_ON, spaces=spaces)]
    return await _live(tx, among(BOOKINGS.c.space, spaces), around)


async def due(tx: ReadTx, now: float, *, limit: int) -> list[Booking]:
    """Give bookings to which time has brought something, earliest first."""
    rows = await tx.all(sa.select(BOOKINGS).where(BOOKINGS.c.due_at <= now).order_by(BOOKINGS.c.due_at).limit(limit))
    return [_booking(row) for row in rows]


async def oldest_due(tx: ReadTx) -> float | None:
    """Give the earliest moment at which time brings something about; None when nothing is to come."""
    at: float | None = await tx.scalar(sa.select(sa.func.min(BOOKINGS.c.due_at)))
    return at


async def record_admission(tx: Tx, *, booking: str, decision: str, by: str, at: float) -> None:
    """Write down what a house decided at its barrier."""
    await tx.execute(sa.insert(ADMISSIONS).values(booking=booking, decision=decision, by=by, at=at))


async def keep_no_show(tx: Tx, booking: Booking) -> None:
    """Remember that the house still keeps the grant of a booking whose car has not come."""
    await tx.execute(sa.insert(NO_SHOWS).values(space=booking.space, booking=booking.id, t1=booking.period.end))


async def no_shows(tx: ReadTx, spaces: Collection[str], *, now: float) -> list[Booking]:
    """Give the bookings on these spaces whose car may still come although it did not come in time."""
    kept = await tx.quick(_NO_SHOWS, spaces=spaces, now=int(now))
    return await _each(tx, kept)


async def no_shows_on(tx: ReadTx, space: str, *, now: float) -> list[Booking]:
    """Give the same of one space: what every new booking asks."""
    return await _each(tx, await tx.quick(_NO_SHOWS_ON, space=space, now=int(now)))


async def _each(tx: ReadTx, kept: list[Any]) -> list[Booking]:
    found = [await get(tx, row.booking) for row in kept]
    return [booking for booking in found if booking is not None]


async def forget_no_show(tx: Tx, booking: str) -> None:
    """Forget that a car may still come."""
    await tx.execute(sa.delete(NO_SHOWS).where(NO_SHOWS.c.booking == booking))


async def forget_old_no_shows(tx: Tx, now: float) -> None:
    """Forget the cars that cannot come any more."""
    await tx.execute(sa.delete(NO_SHOWS).where(NO_SHOWS.c.t1 <= now))


async def refuse_again(tx: Tx, booking: Booking) -> None:
    """Remember that the owner said no to this renter for this period."""
    refused = insert(tx, REFUSALS).values(
        account=booking.account, space=booking.space, booking=booking.id, t0=booking.period.start, t1=booking.period.end
    )
    await tx.execute(refused.on_conflict_do_nothing(index_elements=["account", "space", "booking"]))


async def refused(tx: ReadTx, account: str, period: Period, *, space: str | None = None) -> set[str]:
    """Give the spaces (or see about one) whose owner said no to this renter for some part of the period."""
    found = await tx.quick(_REFUSED, account=account, start=period.start, end=period.end)
    return {row.space for row in found if space in {None, row.space}}


async def taken_back(tx: ReadTx, spaces: Collection[str], *, since: float) -> int:
    """Count how often the owner of these spaces has taken one back since then (UTC epoch seconds)."""
    counted = (
        sa.select(sa.func.count())
        .select_from(TRAIL)
        .join(BOOKINGS, BOOKINGS.c.id == TRAIL.c.booking)
        .where(among(BOOKINGS.c.space, spaces), TRAIL.c.cause == Cause.TAKEN_BACK, TRAIL.c.at >= since)
    )
    return int(await tx.scalar(counted) or 0)


def _standing(booking: Booking) -> dict[str, Any]:
    wanted = booking.wanted
    return {
        "t0": booking.period.start, "t1": booking.period.end,
        "state": booking.standing.state, "overstay": int(booking.standing.overstay), "near": int(booking.near),
        "waits_for_owner": int(booking.standing.waits_for_owner), "revision": booking.revision,
        "unpaid": int(booking.unpaid),
        "answer_until": booking.answer_until,
        "wanted_t0": wanted.start if wanted else None, "wanted_t1": wanted.end if wanted else None,
        "arrived_at": booking.arrived_at, "left_at": booking.left_at,
    }  # fmt: skip


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
        standing=Standing(State(row.state), bool(row.overstay), bool(row.waits_for_owner)),
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
        terms=Terms.from_json(row.terms),
        unpaid=bool(row.unpaid),
        answer_until=row.answer_until,
        wanted=Period(row.wanted_t0, row.wanted_t1) if row.wanted_t0 is not None else None,
        arrived_at=row.arrived_at,
        left_at=row.left_at,
    )
