"""How webhooks look on the wire."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from pydantic.config import JsonDict

from parkshare_backend.http.models import Answer, Id, Page, Request, UtcTime, Whole

# All that an account is told. Another word is a slip of the pen, and a webhook that waits for it would stay silent.
Kind = Literal["booking.changed", "standby.offered", "standby.ended", "standby.none", "webhook.disabled"]
Kinds = Annotated[list[Kind], Field(min_length=1, max_length=20, examples=[["booking.changed"]])]
Description = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000, pattern=r"^[\x21-\x7e]+$"),
    Field(examples=["https://example.org/parkshare"]),
]


class WebhookRequest(Request):
    """A new webhook; without `kinds` every change is sent."""

    url: Url
    kinds: Kinds | None = None
    description: Description = ""


def _no_default(schema: JsonDict) -> None:
    """Say nothing of a default: what is left out stays as it is."""
    schema.pop("default", None)


class WebhookChange(Request):
    """What to change; what is left out stays. `kinds: null` sends every change."""

    url: Annotated[Url, Field(json_schema_extra=_no_default)] = ""
    kinds: Annotated[Kinds | None, Field(json_schema_extra=_no_default)] = None
    description: Annotated[Description, Field(json_schema_extra=_no_default)] = ""
    state: Annotated[Literal["active", "paused"], Field(json_schema_extra=_no_default)] = "active"


class RedeliveryRequest(Request):
    """Which change to send once more: its `q`."""

    q: Annotated[Whole, Field(ge=1, le=2**53)]


class WebhookAnswer(Answer):
    """A webhook. waiting: how many changes it has still to be sent at most; failing_since: no success since then."""

    id: str
    url: str
    kinds: list[str] | None
    description: str
    state: Literal["active", "paused", "disabled"]
    reason: str | None
    created_at: UtcTime
    revision: int
    cursor: int
    waiting: int
    tries: int
    failing_since: UtcTime | None
    next_try_at: UtcTime | None
    old_secret_until: UtcTime | None


class NewWebhookAnswer(WebhookAnswer):
    """A webhook with its secret, which is shown this once."""

    secret: str


class WebhooksAnswer(Answer):
    """The account's webhooks."""

    items: list[WebhookAnswer]


class AttemptAnswer(Answer):
    """One attempt: when, what, and what came of it; never what was said."""

    n: int
    at: UtcTime
    message: str
    q: int
    t: str
    outcome: str
    status: int | None
    took_ms: int


class AttemptsQuery(Request):
    """How many attempts to list."""

    limit: Annotated[Whole, Field(ge=1, le=50)] = 50


class AttemptsAnswer(Page[AttemptAnswer]):
    """The last attempts, newest first; 50 are kept."""


WEBHOOK_PATH = {"webhook": Id}
