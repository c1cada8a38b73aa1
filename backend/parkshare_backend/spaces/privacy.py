"""What spaces keep of their owners."""

from typing import Any

import sqlalchemy as sa

from parkshare_backend.accounts.erasure import Erasure
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.spaces.geometry import Point, located
from parkshare_backend.spaces.tables import SPACES, WINDOWS
from parkshare_backend.store.engine import ReadTx, Tx

# What is left of a space that strangers once booked: that it was there. NULL where the column allows it.
_NOBODYS = {
    "name": "", "address": "", "access_notes": "", "lat": 0.0, "lon": 0.0, "length_m": None, "width_m": None,
    "height_m": None, "seal_key": bytes(32), "sharing": 0, "withdrawn": 1, "fault": None, "terms": None,
    "plug_kind": None, "plug_power_kw": None,
    **located(Point(0.0, 0.0)),
}  # fmt: skip


def register(erasure: Erasure) -> None:
    """Answer for the tables of spaces."""
    erasure.impersonal("window_times", "the times of windows by the numbers of spaces; follows them at once")
    erasure.impersonal("space_places", "where areas with shared spaces lie, at their rounded places")
    erasure.register("spaces", tables=("spaces", "windows"), export=_export, erase=_erase)


async def _export(tx: ReadTx, account: str) -> list[Any]:
    rows = await tx.all(sa.select(SPACES).where(SPACES.c.account == account).order_by(SPACES.c.id))
    windows = await tx.all(
        sa.select(WINDOWS).join(SPACES, SPACES.c.id == WINDOWS.c.space).where(SPACES.c.account == account)
    )
    return [
        {
            "id": row.id,
            "name": row.name,
            "position": {"lat": row.lat, "lon": row.lon},
            "address": row.address,
            "access_notes": row.access_notes,
            "size": {"length_m": row.length_m, "width_m": row.width_m, "height_m": row.height_m},
            "range_m": row.range_m,
            "price": {"amount_minor": row.price_minor, "currency": row.currency},
            "sharing": bool(row.sharing),
            "withdrawn": bool(row.withdrawn),
            "windows": [
                {"start": to_rfc3339(window.t0), "end": to_rfc3339(window.t1)}
                for window in windows
                if window.space == row.id
            ],
        }
        for row in rows
    ]


async def _erase(tx: Tx, account: str) -> None:
    own = sa.select(SPACES.c.id).where(SPACES.c.account == account)
    await tx.execute(sa.delete(WINDOWS).where(WINDOWS.c.space.in_(own)))
    await tx.execute(sa.update(SPACES).where(SPACES.c.account == account).values(_NOBODYS))
