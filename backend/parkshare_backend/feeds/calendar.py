"""Writing a calendar (RFC 5545, RFC 7986). No I/O: entries in, bytes out, the same bytes for the same entries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icalendar import Event

PRODUCT = "-//ParkShare//ParkShare//EN"
REFRESH = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One appointment; times in UTC epoch seconds. sequence grows when the appointment changes."""

    uid: str
    summary: str
    start: float
    end: float
    status: str  # TENTATIVE, CONFIRMED or CANCELLED
    sequence: int
    created_at: float
    changed_at: float
    location: str | None = None


def write(name: str, entries: Iterable[Entry]) -> bytes:
    """Write a calendar; the library escapes and folds."""
    # Here, not above: the library reads every time zone of the world when it is imported, half a start of a server.
    from icalendar import Calendar, Event, vDuration, vText  # noqa: PLC0415

    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", vText(name))
    calendar.add("x-wr-calname", vText(name))
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for entry in entries:
        event = Event()
        _describe(event, entry)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _describe(event: Event, entry: Entry) -> None:
    event.add("uid", entry.uid)
    event.add("summary", entry.summary)
    event.add("dtstart", _moment(entry.start))
    event.add("dtend", _moment(entry.end))
    # Of a published calendar the stamp is when the entry last changed (RFC 5545 section 3.8.7.2), not when it was
    # written: else no two answers were alike and no client could keep one.
    event.add("dtstamp", _moment(entry.changed_at))
    event.add("created", _moment(entry.created_at))
    event.add("last-modified", _moment(entry.changed_at))
    event.add("sequence", entry.sequence)
    event.add("status", entry.status)
    event.add("transp", "TRANSPARENT" if entry.status == "CANCELLED" else "OPAQUE")
    event.add("class", "PRIVATE")
    if entry.location:
        event.add("location", entry.location)


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(int(at), UTC)
