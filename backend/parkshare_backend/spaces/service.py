"""What is known of spaces: houses publish them, searches and bookings look at them."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from parkshare_backend.accounts.installs import Install, Installs
from parkshare_backend.bookings.terms import Terms
from parkshare_backend.clock import Clock
from parkshare_backend.http.problems import INVALID_REQUEST, NOT_FOUND, FieldProblem, Problem, define
from parkshare_backend.link.service import LinkService, check
from parkshare_backend.spaces.geometry import Point, located
from parkshare_backend.spaces.models import SpacePublish, SpaceState, SpaceWithdraw, WindowsPublish
from parkshare_backend.spaces.periods import Period, merge
from parkshare_backend.spaces.plugs import Plug
from parkshare_backend.spaces.sizes import Size
from parkshare_backend.spaces.tables import SPACES, WINDOWS
from parkshare_backend.store.dialects import among
from parkshare_backend.store.engine import Prepared, ReadTx, Tx

HORIZON_S = 29 * 86_400  # 28 days, and a day for the calendar's last local midnight
MAX_SPACES = 1000  # of an account; so nobody can make an area expensive to search, or fill the disk
SPACE_ELSEWHERE = define(
    "space-elsewhere",
    409,
    "The space belongs to another house",
    "A space belongs to the house that published it first. Make a new space, or revoke the other house of the same "
    "owner first.",
)
TOO_MANY_SPACES = define(
    "too-many-spaces",
    409,
    "There are enough spaces",
    f"An account can have {MAX_SPACES} spaces, withdrawn ones included. Publish one that was withdrawn anew, with the "
    "same id, or pair the house with another account.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """One published space. seal_key is X25519, 32 bytes; range_m is the radius of its fence."""

    id: str
    install: str
    account: str  # of the owner
    name: str
    place: Point
    address: str
    access_notes: str
    size: Size
    range_m: float
    price_minor: int
    currency: str
    seal_key: bytes
    sharing: bool
    withdrawn: bool
    revision: int
    plug: Plug | None = None
    terms: Terms = field(default_factory=Terms)


class Spaces:
    """The spaces of all houses and their windows."""

    def __init__(self, *, installs: Installs, clock: Clock) -> None:
        self._installs = installs
        self._clock = clock
        self._taken_over: list[Callable[[Tx, Space], Awaitable[None]]] = []
        self._published: list[Callable[[Tx, str, str], Awaitable[None]]] = []
        installs.on_revoking(self._stop_sharing)

    def register(self, link: LinkService) -> None:
        """Take over the requests and events of the link that are about spaces."""
        link.on_request("space.publish", self.publish)
        link.on_request("space.withdraw", self.withdraw)
        link.on_request("windows.publish", self.publish_windows)
        link.on_event("space.state", self.state)

    def on_published(self, call: Callable[[Tx, str, str], Awaitable[None]]) -> None:
        """Call this with the id and the address of a space in the transaction in which it is published."""
        self._published.append(call)

    def on_taken_over(self, call: Callable[[Tx, Space], Awaitable[None]]) -> None:
        """Call this in the transaction in which a space goes over to a house that was paired anew."""
        self._taken_over.append(call)

    async def get(self, tx: ReadTx, space: str) -> Space | None:
        """Give a space, shared or not, withdrawn or not."""
        found = await tx.quick(_GET, space=space)
        return _space(found[0]) if found else None

    async def get_offered(self, tx: ReadTx, space: str, period: Period) -> tuple[Space, bool] | None:
        """Give a space, and whether it is shared now and a window covers the whole period."""
        found = await tx.quick(_GET_OFFERED, space=space, start=period.start, end=period.end)
        return (_space(found[0]), bool(found[0].offered)) if found else None

    async def get_many(self, tx: ReadTx, spaces: Collection[str]) -> dict[str, Space]:
        """Give the spaces with these ids."""
        if not spaces:
            return {}  # SQLite would look at every space for it
        rows = await tx.all(sa.select(SPACES).where(among(SPACES.c.id, spaces)))
        return {row.id: _space(row) for row in rows}

    async def ids_of_account(self, tx: ReadTx, account: str) -> list[str]:
        """Give the ids of the spaces that the account owns."""
        return [row.id for row in await tx.all(sa.select(SPACES.c.id).where(SPACES.c.account == account))]

    async def ids_of_install(self, tx: ReadTx, install: str) -> list[str]:
        """Give the ids of the spaces of a house."""
        return [row.id for row in await tx.all(sa.select(SPACES.c.id).where(SPACES.c.install == install))]

    async def offered(self, tx: ReadTx, space: str, period: Period) -> bool:
        """Tell whether the space is shared now and a window covers the whole period."""
        return bool(await tx.quick(_OFFERED, space=space, start=period.start, end=period.end))

    async def windows_of(self, tx: ReadTx, spaces: Collection[str], around: Period) -> dict[str, list[Period]]:
        """Give the windows of these spaces that overlap the given period."""
        near = WINDOWS.c.t0 < around.end, WINDOWS.c.t1 > around.start
        windows: dict[str, list[Period]] = {}
        for row in await tx.all(sa.select(WINDOWS).where(among(WINDOWS.c.space, spaces), *near)):
            windows.setdefault(row.space, []).append(Period(row.t0, row.t1))
        return windows

    async def publish(self, tx: Tx, install: Install, d: dict[str, Any]) -> dict[str, Any]:
        """Answer `space.publish`: make the space, or change it."""
        said = check(SpacePublish, d)
        known = await self.get(tx, said.space)
        goes_over = known is not None and known.install != install.id
        if known is not None and not await self.speaks_for(tx, install, known):
            raise Problem(SPACE_ELSEWHERE, pointer="/d/space")
        if known is None and len(await self.ids_of_account(tx, install.account)) >= MAX_SPACES:
            raise Problem(TOO_MANY_SPACES, pointer="/d/space")
        values = {
            "install": install.id, "account": install.account, "name": said.name,
            "lat": said.position.lat, "lon": said.position.lon,
            "address": said.address, "access_notes": said.access_notes,
            "length_m": said.size.length_m, "width_m": said.size.width_m, "height_m": said.size.height_m,
            "range_m": said.range_m, "price_minor": said.price.amount_minor, "currency": said.price.currency,
            "seal_key": said.seal_key, "sharing": int(said.sharing), "withdrawn": 0,
            "plug_kind": said.plug.kind if said.plug else None,
            "plug_power_kw": said.plug.power_kw if said.plug else None,
            **located(Point(said.position.lat, said.position.lon)),
            "terms": said.terms.terms().to_json() if said.terms else None,
            "revision": known.revision + 1 if known else 1,
        }  # fmt: skip
        if known is None:
            await tx.execute(sa.insert(SPACES).values(id=said.space, barrier="unknown", **values))
        else:
            await tx.execute(sa.update(SPACES).where(SPACES.c.id == said.space).values(values))
        for published in self._published:
            await published(tx, said.space, said.address)
        if goes_over and (space := await self.get(tx, said.space)) is not None:
            for call in self._taken_over:
                await call(tx, space)
        return {"revision": values["revision"]}

    async def withdraw(self, tx: Tx, install: Install, d: dict[str, Any]) -> dict[str, Any]:
        """Answer `space.withdraw`: offer it no more; live bookings keep their right."""
        space = await self._own(tx, install, check(SpaceWithdraw, d).space)
        await tx.execute(sa.delete(WINDOWS).where(WINDOWS.c.space == space.id))
        await tx.execute(sa.update(SPACES).where(SPACES.c.id == space.id).values(withdrawn=1, sharing=0))
        return {}

    async def publish_windows(self, tx: Tx, install: Install, d: dict[str, Any]) -> dict[str, Any]:
        """Answer `windows.publish`: replace all windows of the space; those that touch become one."""
        said = check(WindowsPublish, d)
        space = await self._own(tx, install, said.space)
        now = self._clock.now()
        periods = [window.period() for window in said.windows]
        faults = [fault for i, period in enumerate(periods) if (fault := _window_fault(i, period, now=now))]
        if faults:
            raise Problem(INVALID_REQUEST, errors=tuple(faults))
        windows = merge(period for period in periods if period.end > now)
        await tx.execute(sa.delete(WINDOWS).where(WINDOWS.c.space == space.id))
        if windows:
            rows = [{"space": space.id, "t0": window.start, "t1": window.end} for window in windows]
            await tx.execute(sa.insert(WINDOWS), rows)
        return {"windows": len(windows)}

    async def state(self, tx: Tx, install: Install, _at: float, d: dict[str, Any]) -> None:
        """Hear `space.state`."""
        said = check(SpaceState, d)
        space = await self._own(tx, install, said.space)
        values = {
            "barrier": said.known_barrier,
            "fault": said.fault,
            "sharing": int(said.sharing and not space.withdrawn),
        }
        await tx.execute(sa.update(SPACES).where(SPACES.c.id == space.id).values(values))

    async def _own(self, tx: ReadTx, install: Install, space: str) -> Space:
        known = await self.get(tx, space)
        if known is None or known.install != install.id:
            raise Problem(NOT_FOUND, "The house has no such space. Publish it first.", pointer="/d/space")
        return known

    async def speaks_for(self, tx: ReadTx, install: Install, space: Space) -> bool:
        """Tell whether a space is the house's: its own, or that of its revoked predecessor with the same owner."""
        if space.install == install.id:
            return True
        holder = await self._installs.get(tx, space.install)
        return space.account == install.account and holder is not None and holder.revoked_at is not None

    async def _stop_sharing(self, tx: Tx, install: str) -> None:
        """Offer nothing of a house that nobody can ask any more, until a new one publishes it again."""
        await tx.execute(sa.update(SPACES).where(SPACES.c.install == install).values(sharing=0))


# What every booking asks, so compiled once.
_GET = Prepared(sa.select(SPACES).where(SPACES.c.id == sa.bindparam("space")))
_IS_OFFERED = sa.and_(
    SPACES.c.sharing == 1,
    SPACES.c.withdrawn == 0,
    sa.exists().where(
        WINDOWS.c.space == SPACES.c.id,
        WINDOWS.c.t0 <= sa.bindparam("start"),
        WINDOWS.c.t1 >= sa.bindparam("end"),
    ),
)
_OFFERED = Prepared(sa.select(SPACES.c.id).where(SPACES.c.id == sa.bindparam("space"), _IS_OFFERED))
_GET_OFFERED = Prepared(sa.select(SPACES, _IS_OFFERED.label("offered")).where(SPACES.c.id == sa.bindparam("space")))


def _offered(period: Period) -> tuple[sa.ColumnElement[bool], ...]:
    window = sa.exists().where(WINDOWS.c.space == SPACES.c.id, WINDOWS.c.t0 <= period.start, WINDOWS.c.t1 >= period.end)
    return SPACES.c.sharing == 1, SPACES.c.withdrawn == 0, window


def _window_fault(index: int, period: Period, *, now: float) -> FieldProblem | None:
    pointer = f"/d/windows/{index}/end"
    if period.end <= period.start:
        return FieldProblem(pointer, "The window ends before it starts. Send a later end.")
    if period.end > now + HORIZON_S:
        return FieldProblem(pointer, "The window ends more than 28 days ahead. Publish it when it is nearer.")
    return None


def _space(row: sa.Row[Any]) -> Space:
    return Space(
        id=row.id,
        install=row.install,
        account=row.account,
        name=row.name,
        place=Point(row.lat, row.lon),
        address=row.address,
        access_notes=row.access_notes,
        size=Size(row.length_m, row.width_m, row.height_m),
        range_m=row.range_m,
        price_minor=row.price_minor,
        currency=row.currency,
        seal_key=row.seal_key,
        sharing=bool(row.sharing),
        withdrawn=bool(row.withdrawn),
        revision=row.revision,
        plug=Plug(row.plug_kind, row.plug_power_kw) if row.plug_kind is not None else None,
        terms=Terms.from_json(row.terms),
    )
