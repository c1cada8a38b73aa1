"""The yearly report of an owner, with the fields that DAC7 (Directive (EU) 2021/514) asks a platform to report.

Pure: standard library only. One line for each space and currency. The consideration is what was paid or credited to
the owner, without the fees; both are counted in the quarter in which the ledger moved them (UTC), and so are bookings,
hours and days of a stay.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from parkshare_backend.money.amounts import write_minor
from parkshare_backend.spaces.periods import Period

QUARTERS = (1, 2, 3, 4)
_SELLER = ("seller_name", "seller_address", "seller_country", "tax_id", "tax_country", "vat_id", "birth_date")
_LISTING = ("space_id", "space_name", "space_address", "currency")
_FIGURES = ("bookings", "days_let", "hours_let", "consideration", "fees")
COLUMNS = ("year", *_SELLER, *_LISTING, *(f"q{quarter}_{figure}" for quarter in QUARTERS for figure in _FIGURES))
# What a spreadsheet would take for a formula. A quote before it makes it text (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
HOUR_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What the ledger moved for one booking at `at` (UTC seconds); below zero it was taken back again.

    period: that was let, if the car stood there or the space was kept for it in vain.
    """

    booking: str
    space: str
    currency: str
    at: float
    period: Period
    consideration_minor: int
    fee_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A space as it is reported."""

    name: str
    address: str


@dataclass(slots=True)
class _Quarter:
    consideration_minor: int = 0
    fee_minor: int = 0
    periods: dict[str, Period] = field(default_factory=dict)


def report(year: int, sales: Iterable[Sale], seller: Mapping[str, str | None], spaces: Mapping[str, Listing]) -> str:
    """Write the report as CSV (RFC 4180)."""
    lines: dict[tuple[str, str], dict[int, _Quarter]] = {}
    for sale in sales:
        moment = datetime.fromtimestamp(sale.at, UTC)
        if moment.year != year:
            continue
        quarters = lines.setdefault((sale.space, sale.currency), {quarter: _Quarter() for quarter in QUARTERS})
        quarter = quarters[(moment.month + 2) // 3]
        quarter.consideration_minor += sale.consideration_minor
        quarter.fee_minor += sale.fee_minor
        if sale.consideration_minor > 0:
            quarter.periods[sale.booking] = sale.period
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for (space, currency), quarters in sorted(lines.items()):
        listing = spaces.get(space, Listing(name="", address=""))
        row = [str(year), *(seller.get(name.removeprefix("seller_")) or "" for name in _SELLER)]
        row += [space, listing.name, listing.address, currency]
        texts = [_text(value) for value in row]
        writer.writerow([*texts, *(value for quarter in QUARTERS for value in _figures(quarters[quarter], currency))])
    return out.getvalue()


def _figures(quarter: _Quarter, currency: str) -> list[str]:
    periods = quarter.periods.values()
    hours = sum(period.end - period.start for period in periods)
    return [
        str(len(quarter.periods)),
        str(len({day for period in periods for day in _days(period)})),
        f"{hours // HOUR_S}.{hours % HOUR_S * 100 // HOUR_S:02d}",
        write_minor(quarter.consideration_minor, currency),
        write_minor(quarter.fee_minor, currency),
    ]


def _days(period: Period) -> Iterable[str]:
    day = datetime.fromtimestamp(period.start, UTC).date()
    last = datetime.fromtimestamp(period.end - 1, UTC).date()
    while day <= last:
        yield day.isoformat()
        day += timedelta(days=1)


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value
