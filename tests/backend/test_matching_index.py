"""The index over free spaces against brute force: random worlds, also across the antimeridian and at the poles."""

import asyncio
from functools import partial
from math import asin, atan2, cos, degrees, radians, sin
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st

from parkshare_backend.accounts.tables import ACCOUNTS, INSTALLS
from parkshare_backend.bookings.tables import BOOKINGS, CLAIMS
from parkshare_backend.clock import new_id
from parkshare_backend.matching.index import FIRST_RING_M, VICINITIES, Density, Wanted, nearest
from parkshare_backend.risk.tables import HINDRANCES
from parkshare_backend.spaces.geometry import EARTH_RADIUS_M, Point, area_of, distance_m, located, spot_of
from parkshare_backend.spaces.periods import Period, merge
from parkshare_backend.spaces.plugs import Plug, serves
from parkshare_backend.spaces.sizes import Size, fits
from parkshare_backend.spaces.tables import SPACES, WINDOWS
from parkshare_backend.store.engine import ReadTx, Store, Tx

HOUR = 3600
NOW = 1_800_000_000
ME = "me"
CENTRES = [Point(48.137, 11.575), Point(0, 0), Point(-17, 179.9995), Point(89.9995, 30), Point(-90, 0), Point(65, -180)]

slots = st.integers(0, 24)
periods = st.tuples(slots, st.integers(1, 8)).map(lambda at: Period(NOW + at[0] * HOUR, NOW + (at[0] + at[1]) * HOUR))
lengths = st.sampled_from([None, 2.0, 4.5, 5.5])
sizes = st.builds(Size, lengths, lengths, lengths)
plugs = st.sampled_from([None, Plug("IEC_62196_T2"), Plug("IEC_62196_T2", 11.0), Plug("CHADEMO", 50.0)])
# (start slot, length, kind): what overlaps an earlier one is left out, as the database would refuse it
claims = st.lists(
    st.tuples(slots, st.integers(1, 6), st.sampled_from(["booking", "standby", "hold", "expired"])), max_size=5
)
spaces = st.fixed_dictionaries(
    {
        "bearing": st.floats(0, 360),
        "away_m": st.floats(0, 2500),
        "account": st.sampled_from(["owner", ME]),
        "sharing": st.sampled_from([1, 1, 1, 0]),
        "withdrawn": st.sampled_from([0, 0, 0, 1]),
        "price_minor": st.sampled_from([0, 200, 500]),
        "currency": st.sampled_from(["EUR", "CHF"]),
        "size": sizes,
        "plug": plugs,
        "windows": st.lists(periods, max_size=3).map(merge),
        "claims": claims,
        "hindered": st.sampled_from([None, None, None, "open", "ended"]),
    }
)
searches = st.builds(
    lambda **wanted: wanted,
    period=periods,
    radius_m=st.sampled_from([50.0, 300.0, 1500.0, 4000.0]),
    car=sizes,
    most_minor=st.sampled_from([2**53, 300]),
    currency=st.sampled_from(["", "EUR"]),
    plug=st.sampled_from([None, None, Plug(None), Plug("IEC_62196_T2"), Plug(None, 11.0)]),
    clear=st.booleans(),
)


def moved(start: Point, bearing: float, away_m: float) -> Point:
    """Go a distance along a great circle."""
    lat, turn, arc = radians(start.lat), radians(bearing), away_m / EARTH_RADIUS_M
    to = asin(max(-1.0, min(1.0, sin(lat) * cos(arc) + cos(lat) * sin(arc) * cos(turn))))
    east = atan2(sin(turn) * sin(arc) * cos(lat), cos(arc) - sin(lat) * sin(to))
    return Point(degrees(to), (start.lon + degrees(east) + 180) % 360 - 180)


def live_claims(space: dict[str, Any]) -> list[tuple[Period, str]]:
    kept: list[tuple[Period, str]] = []
    for at, length, kind in space["claims"]:
        period = Period(NOW + at * HOUR, NOW + (at + length) * HOUR)
        if not any(period.overlaps(other) for other, _ in kept):
            kept.append((period, kind))
    return kept


def is_free(space: dict[str, Any], wanted: Wanted) -> bool:
    taken = [period for period, kind in live_claims(space) if kind != "expired"]
    return (
        space["sharing"] == 1
        and not space["withdrawn"]
        and space["account"] != wanted.account
        and fits(wanted.car, space["size"])
        and space["price_minor"] <= wanted.most_minor
        and wanted.currency in {"", space["currency"]}
        and (wanted.plug is None or serves(space["plug"], wanted.plug))
        and any(window.covers(wanted.period) for window in space["windows"])
        and not any(period.overlaps(wanted.period) for period in taken)
        and not (wanted.clear and space["hindered"] == "open")
        and space["id"] not in wanted.without
    )


async def people(tx: Tx) -> str:
    install = new_id()
    await tx.execute(sa.delete(SPACES))
    await tx.execute(sa.delete(ACCOUNTS))
    for account in ("owner", ME):
        person = {"id": account, "email": account, "name": "x", "password": "x", "created_at": 0.0}
        await tx.execute(sa.insert(ACCOUNTS).values(person))
    house = {"id": install, "account": "owner", "name": "x", "created_at": 0.0}
    await tx.execute(sa.insert(INSTALLS).values(house | {"sign_key": bytes(32), "seal_key": new_id().encode()[:32]}))
    return install


async def settle(tx: Tx, world: list[dict[str, Any]]) -> None:
    """Put the spaces into the database as the features do."""
    install = await people(tx)
    for space in world:
        where = located(space["place"])
        plug = space["plug"] or Plug(None)
        row = {"id": space["id"], "install": install, "name": "x", "address": "", "access_notes": "", "range_m": 80.0}
        row |= {name: space[name] for name in ("account", "sharing", "withdrawn", "price_minor", "currency")}
        row |= {"lat": space["place"].lat, "lon": space["place"].lon, **where, "revision": 1}
        row |= {"plug_kind": plug.kind, "plug_power_kw": plug.power_kw, "seal_key": bytes(32), "barrier": "unknown"}
        size = space["size"]
        row |= {"length_m": size.length_m, "width_m": size.width_m, "height_m": size.height_m}
        await tx.execute(sa.insert(SPACES).values(row))
        for window in space["windows"]:
            await tx.execute(sa.insert(WINDOWS).values(space=space["id"], t0=window.start, t1=window.end))
        for period, kind in live_claims(space):
            claim = {"kind": "hold" if kind == "expired" else kind, "holder": new_id(), "space": space["id"]}
            claim |= {"t0": period.start, "t1": period.end}
            expires = {"booking": None, "expired": NOW - 1.0}.get(kind, NOW + 60.0)
            await tx.execute(sa.insert(CLAIMS).values(claim | {"expires_at": expires}))
        if space["hindered"] is not None:
            await hinder(tx, space["id"], ended=space["hindered"] == "ended")


async def hinder(tx: Tx, space: str, *, ended: bool) -> None:
    booking = new_id()
    row: dict[str, Any] = {column.name: 0 for column in BOOKINGS.c if not column.nullable}
    row |= {"id": booking, "account": "owner", "space": space, "t0": 1, "t1": 2, "state": "active"}
    await tx.execute(sa.insert(BOOKINGS).values(row | {"sealed_plate": b"", "content_hash": b""}))
    values = {"kind": "overstay", "booking": booking, "space": space, "since": 1.0, "ended_at": 2.0 if ended else None}
    await tx.execute(sa.insert(HINDRANCES).values(values))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    centre=st.sampled_from(CENTRES),
    world=st.lists(spaces, max_size=25),
    asked=st.lists(searches, min_size=3, max_size=3),
    count=st.sampled_from([1, 3, 10, 50]),
    lately_m=st.lists(st.sampled_from([0.0, 1.0, 90.0, 700.0, 20_000.0]), max_size=2),
)
def test_the_index_gives_the_nearest_free_spaces_and_no_others(
    database: str,
    centre: Point,
    world: list[dict[str, Any]],
    asked: list[dict[str, Any]],
    count: int,
    lately_m: list[float],
) -> None:
    density = Density()  # whatever was seen there lately, the answers are the same
    for reach_m in lately_m:
        density.heard(spot_of(centre), count, reach_m)
    for space in world:
        space |= {"id": new_id(), "place": moved(centre, space["bearing"], space["away_m"])}
    without = {world[0]["id"]} if world else set()

    async def look() -> None:
        store = Store(database)
        try:
            async with store.write() as tx:
                await settle(tx, world)
            async with store.read() as tx:
                for one in asked:
                    wanted = Wanted(centre=centre, account=ME, without=without, **one)
                    found = await nearest(tx, wanted, count=count, now=float(NOW), density=density)
                    compare(wanted, [(each.space, each.distance_m) for each in found])
        finally:
            await store.close()

    def compare(wanted: Wanted, found: list[tuple[str, float]]) -> None:
        away = {space["id"]: distance_m(centre, area_of(space["place"])) for space in world if is_free(space, wanted)}
        near = sorted(metres for metres in away.values() if metres <= wanted.radius_m)[:count]
        assert len(found) == len(near)
        assert all(abs(metres - expected) < 0.05 for (_, metres), expected in zip(found, near, strict=True))
        assert all(abs(metres - away[space]) < 0.05 for space, metres in found), "every space is free"
        assert len({space for space, _ in found}) == len(found)

    asyncio.run(look())


def test_spaces_of_one_area_come_and_go_each_by_itself(database: str) -> None:
    """They lie at one point, which is once in the index."""
    here, away = Point(48.1371, 11.5751), Point(48.1462, 11.5751)
    period = Period(NOW, NOW + HOUR)
    plain: dict[str, Any] = {
        "account": "owner", "sharing": 1, "withdrawn": 0, "price_minor": 0, "currency": "EUR", "size": Size(),
        "plug": None, "windows": [period], "claims": [], "hindered": None,
    }  # fmt: skip
    ids = [new_id() for _ in range(4)]
    world = [plain | {"id": ids[i], "place": Point(here.lat + i * 1e-5, here.lon)} for i in range(4)]
    world[3]["sharing"] = 0
    changes: list[tuple[sa.Executable, set[str]]] = [
        (sa.update(SPACES).where(SPACES.c.id == ids[3]).values(sharing=1), set(ids)),
        (sa.update(SPACES).where(SPACES.c.id == ids[0]).values(sharing=0), set(ids[1:])),
        (sa.update(SPACES).where(SPACES.c.id == ids[1]).values(
            lat=away.lat, lon=away.lon, **located(away)), set(ids[2:])),
        (sa.delete(SPACES).where(SPACES.c.id == ids[2]), {ids[3]}),
        (sa.update(SPACES).where(SPACES.c.id == ids[3]).values(withdrawn=1), set()),
        (sa.update(SPACES).where(SPACES.c.id == ids[0]).values(sharing=1), {ids[0]}),
    ]  # fmt: skip

    async def found_at(tx: ReadTx, centre: Point) -> set[str]:
        wanted = Wanted(centre=centre, period=period, radius_m=300.0)
        found = await nearest(tx, wanted, count=10, now=float(NOW))
        assert len({one.space for one in found}) == len(found)
        return {one.space for one in found}

    async def look() -> None:
        store = Store(database)
        try:
            async with store.write() as tx:
                await settle(tx, world)
                assert await found_at(tx, here) == set(ids[:3])
            for change, expected in changes:
                async with store.write() as tx:
                    await tx.execute(change)
                async with store.read() as tx:
                    assert await found_at(tx, here) == expected
            async with store.read() as tx:
                assert await found_at(tx, away) == {ids[1]}
        finally:
            await store.close()

    asyncio.run(look())


def test_an_area_stays_when_its_last_space_goes_while_another_one_comes(database: str) -> None:
    here, period = Point(48.1371, 11.5751), Period(NOW, NOW + HOUR)
    plain: dict[str, Any] = {
        "account": "owner", "sharing": 1, "withdrawn": 0, "price_minor": 0, "currency": "EUR", "size": Size(),
        "plug": None, "windows": [period], "claims": [], "hindered": None, "place": here,
    }  # fmt: skip
    going, coming = new_id(), new_id()
    world = [plain | {"id": going}, plain | {"id": coming, "sharing": 0}]

    async def look() -> None:
        store = Store(database)

        async def share(space: str, sharing: int) -> None:
            async with store.write() as tx:
                await tx.execute(sa.update(SPACES).where(SPACES.c.id == space).values(sharing=sharing))
                await asyncio.sleep(0)

        try:
            async with store.write() as tx:
                await settle(tx, world)
            one, other = going, coming
            for _ in range(20):
                leave, enter = partial(share, one, 0), partial(share, other, 1)
                await asyncio.gather(store.again(leave), store.again(enter))
                async with store.read() as tx:
                    wanted = Wanted(centre=here, period=period, radius_m=300.0)
                    assert [found.space for found in await nearest(tx, wanted, count=10, now=float(NOW))] == [other]
                one, other = other, one
        finally:
            await store.close()

    asyncio.run(look())


def test_a_ring_grows_at_once_and_shrinks_little_by_little() -> None:
    density, here, elsewhere = Density(), spot_of(CENTRES[0]), spot_of(moved(CENTRES[0], 90.0, 50_000.0))
    assert density.ring_m(here, 20) == FIRST_RING_M
    density.heard(here, 20, 100.0)
    dense_m = density.ring_m(here, 20)
    assert 100.0 < dense_m < 200.0
    assert density.ring_m(here, 80) == pytest.approx(2 * dense_m)  # four times as many lie on twice the way
    assert density.ring_m(elsewhere, 20) == FIRST_RING_M
    density.heard(here, 20, 400.0)
    grown_m = density.ring_m(here, 20)
    assert grown_m > 2 * dense_m
    density.heard(here, 20, 100.0)
    assert 0.9 * grown_m < density.ring_m(here, 20) < grown_m


def test_what_is_remembered_of_density_is_bounded() -> None:
    density = Density()
    for n in range(VICINITIES + 10):
        density.heard((n * 1_000_000, 0, 0), 20, 100.0)
    assert density.ring_m((0, 0, 0), 20) == FIRST_RING_M
    assert density.ring_m(((VICINITIES + 9) * 1_000_000, 0, 0), 20) != FIRST_RING_M
