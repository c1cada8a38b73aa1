"""Every series of the server, in a registry of its own: two servers in one process do not count together.

A feature gives a number by `gauge`; it is asked for when somebody reads, at most once in READ_EVERY_S however often.
Labels are words of the program (routes, causes, answers): no id, no name, nothing of a person.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from parkshare_backend import __version__
from parkshare_backend.clock import Clock
from parkshare_backend.metrics.times import RequestTimes

READ_EVERY_S = 5.0
LAG_EVERY_S = 1.0
_GROUPS = (1, 2, 4, 8, 16, 32, 64, 128)
_COMMITS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

# Else each counter has a second series, of the time when it was made.
disable_created_metrics()  # type: ignore[no-untyped-call]

type Read = Callable[[], Awaitable[float]]


class Metrics:
    """What is counted."""

    def __init__(self, *, engine: str, clock: Clock) -> None:
        self._clock = clock
        self._registry = CollectorRegistry(auto_describe=False)
        self.requests = RequestTimes()
        self._registry.register(self.requests)
        ProcessCollector(registry=self._registry)
        build = Gauge("parkshare_build_info", "What runs.", ["version", "engine"], registry=self._registry)
        build.labels(__version__, engine).set(1)
        searches = Counter("parkshare_searches", "Searches by what they found.", ["answer"], registry=self._registry)
        self._searches = {answer: searches.labels(answer) for answer in ("none", "partial", "full")}
        self._transitions = Counter(
            "parkshare_booking_transitions", "What happened to bookings.", ["cause"], registry=self._registry
        )
        self._causes: dict[str, Counter] = {}
        self._groups = self._histogram("parkshare_write_group_size", "Writers that shared a commit.", _GROUPS)
        self._commits = self._histogram("parkshare_commit_seconds", "Time of a commit.", _COMMITS)
        self._conflicts = Counter(
            "parkshare_conflicts_retried", "Work that was done again after a conflict.", registry=self._registry
        )
        self._lag = self._histogram("parkshare_loop_lag_seconds", "How late the event loop is, each second.", _LAGS)
        self.port: int | None = None  # on which they are read, once it is open
        self._reads: list[tuple[Gauge, Read]] = []
        self._read_at: float | None = None
        self._reading = asyncio.Lock()

    def gauge(self, name: str, meaning: str, read: Read) -> None:
        """Add a number that is asked for when somebody reads; `name` is without the prefix."""
        self._reads.append((Gauge(f"parkshare_{name}", meaning, registry=self._registry), read))

    def searched(self, answer: Literal["none", "partial", "full"]) -> None:
        """Count a search."""
        self._searches[answer].inc()

    def happened(self, cause: str) -> None:
        """Count what happened to a booking; causes are words of the program."""
        if (counter := self._causes.get(cause)) is None:
            counter = self._causes[cause] = self._transitions.labels(cause)
        counter.inc()

    def committed(self, writers: int, seconds: float) -> None:
        """Count a commit."""
        self._groups.observe(writers)
        self._commits.observe(seconds)

    def conflicted(self) -> None:
        """Count work that has to be done again."""
        self._conflicts.inc()

    async def watch_loop(self) -> None:
        """Measure for ever how late the event loop is; in the machine's own time, whatever the server's clock says."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            self._lag.observe(max(0.0, loop.time() - due))

    async def text(self) -> bytes:
        """Give everything in the text format of Prometheus."""
        async with self._reading:
            now = self._clock.now()
            if self._read_at is None or not 0 <= now - self._read_at < READ_EVERY_S:
                for gauge, read in self._reads:
                    gauge.set(await read())
                self._read_at = now
        return generate_latest(self._registry)

    def _histogram(self, name: str, meaning: str, bounds: tuple[float, ...]) -> Histogram:
        return Histogram(name, meaning, buckets=bounds, registry=self._registry)
