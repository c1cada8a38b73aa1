"""What things cost here and whether somebody can pay for them: what searches, holds and bookings ask before."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from parkshare_backend.http.problems import Problem, define
from parkshare_backend.money import ledger
from parkshare_backend.money.amounts import Amount, write_amount
from parkshare_backend.money.quote import Quote, Tariff, quarters, quote_of
from parkshare_backend.settings import Settings
from parkshare_backend.spaces.periods import Period
from parkshare_backend.store.engine import ReadTx

CREDITS = "credits"
CHECKOUT = "checkout"

CREDITS_MISSING = define(
    "credits-missing", 402, "There are not enough credits",
    "The booking costs more credits than the account has. Earn some by sharing a space, ask the operator of this "
    "server for more, or choose a cheaper space or a shorter period.",
)  # fmt: skip
PAYMENT_OWED = define(
    "payment-owed", 402, "Something is still to be paid",
    "An earlier booking cost more than was paid for it. Its `payment.url` is the page to pay it; then book again.",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Purses:
    """How people pay: the provider; with credits the first ones that everybody gets, and whether anybody may owe."""

    provider: str = CREDITS
    initial_minor: int = 0
    initial_currency: str = "EUR"
    may_owe: bool = True


class Pricing:
    """Quotes, and who can afford them."""

    def __init__(self, tariff: Tariff, purses: Purses) -> None:
        self.tariff = tariff
        self.purses = purses
        # A search quotes many spaces at a few prices for one period.
        self._quoted = lru_cache(maxsize=1024)(partial(_quoted, tariff))

    def quote(self, price_minor: int, currency: str, period: Period) -> Quote:
        """Give what a period costs at a price per hour."""
        return self._quoted(price_minor, currency, period.end - period.start)

    async def lacking(self, tx: ReadTx, account: str, quotes: Sequence[Quote]) -> list[int]:
        """Give what an account lacks for each of the quotes; looks at the purse once, and only if it counts."""
        if self.purses.may_owe or self.purses.provider != CREDITS:
            return [0] * len(quotes)
        have = await self.purse(tx, account, {quoted.currency for quoted in quotes})
        return [_short_by(quoted, have[quoted.currency]) for quoted in quotes]

    async def purse(self, tx: ReadTx, account: str, currencies: set[str]) -> dict[str, int]:
        """Give what the account has in each currency, with the first credits that it has not drawn yet."""
        mine = ledger.person(account)
        sums = await ledger.balances(tx, [mine])
        have = {currency: sums.get((mine, currency), 0) for currency in currencies}
        first = self.purses.initial_currency
        if first in have and self.purses.initial_minor and not await ledger.written(tx, welcome(account)):
            have[first] += self.purses.initial_minor
        return have

    async def check(self, tx: ReadTx, account: str, quoted: Quote) -> None:
        """Raise Problem for somebody who can't pay a quote now, or who still owes for an earlier one."""
        if quoted.total_minor == 0:
            return
        if self.purses.provider != CREDITS:
            if (await self.purse(tx, account, {quoted.currency}))[quoted.currency] < 0:
                raise Problem(PAYMENT_OWED)
            return
        if self.purses.may_owe:
            return
        have = (await self.purse(tx, account, {quoted.currency}))[quoted.currency]
        if short := _short_by(quoted, have):
            costs, has = (write_amount(Amount(minor, quoted.currency)) for minor in (quoted.total_minor, have))
            detail = (
                f"The booking costs {costs} and the account has {has}. Earn credits by sharing a space, ask the "
                "operator of this server for more, or choose a cheaper space or a shorter period."
            )
            raise Problem(CREDITS_MISSING, detail, extra={"short_by_minor": short, "currency": quoted.currency})


def pricing_of(settings: Settings) -> Pricing:
    """Make the pricing that the operator chose."""
    purses = Purses(
        provider=settings.payments,
        initial_minor=settings.credits_initial_minor,
        initial_currency=settings.credits_currency,
        may_owe=settings.credits_may_owe,
    )
    return Pricing(Tariff(settings.platform_fee_bp, settings.minimum_charge_minor), purses)


def welcome(account: str) -> str:
    """Name the transaction with the first credits of an account."""
    return f"welcome:{account}"


def _quoted(tariff: Tariff, price_minor: int, currency: str, seconds: int) -> Quote:
    return quote_of(price_minor, currency, quarters(seconds), tariff)


def _short_by(quoted: Quote, have: int) -> int:
    # Who is below zero may still take what costs nothing.
    return max(0, quoted.total_minor - have) if quoted.total_minor else 0
