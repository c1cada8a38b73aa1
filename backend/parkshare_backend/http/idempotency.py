"""Asking twice, done once: `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), with our own rules.

The whole handler runs in one transaction of the database, and its answer is stored in that transaction: after a power
cut either both are there, and the caller gets the same answer again, or neither, and asking again does the work.
A refusal stores nothing, so whoever puts right what was wrong may use the same key.

A key belongs to one account, one address, one body, for a day. What the answer holds may be secret (a feed's address,
a signing key): it is kept encrypted under the key itself, of which only a hash is stored.
"""

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256

import orjson
import sqlalchemy as sa
from aiohttp import web
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parkshare_backend.clock import Clock, Random
from parkshare_backend.http.answers import Answer
from parkshare_backend.http.problems import Problem, define
from parkshare_backend.http.tables import KEPT_ANSWERS
from parkshare_backend.store.engine import RawSql, ReadTx, Store, Tx

KEPT_S = 86_400.0
HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_NONCE_BYTES = 12  # of AES-GCM
_SWEEP_EVERY_S = 600.0
_KEPT_HEADERS = frozenset({"content-type", "location", "etag"})
_SUCCESS = range(200, 300)
# A structured-field string (RFC 9651) or, as most clients send it, the bare text. A UUID has 36 characters.
_KEY = re.compile(r'"([\x21\x23-\x5b\x5d-\x7e]{16,255})"|([\x21\x23-\x5b\x5d-\x7e]{16,255})')

# With every request that makes something, so by the driver alone: SQLAlchemy took longer than SQLite with these four.
_KEPT = RawSql.both("SELECT asked, status, answer FROM kept_answers WHERE key = $1 AND at > $2")
# A key that is older than a day belongs to whoever comes next.
_CLAIM = RawSql.both(
    "INSERT INTO kept_answers (key, account, asked, status, answer, at) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT (key) DO UPDATE SET account = excluded.account, asked = excluded.asked, status = excluded.status, "
    "answer = excluded.answer, at = excluded.at WHERE kept_answers.at <= $7 RETURNING key"
)
_KEEP = RawSql.both("UPDATE kept_answers SET status = $2, answer = $3 WHERE key = $1")

KEY_NEEDED = define(
    "idempotency-key-needed", 400, "An Idempotency-Key is needed",
    "Send the header `Idempotency-Key` with a new random text for each thing that you want made, for example a UUID, "
    "and the same one when you repeat the request because no answer came.",
)  # fmt: skip
KEY_UNUSABLE = define(
    "idempotency-key-unusable", 400, "The Idempotency-Key cannot be used",
    "It has 16 to 255 visible ASCII characters without quotes and backslashes, for example a UUID.",
)  # fmt: skip
KEY_IN_USE = define(
    "request-in-progress", 409, "The same request is being worked on",
    "A request with this `Idempotency-Key` has not been answered yet. Wait for its answer, or ask again after "
    "`Retry-After` seconds.",
)  # fmt: skip
KEY_REUSED = define(
    "idempotency-key-reused", 422, "The Idempotency-Key was used for something else",
    "A key belongs to one request: the same address and the same body. Make a new one for another request.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """One request with a key: who asked under which key, and for what."""

    account: str
    key: str
    method: str
    path: str
    body: bytes

    @property
    def id(self) -> bytes:
        """Name the key of the account, without telling it."""
        return sha256(f"{self.account}\n{self.key}".encode()).digest()

    @property
    def content(self) -> bytes:
        """Tell what was asked for; the same fields in another order ask for the same."""
        body = orjson.dumps(orjson.loads(self.body), option=orjson.OPT_SORT_KEYS) if self.body else b""
        # Keyed: a hash of a body could be guessed, and bodies hold secrets.
        return hmac.digest(self.key.encode(), f"{self.method} {self.path}\n".encode() + body, "sha256")

    @property
    def cipher(self) -> AESGCM:
        """Give what the answer is kept under."""
        return AESGCM(hmac.digest(self.key.encode(), b"parkshare kept answer " + self.account.encode(), "sha256"))


def key_of(request: web.Request) -> str | None:
    """Read the header. Raises Problem KEY_UNUSABLE when it cannot be a key."""
    texts = request.headers.getall(HEADER, ())
    if not texts:
        return None
    found = _KEY.fullmatch(texts[0].strip()) if len(texts) == 1 else None
    if found is None:
        raise Problem(KEY_UNUSABLE)
    return found[1] or found[2]


class Idempotency:
    """Keeps answers for a day and gives them again."""

    def __init__(self, *, store: Store, clock: Clock, random: Random) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self._running: set[bytes] = set()
        self._swept_at = 0.0

    async def once(self, asked: Asked, work: Callable[[], Awaitable[Answer]]) -> Answer:
        """Give the kept answer, or do the work in one transaction and keep its answer.

        Raises:
            Problem: KEY_IN_USE, KEY_REUSED, or whatever the work raises.

        """
        key = asked.id
        if key in self._running:
            raise Problem(KEY_IN_USE, headers={"Retry-After": "1"}, extra={"retry_after": 1})
        self._running.add(key)
        try:
            return await self._store.again(lambda: self._attempt(asked, work))
        finally:
            self._running.discard(key)

    async def sweep(self, now: float) -> None:
        """Forget what is older than a day."""
        if now - self._swept_at >= _SWEEP_EVERY_S:
            async with self._store.write() as tx:
                await tx.execute(sa.delete(KEPT_ANSWERS).where(KEPT_ANSWERS.c.at <= now - KEPT_S))
            self._swept_at = now

    async def _attempt(self, asked: Asked, work: Callable[[], Awaitable[Answer]]) -> Answer:
        async with self._store.read() as look:
            if (kept := await self._kept(look, asked)) is not None:
                return kept
        async with self._store.whole() as tx:
            if not await self._claim(tx, asked):
                # Another server on this database was faster; on SQLite, another process.
                if (kept := await self._kept(tx, asked)) is not None:
                    return kept
                raise Problem(KEY_IN_USE, headers={"Retry-After": "1"}, extra={"retry_after": 1})
            response = await work()
            if response.status in _SUCCESS:
                await self._keep(tx, asked, response)
            else:
                await tx.execute(sa.delete(KEPT_ANSWERS).where(KEPT_ANSWERS.c.key == asked.id))
        return response

    async def _claim(self, tx: Tx, asked: Asked) -> bool:
        """Take the key before the work: who comes at the same moment waits here, or conflicts."""
        now = self._clock.now()
        return bool(await tx.fetch(_CLAIM, asked.id, asked.account, asked.content, 0, b"", now, now - KEPT_S))

    async def _keep(self, tx: Tx, asked: Asked, response: Answer) -> None:
        headers = [(name, value) for name, value in response.headers.items() if name.lower() in _KEPT_HEADERS]
        body = bytes(response.body) if isinstance(response.body, bytes | bytearray) else b""
        nonce = self._random.randbytes(_NONCE_BYTES)
        sealed = nonce + asked.cipher.encrypt(nonce, orjson.dumps(headers) + b"\n" + body, None)
        await tx.fetch(_KEEP, asked.id, response.status, sealed)

    async def _kept(self, tx: ReadTx, asked: Asked) -> Answer | None:
        rows = await tx.fetch(_KEPT, asked.id, self._clock.now() - KEPT_S)
        if not rows:
            return None
        known, status, sealed = rows[0]
        if not hmac.compare_digest(known, asked.content):
            raise Problem(KEY_REUSED)
        head, _, body = asked.cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).partition(b"\n")
        headers = {str(name): str(value) for name, value in orjson.loads(head)}
        return web.Response(status=status, body=body or None, headers=headers | {REPLAYED: "true"})
