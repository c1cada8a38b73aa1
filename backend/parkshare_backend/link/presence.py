"""Which server holds the connection of a house, when several share one database.

Each server writes down the houses that are connected to it and says so again every BEAT_S; what nobody says any more
after GONE_S is not true any more. A house that comes to another server is there from then on: whoever wrote last has
it, and who held it before hears of that and ends its own session.

What must reach a house at once goes to its server over the bus and is answered. It may be a code that opens a
barrier, and the bus leaves traces on a disk, so it is sealed (HPKE, RFC 9180) to a key that the other server
made at its start and keeps in memory only.

With SQLite there is one server, and nothing of this happens.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa
import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from parkshare_backend.clock import Clock, new_id
from parkshare_backend.http.models import from_base64url, to_base64url
from parkshare_backend.link.tables import SESSIONS
from parkshare_backend.store.bus import Bus
from parkshare_backend.store.dialects import among, insert
from parkshare_backend.store.engine import UNABLE, Store

BEAT_S = 5.0  # seconds between two words that the houses are still here
GONE_S = 3 * BEAT_S
ENTERED = "link.entered"
HINT, HINTED = "link.hint", "link.hinted"
HINT_WITHIN = 5.0  # seconds; somebody waits at a gate
_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_MOST_AT_ONCE = 1_000  # hints under way; who asks for more gets "not connected"

type GiveHint = Callable[[str, str, dict[str, Any]], Awaitable[bool]]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    server: str
    key: X25519PublicKey


class Presence:
    """What this server tells the others of its houses, and hears of theirs."""

    def __init__(self, *, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._key = X25519PrivateKey.generate()
        self._here: dict[str, str] = {}  # install -> session
        self._asked: dict[str, asyncio.Future[bool]] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._take_over: Callable[[str], None] = lambda _install: None
        self._give_hint: GiveHint | None = None

    def start(self, *, take_over: Callable[[str], None], give_hint: GiveHint) -> None:
        """Hear the other servers: end the session of a house that went there, pass on what they have for ours."""
        self._take_over, self._give_hint = take_over, give_hint
        self._bus.subscribe(ENTERED, self._entered)
        self._bus.subscribe(HINT, self._hint_asked)
        self._bus.subscribe(HINTED, self._hint_answered)

    async def enter(self, install: str) -> str:
        """Say that the house is connected here; give the name of the session."""
        session = new_id()
        self._here[install] = session
        if self._bus.shared:
            await self._store.again(lambda: self._write(install, session))
        return session

    async def leave(self, install: str, session: str) -> None:
        """Say that it is not any more; a word that cannot be written grows old by itself."""
        if self._here.get(install) == session:
            del self._here[install]
        if self._bus.shared:
            try:
                await self._store.again(lambda: self._delete(install, session))
            except UNABLE as error:
                log.warning("link.cannot_say_goodbye", reason=type(error).__name__)

    async def elsewhere(self, install: str) -> bool:
        """Tell whether the house is connected to another server."""
        return await self._find(install) is not None

    async def hint(self, install: str, t: str, d: dict[str, Any]) -> bool:
        """Have another server tell the house something; tell whether it went out."""
        there = await self._find(install)
        if there is None or len(self._asked) >= _MOST_AT_ONCE:
            return False
        asked, answered = new_id(), asyncio.get_running_loop().create_future()
        sealed = _SUITE.encrypt(orjson.dumps([install, t, d]), there.key, info=asked.encode())
        self._asked[asked] = answered
        try:
            self._bus.publish(HINT, orjson.dumps([there.server, self._bus.me, asked, to_base64url(sealed)]).decode())
            async with asyncio.timeout(HINT_WITHIN):
                return bool(await answered)
        except TimeoutError:
            return False
        finally:
            del self._asked[asked]

    async def run(self) -> None:
        """Say again and again which houses are here, until cancelled; ends at once where there is one server."""
        while self._bus.shared:
            await self._clock.sleep(BEAT_S)
            try:
                await self._store.again(self._beat)
            except UNABLE as error:
                log.warning("link.cannot_say_present", reason=type(error).__name__)

    async def _write(self, install: str, session: str) -> None:
        key = self._key.public_key().public_bytes_raw()
        values = {"server": self._bus.me, "session": session, "key": key, "at": self._clock.now()}
        async with self._store.write() as tx:
            entered = insert(tx, SESSIONS).values(install=install, **values)
            await tx.execute(entered.on_conflict_do_update(index_elements=[SESSIONS.c.install], set_=values))
            tx.after_commit(lambda: self._bus.publish(ENTERED, install))

    async def _delete(self, install: str, session: str) -> None:
        async with self._store.write() as tx:
            await tx.execute(sa.delete(SESSIONS).where(SESSIONS.c.install == install, SESSIONS.c.session == session))

    async def _beat(self) -> None:
        """Refresh what is here, forget what is old, and notice what went elsewhere while no word of it came."""
        now = self._clock.now()
        async with self._store.write() as tx:
            await tx.execute(sa.update(SESSIONS).where(SESSIONS.c.server == self._bus.me).values(at=now))
            await tx.execute(sa.delete(SESSIONS).where(SESSIONS.c.at < now - 4 * GONE_S))
        await self._compare(tuple(self._here))

    async def _compare(self, installs: Collection[str]) -> None:
        """End the sessions of houses that the database knows elsewhere; whoever wrote last has the house."""
        if not installs:
            return
        async with self._store.read() as tx:
            known = await tx.all(
                sa.select(SESSIONS.c.install, SESSIONS.c.session).where(among(SESSIONS.c.install, installs))
            )
        for install, session in known:
            if self._here.get(install, session) != session:
                self._take_over(install)

    async def _find(self, install: str) -> _Elsewhere | None:
        if not self._bus.shared:
            return None
        fresh = SESSIONS.c.at > self._clock.now() - GONE_S
        async with self._store.read() as tx:
            row = await tx.one(sa.select(SESSIONS.c.server, SESSIONS.c.key).where(SESSIONS.c.install == install, fresh))
        if row is None or row.server == self._bus.me:
            return None
        return _Elsewhere(row.server, X25519PublicKey.from_public_bytes(row.key))

    def _entered(self, install: str) -> None:
        if install in self._here:
            self._own(self._compare((install,)))

    def _hint_asked(self, word: str) -> None:
        server, asker, asked, sealed = orjson.loads(word)
        if server != self._bus.me or self._give_hint is None:
            return
        try:
            plain = _SUITE.decrypt(from_base64url(sealed), self._key, info=asked.encode())
        except InvalidTag:
            log.warning("link.hint_unreadable")
            return
        self._own(self._pass_on(self._give_hint, asker, asked, *orjson.loads(plain)))

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="link-presence")
        self._working.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("link.presence_failed", exc_info=error)

    async def _pass_on(self, give: GiveHint, asker: str, asked: str, install: str, t: str, d: dict[str, Any]) -> None:
        went_out = await give(install, t, d)
        self._bus.publish(HINTED, orjson.dumps([asker, asked, went_out]).decode())

    def _hint_answered(self, word: str) -> None:
        asker, asked, went_out = orjson.loads(word)
        answered = self._asked.get(asked) if asker == self._bus.me else None
        if answered is not None and not answered.done():
            answered.set_result(went_out)
