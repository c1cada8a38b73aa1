"""Where the numbers come from that are asked for when somebody reads the metrics."""

from collections.abc import Iterable

import sqlalchemy as sa
from aiohttp import web

from parkshare_backend import keys
from parkshare_backend.bookings import rows as booking_rows
from parkshare_backend.bookings.lifecycle import Cause
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.metrics.registry import Metrics
from parkshare_backend.store.dialects import among
from parkshare_backend.store.engine import ReadTx, Tx
from parkshare_backend.store.outbox import EVENTS, install_audience
from parkshare_backend.webhooks import rows as webhook_rows


def connect(app: web.Application, metrics: Metrics) -> None:
    """Let the parts of the application count; called once, when all of them are there."""
    store, clock, link = app[keys.STORE], app[keys.CLOCK], app[keys.LINK]
    store.watch.committed, store.watch.conflicted = metrics.committed, metrics.conflicted

    async def transition(tx: Tx, _booking: Booking, cause: Cause) -> None:
        # After the commit: work that conflicts runs again, and must not count twice.
        tx.after_commit(lambda: metrics.happened(str(cause)))

    app[keys.BOOKINGS].on_change(transition)

    async def houses() -> float:
        return len(link.live)

    async def streams() -> float:
        return app[keys.CHANGES].live

    async def unacknowledged() -> float:
        async with store.read() as tx:
            return (await _backlog(tx, link.live))[0]

    async def lag() -> float:
        async with store.read() as tx:
            return _since((await _backlog(tx, link.live))[1])

    async def timer() -> float:
        async with store.read() as tx:
            return _since(await booking_rows.oldest_due(tx))

    async def webhooks() -> float:
        async with store.read() as tx:
            return (await webhook_rows.queue(tx))[0]

    async def webhook_due() -> float:
        async with store.read() as tx:
            return _since((await webhook_rows.queue(tx))[1])

    def _since(at: float | None) -> float:
        return 0.0 if at is None else max(0.0, clock.now() - at)

    metrics.gauge("houses_live", "Houses on the link at this server.", houses)
    metrics.gauge("streams_live", "Clients that follow changes at this server.", streams)
    metrics.gauge("house_events_unacknowledged", "Facts that connected houses do not have on disk.", unacknowledged)
    metrics.gauge("outbox_lag_seconds", "Age of the oldest fact that a connected house does not have.", lag)
    metrics.gauge("timer_overdue_seconds", "How long the oldest timer of a booking is overdue.", timer)
    metrics.gauge("webhooks_waiting", "Webhooks with something to send.", webhooks)
    metrics.gauge("webhook_overdue_seconds", "How long the oldest due webhook waits.", webhook_due)


async def _backlog(tx: ReadTx, installs: Iterable[str]) -> tuple[int, float | None]:
    """Give how many facts connected houses have not acknowledged, and when the oldest of them was told."""
    waiting = sa.select(sa.func.count().label("facts"), sa.func.min(EVENTS.c.at).label("oldest"))
    row = await tx.one(waiting.where(among(EVENTS.c.audience, [install_audience(install) for install in installs])))
    return (row.facts, row.oldest) if row else (0, None)
