"""How money looks on the wire. Every amount is a whole number of the smallest unit of an ISO 4217 currency."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, TypedDict

from pydantic import AfterValidator, StringConstraints

from parkshare_backend.http.cursors import Limit, PageQuery
from parkshare_backend.http.models import Answer, Name, Page, Request, UtcTime
from parkshare_backend.money.quote import Quote, What


class LineAnswer(Answer):
    """One line of a quote."""

    what: What
    amount_minor: int


class QuoteAnswer(Answer):
    """What a period on a space costs. short_by_minor: how much the caller's credits lack for it, 0 if nothing."""

    lines: list[LineAnswer]
    total_minor: int
    currency: str
    short_by_minor: int = 0

    @classmethod
    def of(cls, quoted: Quote, *, short_by_minor: int = 0) -> Self:
        """Show a quote."""
        return cls(
            lines=[LineAnswer(what=line.what, amount_minor=line.amount_minor) for line in quoted.lines],
            total_minor=quoted.total_minor,
            currency=quoted.currency,
            short_by_minor=short_by_minor,
        )


class WrittenQuote(TypedDict):
    """A `QuoteAnswer` as it goes to JSON."""

    lines: list[dict[str, Any]]
    total_minor: int
    currency: str
    short_by_minor: int


def written_quote(quoted: Quote, *, short_by_minor: int = 0) -> WrittenQuote:
    """Write what QuoteAnswer writes, for answers with many quotes."""
    return {
        "lines": [{"what": str(line.what), "amount_minor": line.amount_minor} for line in quoted.lines],
        "total_minor": quoted.total_minor,
        "currency": quoted.currency,
        "short_by_minor": short_by_minor,
    }


class PaymentAnswer(Answer):
    """Where the payment of a booking stands, for its renter.

    none: nothing is to be paid. held: it is set aside until the stay is over. open: the renter must pay at `url` (null
    while the page is being made) until `until`, else the booking is canceled. owed: more became due (an extension, an
    overstay), payable at `url`. settled: all is paid and shared out. failed: the operator must look.
    """

    state: Literal["none", "held", "open", "owed", "settled", "failed"]
    url: str | None = None
    until: UtcTime | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """What a booking costs and where its payment stands."""

    quote: QuoteAnswer
    payment: PaymentAnswer


class BalanceAnswer(Answer):
    """What an account has in one currency; below zero is what it owes. held: set aside for its bookings."""

    currency: str
    amount_minor: int
    held_minor: int


class BalancesAnswer(Answer):
    """The account's purse. may_owe: whether it may go below zero."""

    items: list[BalanceAnswer]
    may_owe: bool


class StatementQuery(PageQuery):
    """Which entries to list, newest first."""

    limit: Limit = 50


class EntryAnswer(Answer):
    """One entry of the account: what came (above zero) or went (below), why, and for which booking."""

    n: int
    at: UtcTime
    cause: str
    booking: str | None
    amount_minor: int
    currency: str


class StatementPage(Page[EntryAnswer]):
    """One page of entries, newest first."""


def _printable(value: str) -> str:
    if any(ord(char) < ord(" ") or ord(char) == 0x7F for char in value):  # noqa: PLR2004 - DEL
        raise ValueError("must not contain control characters")
    return value.strip()


_COUNTRY = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
_LINE = Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$"), AfterValidator(_printable)]
_TAX_ID = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./-]{1,39}$")]


class SellerBody(Request):
    """What tax law (DAC7) asks of a person who lets a space for money; countries by ISO 3166-1 alpha-2."""

    legal_name: Name
    address: _LINE
    country: _COUNTRY
    tax_id: _TAX_ID | None = None
    tax_country: _COUNTRY | None = None
    vat_id: _TAX_ID | None = None
    birth_date: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = None


class SellerAnswer(Answer):
    """What is known of a seller."""

    legal_name: str
    address: str
    country: str
    tax_id: str | None
    tax_country: str | None
    vat_id: str | None
    birth_date: str | None
    updated_at: UtcTime


ReportYear = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}\.csv$")]


class Heard(Answer):
    """What a payment provider is told: its event was heard."""

    received: bool
