"""Standbys as rows."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from parkshare_backend.spaces.periods import Period
from parkshare_backend.standby.tables import STANDBYS
from parkshare_backend.store.engine import ReadTx, Tx


class State(StrEnum):
    """What became of a standby."""

    OFFERED = "offered"  # held until it expires
    ACCEPTED = "accepted"  # a booking that waits for the other house
    BOOKED = "booked"  # the other house stored the grant
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELED = "canceled"


LIVE = (State.OFFERED, State.ACCEPTED, State.BOOKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standby:
    """One standby: a space found for an owner while a renter's booking stands on theirs."""

    id: str
    account: str
    install: str
    home_space: str
    booking: str
    space: str
    period: Period
    state: State
    distance_m: float
    walk_s: int
    expires_at: float
    accepted_booking: str | None
    changed_at: float

    @property
    def live(self) -> bool:
        """Tell whether the space is the owner's to take or to use."""
        return self.state in LIVE


async def add(tx: Tx, standby: Standby) -> None:
    """Write a new standby."""
    values = {
        "id": standby.id, "account": standby.account, "install": standby.install, "home_space": standby.home_space,
        "booking": standby.booking, "space": standby.space, "t0": standby.period.start, "t1": standby.period.end,
        "state": standby.state, "distance_m": standby.distance_m, "walk_s": standby.walk_s,
        "expires_at": standby.expires_at, "accepted_booking": standby.accepted_booking,
        "changed_at": standby.changed_at,
    }  # fmt: skip
    await tx.execute(sa.insert(STANDBYS).values(values))


async def change(tx: Tx, standby: str, **values: Any) -> None:
    """Write some columns of a standby."""
    await tx.execute(sa.update(STANDBYS).where(STANDBYS.c.id == standby).values(values))


async def get(tx: ReadTx, standby: str) -> Standby | None:
    """Give a standby."""
    return await _one(tx, STANDBYS.c.id == standby)


async def accepted_as(tx: ReadTx, booking: str) -> Standby | None:
    """Give the standby that the owner's own booking came from."""
    return await _one(tx, STANDBYS.c.accepted_booking == booking)


async def of_booking(tx: ReadTx, booking: str) -> list[Standby]:
    """Give every standby that was found because of a renter's booking."""
    rows = await tx.all(sa.select(STANDBYS).where(STANDBYS.c.booking == booking))
    return [_standby(row) for row in rows]


async def of_account(tx: ReadTx, account: str, *, limit: int) -> list[Standby]:
    """Give the owner's latest standbys, newest first."""
    rows = await tx.all(
        sa.select(STANDBYS).where(STANDBYS.c.account == account).order_by(STANDBYS.c.id.desc()).limit(limit)
    )
    return [_standby(row) for row in rows]


async def expired(tx: ReadTx, now: float) -> list[Standby]:
    """Give the offers that nobody answered in time."""
    rows = await tx.all(sa.select(STANDBYS).where(STANDBYS.c.state == State.OFFERED, STANDBYS.c.expires_at <= now))
    return [_standby(row) for row in rows]


async def _one(tx: ReadTx, which: sa.ColumnElement[bool]) -> Standby | None:
    row = await tx.one(sa.select(STANDBYS).where(which))
    return _standby(row) if row else None


def _standby(row: sa.Row[Any]) -> Standby:
    return Standby(
        id=row.id,
        account=row.account,
        install=row.install,
        home_space=row.home_space,
        booking=row.booking,
        space=row.space,
        period=Period(row.t0, row.t1),
        state=State(row.state),
        distance_m=row.distance_m,
        walk_s=row.walk_s,
        expires_at=row.expires_at,
        accepted_booking=row.accepted_booking,
        changed_at=row.changed_at,
    )
