"""Accounts and their tokens."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from parkshare_backend.accounts.passwords import Passwords
from parkshare_backend.accounts.secrets import hash_secret, is_token, make_token
from parkshare_backend.accounts.tables import ACCOUNTS, TOKENS
from parkshare_backend.clock import Clock, Random, new_id
from parkshare_backend.http.auth import Principal, Scope
from parkshare_backend.http.problems import NOT_FOUND, UNAUTHENTICATED, Problem, define
from parkshare_backend.store.engine import Store, Tx

DAY = 86_400.0
MAX_TOKENS = 100  # live tokens of one account; the oldest makes room

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


class Accounts:
    """Makes accounts, makes and checks tokens."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        random: Random,
        passwords: Passwords,
        registration_open: bool,
        token_days: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self._passwords = passwords
        self._registration_open = registration_open
        self._token_life = token_days * DAY

    async def register(self, *, email: str, password: str, name: str) -> Account:
        """Make an account; one for each e-mail, whatever its case."""
        if not self._registration_open:
            raise Problem(REGISTRATION_CLOSED)
        account = Account(new_id(), email.casefold(), name, self._clock.now())
        encoded = await self._passwords.hash(password)
        added = sqlite_insert(ACCOUNTS).values(
            id=account.id, email=account.email, name=name, password=encoded, created_at=account.created_at
        )
        async with self._store.write() as tx:
            if (await tx.execute(added.on_conflict_do_nothing(index_elements=[ACCOUNTS.c.email]))).rowcount == 0:
                raise Problem(EMAIL_TAKEN, pointer="/email")
        return account

    async def get(self, account: str) -> Account:
        """Give an account."""
        async with self._store.read() as tx:
            row = await tx.one(sa.select(ACCOUNTS).where(ACCOUNTS.c.id == account))
        if row is None:
            raise Problem(NOT_FOUND, "The account does not exist any more.")
        return Account(row.id, row.email, row.name, row.created_at)

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
        now = self._clock.now()
        token = NewToken(make_token(self._random), scopes, now + (life or self._token_life), account)
        async with self._store.write() as tx:
            await self._make_room(tx, account.id, now)
            values = {
                "id": new_id(),
                "account": account.id,
                "hash": hash_secret(token.text),
                "label": label,
                "scopes": " ".join(sorted(scopes)),
                "created_at": now,
                "expires_at": token.expires_at,
            }
            await tx.execute(sa.insert(TOKENS).values(values))
        return token

    async def _make_room(self, tx: Tx, account: str, now: float) -> None:
        await tx.execute(sa.delete(TOKENS).where(TOKENS.c.expires_at <= now))
        kept = (
            sa.select(TOKENS.c.id).where(TOKENS.c.account == account).order_by(TOKENS.c.id.desc()).limit(MAX_TOKENS - 1)
        )
        await tx.execute(sa.delete(TOKENS).where(TOKENS.c.account == account, TOKENS.c.id.not_in(kept)))

    async def authenticate(self, token: str) -> Principal:
        """Give the principal of a live token."""
        if is_token(token):
            async with self._store.read() as tx:
                row = await tx.one(sa.select(TOKENS).where(TOKENS.c.hash == hash_secret(token)))
            if row is not None and row.expires_at > self._clock.now():
                return Principal(row.account, row.id, frozenset(Scope(scope) for scope in row.scopes.split()))
        raise Problem(UNAUTHENTICATED, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})

    async def revoke(self, principal: Principal) -> None:
        """Forget a token: from now on it opens nothing."""
        async with self._store.write() as tx:
            await tx.execute(sa.delete(TOKENS).where(TOKENS.c.id == principal.token))
