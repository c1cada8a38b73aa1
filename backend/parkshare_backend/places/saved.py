"""The places that people saved: home, work, and others."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from parkshare_backend.clock import Clock, new_id, to_rfc3339
from parkshare_backend.http.problems import NOT_FOUND, Problem, define
from parkshare_backend.places import rows
from parkshare_backend.places.tables import SAVED_PLACES
from parkshare_backend.spaces.geometry import Point
from parkshare_backend.store.engine import ReadTx, Store, Tx

MAX_SAVED = 50  # of one account
TOO_MANY_PLACES = define(
    "too-many-places", 409, "The account has saved enough places", "Remove one that is not used any more first."
)


class Kind(StrEnum):
    """What a saved place is to its owner."""

    HOME = "home"
    WORK = "work"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SavedPlace:
    """One saved place; created_at is UTC epoch seconds."""

    id: str
    kind: Kind
    label: str
    place: Point
    created_at: float


class SavedPlaces:
    """The saved places of all accounts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def listed(self, account: str) -> list[SavedPlace]:
        """Give the account's places, oldest first."""
        async with self._store.read() as tx:
            return [_saved(row) for row in await rows.saved_of(tx, account)]

    async def add(self, account: str, *, kind: Kind, label: str, place: Point) -> SavedPlace:
        """Save a place."""
        saved = SavedPlace(new_id(), kind, label, place, self._clock.now())
        values = {
            "id": saved.id, "account": account, "kind": kind, "label": label, "lat": place.lat, "lon": place.lon,
            "created_at": saved.created_at,
        }  # fmt: skip
        async with self._store.write() as tx:
            if len(await rows.saved_of(tx, account)) >= MAX_SAVED:
                raise Problem(TOO_MANY_PLACES)
            await tx.execute(sa.insert(SAVED_PLACES).values(values))
        return saved

    async def remove(self, account: str, place: str) -> None:
        """Forget a place."""
        this = SAVED_PLACES.c.id == place, SAVED_PLACES.c.account == account
        async with self._store.write() as tx:
            if (await tx.execute(sa.delete(SAVED_PLACES).where(*this))).rowcount == 0:
                raise Problem(NOT_FOUND, "The account has saved no such place.")

    async def export(self, tx: ReadTx, account: str) -> list[Any]:
        """Give the account's places for its export."""
        return [
            {
                "kind": one.kind,
                "label": one.label,
                "position": {"lat": one.place.lat, "lon": one.place.lon},
                "created_at": to_rfc3339(one.created_at),
            }
            for one in map(_saved, await rows.saved_of(tx, account))
        ]

    async def erase(self, tx: Tx, account: str) -> None:
        """Forget the account's places."""
        await tx.execute(sa.delete(SAVED_PLACES).where(SAVED_PLACES.c.account == account))


def _saved(row: sa.Row[Any]) -> SavedPlace:
    return SavedPlace(row.id, Kind(row.kind), row.label, Point(row.lat, row.lon), row.created_at)
