"""How holds look on the wire."""

from parkshare_backend.bookings.terms_wire import TermsAnswer
from parkshare_backend.http.models import Answer, Id, Request, UtcTime
from parkshare_backend.money.models import QuoteAnswer
from parkshare_backend.spaces.models import PeriodAnswer, PeriodBody, VehicleBody


class HoldRequest(Request):
    """A space to keep while somebody decides. The client may choose the id: the same request again is the same hold."""

    id: Id | None = None
    space: Id
    period: PeriodBody
    vehicle: VehicleBody | None = None


class HoldAnswer(Answer):
    """A space that is kept for the caller until expires_at, what it would cost, and on what terms."""

    id: str
    space: str
    period: PeriodAnswer
    expires_at: UtcTime
    quote: QuoteAnswer
    terms: TermsAnswer
