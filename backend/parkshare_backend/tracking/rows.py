"""Fence events as rows: each transition once, however often it is derived."""

from dataclasses import replace

import sqlalchemy as sa

from parkshare_backend.store.dialects import insert
from parkshare_backend.store.engine import ReadTx, Tx
from parkshare_backend.tracking.fence import FenceEvent, FenceState, Kind, Place
from parkshare_backend.tracking.tables import FENCE_EVENTS

KEPT_S = 7 * 86_400.0


async def add(tx: Tx, subject: str, fence: str, event: FenceEvent) -> bool:
    """Write a transition; false if it was written before, so that nothing follows from it twice."""
    values = {"subject": subject, "fence": fence, "seq": event.seq, "kind": event.kind, "at": event.at}
    written = await tx.execute(insert(tx, FENCE_EVENTS).values(values).on_conflict_do_nothing())
    return written.rowcount == 1


async def restore(tx: ReadTx, subject: str, fence: str) -> FenceState:
    """Give the state of a fence after a restart: whether the phone was inside, and how far its count was."""
    rows = await tx.all(
        sa.select(FENCE_EVENTS.c.kind, FENCE_EVENTS.c.seq)
        .where(FENCE_EVENTS.c.subject == subject, FENCE_EVENTS.c.fence == fence)
        .order_by(FENCE_EVENTS.c.seq)
    )
    state = FenceState(seq=rows[-1].seq if rows else 0)
    crossings = [row.kind for row in rows if row.kind in (Kind.ENTERED, Kind.LEFT)]
    if crossings and crossings[-1] == Kind.ENTERED:
        return replace(state, place=Place.INSIDE)
    if rows and rows[-1].kind == Kind.APPROACHING:
        return replace(state, approach=replace(state.approach, announced=True))
    return state


async def forget_old(tx: Tx, now: float) -> None:
    """Forget transitions that no fence can need any more."""
    await tx.execute(sa.delete(FENCE_EVENTS).where(FENCE_EVENTS.c.at < now - KEPT_S))
