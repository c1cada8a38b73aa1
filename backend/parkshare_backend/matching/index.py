"""The index over free spaces: the nearest that are offered and free for a whole period, on either engine.

This is the one place where a search looks into the tables of several features at once (spaces, windows, claims,
hindrances); it only reads. Places are those of the rounded areas, in centimetres from the centre of the earth
(spaces/geometry.py), so the order that people see is the order of the index, and nothing of an address shows in it.

Whether a space is free is asked space by space in order of distance, and no further than there are enough:

- Windows of a space neither overlap nor touch: the last that starts by the start of the period must cover it.
- Claims of a space never overlap: of those that count, the last that starts before the end of the period must be over.
"""

import math
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from parkshare_backend.bookings.terms import Terms
from parkshare_backend.matching.policy import Lack
from parkshare_backend.spaces.geometry import CM_PER_M, NUMBERS_OF_AREA, Point, Spot, arc_m, reach_cm, spot_of
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.plugs import Plug
from parkshare_backend.spaces.sizes import Size
from parkshare_backend.store.contract import POSTGRESQL, RawSql
from parkshare_backend.store.engine import ReadTx

FIRST_RING_M = 200.0  # some ten areas; mostly enough where people live
RING_GROWTH = 3.0
RING_SPARE = 1.3  # a ring is so much wider than what was needed
LEAST_RING_M = 60.0  # about one area
VICINITY_CM = 500_000
VICINITIES = 4096  # that are remembered
ANY_PRICE = 2**53


class Wanted(NamedTuple):
    """What to look for. radius_m is measured to the areas; spaces of `account` and those in `without` are left out.

    currency "" is any. clear: leave out spaces on which a car is in the way now.
    """

    centre: Point
    period: Period
    radius_m: float
    account: str = ""
    car: Size = Size()
    most_minor: int = ANY_PRICE
    currency: str = ""
    plug: Plug | None = None
    without: Collection[str] = ()
    clear: bool = False


class Found(msgspec.Struct, frozen=True, gc=False):
    """A space that is free for the whole period; distance_m is measured to its area.

    Twenty are made for each search: a tuple with names takes three times as long to make and twice as long to read,
    a frozen dataclass far longer.
    """

    space: str
    name: str
    lat: float  # where it lies exactly: never for a searcher
    lon: float
    distance_m: float
    size: Size
    price_minor: int
    currency: str
    plug: Plug | None
    seal_key: bytes
    terms: Terms
    lack: Lack | None = None  # of what was asked for, where a search looks for what is nearly that

    @property
    def place(self) -> Point:
        """The exact place: never for a searcher."""
        return Point(self.lat, self.lon)


# What a statement gives, and what it asks of a space, by the names of ASKED: the benchmark asks the same of PostGIS.
COLUMNS = """
    s.id, s.name, s.lat, s.lon, s.length_m, s.width_m, s.height_m,
    s.price_minor, s.currency, s.plug_kind, s.plug_power_kw, s.seal_key, s.terms
"""
SUITS = """
    s.account <> {account}
    AND (s.length_m IS NULL OR s.length_m >= {length})
    AND (s.width_m IS NULL OR s.width_m >= {width})
    AND (s.height_m IS NULL OR s.height_m >= {height})
    AND s.price_minor <= {price} AND ({currency} = '' OR s.currency = {currency})
    AND ({plug} = 0 OR (s.plug_kind IS NOT NULL AND ({kind} = '' OR s.plug_kind = {kind})
        AND coalesce(s.plug_power_kw, 0) >= {power}))
"""
# A period in a SELECT of its own tells the planner of PostgreSQL nothing: so a plan that is made once looks no worse to
# it than one for these very values, which it would else make for every search, in a fifth of the search's time.
FREE = """
    (SELECT w.t1 FROM windows AS w WHERE w.space = s.id AND w.t0 <= (SELECT {start})
        ORDER BY w.t0 DESC LIMIT 1) >= {end}
    AND coalesce((SELECT c.t1 FROM claims AS c WHERE c.space = s.id AND c.t0 < (SELECT {end})
        AND (c.expires_at IS NULL OR c.expires_at > {now}) ORDER BY c.t0 DESC LIMIT 1), 0) <= {start}
    AND ({clear} = 0 OR (SELECT 1 FROM hindrances AS h WHERE h.space = s.id AND h.ended_at IS NULL LIMIT 1) IS NULL)
"""
_FREE_ON_SQLITE = (
    FREE.replace("windows AS w WHERE w.space = s.id", "window_times AS w WHERE w.n = s.n")
    .replace("claims AS c WHERE c.space = s.id", "claim_times AS c WHERE c.n = s.n")
)  # fmt: skip
ASKED = (
    "account", "length", "width", "height", "price", "currency", "plug", "kind", "power", "start", "end", "now",
    "clear",
)  # fmt: skip
_SPOT = ("x", "y", "z", "reach")
_RING = (*_SPOT, "seen", *ASKED, "count")
_CUBE = (*_SPOT, *ASKED)
TYPES = dict.fromkeys(("x", "y", "z", "reach", "length", "width", "height", "power", "now"), "float8")
TYPES |= dict.fromkeys(("account", "currency", "kind"), "text")
_SQLITE = {name: f"?{n}" for n, name in enumerate(_RING, 1)}
_POSTGRESQL = {name: f"${n}::{TYPES.get(name, 'int8')}" for n, name in enumerate(_CUBE, 1)}

# The areas of a ring, nearest first, and the spaces of one after the other until there are enough. All spaces of an
# area are at one point, so a ring has no more areas where spaces are dense. The outer LIMIT -1 makes SQLite sort the
# areas before it asks; a sort of the answer would ask about every space of the ring first. Of the inner ones each makes
# it take what lies within as it is: else it reads each coordinate, and computes each distance, wherever one is named,
# which is a tenth of the whole. The spaces of an area come from an index of the shared ones: to read all of its numbers
# takes 6 % less where all are shared, and many times as long in a garage where few are.
_ON_SQLITE = (
    f"""
    SELECT {COLUMNS}, near.d FROM (
        SELECT * FROM (
            SELECT *, (x0 - {{x}}) * (x0 - {{x}}) + (y0 - {{y}}) * (y0 - {{y}}) + (z0 - {{z}}) * (z0 - {{z}}) AS d
            FROM (
                SELECT n, x0, y0, z0 FROM space_places
                WHERE x0 >= {{x}} - {{reach}} AND x1 <= {{x}} + {{reach}} AND y0 >= {{y}} - {{reach}}
                    AND y1 <= {{y}} + {{reach}} AND z0 >= {{z}} - {{reach}} AND z1 <= {{z}} + {{reach}}
                LIMIT -1
            ) LIMIT -1
        ) WHERE d > {{seen}} AND d <= {{reach}} * {{reach}} ORDER BY d LIMIT -1
    ) AS near
    CROSS JOIN spaces AS s ON s.area = near.n / {NUMBERS_OF_AREA}
    WHERE s.sharing = 1 AND s.withdrawn = 0 AND {SUITS} AND {_FREE_ON_SQLITE} LIMIT {{count}}
    """  # noqa: S608
).format(**_SQLITE)
# The index of cubes gives the areas, nearest first. LATERAL with OFFSET has the spaces of one after the other looked up
# in a loop; else the planner may expect next to nothing, and fetch and sort all areas instead.
# A space beyond the radius is a row as well, and needs no probe: so the scan ends at the radius by the same LIMIT,
# which the planner can read. CASE hides from it what it would guess of the conditions.
_AWAY = "near.spot <-> cube(ARRAY[{x}, {y}, {z}])"
_ON_POSTGRESQL = (
    f"""
    SELECT {COLUMNS}, {_AWAY} FROM space_places AS near
    CROSS JOIN LATERAL (
        SELECT * FROM spaces AS at WHERE at.area = near.area AND at.sharing = 1 AND at.withdrawn = 0 OFFSET 0
    ) AS s
    WHERE CASE WHEN {_AWAY} > {{reach}} THEN true ELSE {SUITS} AND {FREE} END
    ORDER BY {_AWAY} LIMIT
    """  # noqa: S608
).format(**_POSTGRESQL)
_LIMITS = (5, 10, 20, 40, 80, 160, 320, 640, 1280)
_NEAREST = {limit: RawSql(sqlite="", postgresql=f"{_ON_POSTGRESQL}{limit}") for limit in _LIMITS}
_IN_RING = RawSql(sqlite=_ON_SQLITE, postgresql="")


class Density:
    """How far the searches near a place had to look lately: the next one there begins with a ring of that size.

    It changes how much is looked at, never what is found. Without it most searches take two or three rings, and each
    is a statement of its own.
    """

    def __init__(self) -> None:
        self._reach_m: dict[tuple[int, ...], float] = {}  # to the first space, if they lay evenly

    def ring_m(self, spot: Spot, count: int) -> float:
        """Give the ring in which so many free spaces are likely."""
        reach_m = self._reach_m.get(_vicinity(spot))
        return FIRST_RING_M if reach_m is None else reach_m * math.sqrt(count)

    def heard(self, spot: Spot, count: int, reach_m: float) -> None:
        """Remember how far a search for so many had to look: more is believed at once, less little by little."""
        key, new = _vicinity(spot), reach_m * RING_SPARE / math.sqrt(count)
        old = self._reach_m.get(key, new)
        if key not in self._reach_m and len(self._reach_m) >= VICINITIES:
            self._reach_m.clear()
        self._reach_m[key] = old + (new - old) / (2 if new > old else 16)


def _vicinity(spot: Spot) -> tuple[int, ...]:
    x, y, z = spot
    return x // VICINITY_CM, y // VICINITY_CM, z // VICINITY_CM


async def nearest(tx: ReadTx, wanted: Wanted, *, count: int, now: float, density: Density | None = None) -> list[Found]:
    """Give up to `count` spaces that are free for the whole period, nearest first."""
    spot, asked = spot_of(wanted.centre), asked_of(wanted, now)
    needed, most_cm = count + len(wanted.without), reach_cm(wanted.radius_m)
    if tx.engine == POSTGRESQL:
        limit = next((limit for limit in _LIMITS if limit >= needed), _LIMITS[-1])
        rows = await tx.fetch(_NEAREST[limit], *spot, most_cm, *asked)
        away_cm = [row[-1] for row in rows]
    else:
        rows = await _in_rings(tx, spot, wanted.radius_m, asked, needed, density or Density())
        away_cm = [math.sqrt(row[-1]) for row in rows]
    without, radius_m = wanted.without, wanted.radius_m
    return [
        _found(row, away_m)
        for row, cm in zip(rows, away_cm, strict=True)
        if (away_m := arc_m(cm)) <= radius_m and row[0] not in without
    ][:count]


async def _in_rings(
    tx: ReadTx, spot: Spot, radius_m: float, asked: tuple[Any, ...], needed: int, density: Density
) -> Sequence[Sequence[Any]]:
    """Look at one ring after the other until there are enough."""
    rows: list[Sequence[Any]] = []
    seen = -1  # the square of the distance, as the index has it
    for reach_m in rings(radius_m, density.ring_m(spot, needed)):
        reach = reach_cm(reach_m)
        rows += await tx.fetch(_IN_RING, *spot, reach, seen, *asked, needed - len(rows))
        if len(rows) >= needed:
            density.heard(spot, needed, math.sqrt(rows[-1][-1]) / CM_PER_M)
            return rows
        seen = reach * reach
    density.heard(spot, needed, radius_m)
    return rows


def rings(radius_m: float, first_m: float = FIRST_RING_M) -> list[float]:
    """Give growing radii up to the whole: who stops when there are enough never looks at a dense city at once."""
    radii, reach_m = [], max(first_m, LEAST_RING_M)
    while reach_m < radius_m:
        radii.append(reach_m)
        reach_m *= RING_GROWTH
    return [*radii, radius_m]


def asked_of(wanted: Wanted, now: float) -> tuple[Any, ...]:
    """Give the values of ASKED."""
    car, plug = wanted.car, wanted.plug
    return (
        wanted.account, car.length_m or 0.0, car.width_m or 0.0, car.height_m or 0.0,
        wanted.most_minor, wanted.currency,
        int(plug is not None), (plug and plug.kind) or "", (plug and plug.power_kw) or 0.0,
        wanted.period.start, wanted.period.end, now, int(wanted.clear),
    )  # fmt: skip


def _found(row: Sequence[Any], away_m: float) -> Found:
    space, name, lat, lon, length_m, width_m, height_m, minor, currency, kind, power_kw, key, terms, _ = row
    plug = _plug(kind, power_kw) if kind is not None else None
    # In the order of the fields: to name them takes as long again.
    return Found(
        space, name, lat, lon, away_m, _size(length_m, width_m, height_m), minor,
        currency, plug, key, _terms(terms),
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _size(length_m: float | None, width_m: float | None, height_m: float | None) -> Size:
    """Make a size; many spaces have the same."""
    return Size(length_m, width_m, height_m)


@lru_cache(maxsize=1024)
def _plug(kind: str, power_kw: float | None) -> Plug:
    """Make a plug; many spaces have the same."""
    return Plug(kind, power_kw)


@lru_cache(maxsize=1024)
def _terms(text: str | None) -> Terms:
    """Read terms; most spaces have the same few."""
    return Terms.from_json(text)
