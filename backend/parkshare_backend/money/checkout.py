"""The HTTP of a hosted checkout in Stripe's shape: pages on which people pay, and refunds. No card comes near us.

aiohttp's own client, which the server has loaded anyway, sends the four calls that are needed; it is made when
first used. The vendor's package takes 21 MiB of memory for them. Every call that changes something carries
an Idempotency-Key, so it can be repeated after a crash or a silence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

from parkshare_backend.money.amounts import places

API_VERSION = "2024-06-20"  # of the form of requests and answers; without it, the account's own would count
TIMEOUT_S = 10.0
MAX_ANSWER = 1024 * 1024  # bytes
# Where the checkout counts in other units than ISO 4217 (its documentation, "zero-decimal currencies, special cases").
_OTHER_PLACES = {"ISK": 2, "UGX": 2, "MGA": 0}
_THOUSANDTHS = 1000
_TRY_LATER = frozenset({409, 424, 429})
_SERVER_ERROR = 500


class CheckoutError(Exception):
    """The provider did not do it. lasting: it never will, so nobody needs to ask again."""

    def __init__(self, reason: str, *, lasting: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What somebody is to pay on a page: our name of it, the amount, and until when (UTC seconds) the page lives."""

    settlement: str
    key: str  # the Idempotency-Key
    amount_minor: int
    currency: str
    title: str
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """What goes back of a payment."""

    settlement: str
    key: str
    payment: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A page as the provider sees it; the amount is in our units."""

    id: str
    url: str | None
    state: Literal["open", "paid", "expired"]
    settlement: str | None
    payment: str | None
    amount_minor: int
    currency: str


class Checkout:
    """The provider's API."""

    def __init__(self, *, url: str, key: str, return_url: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "Stripe-Version": API_VERSION}
        self._return_url = return_url
        self._client: ClientSession | None = None

    async def open(self, charge: Charge) -> Session:
        """Make the page on which a charge is paid; the same key gives the same page."""
        form = {
            "mode": "payment",
            "client_reference_id": charge.settlement,
            "success_url": self._return_url,
            "cancel_url": self._return_url,
            "expires_at": str(charge.until),
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": charge.currency.lower(),
            "line_items[0][price_data][unit_amount]": str(to_provider(charge.amount_minor, charge.currency)),
            "line_items[0][price_data][product_data][name]": charge.title,
            "metadata[settlement]": charge.settlement,
            "payment_intent_data[metadata][settlement]": charge.settlement,
        }
        return read_session(await self._post("/v1/checkout/sessions", form, key=charge.key))

    async def look(self, session: str) -> Session:
        """Give a page as it is now."""
        return read_session(await self._ask("GET", f"/v1/checkout/sessions/{quote(session, safe='')}"))

    async def expire(self, session: str) -> Session:
        """Close a page so that nobody pays on it any more; one that is paid or closed already stays as it is."""
        try:
            return read_session(await self._post(f"/v1/checkout/sessions/{quote(session, safe='')}/expire", {}))
        except CheckoutError as error:
            if error.lasting:
                return await self.look(session)
            raise

    async def refund(self, refund: Refund) -> None:
        """Give back a part of a payment."""
        form = {
            "payment_intent": refund.payment,
            "amount": str(to_provider(refund.amount_minor, refund.currency)),
            "metadata[settlement]": refund.settlement,
        }
        answer = await self._post("/v1/refunds", form, key=refund.key)
        if answer.get("status") in {"failed", "canceled"}:
            raise CheckoutError("the refund failed", lasting=True)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    async def _post(self, path: str, form: Mapping[str, str], *, key: str | None = None) -> dict[str, Any]:
        return await self._ask("POST", path, form=form, headers={"Idempotency-Key": key} if key else {})

    async def _ask(
        self, method: str, path: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        if self._client is None:
            self._client = ClientSession(headers=self._headers, timeout=ClientTimeout(total=TIMEOUT_S))
        try:
            async with self._client.request(
                method, self._url + path, data=form, headers=headers, allow_redirects=False
            ) as response:
                body, status = await response.content.read(MAX_ANSWER), response.status
        except (ClientError, TimeoutError) as error:
            raise CheckoutError(f"no answer ({type(error).__name__})", lasting=False) from None
        answer = _object(body)
        if status == 200:  # noqa: PLR2004 - OK
            if answer is None:
                raise CheckoutError("an answer that is not JSON", lasting=False)
            return answer
        later = status >= _SERVER_ERROR or status in _TRY_LATER
        raise CheckoutError(f"status {status}{_code(answer)}", lasting=not later)


def to_provider(minor: int, currency: str) -> int:
    """Give an amount in the provider's units. Raises CheckoutError, lasting, for one that it cannot take."""
    ours, theirs = _scale(currency)
    amount, rest = divmod(minor * theirs, ours)
    if rest or (theirs == _THOUSANDTHS and amount % 10):
        raise CheckoutError(f"amounts in {currency} must end in zero", lasting=True)
    return amount


def from_provider(amount: int, currency: str) -> int:
    """Give an amount of the provider in our units."""
    ours, theirs = _scale(currency)
    return amount * ours // theirs


def _scale(currency: str) -> tuple[int, int]:
    ours = places(currency)
    return int(10**ours), int(10 ** _OTHER_PLACES.get(currency, ours))


def read_session(answer: Mapping[str, Any]) -> Session:
    """Read a page from an answer or an event. Raises CheckoutError when it is none."""
    name, currency, amount = answer.get("id"), answer.get("currency"), answer.get("amount_total")
    if not isinstance(name, str) or not isinstance(currency, str) or not isinstance(amount, int):
        raise CheckoutError("an answer that is no checkout session", lasting=False)
    state: Literal["open", "paid", "expired"] = "open"
    if answer.get("payment_status") in {"paid", "no_payment_required"}:
        state = "paid"
    elif answer.get("status") == "expired":
        state = "expired"
    currency = currency.upper()
    return Session(
        id=name,
        url=_text(answer.get("url")),
        state=state,
        settlement=_text(answer.get("client_reference_id")),
        payment=_text(answer.get("payment_intent")),
        amount_minor=from_provider(amount, currency),
        currency=currency,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _code(answer: dict[str, Any] | None) -> str:
    # The code is a word of the provider's list; its message may repeat what was sent.
    error = (answer or {}).get("error")
    code = error.get("code") or error.get("type") if isinstance(error, dict) else None
    return f" ({code})" if isinstance(code, str) and code.isascii() and code.replace("_", "").isalnum() else ""
