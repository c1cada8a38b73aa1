"""Reading an account's log, and the streams that follow it."""

from collections.abc import Callable
from typing import Protocol

from parkshare_backend.http.problems import Problem, define
from parkshare_backend.store.engine import Store
from parkshare_backend.store.outbox import Event, Head, Outbox, account_audience

MAX_STREAMS = 16  # of one account; a phone, some browsers, an integrator

CHANGES_GONE = define(
    "changes-gone",
    410,
    "These changes are no longer kept",
    "Changes are kept for 30 days, and `after` names one that is gone or that this server never had. Load bookings "
    "and standbys anew, then go on with `after` set to the member `head` of this answer.",
)
TOO_MANY_STREAMS = define(
    "too-many-streams",
    429,
    "Too many streams",
    f"An account can follow its changes on {MAX_STREAMS} connections at once. Close one that nobody needs.",
)


class Stream(Protocol):
    """What the registry needs of a connection."""

    def end_for_restart(self) -> None:
        """End: the server goes down."""

    def look(self) -> None:
        """Look at the token again: it may be revoked."""


class ChangeLog:
    """The logs of all accounts, and who follows them here."""

    def __init__(self, *, store: Store, outbox: Outbox) -> None:
        self._store = store
        self._outbox = outbox
        self._streams: dict[str, set[Stream]] = {}

    async def after(self, account: str, q: int, *, limit: int) -> list[Event]:
        """Give the account's changes after q, oldest first.

        Raises:
            Problem: CHANGES_GONE, with `head` and `pruned`, when what follows q is not all there. 0 stands for
                "from the oldest one that is kept": who begins has nothing to miss.

        """
        audience = account_audience(account)
        async with self._store.read() as tx:
            check(await self._outbox.head(tx, audience), q)
            return await self._outbox.after(tx, audience, q, limit=limit)

    async def head(self, account: str) -> int:
        """Give the newest change."""
        async with self._store.read() as tx:
            return (await self._outbox.head(tx, account_audience(account))).head

    def listen(self, account: str, wake: Callable[[], None]) -> Callable[[], None]:
        """Call wake when the account's log grows; returns the way to stop."""
        return self._outbox.listen(account_audience(account), wake)

    def enter(self, account: str, stream: Stream) -> None:
        """Count a stream in; raise Problem(TOO_MANY_STREAMS) when the account has enough of them."""
        streams = self._streams.setdefault(account, set())
        if len(streams) >= MAX_STREAMS:
            raise Problem(TOO_MANY_STREAMS)
        streams.add(stream)

    def leave(self, account: str, stream: Stream) -> None:
        """Count a stream out."""
        streams = self._streams.get(account, set())
        streams.discard(stream)
        if not streams:
            self._streams.pop(account, None)

    def look(self, account: str) -> None:
        """Let the streams of an account look at their tokens: some were revoked."""
        for stream in tuple(self._streams.get(account, ())):
            stream.look()

    def restart(self) -> None:
        """End every stream: the server goes down."""
        for streams in tuple(self._streams.values()):
            for stream in tuple(streams):
                stream.end_for_restart()

    @property
    def live(self) -> int:
        """How many streams there are."""
        return sum(len(streams) for streams in self._streams.values())


def check(head: Head, q: int) -> None:
    """Raise Problem(CHANGES_GONE) unless everything after q is in the log."""
    if q > head.head or 0 < q < head.pruned:
        raise Problem(CHANGES_GONE, pointer="/query/after", extra={"head": head.head, "pruned": head.pruned})
