"""Words between the servers on one database: published on one, heard on each.

    bus.subscribe("outbox", self._woken)      # -> the way to stop
    bus.publish("outbox", audience)           # after the commit, never inside a transaction

On SQLite there is one server, and a word is a call. On PostgreSQL words are gathered for GATHER_S and go out in one
NOTIFY beside all transactions: a NOTIFY within one would make every commit of the database wait in one line.

A word may get lost (a connection breaks, a server starts late), so it only hurries what the database tells anyway:
whoever subscribes looks there when `on_missed` calls. Words hold no secret: PostgreSQL keeps them in files.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import orjson
import structlog
from sqlalchemy.engine import URL

from parkshare_backend.clock import new_id
from parkshare_backend.store.contract import BUSY_TIMEOUT, SQLITE
from parkshare_backend.store.postgresql import DRIVERS, STATEMENT_MS, connect_arguments

GATHER_S = 0.02  # seconds that words wait for others to share one NOTIFY
MAX_PAYLOAD = 7_900  # bytes; PostgreSQL takes less than 8 000
CHANNEL = "parkshare"
FIRST_RETRY_S, LONGEST_RETRY_S = 0.1, 5.0  # seconds between tries to connect again

log = structlog.get_logger()

type Hearer = Callable[[str], None]


class Bus:
    """Topics that each server on the database hears."""

    def __init__(self, url: URL) -> None:
        self.me = new_id()  # names this server among those on the database
        self._hearers: dict[str, list[Hearer]] = defaultdict(list)
        self._missed: list[Callable[[], None]] = []
        self._url = url
        self._waiting: list[tuple[str, str]] = []
        self._words = asyncio.Event()
        self._listening = asyncio.Event()

    @property
    def shared(self) -> bool:
        """Tell whether there may be other servers on the database."""
        return self._url.get_backend_name() != SQLITE

    def subscribe(self, topic: str, call: Hearer) -> Callable[[], None]:
        """Call this with each word on the topic, of this server too; returns the way to stop."""
        self._hearers[topic].append(call)

        def stop() -> None:
            self._hearers[topic].remove(call)

        return stop

    def on_missed(self, call: Callable[[], None]) -> None:
        """Call this when words may have been missed: the connection to the others was lost and is there again."""
        self._missed.append(call)

    def publish(self, topic: str, word: str) -> None:
        """Tell every server, this one at once. Words that nobody can hear now are lost."""
        self._tell(topic, word)
        if self.shared and (topic, word) not in self._waiting[-8:]:
            self._waiting.append((topic, word))
            self._words.set()

    async def run(self) -> None:
        """Carry words between the servers until cancelled; ends at once where there is only one."""
        pause = FIRST_RETRY_S
        while self.shared:
            try:
                await self._carry()
            except (TimeoutError, *DRIVERS) as error:
                log.warning("bus.lost", reason=type(error).__name__)
                pause = min(2 * pause, LONGEST_RETRY_S) if not self._listening.is_set() else FIRST_RETRY_S
            finally:
                self._listening.clear()
            await asyncio.sleep(pause)

    async def listening(self) -> None:
        """Wait until this server hears the others."""
        if self.shared:
            await self._listening.wait()

    async def _carry(self) -> None:
        connection = await asyncpg.connect(**connect_arguments(self._url), timeout=BUSY_TIMEOUT)
        connection.add_termination_listener(lambda *_: self._words.set())
        try:
            await connection.add_listener(CHANNEL, self._heard)
            self._listening.set()
            for call in self._missed:
                call()
            while True:
                await self._words.wait()
                if connection.is_closed():
                    raise ConnectionResetError("PostgreSQL has gone")
                await asyncio.sleep(GATHER_S)
                self._words.clear()
                gathered, self._waiting = self._waiting, []
                for payload in packed(self.me, gathered):
                    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload, timeout=STATEMENT_MS / 1000)
        finally:
            with contextlib.suppress(TimeoutError, *DRIVERS):
                await connection.close(timeout=1)

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        try:
            sender, words = orjson.loads(str(payload))
            pairs = [(str(topic), str(word)) for topic, word in words]
        except ValueError, TypeError:
            log.warning("bus.strange_word")
            return
        if sender != self.me:
            for topic, word in pairs:
                self._tell(topic, word)

    def _tell(self, topic: str, word: str) -> None:
        for call in tuple(self._hearers.get(topic, ())):
            try:
                call(word)
            except Exception:
                log.exception("bus.hearer_failed", topic=topic)


def packed(sender: str, words: list[tuple[str, str]]) -> Iterator[str]:
    """Pack words into payloads that PostgreSQL takes: a word said twice goes once, one that is too long not at all."""
    batch: list[tuple[str, str]] = []
    empty = len(orjson.dumps([sender, []]))
    size = empty
    for topic, word in dict.fromkeys(words):
        length = len(orjson.dumps([topic, word])) + 1
        if empty + length > MAX_PAYLOAD:
            log.error("bus.word_too_long", topic=topic, bytes=length)
            continue
        if size + length > MAX_PAYLOAD:
            yield orjson.dumps([sender, batch]).decode()
            batch, size = [], empty
        batch.append((topic, word))
        size += length
    if batch:
        yield orjson.dumps([sender, batch]).decode()
