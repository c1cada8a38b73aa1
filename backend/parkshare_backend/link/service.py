"""The live houses, and what their events and requests mean to the features.

A feature registers once, in `app.py`:

    link.on_event("stay.arrived", bookings.stay_arrived)      # async (tx, install, at, d) -> None
    link.on_request("windows.publish", spaces.publish_windows)  # async (tx, install, d) -> answer (a JSON object)
    link.on_snapshot("bookings", bookings.snapshot)            # async (read_tx, install) -> list of JSON objects

Handlers run in one write transaction together with the house's q, so an effect and "I have heard this" are
on disk together or not at all. They must not open a transaction of their own. `d` is untrusted JSON: check
it with a pydantic model through `check`, whose problem names the field. A handler that raises a Problem on
an event changes nothing; the event counts as heard (a refused fact is not repeated for ever).
"""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, Protocol

import orjson
import sqlalchemy as sa
import structlog
from pydantic import BaseModel

from parkshare_backend.accounts.installs import Install, Installs
from parkshare_backend.clock import Clock, from_rfc3339
from parkshare_backend.http.bodies import too_deep, validate
from parkshare_backend.http.problems import INTERNAL, INVALID_REQUEST, UNAVAILABLE, Problem, define
from parkshare_backend.link.presence import Presence
from parkshare_backend.link.protocol import Ev, Req
from parkshare_backend.link.snapshots import Plan, may_resume
from parkshare_backend.link.tables import ANSWERS, RECEIVED, RECENT, SET_ASIDE
from parkshare_backend.store.bus import Bus
from parkshare_backend.store.dialects import insert
from parkshare_backend.store.engine import UNABLE, ReadTx, Store, Tx
from parkshare_backend.store.outbox import SERVER, Outbox, install_audience, server_value

type EventHandler = Callable[[Tx, Install, float, dict[str, Any]], Awaitable[None]]
type RequestHandler = Callable[[Tx, Install, dict[str, Any]], Awaitable[dict[str, Any]]]
type SnapshotProvider = Callable[[ReadTx, Install], Awaitable[list[dict[str, Any]]]]

log = structlog.get_logger()

ANSWERS_KEPT = 86_400.0  # seconds that a repeated request gets its first answer
RECENT_KEPT = 7 * 86_400.0  # seconds that the id of an event is remembered
PRIVATE = frozenset({"phone"})  # what of an event is not kept for the person who looks into a defect
REVOKED, RENEWED = "link.revoked", "link.renewed"  # on the bus: a house is refused from now on; the log starts over
TRIES = 3  # times that our own defect may stop an event before it is set aside for a person

UNKNOWN_REQUEST = define(
    "unknown-request",
    400,
    "The request is not known",
    "The server does not know this request. Update the server or the integration.",
)
KEY_REUSED = define(
    "key-reused",
    422,
    "The key was used for another request",
    "An idempotency key belongs to one request. Send another request with a new key.",
)


class LiveSession(Protocol):
    """What the registry needs of a connection."""

    def take_over(self) -> None:
        """End: a newer connection of the same house took over."""

    def revoke(self) -> None:
        """End: the house is revoked."""

    async def restart(self, retry_after: float) -> None:
        """Say bye and end: the server goes down."""

    async def hint(self, t: str, d: dict[str, Any]) -> bool:
        """Say something once, on no disk on the way; tell whether it went out."""


def check[Model: BaseModel](model: type[Model], d: dict[str, Any]) -> Model:
    """Check the `d` of an event or request; the pointers of the problem start at `/d`."""
    return validate(model, d, root="/d")


class LinkService:
    """The registry of live houses and of the handlers of their frames."""

    def __init__(
        self, *, store: Store, outbox: Outbox, installs: Installs, clock: Clock, bus: Bus | None = None
    ) -> None:
        self.store = store
        self.outbox = outbox
        self.installs = installs
        self.clock = clock
        self.server = ""  # set once the database is open
        self.epoch = ""
        self._events: dict[str, EventHandler] = {}
        self._requests: dict[str, RequestHandler] = {}
        self._snapshots: dict[str, SnapshotProvider] = {}
        self._live: dict[str, LiveSession] = {}
        self._failures: dict[tuple[str, int], int] = {}
        self._renewed = False  # whether the epoch is one of this process, whose log can't have been restored
        self._bus = bus or Bus(store.url)
        self.presence = Presence(store=store, bus=self._bus, clock=clock)
        self.presence.start(take_over=self._taken_over, give_hint=self._hint_here)
        self._bus.subscribe(REVOKED, self._revoked)
        self._bus.subscribe(RENEWED, self._renewed_elsewhere)
        self._ending: set[asyncio.Task[None]] = set()
        installs.on_revoked(lambda install: self._bus.publish(REVOKED, install))

    def on_event(self, t: str, handler: EventHandler) -> None:
        """Register the one handler of an event type of the house."""
        _once(self._events, t, handler)

    def on_request(self, t: str, handler: RequestHandler) -> None:
        """Register the one handler of a request type of the house."""
        _once(self._requests, t, handler)

    def on_snapshot(self, of: str, provider: SnapshotProvider) -> None:
        """Register who gives a whole collection to a house that cannot resume."""
        _once(self._snapshots, of, provider)

    async def connected(self, install: str) -> bool:
        """Tell whether the house is on the link now, here or at another server of the database."""
        return install in self._live or await self.presence.elsewhere(install)

    @property
    def live(self) -> tuple[str, ...]:
        """The houses that are on the link at this server."""
        return tuple(self._live)

    async def hint(self, install: str, t: str, d: dict[str, Any]) -> bool:
        """Tell a house something that is worth nothing later; false if it is not on the link or does not read."""
        return await self._hint_here(install, t, d) or await self.presence.hint(install, t, d)

    async def enter(self, install: str, session: LiveSession) -> str:
        """Make this the one live session of the house; give the name under which it leaves."""
        if (older := self._live.get(install)) is not None:
            older.take_over()
        self._live[install] = session
        return await self.presence.enter(install)

    async def leave(self, install: str, session: LiveSession, name: str) -> None:
        """Forget a session that ended, unless a newer one took its place."""
        if self._live.get(install) is session:
            del self._live[install]
        await self.presence.leave(install, name)

    async def restart(self, retry_after: float) -> None:
        """Say bye to every house."""
        await asyncio.gather(*(session.restart(retry_after) for session in tuple(self._live.values())))

    async def _hint_here(self, install: str, t: str, d: dict[str, Any]) -> bool:
        session = self._live.get(install)
        return session is not None and await session.hint(t, d)

    def _taken_over(self, install: str) -> None:
        if (session := self._live.get(install)) is not None:
            session.take_over()

    def _revoked(self, install: str) -> None:
        if (session := self._live.get(install)) is not None:
            session.revoke()

    async def received(self, tx: ReadTx, install: str) -> int:
        """Give the last q of the house whose effect is stored."""
        return await tx.scalar(sa.select(RECEIVED.c.q).where(RECEIVED.c.install == install)) or 0

    async def resume(self, install: Install, *, epoch: str, got: int) -> Plan | None:
        """Decide how a connection starts: from where the house was, or with whole collections.

        A house that has more of this epoch's log than the log holds tells that the database was restored from
        an older copy. Then other houses may hold facts that never happened here: the epoch is renewed, None is
        given, and each house starts over when it comes back. Once for each start of the server: a database is
        restored while it stands still, so who says so again is wrong and gets whole collections.

        None is given, too, to a house that was revoked while it proved itself.
        """
        audience = install_audience(install.id)
        async with self.store.read() as tx:
            known = await self.installs.get(tx, install.id)
            if known is None or known.revoked_at is not None:
                self._revoked(install.id)
                return None
            if await self._other_epoch(tx):
                return None
            head = await self.outbox.head(tx, audience)
            received = await self.received(tx, install.id)
            if may_resume(same_epoch=epoch == self.epoch, got=got, head=head.head, pruned=head.pruned):
                return Plan(resumed=True, head=head.head, start=got, received=received)
            if epoch != self.epoch or got <= head.head or self._renewed:
                snapshots = {of: await provider(tx, install) for of, provider in self._snapshots.items()}
                return Plan(resumed=False, head=head.head, start=head.head, received=received, snapshots=snapshots)
        log.warning("link.log_was_restored", install=install.id, got=got, head=head.head)
        async with self.store.write() as write:
            epoch = await server_value(write, "epoch", renew=True)
        self.epoch, self._renewed = epoch, True
        self._bus.publish(RENEWED, epoch)
        await self.restart(0)
        return None

    async def _other_epoch(self, tx: ReadTx) -> bool:
        """Tell whether another server of the database has renewed the epoch; the house comes back to the new one."""
        stored = await tx.scalar(sa.select(SERVER.c.value).where(SERVER.c.name == "epoch"))
        if stored is None or stored == self.epoch:
            return False
        self.epoch, self._renewed = stored, True
        return True

    def _renewed_elsewhere(self, epoch: str) -> None:
        if epoch != self.epoch:
            self.epoch, self._renewed = epoch, True
            task = asyncio.create_task(self.restart(0), name="link-renewed")
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def too_late(self) -> dict[str, Any]:
        """Give the answer to a request that took too long; repeating it with its key is harmless."""
        problem = Problem(UNAVAILABLE, "The server did not answer in time. Ask again with the same key.")
        return {"ok": False, "problem": problem.document()}

    async def accept(self, install: Install, event: Ev) -> None:
        """Apply an event and remember its q in one transaction; a repeated one changes nothing.

        Raises what a defective handler raises; after TRIES of the same event it is set aside instead. A database
        that cannot be written is no defect of the event: it is tried until it can.
        """
        tries = self._failures.get((install.id, event.q), 0)
        try:
            await self.store.again(lambda: self._accept(install, event, aside=tries >= TRIES))
        except UNABLE:
            raise
        except Exception:
            self._failures[install.id, event.q] = tries + 1
            raise
        self._failures.pop((install.id, event.q), None)

    async def _accept(self, install: Install, event: Ev, *, aside: bool) -> None:
        async with self.store.write() as tx:
            received = await self.received(tx, install.id)
            if event.q <= received:
                return
            if event.q > received + 1:
                log.warning("link.events_missing", install=install.id, after=received, before=event.q)
            if await self._first_time(tx, install.id, event.id):
                await (self._set_aside if aside else self._apply)(tx, install, event)
            await _remember(tx, install.id, event.q)

    async def _first_time(self, tx: Tx, install: str, event: str) -> bool:
        if await tx.scalar(sa.select(RECENT.c.at).where(RECENT.c.install == install, RECENT.c.id == event)):
            return False
        await tx.execute(sa.insert(RECENT).values(install=install, id=event, at=self.clock.now()))
        return True

    async def _apply(self, tx: Tx, install: Install, event: Ev) -> None:
        handler = self._events.get(event.t)
        if handler is None:
            log.warning("link.unknown_event", install=install.id, t=event.t, q=event.q)
            return
        try:
            async with tx.savepoint():
                _shallow(event.d)
                await handler(tx, install, _instant(event.at), event.d)
        except Problem as problem:
            pointers = [error.pointer for error in problem.errors]
            log.warning(
                "link.event_refused", install=install.id, t=event.t, q=event.q, problem=problem.code, pointers=pointers
            )

    async def _set_aside(self, tx: Tx, install: Install, event: Ev) -> None:
        kept = {name: value for name, value in event.d.items() if name not in PRIVATE}
        whole = orjson.dumps({"q": event.q, "id": event.id, "t": event.t, "at": event.at, "d": kept}).decode()
        row = {"install": install.id, "q": event.q, "event": whole, "at": self.clock.now()}
        await tx.execute(sa.insert(SET_ASIDE).values(row))
        log.error("link.event_set_aside", install=install.id, t=event.t, q=event.q)

    async def answer(self, install: Install, request: Req) -> dict[str, Any]:
        """Answer a request in one transaction; the same key gets the same answer again, without an effect.

        Gives the members of the `res` frame: `{"ok": true, "d"}` or `{"ok": false, "problem"}`.
        """
        try:
            return {"ok": True, "d": await self.store.again(lambda: self._answer(install, request))}
        except Problem as problem:
            return {"ok": False, "problem": problem.document()}
        except UNABLE:
            log.exception("link.unavailable", install=install.id, t=request.t)
            return {"ok": False, "problem": Problem(UNAVAILABLE).document()}
        except Exception:
            log.exception("link.request_failed", install=install.id, t=request.t)
            return {"ok": False, "problem": Problem(INTERNAL).document()}

    async def _answer(self, install: Install, request: Req) -> dict[str, Any]:
        handler = self._requests.get(request.t)
        if handler is None:
            raise Problem(UNKNOWN_REQUEST, f"The server does not know `{request.t}`.", pointer="/t")
        _shallow(request.d)
        content = orjson.dumps([request.t, request.d], option=orjson.OPT_SORT_KEYS)
        request_hash = sha256(content).digest()
        async with self.store.write() as tx:
            known = await tx.one(
                sa.select(ANSWERS.c.request_hash, ANSWERS.c.answer).where(
                    ANSWERS.c.install == install.id, ANSWERS.c.key == request.key
                )
            )
            if known is not None:
                if known.request_hash != request_hash:
                    raise Problem(KEY_REUSED, pointer="/key")
                stored: dict[str, Any] = orjson.loads(known.answer)
                return stored
            answer = await handler(tx, install, request.d)
            row = {
                "install": install.id,
                "key": request.key,
                "request_hash": request_hash,
                "answer": orjson.dumps(answer).decode(),
                "at": self.clock.now(),
            }
            await tx.execute(sa.insert(ANSWERS).values(row))
        return answer

    async def acknowledged(self, audience: str, q: int) -> None:
        """Forget what the house has on its disk; a database that cannot be written forgets it another time."""
        try:
            await self.store.again(lambda: self._forget(audience, q))
        except UNABLE as error:
            log.warning("link.cannot_forget", reason=type(error).__name__)

    async def _forget(self, audience: str, q: int) -> None:
        async with self.store.write() as tx:
            await self.outbox.acknowledge(tx, audience, q)

    async def prune(self) -> None:
        """Forget old ids, answers and facts that nobody fetched."""
        await self.store.again(self._prune)

    async def _prune(self) -> None:
        now = self.clock.now()
        async with self.store.write() as tx:
            await tx.execute(sa.delete(RECENT).where(RECENT.c.at < now - RECENT_KEPT))
            await self.outbox.prune(tx)
            await tx.execute(sa.delete(ANSWERS).where(ANSWERS.c.at < now - ANSWERS_KEPT))


def _once[Handler](table: dict[str, Handler], name: str, handler: Handler) -> None:
    if name in table:
        raise ValueError(f"{name} has a handler already")
    table[name] = handler


async def _remember(tx: Tx, install: str, q: int) -> None:
    inserted = insert(tx, RECEIVED).values(install=install, q=q)
    await tx.execute(inserted.on_conflict_do_update(index_elements=[RECEIVED.c.install], set_={"q": q}))


def _instant(at: str) -> float:
    try:
        return from_rfc3339(at)
    except ValueError, OverflowError:
        raise Problem(INVALID_REQUEST, "must be an RFC 3339 time in UTC", pointer="/at") from None


def _shallow(d: dict[str, Any]) -> None:
    if too_deep(d):
        raise Problem(INVALID_REQUEST, "This nests too deep. Flatten it.", pointer="/d")
