"""How changes look on the wire: the page that `GET /changes` answers, and the frames of the stream.

The stream carries the same items in the same JSON as the page: a client has one parser for both.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, SecretStr

from parkshare_backend.http.models import Answer, Request, UtcTime, Whole
from parkshare_backend.store.outbox import Event

After = Annotated[Whole, Field(ge=0, le=2**53)]


class ChangesQuery(Request):
    """Which changes to list: those after `after`, oldest first."""

    after: After = 0
    limit: Annotated[Whole, Field(ge=1, le=500)] = 100


class StreamQuery(Request):
    """Where a stream goes on. There is no token here: addresses end up in logs and histories."""

    after: After = 0


class Change(Answer):
    """One thing that happened; clients ignore kinds that they don't know."""

    q: int
    t: str
    at: UtcTime
    d: dict[str, object]

    @classmethod
    def of(cls, event: Event) -> Change:
        """Show an event of the log."""
        return cls(q=event.q, t=event.t, at=event.at, d=event.d)


class Changes(Answer):
    """What happened, in order; ask again after `next`."""

    items: list[Change]
    next: int


class AuthFrame(Request):
    """The first frame of a client that can set no header, within ten seconds."""

    # Frames of a newer client may say more.
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    k: Literal["auth"]
    token: SecretStr


class ReadyFrame(Answer):
    """The stream begins: `after` is where it goes on, `head` the newest change at this moment."""

    k: Literal["ready"] = "ready"
    after: int
    head: int
    beat: Annotated[float, Field(description="seconds after which a frame comes in any case")]


class ChangesFrame(Changes):
    """Some changes, in order: what `GET /changes` answers, with a `k`."""

    k: Literal["changes"] = "changes"


class BeatFrame(Answer):
    """Nothing happened, and the connection lives."""

    k: Literal["beat"] = "beat"
    time: UtcTime


class ProblemFrame(Answer):
    """Why the stream ends now, as RFC 9457 has it; the close code follows."""

    k: Literal["problem"] = "problem"
    problem: dict[str, Any]


CLIENT_FRAMES = (AuthFrame,)
SERVER_FRAMES = (ReadyFrame, ChangesFrame, BeatFrame, ProblemFrame)
