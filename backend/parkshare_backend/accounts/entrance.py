"""Getting in with a passkey, proving again who one is, and changing the password."""

from typing import Any

import sqlalchemy as sa

from parkshare_backend.accounts.ceremonies import RefusedError
from parkshare_backend.accounts.passkeys import LAST_WAY_IN, PASSKEY_UNUSABLE, Passkey, Passkeys, Purpose
from parkshare_backend.accounts.passwords import Passwords
from parkshare_backend.accounts.schemas import Proof
from parkshare_backend.accounts.service import Accounts, NewToken
from parkshare_backend.accounts.sessions import Sessions
from parkshare_backend.accounts.tables import ACCOUNTS
from parkshare_backend.clock import new_id
from parkshare_backend.http.auth import Principal, Scope
from parkshare_backend.http.problems import Problem, define
from parkshare_backend.store.engine import Store, Tx

PASSKEY_REFUSED = define(
    "passkey-refused",
    401,
    "The passkey did not open an account",
    "It is not known here, belongs to another account, or the challenge is over or was used. Ask for new options and "
    "try again; if that does not help, sign in another way and look at the account's passkeys.",
)
WRONG_PROOF = define(
    "wrong-proof",
    403,
    "That did not prove who you are",
    "The password is wrong, or the passkey is not one of this account, or its challenge is over. Try again.",
)


class Entrance:
    """The ways into an account."""

    def __init__(
        self, *, store: Store, accounts: Accounts, sessions: Sessions, passkeys: Passkeys, passwords: Passwords
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._sessions = sessions
        self._passkeys = passkeys
        self._passwords = passwords

    async def begin_sign_up(self, *, email: str, name: str) -> dict[str, Any]:
        """Give the options for the passkey of an account that does not exist yet."""
        self._accounts.check_open()
        account = new_id()
        async with self._store.write() as tx:
            kept = {"id": account, "email": email, "name": name}
            challenge = await self._passkeys.challenge(tx, Purpose.SIGN_UP, **kept)
        return self._passkeys.party.ask_new(challenge, account=account, email=email, name=name, known=())

    async def sign_up(
        self, *, credential: dict[str, Any], passkey: str, label: str, scopes: frozenset[Scope]
    ) -> NewToken:
        """Make the account that begun with `begin_sign_up`, with this passkey and no password, and sign in."""
        self._accounts.check_open()
        async with self._store.write() as tx:
            try:
                challenge = await self._passkeys.take(tx, Purpose.SIGN_UP, credential)
            except RefusedError:
                raise Problem(PASSKEY_UNUSABLE, pointer="/credential") from None
            d = challenge.d
            account = await self._accounts.add(tx, d["id"], email=d["email"], name=d["name"], encoded="")
            await self._passkeys.keep(tx, account.id, name=passkey, credential=credential, challenge=challenge.text)
            issued = await self._sessions.issue(tx, account.id, label=label, scopes=scopes)
        return NewToken.of(issued, scopes, account)

    async def begin_sign_in(self, *, email: str | None) -> dict[str, Any]:
        """Give the options for signing in; the same for everybody.

        The authenticator shows which passkeys it has. No list is sent for an e-mail, so nobody learns whether it has
        an account; it only says whose passkey will be accepted.
        """
        async with self._store.write() as tx:
            kept = {} if email is None else {"email": email.casefold()}
            challenge = await self._passkeys.challenge(tx, Purpose.SIGN_IN, **kept)
        return self._passkeys.party.ask(challenge)

    async def sign_in(self, *, credential: dict[str, Any], label: str, scopes: frozenset[Scope]) -> NewToken:
        """Make a token for who holds a passkey; everything that is wrong looks the same."""
        async with self._store.write() as tx:
            try:
                challenge = await self._passkeys.take(tx, Purpose.SIGN_IN, credential)
                speaks_for = await self._passkeys.check(tx, challenge, credential)
            except RefusedError:
                raise Problem(PASSKEY_REFUSED) from None
            account = await self._accounts.find(tx, speaks_for) if speaks_for else None
            if account is not None and challenge.d.get("email", account.email) != account.email:
                raise Problem(PASSKEY_REFUSED)
            if account is not None:
                issued = await self._sessions.issue(tx, account.id, label=label, scopes=scopes)
        # Only now: without an account the counter went back, and that it did is to stay written.
        if account is None:
            raise Problem(PASSKEY_REFUSED)
        return NewToken.of(issued, scopes, account)

    async def begin_confirming(self, account: str) -> dict[str, Any]:
        """Give the options with which the account's holder proves who they are by one of its passkeys."""
        async with self._store.write() as tx:
            challenge = await self._passkeys.challenge(tx, Purpose.CONFIRM, account)
            known = await self._passkeys.known(tx, account)
        return self._passkeys.party.ask(challenge, known)

    async def confirm(self, principal: Principal, proof: Proof) -> None:
        """Let the token change how one gets in for a while."""
        encoded = await self.look_at(principal.account, proof)
        async with self._store.write() as tx:
            await self.prove(tx, principal.account, proof, encoded)
            await self._sessions.confirm(tx, principal.token)

    async def add_passkey(self, principal: Principal, *, name: str, credential: dict[str, Any]) -> Passkey:
        """Add a passkey, for somebody who proved a moment ago who they are."""
        async with self._store.write() as tx:
            await self._sessions.need_fresh(tx, principal.token)
            return await self._passkeys.add(tx, principal.account, name=name, credential=credential)

    async def remove_passkey(self, principal: Principal, passkey: str) -> None:
        """Remove a passkey, for somebody who proved a moment ago who they are."""
        async with self._store.write() as tx:
            await self._sessions.need_fresh(tx, principal.token)
            await self._passkeys.remove(tx, principal.account, passkey)

    async def set_password(self, principal: Principal, proof: Proof, password: str) -> None:
        """Set or change the password; every other session ends, since somebody may have had the old one."""
        encoded = await self.look_at(principal.account, proof)
        new = await self._passwords.hash(password)
        await self._change_password(principal, proof, encoded, new)

    async def remove_password(self, principal: Principal, proof: Proof) -> None:
        """Remove the password of an account that has a passkey; every other session ends."""
        encoded = await self.look_at(principal.account, proof)
        await self._change_password(principal, proof, encoded, "")

    async def look_at(self, account: str, proof: Proof) -> str | None:
        """Check the password of a proof, outside of any transaction since it takes long; `prove` wants the answer.

        Gives the encoded password that it is right for, None if it is not right or the proof is a passkey.
        """
        if proof.password is None:
            return None
        async with self._store.read() as tx:
            encoded: str | None = await tx.scalar(sa.select(ACCOUNTS.c.password).where(ACCOUNTS.c.id == account))
        right = await self._passwords.matches(encoded, proof.password.get_secret_value())
        return encoded if right else None

    async def prove(self, tx: Tx, account: str, proof: Proof, encoded: str | None) -> None:
        """Go on only with a right proof; encoded is what `look_at` gave.

        Raises:
            Problem: WRONG_PROOF.

        """
        if proof.passkey is None:
            now = await tx.scalar(sa.select(ACCOUNTS.c.password).where(ACCOUNTS.c.id == account))
            if encoded is None or now != encoded:  # it may have been changed meanwhile
                raise Problem(WRONG_PROOF, pointer="/proof/password")
            return
        try:
            challenge = await self._passkeys.take(tx, Purpose.CONFIRM, proof.passkey)
            speaks_for = await self._passkeys.check(tx, challenge, proof.passkey)
        except RefusedError:
            speaks_for = None
        if speaks_for != account:
            raise Problem(WRONG_PROOF, pointer="/proof/passkey")

    async def _change_password(self, principal: Principal, proof: Proof, encoded: str | None, new: str) -> None:
        async with self._store.write() as tx:
            await self.prove(tx, principal.account, proof, encoded)
            if not new and not await self._passkeys.known(tx, principal.account):
                raise Problem(LAST_WAY_IN)
            this = sa.update(ACCOUNTS).where(ACCOUNTS.c.id == principal.account)
            await tx.execute(this.values(password=new))
            await self._sessions.confirm(tx, principal.token)
            await self._sessions.revoke_all(tx, principal.account, keep=principal.token)
