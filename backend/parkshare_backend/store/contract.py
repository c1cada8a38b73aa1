"""What both engines keep to: one open transaction as a `Line`, hot statements as `RawSql`, and what can go wrong."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import CursorResult

log = structlog.get_logger()

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
BUSY_TIMEOUT = 10.0  # seconds that a transaction waits for its turn or a connection

type Values = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class DatabaseUrlError(ValueError):
    """The database cannot be used as it is named in the settings."""


class UnableError(Exception):
    """The database cannot do it now: it is away, full, read-only, busy too long. Trying again later may help."""


class ConflictError(Exception):
    """Another transaction changed meanwhile what this one looked at; all of it may be tried again at once."""


# The database cannot do it now: the disk is full or read-only, another program holds it, no connection is free.
UNABLE = (UnableError, sa.exc.OperationalError, sa.exc.TimeoutError)


@dataclass(frozen=True, slots=True)
class RawSql:
    """A hot statement that goes to the driver as it is, prepared once for each connection.

    sqlite names its values `:name` (or `?1`), postgresql `$1`, `$2`; the arguments come in the order in which the
    names appear first. One spelling is enough where both engines have it: `RawSql.both("... $1 ...")`.
    """

    sqlite: str
    postgresql: str

    def __post_init__(self) -> None:
        names: dict[str, int] = {}
        numbered = re.sub(
            r"(?<![:\w]):([a-z_]\w*)", lambda named: f"?{names.setdefault(named[1], len(names) + 1)}", self.sqlite
        )
        object.__setattr__(self, "sqlite", numbered)

    def of(self, engine: str) -> str:
        """Give the statement as the engine takes it."""
        return self.postgresql if engine == POSTGRESQL else self.sqlite

    @classmethod
    def both(cls, statement: str) -> RawSql:
        """Make a statement that reads alike on both engines but for the marks of its values."""
        return cls(sqlite=re.sub(r"\$(\d+)", r"?\1", statement), postgresql=statement)


class Line(Protocol):
    """One connection with one open transaction."""

    engine: str
    told: Told

    async def execute(self, statement: sa.Executable, values: Values | None) -> CursorResult[Any]:
        """Run a statement of SQLAlchemy."""

    async def fetch(self, statement: RawSql, arguments: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Run a statement of the driver and give its rows."""

    async def run(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement of the driver, spelt for this engine, once for each row."""

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Undo what happens inside when an error passes through."""


@dataclass(slots=True)
class Watch:
    """Who counts what the store does; called on the event loop for each commit, so it must be cheap and not raise.

    committed: how many writers shared a commit, and the seconds that it took. conflicted: work is done again.
    """

    committed: Callable[[int, float], None] = lambda _writers, _seconds: None
    conflicted: Callable[[], None] = lambda: None


@dataclass(slots=True)
class Told:
    """Who wants to be told once a transaction is on disk."""

    calls: list[Callable[[], None]] = field(default_factory=list)

    def all(self) -> None:
        """Tell everybody; a listener's defect must not look like a failed write, for the change is on disk."""
        for call in self.calls:
            try:
                call()
            except Exception:
                log.exception("store.after_commit_failed")


async def until_set(event: asyncio.Event) -> None:
    """Wait for an event, even when who waits is cancelled meanwhile; that is raised once the event has come."""
    cancelled: asyncio.CancelledError | None = None
    while not event.is_set():
        try:
            await event.wait()
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


async def to_its_end[Result](work: Coroutine[Any, Any, Result]) -> Result:
    """Wait for a piece of work with the database to its end, even when who waits is cancelled meanwhile.

    Of a commit that is broken off nobody would know whether it happened: its facts would be on disk with nobody
    woken to send them.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # seen: the cancellation outweighs it
        raise cancelled
    return task.result()
