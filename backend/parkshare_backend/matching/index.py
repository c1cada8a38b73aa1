"""The index over free spaces: the nearest that are offered and free for a whole period, on either engine.

This is the one place where a search looks into the tables of several features at once (spaces, windows, claims,
hindrances); it only reads. Places are those of the rounded areas, in centimetres from the centre of the earth
(spaces/geometry.py), so the order that people see is the order of the index, and nothing of an address shows in it.

Whether a space is free is asked space by space in order of distance, and no further than there are enough:

- Windows of a space neither overlap nor touch: the last that starts by the start of the period must cover it.
- Claims of a space never overlap: of those that count, the last that starts before the end of the period must be over.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from parkshare_backend.bookings.terms import Terms
from parkshare_backend.spaces.geometry import Point, Spot, area_of, distance_m, reach_cm, spot_of
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.plugs import Plug
from parkshare_backend.spaces.sizes import Size
from parkshare_backend.store.contract import POSTGRESQL, RawSql
from parkshare_backend.store.engine import ReadTx

FIRST_RING_M = 200.0
RING_GROWTH = 3.0  # looking at the whole radius at once is 10 to 100 times slower where spaces are dense
SMALLEST_PAGE = 64  # places that are sorted at once
ANY_PRICE = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to look for. radius_m is measured to the areas; spaces of `account` and those in `without` are left out.

    currency "" is any. clear: leave out spaces on which a car is in the way now.
    """

    centre: Point
    period: Period
    radius_m: float
    account: str = ""
    car: Size = field(default_factory=Size)
    most_minor: int = ANY_PRICE
    currency: str = ""
    plug: Plug | None = None
    without: Collection[str] = ()
    clear: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A space that is free for the whole period; distance_m is measured to its area."""

    space: str
    account: str
    name: str
    place: Point  # the exact one: never for a searcher
    area: Point
    distance_m: float
    size: Size
    price_minor: int
    currency: str
    plug: Plug | None
    seal_key: bytes
    terms: Terms


_COLUMNS = """
    s.id, s.account, s.name, s.lat, s.lon, s.length_m, s.width_m, s.height_m,
    s.price_minor, s.currency, s.plug_kind, s.plug_power_kw, s.seal_key, s.terms
"""
_SUITS = """
    s.account <> {account}
    AND (s.length_m IS NULL OR s.length_m >= {length})
    AND (s.width_m IS NULL OR s.width_m >= {width})
    AND (s.height_m IS NULL OR s.height_m >= {height})
    AND s.price_minor <= {price} AND ({currency} = '' OR s.currency = {currency})
    AND ({plug} = 0 OR (s.plug_kind IS NOT NULL AND ({kind} = '' OR s.plug_kind = {kind})
        AND coalesce(s.plug_power_kw, 0) >= {power}))
"""
_FREE = """
    (SELECT w.t1 FROM windows AS w WHERE w.space = s.id AND w.t0 <= {start}
        ORDER BY w.t0 DESC LIMIT 1) >= {end}
    AND coalesce((SELECT c.t1 FROM claims AS c WHERE c.space = s.id AND c.t0 < {end}
        AND (c.expires_at IS NULL OR c.expires_at > {now}) ORDER BY c.t0 DESC LIMIT 1), 0) <= {start}
    AND ({clear} = 0 OR (SELECT 1 FROM hindrances AS h WHERE h.space = s.id AND h.ended_at IS NULL LIMIT 1) IS NULL)
"""
_ASKED = (
    "account", "length", "width", "height", "price", "currency", "plug", "kind", "power", "start", "end", "now",
    "clear",
)  # fmt: skip
_CUBE = ("x", "y", "z", "reach", *_ASKED)
_TYPES = dict.fromkeys(("x", "y", "z", "reach", "length", "width", "height", "power", "now"), "float8")
_TYPES |= dict.fromkeys(("account", "currency", "kind"), "text")
_SQLITE = {name: f"?{n}" for n, name in enumerate(("places", *_ASKED, "count"), 1)}
_POSTGRESQL = {name: f"${n}::{_TYPES.get(name, 'int8')}" for n, name in enumerate(_CUBE, 1)}

# SQLite, first step: the nearest places of the R*Tree within a box, after those that were seen (distance, number).
# Second step: which of them, in this order, are free. Two small statements: sorting and asking in one takes thrice as
# long.
_PAGE = RawSql(
    sqlite="""
    SELECT (x0 - ?1) * (x0 - ?1) + (y0 - ?2) * (y0 - ?2) + (z0 - ?3) * (z0 - ?3) AS d, n FROM space_places
    WHERE x0 >= ?1 - ?4 AND x1 <= ?1 + ?4 AND y0 >= ?2 - ?4 AND y1 <= ?2 + ?4 AND z0 >= ?3 - ?4 AND z1 <= ?3 + ?4
        AND d <= ?4 * ?4 AND (d > ?5 OR (d = ?5 AND n > ?6))
    ORDER BY d, n LIMIT ?7
    """,
    postgresql="",
)
_ON_SQLITE = (
    f"SELECT {_COLUMNS}, 0 FROM json_each({{places}}) AS near CROSS JOIN spaces AS s ON s.n = near.value"  # noqa: S608
    f" WHERE s.sharing = 1 AND s.withdrawn = 0 AND {_SUITS} AND {_FREE} LIMIT {{count}}"
)
# The index of cubes gives the nearest first. A space beyond the radius is a row as well, and needs no probe: so the
# scan ends at the radius by the same LIMIT, and no condition makes the planner think that to fetch and sort is cheaper.
# CASE and a LIMIT that it can read let a plan that is made once look as good to it as one that is made each time.
_AWAY = "cube(ARRAY[s.x, s.y, s.z]::float8[]) <-> cube(ARRAY[{x}, {y}, {z}])"
_ON_POSTGRESQL = (
    f"SELECT {_COLUMNS}, {_AWAY} > {{reach}} FROM spaces AS s"  # noqa: S608
    f" WHERE s.sharing = 1 AND s.withdrawn = 0"
    f" AND CASE WHEN {_AWAY} > {{reach}} THEN true ELSE {_SUITS} AND {_FREE} END"
    f" ORDER BY {_AWAY} LIMIT "
).format(**_POSTGRESQL)
_LIMITS = (5, 10, 20, 40, 80, 160, 320, 640, 1280)
_NEAREST = {limit: RawSql(sqlite="", postgresql=f"{_ON_POSTGRESQL}{limit}") for limit in _LIMITS}
_FREE_AMONG = RawSql(sqlite=_ON_SQLITE.format(**_SQLITE), postgresql="")


async def nearest(tx: ReadTx, wanted: Wanted, *, count: int, now: float) -> list[Found]:
    """Give up to `count` spaces that are free for the whole period, nearest first."""
    spot, asked = spot_of(wanted.centre), _asked(wanted, now)
    needed = count + len(wanted.without)
    if tx.engine == POSTGRESQL:
        limit = next((limit for limit in _LIMITS if limit >= needed), _LIMITS[-1])
        rows = await tx.fetch(_NEAREST[limit], *spot, reach_cm(wanted.radius_m), *asked)
    else:
        rows = await _in_rings(tx, spot, wanted.radius_m, asked, needed)
    found = [_found(row, wanted.centre) for row in rows if not row[-1] and row[0] not in wanted.without]
    return [one for one in found if one.distance_m <= wanted.radius_m][:count]


async def _in_rings(
    tx: ReadTx, spot: Spot, radius_m: float, asked: tuple[Any, ...], needed: int
) -> Sequence[Sequence[Any]]:
    """Look at growing circles, page by page, until there are enough."""
    rows: list[Sequence[Any]] = []
    seen, size = (-1, 0), max(SMALLEST_PAGE, 2 * needed)
    for reach_m in _rings(radius_m):
        full = True
        while full and len(rows) < needed:
            page = await tx.fetch(_PAGE, *spot, reach_cm(reach_m), *seen, size)
            full = len(page) == size
            if page:
                seen = page[-1][0], page[-1][1]
                places = str([place for _, place in page])
                rows += await tx.fetch(_FREE_AMONG, places, *asked, needed - len(rows))
    return rows


def _rings(radius_m: float) -> list[float]:
    """Give growing radii up to the whole."""
    rings, reach_m = [], FIRST_RING_M
    while reach_m < radius_m:
        rings.append(reach_m)
        reach_m *= RING_GROWTH
    return [*rings, radius_m]


def _asked(wanted: Wanted, now: float) -> tuple[Any, ...]:
    car, plug = wanted.car, wanted.plug
    return (
        wanted.account, car.length_m or 0.0, car.width_m or 0.0, car.height_m or 0.0,
        wanted.most_minor, wanted.currency,
        int(plug is not None), (plug and plug.kind) or "", (plug and plug.power_kw) or 0.0,
        wanted.period.start, wanted.period.end, now, int(wanted.clear),
    )  # fmt: skip


def _found(row: Sequence[Any], centre: Point) -> Found:
    space, account, name, lat, lon, length_m, width_m, height_m, minor, currency, kind, power_kw, key, terms, _ = row
    place = Point(lat, lon)
    area = area_of(place)
    return Found(
        space=space,
        account=account,
        name=name,
        place=place,
        area=area,
        distance_m=distance_m(centre, area),
        size=Size(length_m, width_m, height_m),
        price_minor=minor,
        currency=currency,
        plug=Plug(kind, power_kw) if kind is not None else None,
        seal_key=key,
        terms=_terms(terms),
    )


@lru_cache(maxsize=1024)
def _terms(text: str | None) -> Terms:
    """Read terms; most spaces have the same few."""
    return Terms.from_json(text)
