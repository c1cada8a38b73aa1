"""An account's webhooks: making, changing, trying them out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson

from parkshare_backend.clock import Clock, Random, new_id, to_rfc3339
from parkshare_backend.http.problems import INVALID_REQUEST, NOT_FOUND, Problem, define
from parkshare_backend.store.engine import ReadTx, Store, Tx
from parkshare_backend.store.outbox import Event, Outbox, account_audience
from parkshare_backend.webhooks import rows
from parkshare_backend.webhooks.models import AttemptAnswer, WebhookChange, WebhookRequest
from parkshare_backend.webhooks.rows import Message, Webhook
from parkshare_backend.webhooks.sender import Outcome, Sender, url_fault
from parkshare_backend.webhooks.signing import KEY_BYTES, make_secret, signed_headers

MAX_WEBHOOKS = 10  # of one account
OLD_SECRET_S = 86_400.0  # seconds for which the old secret signs too

TOO_MANY_WEBHOOKS = define(
    "too-many-webhooks",
    409,
    "There are enough webhooks",
    f"An account can have {MAX_WEBHOOKS} webhooks. Delete one that nobody needs.",
)


class Webhooks:
    """The webhooks of all accounts; what is due goes out by `Deliveries`."""

    def __init__(self, *, store: Store, outbox: Outbox, sender: Sender, clock: Clock, random: Random) -> None:
        self._store = store
        self._outbox = outbox
        self._sender = sender
        self._clock = clock
        self._random = random
        self._listeners: list[Callable[[str], None]] = []

    def on_ready(self, call: Callable[[str], None]) -> None:
        """Call this with an account when one of its webhooks may have something to send."""
        self._listeners.append(call)

    def _ready(self, account: str) -> None:
        for call in self._listeners:
            call(account)

    async def add(self, account: str, request: WebhookRequest) -> Webhook:
        """Make a webhook; what happens from now on is sent."""
        self._check_url(request.url)
        now = self._clock.now()
        webhook = Webhook(
            id=new_id(), account=account, url=request.url, kinds=request.kinds, description=request.description,
            state="active", reason=None, secret=self._new_secret(), old_secret=None, old_secret_until=None,
            created_at=now, revision=1, cursor=0, tries=0, failing_since=None, due_at=now,
        )  # fmt: skip
        async with self._store.write() as tx:
            if len(await rows.of_account(tx, account)) >= MAX_WEBHOOKS:
                raise Problem(TOO_MANY_WEBHOOKS)
            webhook = replace(webhook, cursor=(await self._outbox.head(tx, account_audience(account))).head)
            await rows.add(tx, webhook)
            tx.after_commit(lambda: self._ready(account))
        return webhook

    async def listed(self, account: str) -> list[Webhook]:
        """Give the account's webhooks."""
        async with self._store.read() as tx:
            return await rows.of_account(tx, account)

    async def get(self, account: str, webhook: str) -> Webhook:
        """Give a webhook."""
        async with self._store.read() as tx:
            return await self._mine(tx, account, webhook)

    async def change(self, account: str, webhook: str, request: WebhookChange, *, seen: Any = None) -> Webhook:
        """Change a webhook; `seen` checks the revision that the caller saw. Active again means: tried at once."""
        given = request.model_dump(include=request.model_fields_set)
        if "url" in given:
            self._check_url(request.url)
        async with self._store.write() as tx:
            found = await self._mine(tx, account, webhook)
            if seen is not None:
                seen.check(found.revision)
            if given.get("state") == "active" or "url" in given:
                given |= {"due_at": self._clock.now(), "tries": 0, "failing_since": None}
            if "state" in given:
                given["reason"] = None
            if given:
                await rows.change(tx, webhook, **given)
            tx.after_commit(lambda: self._ready(account))
            return await self._mine(tx, account, webhook)

    async def remove(self, account: str, webhook: str) -> None:
        """Delete a webhook; a delivery that is under way may still arrive."""
        async with self._store.write() as tx:
            await self._mine(tx, account, webhook)
            await rows.remove(tx, webhook)

    async def rotate(self, account: str, webhook: str) -> Webhook:
        """Make a new secret; the old one signs beside it for a day."""
        async with self._store.write() as tx:
            found = await self._mine(tx, account, webhook)
            until = self._clock.now() + OLD_SECRET_S
            await rows.change(tx, webhook, secret=self._new_secret(), old_secret=found.secret, old_secret_until=until)
            return await self._mine(tx, account, webhook)

    async def attempts(self, account: str, webhook: str, *, limit: int) -> list[AttemptAnswer]:
        """Give the last attempts, newest first."""
        async with self._store.read() as tx:
            await self._mine(tx, account, webhook)
            return [AttemptAnswer(**row._mapping) for row in await rows.attempts(tx, webhook, limit=limit)]  # noqa: SLF001 - SQLAlchemy's public name

    async def ping(self, account: str, webhook: str) -> AttemptAnswer:
        """Send a `webhook.ping` now; what comes of it changes nothing."""
        now = self._clock.now()
        event = Event(0, new_id(), "webhook.ping", now, {"webhook": webhook})
        return await self._send_now(await self.get(account, webhook), event)

    async def redeliver(self, account: str, webhook: str, q: int) -> AttemptAnswer:
        """Send a change of the log once more now, beside the order; what comes of it changes nothing."""
        found = await self.get(account, webhook)
        async with self._store.read() as tx:
            events = await self._outbox.after(tx, account_audience(account), q - 1, limit=1)
        if not events or events[0].q != q:
            raise Problem(NOT_FOUND, "This change is not kept, or never was. `GET /changes` has what is.", pointer="/q")
        return await self._send_now(found, events[0])

    async def export(self, tx: ReadTx, account: str) -> list[Any]:
        """Give what is kept of a person here; the secrets are not, they open nothing of the person's."""
        return [
            {
                "id": found.id, "url": found.url, "kinds": found.kinds, "description": found.description,
                "state": found.state, "created_at": to_rfc3339(found.created_at),
            }
            for found in await rows.of_account(tx, account)
        ]  # fmt: skip

    async def erase(self, tx: Tx, account: str) -> None:
        """Forget a person's webhooks."""
        await rows.erase(tx, account)

    async def send(self, webhook: Webhook, message: Message) -> Outcome:
        """Sign and send once."""
        now = self._clock.now()
        headers = signed_headers(message=message.id, at=now, body=message.body, secrets=webhook.secrets(now))
        return await self._sender.post(webhook.url, headers=headers, body=message.body)

    async def _send_now(self, webhook: Webhook, event: Event) -> AttemptAnswer:
        message, at = message_of(event), self._clock.now()
        outcome = await self.send(webhook, message)

        async def note() -> int | None:
            async with self._store.write() as tx:
                return await rows.note(tx, webhook.id, message, outcome, at=at)

        # Only the note is written again when it conflicts: what was sent is not sent twice.
        n = await self._store.again(note)
        if n is None:
            raise Problem(NOT_FOUND)
        return AttemptAnswer(
            n=n, at=at, message=message.id, q=message.q, t=message.t,
            outcome=outcome.word, status=outcome.status, took_ms=outcome.took_ms,
        )  # fmt: skip

    async def _mine(self, tx: ReadTx, account: str, webhook: str) -> Webhook:
        found = await rows.get(tx, webhook, account=account)
        if found is None:
            raise Problem(NOT_FOUND)
        return found

    def _check_url(self, url: str) -> None:
        if (fault := url_fault(url, allow_private=self._sender.allow_private)) is not None:
            raise Problem(INVALID_REQUEST, fault, pointer="/url")

    def _new_secret(self) -> str:
        return make_secret(self._random.randbytes(KEY_BYTES))


def message_of(event: Event) -> Message:
    """Write a change as it is sent: the same JSON as an item of `GET /changes`."""
    body = orjson.dumps({"q": event.q, "t": event.t, "at": to_rfc3339(event.at), "d": event.d})
    return Message(event.id, event.q, event.t, body)
