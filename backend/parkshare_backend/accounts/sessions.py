"""Sessions: the tokens of an account, who is behind one, and their end."""

from dataclasses import dataclass

import sqlalchemy as sa

from parkshare_backend.accounts.cache import LIFE, TokenCache
from parkshare_backend.accounts.secrets import hash_secret, is_token, make_token
from parkshare_backend.accounts.tables import TOKENS
from parkshare_backend.clock import Clock, Random, new_id
from parkshare_backend.http.auth import Principal, Scope
from parkshare_backend.http.problems import NOT_FOUND, UNAUTHENTICATED, Problem, define
from parkshare_backend.store.engine import RawSql, ReadTx, Store, Tx

DAY = 86_400.0
HOUR = 3600.0  # how closely is told when a token was last used: enough to know one's own devices by
MAX_TOKENS = 100  # live tokens of one account; the oldest makes room
FRESH = 600.0  # seconds after somebody proved who they are in which a token may change how one gets in

# Sent by the driver alone: after an hour's turn all tokens in use come at once, and everybody else waits meanwhile.
_NOTE_USE = RawSql.both("UPDATE tokens SET last_used_at = $2 WHERE id = $1")

CONFIRM_FIRST = define(
    "confirm-first",
    403,
    "Prove again who you are",
    "This changes how one gets into the account, and the token signed in a while ago. Call "
    "`POST /api/v1/account/confirm` with the password or a passkey, then try again within ten minutes.",
)


@dataclass(frozen=True, slots=True)
class Session:
    """One token as its owner sees it; times in UTC epoch seconds, last_used_at to the hour."""

    id: str
    label: str
    scopes: frozenset[Scope]
    created_at: float
    last_used_at: float | None
    expires_at: float


@dataclass(frozen=True, slots=True)
class Issued:
    """A token at the one moment when its text is known."""

    text: str
    expires_at: float


class Sessions:
    """The tokens of all accounts."""

    def __init__(self, *, store: Store, clock: Clock, random: Random, cache: TokenCache, token_days: int) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self._cache = cache
        self._token_life = token_days * DAY
        self._used: dict[str, float] = {}  # hours that are not written yet, by token

    async def issue(
        self, tx: Tx, account: str, *, label: str, scopes: frozenset[Scope], life: float | None = None
    ) -> Issued:
        """Make a token for who just proved who they are; life is in seconds and defaults to the server's setting."""
        now = self._clock.now()
        issued = Issued(make_token(self._random), now + (life or self._token_life))
        await self._make_room(tx, account, now)
        values = {
            "id": new_id(), "account": account, "hash": hash_secret(issued.text), "label": label,
            "scopes": " ".join(sorted(scopes)), "created_at": now, "expires_at": issued.expires_at,
            "last_used_at": _hour(now), "confirmed_at": now,
        }  # fmt: skip
        await tx.execute(sa.insert(TOKENS).values(values))
        return issued

    def known(self, token: str, now: float) -> Principal | None:
        """Give the principal of a token that was seen a moment ago."""
        return self._cache.get(hash_secret(token), now)

    async def authenticate(self, token: str) -> Principal:
        """Give the principal of a live token."""
        hashed, now = hash_secret(token), self._clock.now()
        if (known := self._cache.get(hashed, now)) is not None:
            return known
        if is_token(token):
            mark = self._cache.mark()
            async with self._store.read() as tx:
                row = await tx.one(sa.select(TOKENS).where(TOKENS.c.hash == hashed))
            if row is not None and row.expires_at > now:
                principal = Principal(row.account, row.id, frozenset(Scope(scope) for scope in row.scopes.split()))
                self._cache.keep(hashed, principal, until=min(row.expires_at, now + LIFE), mark=mark)
                if row.last_used_at is None or row.last_used_at < _hour(now):
                    self._used[row.id] = _hour(now)
                return principal
        raise Problem(UNAUTHENTICATED, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})

    async def listed(self, account: str) -> list[Session]:
        """Give the live tokens of an account, newest first."""
        now = self._clock.now()
        async with self._store.read() as tx:
            rows = await tx.all(
                sa.select(TOKENS)
                .where(TOKENS.c.account == account, TOKENS.c.expires_at > now)
                .order_by(TOKENS.c.id.desc())
            )
        return [
            Session(
                id=row.id,
                label=row.label,
                scopes=frozenset(Scope(scope) for scope in row.scopes.split()),
                created_at=row.created_at,
                last_used_at=self._used.get(row.id, row.last_used_at),
                expires_at=row.expires_at,
            )
            for row in rows
        ]

    async def revoke(self, account: str, token: str) -> None:
        """Forget one token: from now on it opens nothing."""
        async with self._store.write() as tx:
            if await self._end(tx, account, TOKENS.c.id == token) == 0:
                raise Problem(NOT_FOUND, "The account has no such token, or it is revoked already.")

    async def revoke_all(self, tx: Tx, account: str, *, keep: str | None = None) -> int:
        """Forget every token of the account but one; give how many there were."""
        return await self._end(tx, account, TOKENS.c.id != keep if keep else sa.true())

    async def confirm(self, tx: Tx, token: str) -> None:
        """Note that the holder of a token just proved who they are."""
        await tx.execute(sa.update(TOKENS).where(TOKENS.c.id == token).values(confirmed_at=self._clock.now()))

    async def need_fresh(self, tx: ReadTx, token: str) -> None:
        """Go on only if the holder proved a moment ago who they are: a stolen phone must not take the account along.

        Raises:
            Problem: CONFIRM_FIRST.

        """
        confirmed_at: float | None = await tx.scalar(sa.select(TOKENS.c.confirmed_at).where(TOKENS.c.id == token))
        if confirmed_at is None or confirmed_at <= self._clock.now() - FRESH:
            raise Problem(CONFIRM_FIRST)

    async def sweep(self, _now: float) -> None:
        """Write when tokens were used: not while somebody waits, and at most once an hour for each."""
        used = dict(self._used)
        if not used:
            return

        async def work() -> None:
            async with self._store.write() as tx:
                await tx.many(_NOTE_USE, sorted((token, hour) for token, hour in used.items()))

        await self._store.again(work)
        # Only now: meanwhile its owner looks, or the write fails and must be made again.
        for token, hour in used.items():
            if self._used.get(token) == hour:
                del self._used[token]

    async def _end(self, tx: Tx, account: str, which: sa.ColumnElement[bool]) -> int:
        ended = (await tx.execute(sa.delete(TOKENS).where(TOKENS.c.account == account, which))).rowcount
        if ended:
            self._cache.forget(tx, account)
        return ended

    async def _make_room(self, tx: Tx, account: str, now: float) -> None:
        live = TOKENS.c.account == account, TOKENS.c.expires_at > now
        kept = sa.select(TOKENS.c.id).where(*live).order_by(TOKENS.c.id.desc()).limit(MAX_TOKENS - 1)
        await self._end(tx, account, TOKENS.c.id.not_in(kept))


def _hour(at: float) -> float:
    return at // HOUR * HOUR
