"""When to dial again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

FIRST_RETRY: Final = 1.0  # s; a restarted server is found at once
SHORTEST: Final = 1.0  # s
LONGEST: Final = 300.0  # s
LONGEST_WITH_NEWS: Final = 15.0  # s; somebody waits for what such a house has to say: a car that came, or left
STABLE_AFTER: Final = 60.0  # s of ready until the past is forgiven
SLOW: Final = 300.0  # s; at least this long after another process took the session
DAY: Final = 24 * 3600.0  # s; how often we look whether an upgrade has made us fit


@dataclass(slots=True)
class BackOff:
    """Full jitter between 1 and 300 seconds, growing by powers of two; only a stable link resets it.

    Full jitter, so that ten thousand houses do not come back in the same second; resetting only after 60 s, because a
    server that accepts and falls over would otherwise be stormed. random gives numbers in [0, 1).
    """

    random: Callable[[], float]
    failures: int = 0

    def ended(self, *, ready_for: float) -> None:
        """Count a link that ended after ready_for seconds of being ready (0: it never was)."""
        self.failures = 1 if ready_for >= STABLE_AFTER else self.failures + 1

    def hurried(self) -> float:
        """Seconds until the next dial of a house that has news, and that nobody asked to wait longer."""
        return SHORTEST + self.random() * (LONGEST_WITH_NEWS - SHORTEST)

    def delay(self, retry_after: float | None = None) -> float:
        """Seconds until the next dial. The server's wish is a floor, with jitter on top against coming all at once."""
        if self.failures <= 1:
            wait = self.random() * FIRST_RETRY
        else:
            ceiling = min(LONGEST, 2.0 ** min(self.failures, 20))
            wait = SHORTEST + self.random() * (ceiling - SHORTEST)
        if retry_after is not None:
            wait = max(wait, min(retry_after, DAY) * (1 + 0.1 * self.random()))
        return wait
