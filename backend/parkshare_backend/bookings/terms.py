"""The terms of a space: what may be booked, until when a booking may change, and what it costs to break one's word.

Pure: standard library only. The words are those of the terms of a booking in OCPI 2.3, times are whole minutes. Fees
are computed here in the smallest unit of the currency, from the total that was fixed at the time of booking; who pays
them to whom is the ledger's business.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any, Self

from parkshare_backend.bookings.periods import PeriodFault
from parkshare_backend.spaces.periods import Period

MINUTE_S = 60
QUARTER_S = 15 * MINUTE_S
DAY_S = 24 * 3600
# Between the answer of a search and the booking people read and confirm: an offer must not grow too short meanwhile.
PATIENCE_S = 10 * MINUTE_S


class Approval(StrEnum):
    """Who agrees to a booking beside the house."""

    INSTANT = "instant"
    OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the owner of a space asks of its renters, and what they may ask of the owner.

    approval_minutes: how long the owner has to answer, at the longest until the start. early_start_time: how long
    before the start the car may come. noshow_timeout: how long after the start the space waits for its car; None is
    until the end. late_stop_time: the grace after the end. The percentages are of the booking's total, overstay_percent
    of the price per hour; overstay_daily_cap is in the smallest unit of the currency, None is the price of 24 hours.
    """

    approval: Approval = Approval.INSTANT
    approval_minutes: int = 24 * 60
    min_booking_duration: int = 5
    max_booking_duration: int = 14 * 24 * 60
    notice_minutes: int = 0
    change_until_minutes: int = 0
    cancel_until_minutes: int = 0
    early_start_time: int = 0
    noshow_timeout: int | None = None
    late_stop_time: int = 10
    cancel_percent: int = 50
    noshow_percent: int = 100
    overstay_percent: int = 150
    overstay_daily_cap: int | None = None
    take_back_minutes: int = 60
    take_back_percent: int = 10

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """Read stored terms; None is the default ones, and words of another version are passed over."""
        if text is None:
            return cls()
        stored = json.loads(text)
        known = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        if "approval" in known:
            known["approval"] = Approval(known["approval"])
        return cls(**known)

    def to_json(self) -> str:
        """Write the terms as they are stored."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    def with_changes(self, said: Mapping[str, Any]) -> Self:
        """Give these terms with what was said of them."""
        return replace(self, **said)

    @property
    def by_owner(self) -> bool:
        """Tell whether the owner must approve each booking."""
        return self.approval is Approval.OWNER


def faults(terms: Terms, period: Period, now: float, *, patience_s: float = 0.0) -> list[PeriodFault]:
    """Tell why these terms do not allow a period; an empty list means that they do.

    A search asks without patience, a booking with PATIENCE_S: what was offered a moment ago can still be booked.
    """
    found = []
    if terms.notice_minutes and period.start < now + terms.notice_minutes * MINUTE_S - patience_s:
        said = _spoken(terms.notice_minutes)
        found.append(PeriodFault("/period/start", f"The owner wants to know {said} ahead. Choose a later start."))
    length = period.end - period.start
    if length < terms.min_booking_duration * MINUTE_S:
        said = _spoken(terms.min_booking_duration)
        found.append(PeriodFault("/period/end", f"The space is let for {said} at least. Choose a later end."))
    if length > terms.max_booking_duration * MINUTE_S:
        said = _spoken(terms.max_booking_duration)
        found.append(PeriodFault("/period/end", f"The space is let for {said} at most. Choose an earlier end."))
    return found


def approval_until(terms: Terms, period: Period, *, asked_at: float) -> float:
    """Give when a request for approval lapses: after the owner's time, at the latest at the start of the period.

    A request for a period that has begun or begins at once gets a quarter of an hour, within the period.
    """
    latest = max(period.start, min(asked_at + QUARTER_S, period.end))
    return min(asked_at + terms.approval_minutes * MINUTE_S, latest)


def may_change(terms: Terms, period: Period, now: float) -> bool:
    """Tell whether the renter may still move the booking to another period."""
    return now <= period.start - terms.change_until_minutes * MINUTE_S


def cancels_free(terms: Terms, period: Period, now: float) -> bool:
    """Tell whether the renter may cancel without a fee."""
    return now <= period.start - terms.cancel_until_minutes * MINUTE_S


def may_take_back(terms: Terms, period: Period, now: float) -> bool:
    """Tell whether the owner may still take the space back."""
    return now <= period.start - terms.take_back_minutes * MINUTE_S


def noshow_at(terms: Terms, period: Period) -> float:
    """Give when a car that has not come counts as one that does not come."""
    if terms.noshow_timeout is None:
        return period.end
    return min(period.start + terms.noshow_timeout * MINUTE_S, period.end)


def cancel_fee(terms: Terms, period: Period, *, at: float, total_minor: int) -> int:
    """Give what a renter still pays who cancels at `at`: nothing in time, a share of the total later."""
    return 0 if cancels_free(terms, period, at) else _share(total_minor, terms.cancel_percent)


def noshow_fee(terms: Terms, *, total_minor: int) -> int:
    """Give what a renter still pays whose car did not come."""
    return _share(total_minor, terms.noshow_percent)


def overstay_fee(terms: Terms, *, hour_minor: int, seconds: float) -> int:
    """Give the fee of a car that left so many seconds after the end, by started quarter hour and up to the daily cap.

    Within the grace (late_stop_time) it is nothing; after it the whole time since the end counts.
    """
    if seconds <= terms.late_stop_time * MINUTE_S:
        return 0
    cap = hour_minor * 24 if terms.overstay_daily_cap is None else terms.overstay_daily_cap
    days, rest = divmod(seconds, DAY_S)
    quarters_a_day, quarters = DAY_S // QUARTER_S, math.ceil(rest / QUARTER_S)
    whole_day = min(cap, _by_quarters(hour_minor, terms.overstay_percent, quarters_a_day))
    return int(days) * whole_day + min(cap, _by_quarters(hour_minor, terms.overstay_percent, quarters))


def take_back_cost(terms: Terms, *, total_minor: int) -> int:
    """Give what an owner pays the renter, beside the full refund, for taking the space back."""
    return _share(total_minor, terms.take_back_percent)


def _share(total_minor: int, percent: int) -> int:
    return (total_minor * percent + 50) // 100


def _by_quarters(hour_minor: int, percent: int, quarters: int) -> int:
    return (hour_minor * percent * quarters + 200) // 400


def _spoken(minutes: int) -> str:
    for size, word in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes % size == 0:
            count = minutes // size
            return f"{count} {word}{'s' if count != 1 else ''}"
    raise AssertionError("every number of minutes is one of minutes")
