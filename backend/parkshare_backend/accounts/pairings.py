"""Linking a house to an account by a short code: the shape of RFC 8628, without a bearer secret at the end.

The house asks for a pairing with its two public keys and shows the user code; the owner compares the
fingerprint and approves; the house polls with its device code and is an install from then on.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import sqlalchemy as sa

from parkshare_backend.accounts.installs import Installs
from parkshare_backend.accounts.secrets import (
    fingerprint,
    hash_secret,
    make_device_code,
    make_user_code,
    read_user_code,
)
from parkshare_backend.accounts.tables import ACCOUNTS, INSTALLS, PAIRINGS
from parkshare_backend.clock import Clock, Random
from parkshare_backend.http.problems import UNAVAILABLE, Problem, define
from parkshare_backend.store.engine import ReadTx, Store, Tx

CODE_LIFE = 900.0  # seconds that an owner has
INTERVAL = 5  # seconds between two polls (RFC 8628 section 3.5)
SLOWER = 5  # seconds that are added when a house polls too fast
POLL_LENIENCE = 1.0  # seconds; a network may bring two polls nearer together than they were sent
MAX_OPEN = 1000  # pairings that wait at once; bounds both the table and the luck of guessing
USED_KEPT = 900.0  # seconds that an answered poll may be repeated, for a house that lost the answer

UNKNOWN_CODE = define(
    "unknown-code",
    404,
    "The code is not known",
    "No pairing has this code, or it is over. Compare it with what Home Assistant shows, or start a new pairing there.",
)
ALREADY_DECIDED = define(
    "already-decided",
    409,
    "The pairing is decided",
    "Somebody has approved or denied this pairing already. Start a new one in Home Assistant.",
)
EXPIRED_CODE = define(
    "expired-code", 400, "The code has expired", "The pairing is over or was never made. Start a new one."
)
PENDING = define(
    "authorization-pending", 400, "Nobody has decided yet", "The owner has not decided. Poll again after `interval`."
)
SLOW_DOWN = define(
    "slow-down", 400, "Polled too often", "Wait 5 seconds longer between two polls from now on, then poll again."
)
DENIED = define(
    "access-denied", 400, "The owner said no", "The owner denied this house. Start a new pairing if that was wrong."
)


class State(StrEnum):
    """How far a pairing is."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    USED = "used"  # the house has heard of its approval


@dataclass(frozen=True, slots=True)
class Pairing:
    """A pairing as its owner sees it; expires_at is UTC epoch seconds."""

    user_code: str
    name: str
    fingerprint: str
    state: State
    expires_at: float


@dataclass(frozen=True, slots=True)
class NewPairing:
    """A pairing as its house sees it."""

    device_code: str
    user_code: str
    expires_in: float
    interval: int


@dataclass(frozen=True, slots=True)
class Paired:
    """What a house gets at the end."""

    install: str
    account: str
    account_name: str


class Pairings:
    """Every pairing that is under way."""

    def __init__(self, *, store: Store, clock: Clock, random: Random, installs: Installs) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self._installs = installs

    async def start(self, *, name: str, sign_key: bytes, seal_key: bytes) -> NewPairing:
        """Begin: the house offers its name and public keys."""
        now = self._clock.now()
        pairing = NewPairing(make_device_code(self._random), make_user_code(self._random), CODE_LIFE, INTERVAL)
        values = {
            "device_hash": hash_secret(pairing.device_code),
            "user_code": pairing.user_code,
            "name": name,
            "sign_key": sign_key,
            "seal_key": seal_key,
            "state": State.PENDING,
            "interval_s": INTERVAL,
            "expires_at": now + CODE_LIFE,
        }
        async with self._store.write() as tx:
            await tx.execute(sa.delete(PAIRINGS).where(PAIRINGS.c.expires_at + USED_KEPT <= now))
            if await tx.scalar(sa.select(sa.func.count()).select_from(PAIRINGS)) >= MAX_OPEN:
                raise Problem(
                    UNAVAILABLE, "Too many houses are pairing now. Try again later.", headers={"Retry-After": "60"}
                )
            await tx.execute(sa.insert(PAIRINGS).values(values))
        return pairing

    async def look(self, user_code: str) -> Pairing:
        """Show a live pairing to an owner."""
        async with self._store.read() as tx:
            return _pairing(await self._live(tx, user_code))

    async def approve(self, user_code: str, account: str) -> Pairing:
        """Link the house to the account."""
        async with self._store.write() as tx:
            row = await self._undecided(tx, user_code)
            install = await self._installs.add(
                tx, account=account, name=row.name, sign_key=row.sign_key, seal_key=row.seal_key
            )
            await self._decide(tx, row, State.APPROVED, install.id)
        return replace(_pairing(row), state=State.APPROVED)

    async def deny(self, user_code: str) -> Pairing:
        """Refuse the house."""
        async with self._store.write() as tx:
            row = await self._undecided(tx, user_code)
            await self._decide(tx, row, State.DENIED, None)
        return replace(_pairing(row), state=State.DENIED)

    async def poll(self, device_code: str) -> Paired:
        """Answer the waiting house; raises the problem that RFC 8628 section 3.5 names until it is approved."""
        outcome = await self._poll(hash_secret(device_code))
        if isinstance(outcome, Problem):
            raise outcome
        return outcome

    async def _poll(self, device_hash: bytes) -> Paired | Problem:
        # Problems are returned, not raised: what a poll remembers must be stored even when its answer is no.
        now = self._clock.now()
        this = PAIRINGS.c.device_hash == device_hash
        async with self._store.write() as tx:
            row = await tx.one(sa.select(PAIRINGS).where(this))
            if row is None or (row.expires_at <= now and row.state != State.USED):
                return Problem(EXPIRED_CODE, pointer="/device_code")
            if row.polled_at is not None and now - row.polled_at < row.interval_s - POLL_LENIENCE:
                slower = row.interval_s + SLOWER
                await tx.execute(sa.update(PAIRINGS).where(this).values(polled_at=now, interval_s=slower))
                return Problem(SLOW_DOWN, extra={"interval": slower})
            await tx.execute(sa.update(PAIRINGS).where(this).values(polled_at=now))
            if row.state == State.PENDING:
                return Problem(PENDING, extra={"interval": row.interval_s})
            if row.state == State.DENIED:
                return Problem(DENIED)
            await tx.execute(sa.update(PAIRINGS).where(this).values(state=State.USED))
            return await _paired(tx, row.install)

    async def _live(self, tx: ReadTx, user_code: str) -> sa.Row[tuple[object, ...]]:
        code = read_user_code(user_code)
        row = await tx.one(sa.select(PAIRINGS).where(PAIRINGS.c.user_code == code)) if code else None
        if row is None or row.expires_at <= self._clock.now():
            raise Problem(UNKNOWN_CODE, pointer="/user_code")
        return row

    async def _undecided(self, tx: ReadTx, user_code: str) -> sa.Row[tuple[object, ...]]:
        row = await self._live(tx, user_code)
        if row.state != State.PENDING:
            raise Problem(ALREADY_DECIDED)
        return row

    async def _decide(self, tx: Tx, row: sa.Row[tuple[object, ...]], state: State, install: str | None) -> None:
        decided = sa.update(PAIRINGS).where(PAIRINGS.c.device_hash == row.device_hash)
        await tx.execute(decided.values(state=state, install=install))


async def _paired(tx: ReadTx, install: str) -> Paired:
    row = (
        await tx.execute(
            sa.select(ACCOUNTS.c.id, ACCOUNTS.c.name)
            .join(INSTALLS, INSTALLS.c.account == ACCOUNTS.c.id)
            .where(INSTALLS.c.id == install)
        )
    ).one()
    return Paired(install, row.id, row.name)


def _pairing(row: sa.Row[tuple[object, ...]]) -> Pairing:
    state = State.APPROVED if row.state == State.USED else State(row.state)
    return Pairing(row.user_code, row.name, fingerprint(row.sign_key, row.seal_key), state, row.expires_at)
