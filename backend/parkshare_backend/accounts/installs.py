"""Houses: an install is one Home Assistant with its two public keys, owned by an account."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import sqlalchemy as sa

from parkshare_backend.accounts.tables import INSTALLS
from parkshare_backend.clock import Clock, new_id
from parkshare_backend.http.problems import NOT_FOUND, Problem
from parkshare_backend.store.engine import ReadTx, Store, Tx


@dataclass(frozen=True, slots=True)
class Install:
    """One linked house; sign_key is Ed25519, seal_key X25519 (32 bytes each), times UTC epoch seconds."""

    id: str
    account: str
    name: str
    sign_key: bytes
    seal_key: bytes
    created_at: float
    revoked_at: float | None


class Installs:
    """The houses of all accounts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._revoking: list[Callable[[Tx, str], Awaitable[None]]] = []
        self._revoked: list[Callable[[str], None]] = []

    def on_revoking(self, call: Callable[[Tx, str], Awaitable[None]]) -> None:
        """Call this in the transaction in which an install is revoked."""
        self._revoking.append(call)

    def on_revoked(self, call: Callable[[str], None]) -> None:
        """Call this with the install's id once its revocation is on disk."""
        self._revoked.append(call)

    async def get(self, tx: ReadTx, install: str) -> Install | None:
        """Give an install, revoked or not."""
        row = await tx.one(sa.select(INSTALLS).where(INSTALLS.c.id == install))
        return _install(row) if row else None

    async def owned_by(self, account: str) -> list[Install]:
        """Give the account's houses, oldest first."""
        async with self._store.read() as tx:
            return await self.of(tx, account)

    async def of(self, tx: ReadTx, account: str) -> list[Install]:
        """Give the account's houses, oldest first."""
        rows = await tx.all(sa.select(INSTALLS).where(INSTALLS.c.account == account).order_by(INSTALLS.c.id))
        return [_install(row) for row in rows]

    async def add(self, tx: Tx, *, account: str, name: str, sign_key: bytes, seal_key: bytes) -> Install:
        """Link a house to an account."""
        install = Install(new_id(), account, name, sign_key, seal_key, self._clock.now(), None)
        values = {
            "id": install.id,
            "account": account,
            "name": name,
            "sign_key": sign_key,
            "seal_key": seal_key,
            "created_at": install.created_at,
        }
        await tx.execute(sa.insert(INSTALLS).values(values))
        return install

    async def revoke(self, account: str, install: str) -> None:
        """Refuse the house from now on; its live connection is closed."""
        async with self._store.write() as tx:
            if not await self.end(tx, account, install):
                raise Problem(NOT_FOUND, "You have no such house, or it is revoked already.")

    async def end(self, tx: Tx, account: str, install: str) -> bool:
        """Refuse the house from this transaction on; false if the account has no such house that still counts."""
        revoked = (
            sa.update(INSTALLS)
            .where(INSTALLS.c.id == install, INSTALLS.c.account == account, INSTALLS.c.revoked_at.is_(None))
            .values(revoked_at=self._clock.now())
        )
        if (await tx.execute(revoked)).rowcount == 0:
            return False
        for call in self._revoking:
            await call(tx, install)
        tx.after_commit(lambda: self._tell(install))
        return True

    def _tell(self, install: str) -> None:
        for call in self._revoked:
            call(install)


def _install(row: sa.Row[tuple[object, ...]]) -> Install:
    return Install(row.id, row.account, row.name, row.sign_key, row.seal_key, row.created_at, row.revoked_at)
