"""A hosted checkout that speaks Stripe's HTTP and signs its events: pages, payments, refunds, idempotency, webhooks.

Written from the provider's documented behaviour: form-encoded requests with a bearer key, `Idempotency-Key` (the same
key with the same content gives the first answer again, with other content an error), sessions that expire, and events
that come at least once, in any order, until somebody answers 2xx. What goes wrong is asked for: `faults`, one by one.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl

from aiohttp import ClientSession, web

from parkshare_backend.money.signature import sign

KEY = "sk_test_simulated"
SECRET = "whsec_simulated"
MIN_LIFE_S, MAX_LIFE_S = 30 * 60, 24 * 3600

# A status: answer it and do nothing. "lost": do it, and break the connection instead of answering.
type Fault = int | Literal["lost"]


@dataclass
class CheckoutSimulator:
    """The provider; `now` gives its time in UTC seconds."""

    now: Callable[[], float] = time.time
    faults: deque[Fault] = field(default_factory=deque)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    payments: dict[str, int] = field(default_factory=dict)  # what each took
    events: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    seen: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    _answers: dict[str, tuple[dict[str, str], dict[str, Any]]] = field(default_factory=dict)

    def app(self) -> web.Application:
        """Make the server."""
        app = web.Application()
        app.router.add_post("/v1/checkout/sessions", self._make)
        app.router.add_get("/v1/checkout/sessions/{session}", self._show)
        app.router.add_post("/v1/checkout/sessions/{session}/expire", self._expire)
        app.router.add_post("/v1/refunds", self._refund)
        return app

    # What the person who pays does.

    def pay(self, session: str) -> dict[str, Any]:
        """Pay on a page; give the event that tells it."""
        page = self.sessions[session]
        assert page["status"] == "open", f"the page is {page['status']}"
        payment = f"pi_{len(self.payments) + 1}"
        self.payments[payment] = page["amount_total"]
        page |= {"status": "complete", "payment_status": "paid", "payment_intent": payment, "url": None}
        return self.event("checkout.session.completed", page)

    def let_expire(self, session: str) -> dict[str, Any]:
        """Let a page's time end; give the event that tells it."""
        page = self.sessions[session]
        page |= {"status": "expired", "url": None}
        return self.event("checkout.session.expired", page)

    def event(self, kind: str, about: dict[str, Any]) -> dict[str, Any]:
        made = {
            "id": f"evt_{len(self.events) + 1}", "object": "event", "type": kind, "created": int(self.now()),
            "data": {"object": json.loads(json.dumps(about))},
        }  # fmt: skip
        self.events.append(made)
        return made

    async def deliver(
        self, client: ClientSession | Any, event: dict[str, Any], *, url: str = "/api/v1/payments/webhook",
        secret: str = SECRET, at: float | None = None, tries: int = 5,
    ) -> int:  # fmt: skip
        """Send an event until somebody answers 2xx, at most so often; give the last status."""
        body = json.dumps(event).encode()
        status = 0
        for _ in range(tries):
            header = sign(body, secret, int(self.now() if at is None else at))
            headers = {"Stripe-Signature": f"{header},v0={'0' * 64}", "Content-Type": "application/json"}
            async with client.post(url, data=body, headers=headers) as answered:
                status = answered.status
            if status < 300:
                break
        return status

    # What the backend asks.

    async def _make(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, self._new_session)

    def _new_session(self, form: dict[str, str], _request: web.Request) -> dict[str, Any]:
        life = int(form["expires_at"]) - self.now()
        if not MIN_LIFE_S <= life <= MAX_LIFE_S:
            raise _RefusedError("expires_at must be 30 minutes to 24 hours ahead")
        amount = int(form["line_items[0][price_data][unit_amount]"]) * int(form["line_items[0][quantity]"])
        name = f"cs_{len(self.sessions) + 1}"
        page = {
            "id": name, "object": "checkout.session", "mode": form["mode"], "status": "open",
            "payment_status": "unpaid", "payment_intent": None, "amount_total": amount,
            "currency": form["line_items[0][price_data][currency]"],
            "client_reference_id": form["client_reference_id"], "expires_at": int(form["expires_at"]),
            "url": f"https://checkout.example.org/pay/{name}", "success_url": form["success_url"],
            "metadata": {"settlement": form["metadata[settlement]"]},
        }  # fmt: skip
        self.sessions[name] = page
        return page

    async def _show(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, lambda _form, asked: self._page(asked))

    async def _expire(self, request: web.Request) -> web.StreamResponse:
        def expire(_form: dict[str, str], asked: web.Request) -> dict[str, Any]:
            page = self._page(asked)
            if page["status"] != "open":
                raise _RefusedError("only open sessions can be expired")
            self.let_expire(page["id"])
            return page

        return await self._answer(request, expire)

    async def _refund(self, request: web.Request) -> web.StreamResponse:
        def refund(form: dict[str, str], _request: web.Request) -> dict[str, Any]:
            payment, amount = form["payment_intent"], int(form["amount"])
            given = sum(known["amount"] for known in self.refunds.values() if known["payment_intent"] == payment)
            if payment not in self.payments or given + amount > self.payments[payment]:
                raise _RefusedError("charge_already_refunded")
            name = f"re_{len(self.refunds) + 1}"
            made = {
                "id": name, "object": "refund", "amount": amount, "payment_intent": payment, "status": "succeeded",
                "metadata": {"settlement": form["metadata[settlement]"]},
            }  # fmt: skip
            self.refunds[name] = made
            return made

        return await self._answer(request, refund)

    def _page(self, request: web.Request) -> dict[str, Any]:
        page = self.sessions.get(request.match_info["session"])
        if page is None:
            raise web.HTTPNotFound
        return page

    async def _answer(
        self, request: web.Request, do: Callable[[dict[str, str], web.Request], dict[str, Any]]
    ) -> web.StreamResponse:
        form, key = dict(parse_qsl(await request.text())), request.headers.get("Idempotency-Key")
        self.requests.append((request.method, request.path, form))
        self.seen.set()
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return _error(401, "invalid_api_key")
        fault = self.faults.popleft() if self.faults else None
        if isinstance(fault, int):
            return _error(fault, "simulated")
        if key in self._answers:
            known, answer = self._answers[key]
            if known != form:
                return _error(400, "idempotency_error")
        else:
            try:
                answer = do(form, request)
            except _RefusedError as refused:
                return _error(400, str(refused))
            if key is not None:
                self._answers[key] = (form, json.loads(json.dumps(answer)))
        if fault == "lost":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(answer)


class _RefusedError(Exception):
    """The provider does not take the request."""


def _error(status: int, code: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": "what was sent, repeated"}}, status=status)
