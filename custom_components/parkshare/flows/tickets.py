"""Links by which a flow shows a picture, or asks something about one, outside Home Assistant's own pages.

A browser asks for a picture without the key of the person before it, so the address itself is the key: nobody can
guess it, it shows one picture and nothing else, and it is gone with the flow, or after ten minutes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_urlsafe
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util.hass_dict import HassKey

from custom_components.parkshare.recognition import Region

LIFE: Final = timedelta(minutes=10)
SECRET_BYTES: Final = 32
# How the files that a browser may be given begin. Anything else could be a page with a script in it.
BEGINNINGS: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"RIFF": "image/webp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Where on the picture are plates? texts are the words of the page that asks.

    opened is called with each visit, answered once: with a region, or None when the person leaves it as it is.
    """

    texts: Mapping[str, str]
    language: str
    region: Region
    opened: Callable[[], None]
    answered: Callable[[Region | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What one link shows."""

    content: bytes = field(repr=False)
    content_type: str
    question: Question | None
    end: CALLBACK_TYPE


class NotAPictureError(ValueError):
    """What should be shown is no picture."""


class Tickets:
    """The links that are valid now."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._valid: dict[str, Ticket] = {}

    @callback
    def issue(
        self, content: bytes, *, question: Question | None = None, expired: Callable[[], None] | None = None
    ) -> str:
        """Make a link for a picture and return its secret; expired is called when its time runs out."""
        content_type = next((kind for start, kind in BEGINNINGS.items() if content.startswith(start)), None)
        if content_type is None:
            raise NotAPictureError
        secret = token_urlsafe(SECRET_BYTES)

        @callback
        def run_out(_now: object) -> None:
            del self._valid[secret]
            if expired is not None:
                expired()

        end = async_call_later(self._hass, LIFE, run_out)
        self._valid[secret] = Ticket(content=content, content_type=content_type, question=question, end=end)
        return secret

    @callback
    def revoke(self, secret: str) -> None:
        """End a link; once more changes nothing."""
        if (ticket := self._valid.pop(secret, None)) is not None:
            ticket.end()

    @callback
    def get(self, secret: str) -> Ticket | None:
        """Return what a link shows, None for one that is not valid."""
        return self._valid.get(secret)


TICKETS: Final[HassKey[Tickets]] = HassKey("parkshare_tickets")


@callback
def tickets_of(hass: HomeAssistant) -> Tickets:
    """Return the links of this Home Assistant."""
    return hass.data.setdefault(TICKETS, Tickets(hass))
