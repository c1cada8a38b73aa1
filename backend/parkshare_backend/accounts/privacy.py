"""What accounts keep of people: who they are, how they get in, their houses."""

from typing import Any

import sqlalchemy as sa

from parkshare_backend.accounts.cache import TokenCache
from parkshare_backend.accounts.erasure import Erasure
from parkshare_backend.accounts.installs import Installs
from parkshare_backend.accounts.pairings import USED_KEPT
from parkshare_backend.accounts.passkeys import CHALLENGE_LIFE
from parkshare_backend.accounts.retention import Retention, Rule
from parkshare_backend.accounts.secrets import fingerprint
from parkshare_backend.accounts.tables import ACCOUNTS, CHALLENGES, INSTALLS, PAIRINGS, PASSKEYS, TOKENS
from parkshare_backend.clock import Clock, Random, to_rfc3339
from parkshare_backend.store.engine import ReadTx, Tx

KEY_LENGTH = 32  # bytes of a house's public key


class AccountPrivacy:
    """Exports and erases the account itself."""

    def __init__(self, *, installs: Installs, cache: TokenCache, clock: Clock, random: Random) -> None:
        self._installs = installs
        self._cache = cache
        self._clock = clock
        self._random = random

    def register(self, erasure: Erasure, retention: Retention) -> None:
        """Answer for the tables of accounts."""
        erasure.register(
            "account",
            tables=("accounts", "tokens", "passkeys", "challenges", "installs", "pairings"),
            export=self._export,
            erase=self._erase,
            last=True,
        )
        retention.register(
            Rule(
                what="Sessions (tokens)",
                since="when they expire; at once when they are revoked",
                kept_s=0,
                why="an expired token opens nothing",
                sweep=_forget_tokens,
            ),
            Rule(
                what="Challenges for passkeys, with the e-mail and name of a registration that was begun",
                since=f"when they were used or {CHALLENGE_LIFE / 60:g} minutes old",
                kept_s=0,
                why="each is signed once",
                sweep=_forget_challenges,
            ),
            Rule(
                what="Pairings of houses, with their code",
                since="after the code expired",
                kept_s=USED_KEPT,
                why="a house that lost the last answer may ask again",
                sweep=_forget_pairings,
            ),
        )

    async def _export(self, tx: ReadTx, account: str) -> list[Any]:
        row = await tx.one(sa.select(ACCOUNTS).where(ACCOUNTS.c.id == account))
        if row is None:
            return []
        tokens = await tx.all(sa.select(TOKENS).where(TOKENS.c.account == account).order_by(TOKENS.c.id))
        passkeys = await tx.all(sa.select(PASSKEYS).where(PASSKEYS.c.account == account).order_by(PASSKEYS.c.id))
        return [
            {
                "id": row.id,
                "email": row.email,
                "name": row.name,
                "created_at": to_rfc3339(row.created_at),
                "has_password": bool(row.password),
                "sessions": [
                    {
                        "label": token.label,
                        "scopes": token.scopes.split(),
                        "created_at": to_rfc3339(token.created_at),
                        "last_used_at": _time(token.last_used_at),
                        "expires_at": to_rfc3339(token.expires_at),
                    }
                    for token in tokens
                ],
                "passkeys": [
                    {
                        "name": key.name,
                        "created_at": to_rfc3339(key.created_at),
                        "last_used_at": _time(key.last_used_at),
                    }
                    for key in passkeys
                ],
                "houses": [
                    {
                        "id": house.id,
                        "name": house.name,
                        "fingerprint": fingerprint(house.sign_key, house.seal_key),
                        "created_at": to_rfc3339(house.created_at),
                        "revoked_at": _time(house.revoked_at),
                    }
                    for house in await self._installs.of(tx, account)
                ],
            }
        ]

    async def _erase(self, tx: Tx, account: str) -> None:
        for house in await self._installs.of(tx, account):
            await self._installs.end(tx, account, house.id)
            # Keys that nobody has: a row of zeros would be a key for which anybody can sign.
            nobodys = {"name": "", "sign_key": self._random.randbytes(KEY_LENGTH), "seal_key": bytes(KEY_LENGTH)}
            await tx.execute(sa.update(INSTALLS).where(INSTALLS.c.id == house.id).values(nobodys))
            await tx.execute(sa.delete(PAIRINGS).where(PAIRINGS.c.install == house.id))
        for table in (TOKENS, PASSKEYS, CHALLENGES):
            await tx.execute(sa.delete(table).where(table.c.account == account))
        # What no e-mail can be: nobody can register it, and nobody can sign in with it.
        nobody = {"email": f"erased {account}", "name": "", "password": "", "created_at": 0.0}
        gone = sa.update(ACCOUNTS).where(ACCOUNTS.c.id == account)
        await tx.execute(gone.values(**nobody, erased_at=self._clock.now()))
        self._cache.forget(tx, account)


def _time(at: float | None) -> str | None:
    return None if at is None else to_rfc3339(at)


async def _forget_tokens(tx: Tx, due: float, limit: int) -> int:
    return await _delete(tx, TOKENS, TOKENS.c.id, TOKENS.c.expires_at, due, limit)


async def _forget_challenges(tx: Tx, due: float, limit: int) -> int:
    return await _delete(tx, CHALLENGES, CHALLENGES.c.hash, CHALLENGES.c.expires_at, due, limit)


async def _forget_pairings(tx: Tx, due: float, limit: int) -> int:
    return await _delete(tx, PAIRINGS, PAIRINGS.c.device_hash, PAIRINGS.c.expires_at, due, limit)


async def _delete(tx: Tx, table: sa.Table, key: sa.Column[Any], at: sa.Column[Any], due: float, limit: int) -> int:
    old = sa.select(key).where(at <= due).order_by(at).limit(limit)
    return (await tx.execute(sa.delete(table).where(key.in_(old)))).rowcount
