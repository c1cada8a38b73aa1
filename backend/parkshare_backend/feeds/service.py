"""Calendar feeds: secret addresses under which an account's bookings can be read as a calendar."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from parkshare_backend.bookings import trail
from parkshare_backend.bookings.facts import alias
from parkshare_backend.bookings.lifecycle import State
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.bookings.service import Bookings
from parkshare_backend.clock import Clock, Random, new_id, to_rfc3339
from parkshare_backend.feeds.calendar import Entry
from parkshare_backend.feeds.tables import FEEDS
from parkshare_backend.http.problems import NOT_FOUND, Problem, define
from parkshare_backend.spaces.service import Space
from parkshare_backend.store.engine import ReadTx, Store, Tx

MAX_FEEDS = 10  # of one account
KEPT_S = 90 * 86_400.0  # seconds for which a booking that is over stays in the calendar
MAX_ENTRIES = 300  # of each side, the newest; more is no calendar that a person reads
PREFIX = "pkf_"  # lets a scanner know a leaked one, and our own log
_SECRET = re.compile(r"pkf_[A-Za-z0-9_-]{43}")
_PAGE = 100

TOO_MANY_FEEDS = define(
    "too-many-feeds", 409, "There are enough feeds",
    f"An account can have {MAX_FEEDS} calendar feeds. Delete one that nobody needs.",
)  # fmt: skip

_STATUS = {State.PENDING: "TENTATIVE", State.CANCELED: "CANCELLED", State.REJECTED: "CANCELLED"}


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed; its secret is known only while it is made. created_at is UTC epoch seconds."""

    id: str
    label: str
    created_at: float
    secret: str | None = None


class Feeds:
    """The feeds of all accounts."""

    def __init__(self, *, store: Store, bookings: Bookings, clock: Clock, random: Random) -> None:
        self._store = store
        self._bookings = bookings
        self._clock = clock
        self._random = random

    async def add(self, account: str, label: str) -> Feed:
        """Make a feed with a new secret."""
        secret = PREFIX + base64.urlsafe_b64encode(self._random.randbytes(32)).rstrip(b"=").decode()
        feed = Feed(new_id(), label, self._clock.now(), secret)
        async with self._store.write() as tx:
            if len(await _of_account(tx, account)) >= MAX_FEEDS:
                raise Problem(TOO_MANY_FEEDS)
            values = {"id": feed.id, "account": account, "hash": _hashed(secret), "label": label}
            await tx.execute(sa.insert(FEEDS).values(**values, created_at=feed.created_at))
        return feed

    async def listed(self, account: str) -> list[Feed]:
        """Give the account's feeds, oldest first."""
        async with self._store.read() as tx:
            return await _of_account(tx, account)

    async def remove(self, account: str, feed: str) -> None:
        """Delete a feed: its address shows nothing from now on."""
        async with self._store.write() as tx:
            gone = sa.delete(FEEDS).where(FEEDS.c.id == feed, FEEDS.c.account == account)
            if (await tx.execute(gone)).rowcount == 0:
                raise Problem(NOT_FOUND)

    async def entries(self, secret: str, *, server: str) -> list[Entry]:
        """Give the appointments behind a secret. Raises Problem NOT_FOUND when there is no such feed."""
        if not _SECRET.fullmatch(secret):
            raise Problem(NOT_FOUND)
        async with self._store.read() as tx:
            account = await tx.scalar(sa.select(FEEDS.c.account).where(FEEDS.c.hash == _hashed(secret)))
        if account is None:
            raise Problem(NOT_FOUND)
        return [entry async for entry in self._entries(account, server)]

    async def _entries(self, account: str, server: str) -> AsyncIterator[Entry]:
        oldest = self._clock.now() - KEPT_S
        roles: tuple[Literal["renter", "owner"], ...] = ("renter", "owner")
        for role in roles:
            cursor: str | None = None
            for _ in range(MAX_ENTRIES // _PAGE):
                found, cursor = await self._bookings.listed(account, role=role, before=cursor, limit=_PAGE)
                kept = [pair for pair in found if pair[0].period.end >= oldest]
                async with self._store.read() as tx:
                    changed = await trail.last_at(tx, [booking.id for booking, _ in kept])
                for booking, space in kept:
                    changed_at = changed.get(booking.id, booking.created_at)
                    yield entry_of(booking, space, viewer=account, server=server, changed_at=changed_at)
                if cursor is None:
                    break

    async def export(self, tx: ReadTx, account: str) -> list[Any]:
        """Give what is kept of a person here."""
        return [
            {"id": feed.id, "label": feed.label, "created_at": to_rfc3339(feed.created_at)}
            for feed in await _of_account(tx, account)
        ]

    async def erase(self, tx: Tx, account: str) -> None:
        """Forget a person's feeds."""
        await tx.execute(sa.delete(FEEDS).where(FEEDS.c.account == account))


def entry_of(booking: Booking, space: Space, *, viewer: str, server: str, changed_at: float) -> Entry:
    """Show a booking as an appointment: to its renter with the address while it lives, to the owner with an alias."""
    rents = viewer == booking.account
    return Entry(
        uid=f"{booking.id}@{server}",
        summary=f"Parking: {space.name}" if rents else f"{alias(booking.account, space.install)}: {space.name}",
        start=booking.period.start,
        end=booking.period.end,
        status=_STATUS.get(booking.standing.state, "CONFIRMED"),
        sequence=booking.revision,
        created_at=booking.created_at,
        changed_at=changed_at,
        location=space.address if rents and booking.live else None,
    )


async def _of_account(tx: ReadTx, account: str) -> list[Feed]:
    rows = await tx.all(
        sa.select(FEEDS.c.id, FEEDS.c.label, FEEDS.c.created_at).where(FEEDS.c.account == account).order_by(FEEDS.c.id)
    )
    return [Feed(row.id, row.label, row.created_at) for row in rows]


def _hashed(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
