"""Sending what is due: at least once, in order for each webhook, by one instance at a time.

A webhook's cursor moves only when its receiver has answered with 2xx, in one transaction with the note of it. So
whatever is killed at whatever moment, the change is sent again, with the same `webhook-id`, and never lost; the one
after it waits until it is through. A lease keeps two instances from sending for the same webhook at once; one that
stands still for longer than its lease writes nothing when it wakes up.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog

from parkshare_backend.clock import Clock, Random, new_id, to_rfc3339
from parkshare_backend.store.engine import ReadTx, Store, Tx
from parkshare_backend.store.outbox import Event, Outbox, account_audience
from parkshare_backend.webhooks import rows
from parkshare_backend.webhooks.rows import LEASE_S, Message, Webhook
from parkshare_backend.webhooks.schedule import delay, gives_up
from parkshare_backend.webhooks.sender import Outcome
from parkshare_backend.webhooks.service import Webhooks, message_of

log = structlog.get_logger()

AT_ONCE = 64  # deliveries under way
LOOK_EVERY_S = 5.0  # for tries that are due, and for what another instance left behind
TURN = 100  # changes sent for one webhook before the others have their turn


@dataclass(frozen=True, slots=True)
class _Next:
    """What a webhook is to be sent, and how far its cursor may move without sending (kinds that it does not want)."""

    message: Message | None
    passed: int


class Deliveries:
    """The deliveries that this instance makes."""

    def __init__(self, *, store: Store, outbox: Outbox, webhooks: Webhooks, clock: Clock, random: Random) -> None:
        self._store = store
        self._outbox = outbox
        self._webhooks = webhooks
        self._clock = clock
        self._random = random
        self._wake = asyncio.Event()
        self._woken: set[str] = set()  # accounts to which something happened
        self._everybody = True  # look at all webhooks, not at those accounts only
        self._listening: dict[str, Callable[[], None]] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}
        webhooks.on_ready(self._look_at)

    async def ticks(self) -> None:
        """Let everything be looked at once in a while."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            self._everybody = True
            self._wake.set()

    async def run(self) -> None:
        """Send what is due until cancelled."""
        try:
            while True:
                self._wake.clear()
                await self._look()
                await self._wake.wait()
        finally:
            for stop in self._listening.values():
                stop()
            self._listening.clear()
            tasks = list(self._under_way.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._under_way.clear()  # one that was cancelled before its first step took itself off no list

    def _look_at(self, account: str) -> None:
        self._listen(account)
        self._woke(account)

    def _listen(self, account: str) -> None:
        if account not in self._listening:
            self._listening[account] = self._outbox.listen(account_audience(account), lambda: self._woke(account))

    def _woke(self, account: str) -> None:
        self._woken.add(account)
        self._wake.set()

    async def _look(self) -> None:
        room = AT_ONCE - len(self._under_way)
        if room <= 0:
            return  # each one that ends wakes us
        everybody, woken = self._everybody, set(self._woken)
        self._everybody = False
        self._woken.clear()
        async with self._store.read() as tx:
            if everybody:
                self._listen_to(await rows.listening(tx))
            if not everybody and not woken:
                return
            found = await rows.due(tx, self._clock.now(), accounts=None if everybody else woken, limit=room + AT_ONCE)
        for webhook in found:
            if webhook not in self._under_way and len(self._under_way) < AT_ONCE:
                self._under_way[webhook] = asyncio.create_task(self._deliver(webhook), name="webhook")

    def _listen_to(self, accounts: set[str]) -> None:
        for account in accounts:
            self._listen(account)
        for account in self._listening.keys() - accounts:
            self._listening.pop(account)()

    async def _deliver(self, webhook: str) -> None:
        try:
            account = await self._turn(webhook)
        except Exception:
            # The lease ends by itself; the next tick finds the webhook again.
            log.exception("webhooks.failed", webhook=webhook)
            return
        finally:
            del self._under_way[webhook]
            self._wake.set()
        if account is not None:
            # What happened between the last look and the end of the lease woke nobody.
            self._woke(account)

    async def _turn(self, webhook: str) -> str | None:
        """Send some of what a webhook waits for; give its account when there may be more."""
        lease = new_id()
        if not await self._store.again(lambda: self._claimed(webhook, lease)):
            return None
        for _ in range(TURN):
            async with self._store.read() as tx:
                found = await rows.get(tx, webhook)
                if found is None or found.state != "active":
                    break
                following = await self._following(tx, found)
            if following.message is None:
                if following.passed > found.cursor:
                    await self._settle(webhook, lease, cursor=following.passed)
                    continue
                break
            outcome = await self._webhooks.send(found, following.message)
            if not await self._store.again(partial(self._noted, found, following.message, outcome, lease)):
                return None
        await self._settle(webhook, lease, lease=None, lease_until=None)
        return found.account if found else None

    async def _claimed(self, webhook: str, lease: str) -> bool:
        async with self._store.write() as tx:
            return await rows.claim(tx, webhook, lease=lease, now=self._clock.now())

    async def _following(self, tx: ReadTx, webhook: Webhook) -> _Next:
        """Find the next change that the webhook wants."""
        audience = account_audience(webhook.account)
        head = await self._outbox.head(tx, audience)
        if webhook.cursor < head.pruned:
            # It was off for longer than changes are kept: say so, then go on with what there is.
            gone = Event(head.pruned, new_id(), "changes.gone", self._clock.now(), {"pruned": head.pruned})
            return _Next(message_of(gone), head.pruned)
        events = await self._outbox.after(tx, audience, webhook.cursor, limit=TURN)
        for event in events:
            if webhook.wants(event.t):
                return _Next(message_of(event), event.q)
        return _Next(None, events[-1].q if events else webhook.cursor)

    async def _noted(self, webhook: Webhook, message: Message, outcome: Outcome, lease: str) -> bool:
        """Write what came of an attempt; tell whether the next one may follow at once."""
        now = self._clock.now()
        async with self._store.write() as tx:
            if outcome.delivered:
                mine = await rows.settle(
                    tx, webhook.id, lease, cursor=message.q, tries=0, failing_since=None, due_at=now,
                    lease_until=now + LEASE_S,
                )  # fmt: skip
            else:
                mine = await self._failed(tx, webhook, outcome, lease, now)
            if mine:
                await rows.note(tx, webhook.id, message, outcome, at=now)
        return mine and outcome.delivered

    async def _failed(self, tx: Tx, webhook: Webhook, outcome: Outcome, lease: str, now: float) -> bool:
        """Plan the next try, or give up and tell the account, once."""
        since, tries = webhook.failing_since or now, webhook.tries + 1
        reason = gives_up(failing_since=since, now=now, status=outcome.status)
        due_at = now + delay(tries, self._random.random())
        mine = await rows.settle(
            tx, webhook.id, lease, tries=tries, failing_since=since, due_at=due_at, lease=None, lease_until=None
        )
        if mine and reason is not None:
            await rows.change(tx, webhook.id, state="disabled", reason=reason)
            told = {"webhook": webhook.id, "reason": reason, "failing_since": to_rfc3339(since)}
            await self._outbox.append(tx, account_audience(webhook.account), "webhook.disabled", told)
            tx.after_commit(lambda: log.info("webhooks.disabled", webhook=webhook.id, reason=reason))
        return mine

    async def _settle(self, webhook: str, mine: str, **values: object) -> None:
        async def settle() -> None:
            async with self._store.write() as tx:
                await rows.settle(tx, webhook, mine, **values)

        await self._store.again(settle)
