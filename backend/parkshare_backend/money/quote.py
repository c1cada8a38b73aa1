"""What parking costs: the lines of a quote, and what remains to be paid when a booking ends otherwise than planned.

Pure: standard library only. Parking is charged by started quarter hour at the price per hour that the space had when it
was booked. Each line is rounded once, half up (`amounts.share`), and the total is the sum of the lines, so nothing is
lost between them. What a broken word costs is in the terms of the booking (`bookings/terms.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from parkshare_backend.money.amounts import Amount, share
from parkshare_backend.spaces.periods import Period

QUARTER_S = 15 * 60
QUARTERS_AN_HOUR = 4
BASIS_POINTS = 10_000


class What(StrEnum):
    """What a line of a quote is for."""

    PARKING = "parking"  # the started quarter hours
    MINIMUM = "minimum"  # what is missing to the least that a booking costs
    PLATFORM_FEE = "platform-fee"  # of the operator, on top


# Lines and quotes are tuples, because a search looks up what it has written of each.
class Line(NamedTuple):
    """One line of a quote, in the smallest unit of its currency."""

    what: What
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Tariff:
    """What the operator adds: a fee in basis points of the parking, and the least that a booking with a price costs."""

    fee_bp: int = 0
    minimum_minor: int = 0


class Quote(NamedTuple):
    """What a period on a space costs, line by line."""

    lines: tuple[Line, ...]
    total_minor: int
    currency: str

    def of(self, what: What) -> int:
        """Give the sum of the lines for this."""
        return sum(line.amount_minor for line in self.lines if line.what is what)

    @property
    def fee_minor(self) -> int:
        """What the operator gets of the total; the rest is the owner's."""
        return self.of(What.PLATFORM_FEE)


@dataclass(frozen=True, slots=True)
class Shares:
    """A charge that a renter pays, shared out; the two parts are the whole."""

    owner_minor: int
    fee_minor: int

    @property
    def total_minor(self) -> int:
        """What the renter pays."""
        return self.owner_minor + self.fee_minor


def quarters(seconds: float) -> int:
    """Give the quarter hours that are started in so many seconds."""
    return max(0, -int(-seconds // QUARTER_S))


def quote(price: Amount, period: Period, tariff: Tariff = Tariff()) -> Quote:
    """Give what a period costs at a price per hour; a space without a price costs nothing at all."""
    return quote_of(price.minor, price.currency, quarters(period.end - period.start), tariff)


def quote_of(hour_minor: int, currency: str, started: int, tariff: Tariff) -> Quote:
    """Give what so many started quarter hours cost at a price per hour."""
    parking = share(hour_minor, started, QUARTERS_AN_HOUR)
    lines = [Line(What.PARKING, parking)]
    if hour_minor:
        if parking < tariff.minimum_minor:
            lines.append(Line(What.MINIMUM, tariff.minimum_minor - parking))
        fee = share(max(parking, tariff.minimum_minor), tariff.fee_bp, BASIS_POINTS)
        if fee:
            lines.append(Line(What.PLATFORM_FEE, fee))
    return Quote(tuple(lines), total(lines), currency)


def total(lines: Sequence[Line]) -> int:
    """Give the sum of the lines."""
    return sum(line.amount_minor for line in lines)


def shared_out(charge_minor: int, quoted: Quote) -> Shares:
    """Share out a charge between owner and operator as the quote shares out its total; no unit is lost.

    A charge that is more than the total (an overstay comes on top) is shared out alike.
    """
    if quoted.total_minor == 0:
        return Shares(charge_minor, 0)
    fee = share(charge_minor, quoted.fee_minor, quoted.total_minor)
    return Shares(charge_minor - fee, fee)
