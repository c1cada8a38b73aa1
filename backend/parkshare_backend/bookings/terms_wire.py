"""How the terms of a space look on the wire: said by houses, answered to people."""

from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from parkshare_backend.bookings.terms import Approval, Terms
from parkshare_backend.http.models import Answer, Whole

_WEEKS = 28 * 24 * 60  # minutes: houses publish windows for 28 days
Minutes = Annotated[Whole, Field(ge=0, le=_WEEKS)]
Percent = Annotated[Whole, Field(ge=0, le=100)]


def _known_approval(value: Any) -> Any:
    # A newer house may know another way to agree; to ask the owner is the careful one.
    return value if value in (*Approval, None) or not isinstance(value, str) else Approval.OWNER.value


class TermsHeard(BaseModel):
    """The terms in `space.publish`; what is not said is as by default, and fields that we do not know are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    approval: Annotated[Literal["instant", "owner"] | None, BeforeValidator(_known_approval)] = None
    approval_minutes: Annotated[Whole, Field(ge=5, le=_WEEKS)] | None = None
    min_booking_duration: Annotated[Whole, Field(ge=5, le=_WEEKS)] | None = None
    max_booking_duration: Annotated[Whole, Field(ge=5, le=_WEEKS)] | None = None
    notice_minutes: Minutes | None = None
    change_until_minutes: Minutes | None = None
    cancel_until_minutes: Minutes | None = None
    early_start_time: Annotated[Whole, Field(ge=0, le=120)] | None = None
    noshow_timeout: Annotated[Whole, Field(ge=5, le=_WEEKS)] | None = None
    late_stop_time: Annotated[Whole, Field(ge=0, le=120)] | None = None
    cancel_percent: Percent | None = None
    noshow_percent: Percent | None = None
    overstay_percent: Annotated[Whole, Field(ge=0, le=1000)] | None = None
    overstay_daily_cap: Annotated[Whole, Field(ge=0, le=10_000_000)] | None = None
    take_back_minutes: Minutes | None = None
    take_back_percent: Percent | None = None

    def terms(self) -> Terms:
        """Give the terms; the longest duration is never below the shortest."""
        said = self.model_dump(exclude_none=True)
        if "approval" in said:
            said["approval"] = Approval(said["approval"])
        terms = Terms().with_changes(said)
        longest = max(terms.min_booking_duration, terms.max_booking_duration)
        return terms.with_changes({"max_booking_duration": longest})


class TermsAnswer(Answer):
    """The terms of a space or a booking. All times are minutes; the percentages are of the booking's total.

    noshow_timeout null: the space waits until the end. overstay_percent is of the price per hour, by started quarter
    hour; overstay_daily_cap null: the price of 24 hours.
    """

    approval: Literal["instant", "owner"]
    approval_minutes: int
    min_booking_duration: int
    max_booking_duration: int
    notice_minutes: int
    change_until_minutes: int
    cancel_until_minutes: int
    early_start_time: int
    noshow_timeout: int | None
    late_stop_time: int
    cancel_percent: int
    noshow_percent: int
    overstay_percent: int
    overstay_daily_cap: int | None
    take_back_minutes: int
    take_back_percent: int

    @classmethod
    def of(cls, terms: Terms) -> Self:
        """Write terms."""
        return cls.model_validate(terms, from_attributes=True)


@lru_cache(maxsize=1024)
def written_terms(terms: Terms) -> str:
    """Write terms as JSON; most spaces have the same few."""
    return TermsAnswer.of(terms).model_dump_json()
