"""The clockwork: what is due although nobody asked. What is due stands in the database, so a restart loses nothing."""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from parkshare_backend.clock import Clock

SWEEP_EVERY_S = 5.0

type Sweep = Callable[[float], Awaitable[object]]

log = structlog.get_logger()


async def run_sweeps(sweeps: Sequence[Sweep], clock: Clock, *, every_s: float = SWEEP_EVERY_S) -> None:
    """Run the sweeps again and again until cancelled; one that fails is told and tried again the next time."""
    while True:
        for sweep in sweeps:
            try:
                await sweep(clock.now())
            except Exception:
                log.exception("sweep.failed")
        await clock.sleep(every_s)
