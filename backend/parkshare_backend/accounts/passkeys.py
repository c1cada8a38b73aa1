"""Passkeys: adding them to an account, and getting in with them.

Every ceremony is two calls: options with a challenge, then what the authenticator made of it. A challenge is stored as
a hash, belongs to one purpose, and goes in the transaction of what it allows, so it is good once, on any instance.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from parkshare_backend.accounts.ceremonies import RefusedError, RelyingParty, asserted, challenge_in
from parkshare_backend.accounts.tables import ACCOUNTS, CHALLENGES, PASSKEYS
from parkshare_backend.clock import Clock, Random, new_id
from parkshare_backend.http.problems import NOT_FOUND, Problem, define
from parkshare_backend.store.dialects import insert
from parkshare_backend.store.engine import ReadTx, Store, Tx

CHALLENGE_LIFE = 300.0  # seconds
CHALLENGE_LENGTH = 32  # bytes
MAX_PASSKEYS = 20  # of one account

PASSKEY_UNUSABLE = define(
    "passkey-unusable",
    422,
    "The passkey cannot be added",
    "It was not made for this server, without a check of the user, or for a challenge that is over or was used. Ask "
    "for new options and let the device make another one.",
)
PASSKEY_KNOWN = define(
    "passkey-known", 409, "The passkey is known", "An account has this passkey already. Use another device."
)
TOO_MANY_PASSKEYS = define(
    "too-many-passkeys", 409, "The account has enough passkeys", "Remove one that is not used any more first."
)
LAST_WAY_IN = define(
    "last-way-in",
    409,
    "That is the last way into the account",
    "Without it nobody could sign in again. Add another passkey or set a password first.",
)


class Purpose(StrEnum):
    """What a challenge is for."""

    ADD = "add"
    SIGN_UP = "sign-up"
    SIGN_IN = "sign-in"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey; times in UTC epoch seconds. suspected_at: its counter went back, somebody may have a copy."""

    id: str
    name: str
    synced: bool
    created_at: float
    last_used_at: float | None
    suspected_at: float | None


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge that was taken: whose it is, and what was kept with it."""

    text: bytes
    account: str | None
    d: dict[str, Any]


class Passkeys:
    """The passkeys of all accounts. Who gets a token for one is `accounts/entrance.py`."""

    def __init__(self, *, store: Store, clock: Clock, random: Random, party: RelyingParty) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self.party = party

    async def challenge(self, tx: Tx, purpose: Purpose, account: str | None = None, **d: Any) -> bytes:
        """Make a challenge and keep what is to be known when it comes back."""
        text = self._random.randbytes(CHALLENGE_LENGTH)
        values = {
            "hash": hashlib.sha256(text).digest(), "purpose": purpose, "account": account,
            "d": orjson.dumps(d).decode(), "expires_at": self._clock.now() + CHALLENGE_LIFE,
        }  # fmt: skip
        await tx.execute(sa.insert(CHALLENGES).values(values))
        return text

    async def take(self, tx: Tx, purpose: Purpose, credential: dict[str, Any]) -> Challenge:
        """Use up the challenge that a credential answers; a failure later in the transaction gives it back.

        Raises:
            RefusedError: nobody asked for it, or it is over.

        """
        text = challenge_in(credential)
        asked = CHALLENGES.c.hash == hashlib.sha256(text).digest()
        live = CHALLENGES.c.expires_at > self._clock.now()
        taken = sa.delete(CHALLENGES).where(asked, live, CHALLENGES.c.purpose == purpose)
        row = (await tx.execute(taken.returning(CHALLENGES.c.account, CHALLENGES.c.d))).first()
        if row is None:
            raise RefusedError
        return Challenge(text, row.account, orjson.loads(row.d))

    async def begin_adding(self, account: str) -> dict[str, Any]:
        """Give the options for one more passkey of the account."""
        async with self._store.write() as tx:
            row = await tx.one(sa.select(ACCOUNTS.c.email, ACCOUNTS.c.name).where(ACCOUNTS.c.id == account))
            if row is None:
                raise Problem(NOT_FOUND, "The account does not exist any more.")
            challenge = await self.challenge(tx, Purpose.ADD, account)
            known = await self.known(tx, account)
        return self.party.ask_new(challenge, account=account, email=row.email, name=row.name, known=known)

    async def add(self, tx: Tx, account: str, *, name: str, credential: dict[str, Any]) -> Passkey:
        """Keep the passkey that a device made for the account."""
        try:
            challenge = await self.take(tx, Purpose.ADD, credential)
        except RefusedError:
            raise Problem(PASSKEY_UNUSABLE, pointer="/credential") from None
        if challenge.account != account:
            raise Problem(PASSKEY_UNUSABLE, pointer="/credential")
        return await self.keep(tx, account, name=name, credential=credential, challenge=challenge.text)

    async def keep(self, tx: Tx, account: str, *, name: str, credential: dict[str, Any], challenge: bytes) -> Passkey:
        """Check and store a new passkey for a challenge that was taken."""
        try:
            made = self.party.made(credential, challenge)
        except RefusedError:
            raise Problem(PASSKEY_UNUSABLE, pointer="/credential") from None
        if len(await self.known(tx, account)) >= MAX_PASSKEYS:
            raise Problem(TOO_MANY_PASSKEYS)
        passkey = Passkey(new_id(), name, made.synced, self._clock.now(), None, None)
        values = {
            "id": passkey.id, "account": account, "credential": made.credential, "public_key": made.public_key,
            "sign_count": made.sign_count, "name": name, "synced": int(made.synced),
            "transports": " ".join(made.transports), "created_at": passkey.created_at,
        }  # fmt: skip
        added = insert(tx, PASSKEYS).values(values).on_conflict_do_nothing(index_elements=[PASSKEYS.c.credential])
        if (await tx.execute(added)).rowcount == 0:
            raise Problem(PASSKEY_KNOWN, pointer="/credential")
        return passkey

    async def check(self, tx: Tx, challenge: Challenge, credential: dict[str, Any]) -> str | None:
        """Give the account that a credential speaks for; None if its counter went back, which is noted.

        Raises:
            RefusedError: it speaks for nobody here, or not for whom the challenge was made.

        """
        used, says = asserted(credential)
        row = await tx.one(sa.select(PASSKEYS).where(PASSKEYS.c.credential == used))
        if row is None or (says is not None and says != UUID(row.account).bytes):
            raise RefusedError
        if challenge.account is not None and challenge.account != row.account:
            raise RefusedError
        count = self.party.counted(credential, challenge.text, row.public_key)
        this, now = sa.update(PASSKEYS).where(PASSKEYS.c.id == row.id), self._clock.now()
        # Level 3, section 6.1.1: zero means that the authenticator does not count.
        if count <= row.sign_count and (count or row.sign_count):
            await tx.execute(this.values(suspected_at=now))
            return None
        await tx.execute(this.values(sign_count=count, last_used_at=now))
        account: str = row.account
        return account

    async def known(self, tx: ReadTx, account: str) -> list[tuple[bytes, tuple[str, ...]]]:
        """Give the credentials of an account with the ways to reach them."""
        rows = await tx.all(
            sa.select(PASSKEYS.c.credential, PASSKEYS.c.transports).where(PASSKEYS.c.account == account)
        )
        return [(row.credential, tuple(row.transports.split())) for row in rows]

    async def listed(self, account: str) -> tuple[list[Passkey], bool]:
        """Give the account's passkeys, oldest first, and whether it has a password."""
        async with self._store.read() as tx:
            rows = await tx.all(sa.select(PASSKEYS).where(PASSKEYS.c.account == account).order_by(PASSKEYS.c.id))
            password = await tx.scalar(sa.select(ACCOUNTS.c.password).where(ACCOUNTS.c.id == account))
        return [_passkey(row) for row in rows], bool(password)

    async def rename(self, account: str, passkey: str, name: str) -> Passkey:
        """Give a passkey another name."""
        this = PASSKEYS.c.id == passkey, PASSKEYS.c.account == account
        async with self._store.write() as tx:
            await tx.execute(sa.update(PASSKEYS).where(*this).values(name=name))
            row = await tx.one(sa.select(PASSKEYS).where(*this))
        if row is None:
            raise Problem(NOT_FOUND, "The account has no such passkey.")
        return _passkey(row)

    async def remove(self, tx: Tx, account: str, passkey: str) -> None:
        """Forget a passkey, unless nobody could sign in without it."""
        removed = sa.delete(PASSKEYS).where(PASSKEYS.c.id == passkey, PASSKEYS.c.account == account)
        if (await tx.execute(removed)).rowcount == 0:
            raise Problem(NOT_FOUND, "The account has no such passkey.")
        password = await tx.scalar(sa.select(ACCOUNTS.c.password).where(ACCOUNTS.c.id == account))
        if not password and not await self.known(tx, account):
            raise Problem(LAST_WAY_IN)


def _passkey(row: sa.Row[Any]) -> Passkey:
    return Passkey(row.id, row.name, bool(row.synced), row.created_at, row.last_used_at, row.suspected_at)
