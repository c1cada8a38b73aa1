"""What is deleted by itself, and after how long: one list, swept in batches; docs/privacy.md has its table from it."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import structlog

from parkshare_backend.clock import Clock
from parkshare_backend.store.engine import UNABLE, Store, Tx

log = structlog.get_logger()

SWEEP_EVERY_S = 600.0
BATCH = 500  # rows of one transaction: bookings must not wait for a sweep
HOUR = 3600.0
DAY = 24 * HOUR
DISPUTE_S = 48 * HOUR  # after a booking is over, for renter and owner to bring up what went wrong

# Delete, or empty, at most so many rows that were due at the given time; give how many there were.
type Sweep = Callable[[Tx, float, int], Awaitable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that is kept for a while.

    kept_s is the time between what `since` names and the deletion. sweep is None where the feature deletes by itself.
    """

    what: str
    since: str
    kept_s: float
    why: str
    sweep: Sweep | None = None


class Retention:
    """The list, and the sweep over it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._rules: list[Rule] = []

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules)

    def register(self, *rules: Rule) -> None:
        """Add what a feature keeps for a while."""
        self._rules += rules

    async def run(self) -> None:
        """Sweep again and again until cancelled."""
        while True:
            # A database that is busy or full: the next round does it. Of several servers one does it.
            with contextlib.suppress(*UNABLE):
                async with self._store.alone("retention") as alone:
                    if alone:
                        await self.sweep()
            await self._clock.sleep(SWEEP_EVERY_S)

    async def sweep(self) -> int:
        """Delete everything that is due; give how many rows. Once more changes nothing."""
        now, swept = self._clock.now(), 0
        for rule in self._rules:
            if rule.sweep is None:
                continue
            while (found := await self._batch(rule.sweep, now - rule.kept_s)) > 0:
                swept += found
                if found < BATCH:
                    break
        if swept:
            log.info("retention.swept", rows=swept)
        return swept

    async def _batch(self, sweep: Sweep, due: float) -> int:
        async def work() -> int:
            async with self._store.write() as tx:
                return await sweep(tx, due, BATCH)

        return await self._store.again(work)


def table_of(rules: Retention) -> str:
    """Draw the list as it stands in docs/privacy.md."""
    lines = ["| what | kept | why |", "|---|---|---|"]
    lines += [f"| {rule.what} | {_span(rule.kept_s)}{rule.since} | {rule.why} |" for rule in rules]
    return "\n".join(lines)


def _span(seconds: float) -> str:
    if seconds == 0:
        return ""
    for unit, length in (("day", DAY), ("hour", HOUR), ("minute", 60.0)):
        if seconds >= 2 * length or seconds == length:
            count = seconds / length
            return f"{count:g} {unit}{'' if count == 1 else 's'} "
    return f"{seconds:g} seconds "
