"""Accounts: making one, and signing in with a password."""

from dataclasses import dataclass

import sqlalchemy as sa

from parkshare_backend.accounts.passwords import Passwords
from parkshare_backend.accounts.sessions import Issued, Sessions
from parkshare_backend.accounts.tables import ACCOUNTS
from parkshare_backend.clock import Clock, new_id
from parkshare_backend.http.auth import Scope
from parkshare_backend.http.problems import NOT_FOUND, Problem, define
from parkshare_backend.store.dialects import insert
from parkshare_backend.store.engine import ReadTx, Store, Tx

EMAIL_TAKEN = define(
    "email-taken",
    409,
    "The e-mail has an account",
    "An account with this e-mail exists. Sign in with it, or use another e-mail.",
)
REGISTRATION_CLOSED = define(
    "registration-closed",
    403,
    "Nobody can register here",
    "The operator of this server does not take new accounts. Ask them for one.",
)
WRONG_CREDENTIALS = define(
    "wrong-credentials",
    401,
    "E-mail or password is wrong",
    "No account has this e-mail with this password. Check both; the password distinguishes upper and lower case.",
)


@dataclass(frozen=True, slots=True)
class Account:
    """A person; created_at is UTC epoch seconds."""

    id: str
    email: str
    name: str
    created_at: float


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token at the one moment when its text is known."""

    text: str
    scopes: frozenset[Scope]
    expires_at: float
    account: Account

    @classmethod
    def of(cls, issued: Issued, scopes: frozenset[Scope], account: Account) -> NewToken:
        """Put together what is answered to who signed in."""
        return cls(issued.text, scopes, issued.expires_at, account)


class Accounts:
    """Makes accounts; gives tokens to who knows the password."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        passwords: Passwords,
        sessions: Sessions,
        registration_open: bool,
    ) -> None:
        self._store = store
        self._clock = clock
        self._passwords = passwords
        self._sessions = sessions
        self._registration_open = registration_open

    async def register(self, *, email: str, password: str, name: str) -> Account:
        """Make an account; one for each e-mail, whatever its case."""
        self.check_open()
        encoded = await self._passwords.hash(password)
        async with self._store.write() as tx:
            return await self.add(tx, new_id(), email=email, name=name, encoded=encoded)

    def check_open(self) -> None:
        """Raise Problem REGISTRATION_CLOSED unless anybody may make an account."""
        if not self._registration_open:
            raise Problem(REGISTRATION_CLOSED)

    async def add(self, tx: Tx, account: str, *, email: str, name: str, encoded: str) -> Account:
        """Write a new account; an empty password is none."""
        made = Account(account, email.casefold(), name, self._clock.now())
        added = insert(tx, ACCOUNTS).values(
            id=made.id, email=made.email, name=name, password=encoded, created_at=made.created_at
        )
        if (await tx.execute(added.on_conflict_do_nothing(index_elements=[ACCOUNTS.c.email]))).rowcount == 0:
            raise Problem(EMAIL_TAKEN, pointer="/email")
        return made

    async def get(self, account: str) -> Account:
        """Give an account."""
        async with self._store.read() as tx:
            found = await self.find(tx, account)
        if found is None:
            raise Problem(NOT_FOUND, "The account does not exist any more.")
        return found

    async def find(self, tx: ReadTx, account: str) -> Account | None:
        """Give an account that is not erased."""
        row = await tx.one(sa.select(ACCOUNTS).where(ACCOUNTS.c.id == account, ACCOUNTS.c.erased_at.is_(None)))
        return Account(row.id, row.email, row.name, row.created_at) if row else None

    async def sign_in(
        self, *, email: str, password: str, label: str, scopes: frozenset[Scope], life: float | None = None
    ) -> NewToken:
        """Make a token for who knows the password; a wrong e-mail and a wrong password look the same.

        life is in seconds and defaults to the server's setting.
        """
        async with self._store.read() as tx:
            row = await tx.one(sa.select(ACCOUNTS).where(ACCOUNTS.c.email == email.casefold()))
        if not await self._passwords.matches(row.password if row else None, password) or row is None:
            raise Problem(WRONG_CREDENTIALS)
        account = Account(row.id, row.email, row.name, row.created_at)
        async with self._store.write() as tx:
            # The password may have been changed, or the account erased, while it was checked.
            now = await tx.scalar(sa.select(ACCOUNTS.c.password).where(ACCOUNTS.c.id == account.id))
            if now != row.password:
                raise Problem(WRONG_CREDENTIALS)
            issued = await self._sessions.issue(tx, account.id, label=label, scopes=scopes, life=life)
        return NewToken.of(issued, scopes, account)
